/* picture-vips.h -- shared by what reads and what writes pictures */
#pragma once

#include <vips/vips.h>
#include <vips/vector.h>

#include "core/image/input.h"
#include "tools/picture-head.h"

/* libvips' own types have no g_autoptr in all the versions that we build with.
 */
typedef VipsImage PictureImage;
typedef VipsRegion PictureRegion;
typedef VipsArrayDouble PictureColour;

static inline void
picture_colour_unref (PictureColour *colour)
{
  vips_area_unref (VIPS_AREA (colour));
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (PictureImage, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PictureRegion, g_object_unref)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PictureColour, picture_colour_unref)

typedef enum
{
  PICTURE_READ,
  PICTURE_WRITE,
  PICTURE_ENCODE
} PictureTask;

/* FALSE, with libvips' last message as the reason: "Cannot write “PATH”:
 * reason." */
gboolean picture_refuse (PictureTask task, const char *path, GError **error);
gboolean picture_refuse_reading (const char *path, GError **error);

/* Does libvips' last message tell of a want of memory? */
gboolean picture_lacks_memory (void);

/* Replaces *@image by *@next, as operations hand them out, or by NULL where
 * they @failed; *@next becomes NULL.  Whether they did not */
gboolean picture_step (VipsImage **image, int failed, VipsImage **next);
/* To a file by its ending, whole or not at all; see picture-rows.h. */
gboolean picture_write_image (const char *path, VipsImage *image,
                              GError **error);
/* NULL with an error that says why; pixels are decoded when they are asked for.
 * @shrink: 1, and of JPEG and WebP also 2, 4 or 8 times smaller. */
VipsImage *picture_open (const char *path, const PictureHead *head, int shrink,
                         GError **error);
/* Width and height change places where the picture is upright. */
gboolean picture_is_turned (VipsImage *image);
/* Bands that are colours: 1, 3 or 4; 0: not known */
int picture_count_colours (const VipsImage *image);
/* By EXIF's word; replaces *@image, which becomes NULL where that fails. */
gboolean picture_make_upright (VipsImage **image);
/* sRGB in bytes or 16-bit words, straight alpha behind it where there is one;
 * replaces *@image, which becomes NULL where that fails. */
gboolean picture_to_srgb (VipsImage **image, const PictureHead *head,
                          const char *path, GError **error);
/* The head, then the image upright in sRGB: three bytes, four bytes or four
 * words a pixel. */
VipsImage *picture_open_upright (const char *path, CamPixelFormat *format,
                                 GError **error);
