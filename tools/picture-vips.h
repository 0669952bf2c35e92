/* picture-vips.h -- shared by what reads and what writes pictures */
#pragma once

#include <vips/vips.h>
#include <vips/vector.h>

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

/* Does libvips' last message tell of a want of memory or threads? */
gboolean picture_lacks_memory (void);

typedef enum /* by a file's first bytes */
{
  PICTURE_JPEG,
  PICTURE_PNG,
  PICTURE_WEBP,
  PICTURE_OTHER
} PictureKind;

/* Fails where the file is missing, or cannot be read. */
gboolean picture_look (const char *path, PictureKind *kind, GError **error);
/* NULL with libvips' message; pixels are decoded when they are asked for. */
VipsImage *picture_open (const char *path, PictureKind kind);
/* JPEG and WebP alone: a half, quarter or eighth of the size. */
VipsImage *picture_open_shrunk (const char *path, PictureKind kind, int shrink);
/* Width and height change places where the picture is upright. */
gboolean picture_is_turned (VipsImage *image);
