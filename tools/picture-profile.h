/* picture-profile.h -- colour profiles of primaries and curves
 *
 * Whether one is sRGB is asked by what it does, as names mislead: "sRGB TRC
 * from Display P3" is what GIMP calls a profile of wide primaries.  Others of
 * three primaries and curves, or of one curve of gray, are converted here, as
 * GIMP's babl does: lcms would go from 16 bits to 16 bits by a table of 33
 * steps, which is far off where numbers are linear light.
 */
#pragma once

#include <glib.h>

typedef struct _PictureProfile PictureProfile;

/* NULL where it is a profile of another kind, or none; @n_colours: 1 or 3;
 * @n_steps: 256 or 65536 numbers of a channel.  (transfer full) */
PictureProfile *picture_profile_new (gconstpointer data, gsize length,
                                     int n_colours, int n_steps);
void picture_profile_free (PictureProfile *profile);
gboolean picture_profile_is_srgb (const PictureProfile *profile);
/* Before the first conversion */
void picture_profile_prepare (PictureProfile *profile);
/* @n pixels of bytes or words, as n_steps says, to three words of sRGB; what
 * lies outside of its colours is clipped. */
void picture_profile_convert (const PictureProfile *profile,
                              gconstpointer pixels, gsize n, guint16 *out);
