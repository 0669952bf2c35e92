/* legend.c -- a bar of the colours, its ends, and a sentence */
#include "tools/legend.h"

#include <glib/gi18n.h>
#include <string.h>

#include "tools/picture-vips.h"

#define INK 40 /* dark gray */

typedef struct /* the strip: RGBA8, opaque */
{
  guint8 *pixels;
  int width, height;
} Strip;

static void
draw_bar (const Strip *strip, int margin, int top, int height,
          CamColormap colormap, double threshold)
{
  const guint8 *table = cam_colormap_table (colormap);
  int length = strip->width - 2 * margin;

  for (int x = 0; x < length; x++)
    {
      double v = length > 1 ? (double) x / (length - 1) : 1.0;
      const guint8 *colour = table + 3 * (int) (v * 255.0 + 0.5);

      for (int y = top; v > threshold && y < top + height; y++)
        memcpy (strip->pixels + 4 * ((gsize) y * strip->width + margin + x),
                colour, 3);
    }
}

/* Darkens the strip where the text is, as far as it fits. */
static void
stamp (const Strip *strip, VipsImage *mask, int left, int top)
{
  for (int y = 0; y < mask->Ysize && top + y < strip->height; y++)
    for (int x = 0; x < mask->Xsize && left + x < strip->width; x++)
      {
        guint8 *pixel = strip->pixels
                        + 4 * ((gsize) (top + y) * strip->width + left + x);
        int ink = *(const guint8 *) VIPS_IMAGE_ADDR (mask, x, y);

        for (int c = 0; c < 3 && left + x >= 0; c++)
          pixel[c] = (guint8) ((pixel[c] * (255 - ink) + INK * ink) / 255);
      }
}

/* @align 0 left, 0.5 centred, 1 right */
static void
write_text (const Strip *strip, const char *text, int margin, int top,
            int height, double align)
{
  g_autofree char *markup = g_markup_escape_text (text, -1);
  g_autoptr (PictureImage) mask = NULL, image = NULL;
  int width = strip->width - 2 * margin;

  if (*markup == '\0' || width < 8 || height < 6)
    return;
  if (vips_text (&mask, markup, "font", "sans", "width", width, "height",
                 height, NULL)
          != 0
      || (image = vips_image_copy_memory (mask)) == NULL)
    {
      vips_error_clear (); /* no fonts: the bar alone */
      return;
    }
  stamp (strip, image, margin + (int) (align * (width - image->Xsize)),
         top + (height - image->Ysize) / 2);
}

guint8 *
legend_new (int width, int *height, CamColormap colormap, double threshold,
            double maximum, const char *text, GError **error)
{
  int tall = CLAMP (width / 7, 44, 180), margin = MAX (tall / 10, 3);
  gsize size = (gsize) width * tall * 4;
  g_autofree char *most = g_strdup_printf ("%.3g", maximum);
  Strip strip = { g_try_malloc (size), width, tall };

  if (strip.pixels == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   _ ("Too little memory for the legend."));
      return NULL;
    }
  memset (strip.pixels, 255, size);
  draw_bar (&strip, margin, margin, tall / 5, colormap, threshold);
  write_text (&strip, "0", margin, margin + tall / 5 + 2, tall / 7, 0.0);
  write_text (&strip, most, margin, margin + tall / 5 + 2, tall / 7, 1.0);
  write_text (&strip, text, margin, tall / 2, tall / 2 - margin, 0.0);
  *height = tall;
  return strip.pixels;
}
