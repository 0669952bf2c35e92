/* picture-mask.c -- a mask's own numbers, not what they would look like
 *
 * The numbers are taken before any colour management: a class of 1 among 65535
 * would be black on a screen.
 */
#include "tools/picture-mask.h"

#include <glib/gi18n.h>
#include <string.h>

#include "tools/picture-vips.h"

#define STRIP 64 /* rows at a time */

enum
{
  IS_LIGHT = 1, /* not the background's colour */
  IS_THERE = 2, /* not transparent */
  IS_OPAQUE = 4
};

typedef struct
{
  const PictureHead *head;
  VipsImage *image;
  PictureMask *mask;
  int n_colours;
  gboolean has_alpha;
  guint8 *out;    /* flags, or lightness where the file is lossy */
  guint8 *alphas; /* flags of the alpha; NULL: none */
  guint8 lightest;
} Reader;

static double
number_of (const Reader *reader, const guint8 *pixel, int band)
{
  switch (reader->image->BandFmt)
    {
    case VIPS_FORMAT_UCHAR: return pixel[band];
    case VIPS_FORMAT_USHORT:
      return ((const guint16 *) (const void *) pixel)[band];
    case VIPS_FORMAT_UINT:
      return ((const guint32 *) (const void *) pixel)[band];
    default: return ((const float *) (const void *) pixel)[band];
    }
}

static double
most_of (const Reader *reader)
{
  switch (reader->image->BandFmt)
    {
    case VIPS_FORMAT_UCHAR: return 255.0;
    case VIPS_FORMAT_USHORT: return 65535.0;
    case VIPS_FORMAT_UINT: return 4294967295.0;
    default: return 1.0;
    }
}

/* The lightest channel in bytes, of lossy files; else whether it is none of
 * the background's */
static guint8
judge_colour (const Reader *reader, const guint8 *pixel)
{
  const PictureHead *head = reader->head;
  double lightest = 0.0;
  gboolean other = FALSE;

  for (int c = 0; c < reader->n_colours; c++)
    {
      double v = number_of (reader, pixel, c), background = 0.0;

      if (head->has_palette && reader->image->BandFmt == VIPS_FORMAT_UCHAR)
        background = head->background[c] >> 8;
      else if (head->has_palette)
        background = head->background[c];
      other = other || v < background || v > background;
      lightest = MAX (lightest, v);
    }
  if (! head->lossy)
    return other ? IS_LIGHT : 0;
  return (guint8) (lightest / most_of (reader) * 255.0);
}

static void
read_row (Reader *reader, const guint8 *row, int y)
{
  const PictureMask *mask = reader->mask;
  gsize size = VIPS_IMAGE_SIZEOF_PEL (reader->image);

  for (int x = 0; x < mask->width; x++)
    {
      gsize at = (gsize) y * mask->width + x;
      gsize from = (gsize) ((x + 0.5) * mask->whole_width / mask->width);
      const guint8 *pixel = row + from * size;
      guint8 value = judge_colour (reader, pixel);

      reader->out[at] = value;
      reader->lightest = MAX (reader->lightest, value);
      if (reader->has_alpha)
        {
          double alpha = number_of (reader, pixel, reader->n_colours);

          reader->alphas[at] = (alpha > 0.0 ? IS_THERE : 0)
                               | (alpha >= most_of (reader) ? IS_OPAQUE : 0);
        }
    }
}

static gboolean
read_rows (Reader *reader)
{
  const PictureMask *mask = reader->mask;
  g_autoptr (PictureRegion) region = vips_region_new (reader->image);
  int next = 0;

  for (int top = 0; top < mask->whole_height; top += STRIP)
    {
      VipsRect area = { 0, top, mask->whole_width,
                        MIN (STRIP, mask->whole_height - top) };

      if (vips_region_prepare (region, &area) != 0)
        return FALSE;
      for (; next < mask->height; next++)
        {
          int y = (int) ((next + 0.5) * mask->whole_height / mask->height);

          if (y >= top + area.height)
            break;
          read_row (reader, VIPS_REGION_ADDR (region, 0, y), next);
        }
    }
  return TRUE;
}

