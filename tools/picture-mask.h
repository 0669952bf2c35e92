/* picture-mask.h -- where a mask's object is
 *
 * Anything but the background is the object, whatever its number or colour:
 *
 *   alpha     where some of it is not opaque: all that is not transparent
 *   palette   all but the first colour
 *   gray      all but 0 (of 1 to 32 bits, or float)
 *   colour    all but black
 *   lossy     JPEG, HEIC, lossy WebP, CMYK, Lab: what is at least a quarter as
 *             light as the lightest of the file, as black comes back as nearly
 *             black
 */
#pragma once

#include <gio/gio.h>

typedef enum
{
  MASK_GRAY,
  MASK_COLOUR,
  MASK_PALETTE,
  MASK_ALPHA,
  MASK_LOSSY,
  N_MASK_KINDS
} MaskKind;

#define MASK_MOST_SIDE 4096

typedef struct
{
  int whole_width, whole_height; /* upright, as the file has it */
  int width, height; /* of the values: the nearest pixels where it is larger
                        than MASK_MOST_SIDE */
  MaskKind kind;
  gsize n_object; /* values that are 1 */
} PictureMask;

/* [height, width] of 0 and 1 (transfer full, g_free) */
guint8 *picture_mask_load (const char *path, PictureMask *mask, GError **error);
