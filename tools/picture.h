/* picture.h -- pictures from files, and to files, with libvips
 *
 * Decodes what libvips' trusted loaders read; makes it upright (EXIF) and sRGB
 * (embedded profile, else what the file says); gray, palette, alpha, 16-bit,
 * CMYK and float included.  A truncated or broken file is an error that names
 * it.  Only the first page or frame is read.
 *
 * Threads: any number may call these at once, after picture_init.
 */
#pragma once

#include "core/image/input.h"

/* Starts libvips: one thread a picture, no cache, untrusted loaders blocked. */
gboolean picture_init (const char *program, GError **error);

/* Width and height, upright, from the file's head. */
gboolean picture_size (const char *path, int *width, int *height,
                       GError **error);
/* A network's input, decoded at a half, quarter or eighth where the format
 * can (JPEG, WebP) and that is at least twice the size that the network's
 * resize needs.  @view (nullable) refers to the whole picture.  (transfer
 * full) */
CamTensor *picture_load_input (const char *path,
                               const CamInputSettings *settings, CamView *view,
                               GError **error);
/* The same without the shortcut, to measure what it changes. */
CamTensor *picture_load_input_whole (const char *path,
                                     const CamInputSettings *settings,
                                     CamView *view, GError **error);
/* RGBA8, straight alpha, [height, width, 4] (transfer full, g_free) */
guint8 *picture_load_rgba (const char *path, int *width, int *height,
                           GError **error);
/* JPEG of at most @side x @side pixels (transfer full) */
GBytes *picture_thumbnail (const char *path, int side, GError **error);