/* Flags to 0 and 1 */
static void
decide (Reader *reader)
{
  PictureMask *mask = reader->mask;
  gsize n = (gsize) mask->width * mask->height;
  guint8 least = reader->head->lossy ? MAX (1, reader->lightest / 4) : IS_LIGHT;
  gboolean cut_out = FALSE;

  for (gsize i = 0; reader->has_alpha && i < n; i++)
    cut_out = cut_out || (reader->alphas[i] & IS_OPAQUE) == 0;
  mask->kind = cut_out                     ? MASK_ALPHA
               : reader->head->lossy       ? MASK_LOSSY
               : reader->head->has_palette ? MASK_PALETTE
               : reader->n_colours > 1     ? MASK_COLOUR
                                           : MASK_GRAY;
  mask->n_object = 0;
  for (gsize i = 0; i < n; i++)
    {
      reader->out[i] = cut_out ? (reader->alphas[i] & IS_THERE) != 0
                               : reader->out[i] >= least;
      mask->n_object += reader->out[i];
    }
}

static gboolean
is_plain (const VipsImage *image)
{
  int n = picture_count_colours (image);

  return image->Coding == VIPS_CODING_NONE && (n == 1 || n == 3)
         && image->Type != VIPS_INTERPRETATION_LAB;
}

/* Gray and RGB as they are; what else there is, as sRGB, where black need not
 * be 0 any more, no more than in lossy files */
static gboolean
open_mask (Reader *reader, PictureHead *head, const char *path, GError **error)
{
  VipsImage *image = NULL;

  if (picture_head_read (head, path, error))
    image = picture_open (path, head, 1, error);
  if (image == NULL)
    return FALSE;
  if (! is_plain (image))
    {
      if (! picture_to_srgb (&image, head, path, error))
        return FALSE;
      head->lossy = TRUE;
    }
  if (! picture_make_upright (&image))
    return picture_refuse_reading (path, error);
  reader->image = image;
  reader->n_colours = image->Bands > 2 ? 3 : 1;
  reader->has_alpha = image->Bands > reader->n_colours
                      && (head->kind != PICTURE_TIFF || head->tiff.extra != 0);
  return TRUE;
}

static gboolean
make_room (Reader *reader, const char *path, GError **error)
{
  PictureMask *mask = reader->mask;
  double scale;
  gsize n;

  mask->whole_width = reader->image->Xsize;
  mask->whole_height = reader->image->Ysize;
  scale = MIN (1.0, (double) MASK_MOST_SIDE
                        / MAX (mask->whole_width, mask->whole_height));
  mask->width = MAX (1, (int) (mask->whole_width * scale));
  mask->height = MAX (1, (int) (mask->whole_height * scale));
  n = (gsize) mask->width * mask->height;
  reader->out = g_try_malloc (n);
  reader->alphas = reader->has_alpha ? g_try_malloc (n) : NULL;
  if (reader->out != NULL && (! reader->has_alpha || reader->alphas != NULL))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               _ ("Too little memory for the picture “%s” (%d x %d)."), path,
               mask->width, mask->height);
  return FALSE;
}

guint8 *
picture_mask_load (const char *path, PictureMask *mask, GError **error)
{
  PictureHead head;
  Reader reader = { .head = &head, .mask = mask };
  gboolean good = open_mask (&reader, &head, path, error)
                  && make_room (&reader, path, error);

  if (good && ! read_rows (&reader))
    good = picture_refuse_reading (path, error);
  if (good)
    decide (&reader);
  else
    g_clear_pointer (&reader.out, g_free);
  g_clear_object (&reader.image);
  g_free (reader.alphas);
  return reader.out;
}
