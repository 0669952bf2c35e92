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

/* FALSE, with libvips' last message as the reason: "WHAT “PATH”: reason." */
gboolean picture_refuse (const char *what, const char *path, GError **error);
