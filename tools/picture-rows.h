/* picture-rows.h -- a picture that is painted while it is written
 *
 * Rows come from the decoder, are painted over and go to the encoder, so that a
 * picture of any size passes through a bounded amount of memory.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  const char *base;  /* a picture's file; NULL: transparent */
  int width, height; /* the base's, upright */
  /* Paints on @n_rows rows of RGBA8 from row @y on, a row behind the other. */
  void (*paint) (guint8 *rgba, int y, int n_rows, gpointer data);
  gpointer data;
  const guint8 *below; /* [below_height, width, 4] under it; NULL: nothing */
  int below_height;
} PictureRows;

/* To .png, .webp, .tif or .tiff; .jpg and .jpeg lose the alpha, over white.
 * Another ending is an error that names these.  Memory: some rows of the
 * picture, and all of it for .webp, and where the decoder needs that. */
gboolean picture_write_rows (const char *path, const PictureRows *rows,
                             GError **error);
