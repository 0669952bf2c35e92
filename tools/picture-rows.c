/* picture-rows.c -- the rows as an image of libvips that an encoder asks for */
#include "tools/picture-rows.h"

#include <glib/gi18n.h>
#include <string.h>

#include "tools/picture-vips.h"
#include "tools/picture-write.h"

#define AT_A_TIME 16 /* rows; an encoder asks for as many */

typedef struct
{
  const PictureRows *rows;
  CamPixelFormat format; /* of the base */
  gboolean misread;      /* what failed was the base */
} Composition;

static void
read_row (CamPixelFormat format, const void *pixels, int width, guint8 *out)
{
  const guint8 *in = pixels;
  const guint16 *words = pixels;

  if (format == CAM_PIXEL_RGBA8)
    memcpy (out, in, (gsize) width * 4);
  for (int x = 0; x < width && format != CAM_PIXEL_RGBA8; x++)
    for (int c = 0; c < 4; c++)
      if (format == CAM_PIXEL_RGBA16)
        out[x * 4 + c] = (guint8) ((words[x * 4 + c] + 128) / 257);
      else
        out[x * 4 + c] = c < 3 ? in[x * 3 + c] : 255;
}

/* @n rows from @y on, all of which are the base's, to @out */
static gboolean
paint_rows (Composition *c, VipsRegion *in, int y, int n, guint8 *out)
{
  const PictureRows *rows = c->rows;
  gsize line = (gsize) rows->width * 4;
  VipsRect area = { 0, y, rows->width, n };

  if (in == NULL)
    memset (out, 0, line * n);
  else if (vips_region_prepare (in, &area) != 0)
    {
      c->misread = TRUE;
      return FALSE;
    }
  for (int i = 0; in != NULL && i < n; i++)
    read_row (c->format, VIPS_REGION_ADDR (in, 0, y + i), rows->width,
              out + i * line);
  rows->paint (out, y, n, rows->data);
  return TRUE;
}

static int
generate (VipsRegion *out, void *seq, void *a, void *b, gboolean *stop)
{
  Composition *c = b;
  const PictureRows *rows = c->rows;
  const VipsRect *r = &out->valid;
  gsize line = (gsize) rows->width * 4, part = (gsize) r->width * 4;
  g_autofree guint8 *buffer = g_try_malloc_n (AT_A_TIME, line);
  int y = r->top, end = r->top + r->height;

  if (buffer == NULL)
    return -1;
  while (y < end)
    {
      int n = MIN (AT_A_TIME, MIN (end, MAX (y + 1, rows->height)) - y);
      const guint8 *from = buffer;

      if (y >= rows->height)
        from = rows->below + (gsize) (y - rows->height) * line;
      else if (! paint_rows (c, seq, y, n, buffer))
        return -1;
      for (int i = 0; i < n; i++, y++)
        memcpy (VIPS_REGION_ADDR (out, r->left, y),
                from + i * line + (gsize) r->left * 4, part);
    }
  return 0;
}

/* Whole rows are asked for, whatever the base's decoder would like. */
static VipsImage *
compose (Composition *c, VipsImage *base)
{
  const PictureRows *rows = c->rows;
  g_autoptr (PictureImage) image = vips_image_new ();

  if (vips_image_pipelinev (image, VIPS_DEMAND_STYLE_FATSTRIP, base, NULL) != 0)
    return NULL;
  vips_image_init_fields (image, rows->width, rows->height + rows->below_height,
                          4, VIPS_FORMAT_UCHAR, VIPS_CODING_NONE,
                          VIPS_INTERPRETATION_sRGB, 1.0, 1.0);
  image->dhint = VIPS_DEMAND_STYLE_FATSTRIP;
  if (vips_image_generate (image, base != NULL ? vips_start_one : NULL,
                           generate, base != NULL ? vips_stop_one : NULL, base,
                           c)
      != 0)
    return NULL;
  return g_steal_pointer (&image);
}

gboolean
picture_write_rows (const char *path, const PictureRows *rows, GError **error)
{
  Composition composition = { .rows = rows };
  g_autoptr (PictureImage) base = NULL, image = NULL;
  g_autoptr (GError) local = NULL;

  if (rows->base != NULL)
    {
      base = picture_open_upright (rows->base, &composition.format, error);
      if (base == NULL)
        return FALSE;
      if (base->Xsize != rows->width || base->Ysize != rows->height)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       _ ("The picture “%s” changed while it was explained."),
                       rows->base);
          return FALSE;
        }
    }
  image = compose (&composition, base);
  if (image == NULL)
    return picture_refuse (PICTURE_WRITE, path, error);
  if (picture_write_image (path, image, &local))
    return TRUE;
  if (composition.misread)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("Cannot read the picture “%s”: %s."), rows->base,
                 _ ("it is damaged or cut short"));
  else
    g_propagate_error (error, g_steal_pointer (&local));
  return FALSE;
}
