/* picture.h -- pictures from files, and to files, with libvips
 *
 * Decodes JPEG, PNG, TIFF, WebP, GIF, HEIC and AVIF with libvips' decoders,
 * by what the file begins with, not by its name; makes it upright (EXIF) and
 * sRGB (embedded profile, else what the file says); gray, palette, alpha,
 * 16-bit, 32-bit, float, CMYK and Lab included.  A file that is damaged, or
 * holds numbers that nothing says the colours of, is an error that names it.
 * Only the first page or frame is read.
 *
 * Rows are streamed.  Where the decoder needs all of a picture (interlaced PNG,
 * progressive JPEG, GIF, WebP, HEIC), memory grows by up to 11 bytes a pixel,
 * and by up to 8 to turn one upright; so the number of pixels is bounded.
 *
 * Threads: any number may call these at once, after picture_init.
 */
#pragma once

#include "core/image/input.h"

#define PICTURE_MOST_PIXELS 200000000

/* Starts libvips: one thread a picture, no cache, untrusted loaders blocked. */
gboolean picture_init (const char *program, GError **error);
/* How many pixels of up to eight bytes a picture may have, instead of
 * PICTURE_MOST_PIXELS; before any is read. */
void picture_limit (gint64 pixels);

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
/* JPEG of at most @side x @side pixels (transfer full) */
GBytes *picture_thumbnail (const char *path, int side, GError **error);
