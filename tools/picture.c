/* picture.c -- decoding, upright and in sRGB */
#include "tools/picture.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/image/view.h"
#include "tools/picture-vips.h"

#define STRIP 64 /* rows at a time */

/* libvips' remarks on broken files, line by line */
static void
drop_warning (const char *domain, GLogLevelFlags level, const char *text,
              gpointer data)
{
}

gboolean
picture_init (const char *program, GError **error)
{
  g_autofree char *domain = NULL;

  if (VIPS_INIT (program) != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   _ ("Cannot start libvips: %s"), vips_error_buffer ());
      return FALSE;
    }
  /* picture_refuse () looks for libvips' words, which must not be translated */
  domain = g_strdup_printf ("vips%d.%d", vips_version (0), vips_version (1));
  bindtextdomain (domain, "/nonexistent");
  /* picture_refuse () says what matters of them */
  g_log_set_handler ("VIPS", G_LOG_LEVEL_WARNING, drop_warning, NULL);
  vips_block_untrusted_set (TRUE);
  vips_concurrency_set (1);
  vips_cache_set_max (0);
  /* ORC, which compiles for it at run time, is not safe with several threads:
   * making thumbnails by two crashes now and then */
  vips_vector_set_enabled (FALSE);
  return TRUE;
}

/* How many times smaller the decoder may make it: 1, 2, 4 or 8 */
static int
choose_shrink (const CamInputSettings *settings, int width, int height)
{
  CamPlacement place;
  int shrink = 8;

  cam_placement_init (&place, settings, width, height);
  while (shrink > 1
         && (width / shrink < 2 * place.width
             || height / shrink < 2 * place.height))
    shrink /= 2;
  return shrink;
}

/* Replaces *@image by *@next, as operations hand them out; *@next becomes
 * NULL. */
static gboolean
step (VipsImage **image, int failed, VipsImage **next)
{
  g_clear_object (image);
  if (! failed)
    *image = g_steal_pointer (next);
  g_clear_object (next);
  return ! failed;
}

/* In ASCII, or in UTF-16 as version 4 profiles have it */
static gboolean
contains_word (const void *data, size_t length, const char *word)
{
  gsize n = strlen (word);
  g_autofree char *wide = g_malloc0 (2 * n);

  for (gsize i = 0; i < n; i++)
    wide[2 * i + 1] = word[i];
  return memmem (data, length, word, n) != NULL
         || memmem (data, length, wide, 2 * n) != NULL;
}

/* A profile that calls itself sRGB needs no conversion, but for GIMP's "Linear
 * sRGB". */
static gboolean
has_other_profile (VipsImage *image)
{
  const void *data;
  size_t length;

  if (vips_image_get_typeof (image, VIPS_META_ICC_NAME) == 0
      || vips_image_get_blob (image, VIPS_META_ICC_NAME, &data, &length) != 0)
    return FALSE;
  return ! contains_word (data, length, "sRGB")
         || contains_word (data, length, "inear");
}

static int
transform_profile (VipsImage *in, VipsImage **out)
{
  int depth = in->BandFmt == VIPS_FORMAT_USHORT ? 16 : 8;
  gboolean cmyk = in->Type == VIPS_INTERPRETATION_CMYK;

  return vips_icc_transform (in, out, "srgb", "embedded", TRUE, "intent",
                             VIPS_INTENT_RELATIVE, "black_point_compensation",
                             TRUE, "depth", depth, "input_profile",
                             cmyk ? "cmyk" : "srgb", NULL);
}

static gboolean
to_srgb (VipsImage **image)
{
  VipsInterpretation kind = vips_image_guess_interpretation (*image);
  VipsImage *next = NULL;
  gboolean deep, profile = has_other_profile (*image);
  int failed;

  if (! profile && kind == VIPS_INTERPRETATION_sRGB
      && (*image)->BandFmt == VIPS_FORMAT_UCHAR)
    return TRUE;
  if (profile || kind == VIPS_INTERPRETATION_CMYK)
    {
      if (transform_profile (*image, &next) == 0)
        step (image, 0, &next);
      else if (picture_lacks_memory ())
        return step (image, -1, &next);
      else
        vips_error_clear (); /* a profile that does not fit is no profile */
      kind = vips_image_guess_interpretation (*image);
    }
  deep = (*image)->BandFmt == VIPS_FORMAT_USHORT
         && (kind == VIPS_INTERPRETATION_RGB16
             || kind == VIPS_INTERPRETATION_GREY16);
  kind = deep ? VIPS_INTERPRETATION_RGB16 : VIPS_INTERPRETATION_sRGB;
  failed = vips_colourspace (*image, &next, kind, NULL);
  return step (image, failed, &next);
}

static gboolean
make_upright (VipsImage **image)
{
  VipsImage *next;
  int failed;

  if (vips_image_get_orientation (*image) <= 1)
    return TRUE;
  next = vips_image_copy_memory (*image);
  if (! step (image, next == NULL, &next))
    return FALSE;
  failed = vips_autorot (*image, &next, NULL);
  return step (image, failed, &next);
}

/* Three bytes, four bytes or four 16-bit words a pixel */
static gboolean
to_pixels (VipsImage **image, CamPixelFormat *format)
{
  VipsImage *next = NULL;
  int failed;

  if ((*image)->Bands > 4)
    {
      failed = vips_extract_band (*image, &next, 0, "n", 4, NULL);
      if (! step (image, failed, &next))
        return FALSE;
    }
  if ((*image)->BandFmt == VIPS_FORMAT_USHORT)
    {
      *format = CAM_PIXEL_RGBA16;
      if ((*image)->Bands == 4)
        return TRUE;
      failed = vips_addalpha (*image, &next, NULL);
      return step (image, failed, &next);
    }
  *format = (*image)->Bands == 4 ? CAM_PIXEL_RGBA8 : CAM_PIXEL_RGB8;
  if ((*image)->BandFmt == VIPS_FORMAT_UCHAR)
    return TRUE;
  failed = vips_cast (*image, &next, VIPS_FORMAT_UCHAR, NULL);
  return step (image, failed, &next);
}

static VipsImage *
prepare (VipsImage *image, CamPixelFormat *format)
{
  if (image != NULL && to_srgb (&image) && make_upright (&image)
      && to_pixels (&image, format) && image->Bands >= 3)
    return image;
  g_clear_object (&image);
  return NULL;
}

typedef gboolean (*RowsFunc) (gconstpointer pixels, gsize stride, int y,
                              int n_rows, gpointer data);

/* Hands out the image from top to bottom. */
static gboolean
each_strip (VipsImage *image, RowsFunc func, gpointer data)
{
  g_autoptr (PictureRegion) region = vips_region_new (image);

  for (int y = 0; y < image->Ysize; y += STRIP)
    {
      VipsRect area = { 0, y, image->Xsize, MIN (STRIP, image->Ysize - y) };

      if (vips_region_prepare (region, &area) != 0)
        return FALSE;
      if (! func (VIPS_REGION_ADDR (region, 0, y), VIPS_REGION_LSKIP (region),
                  y, area.height, data))
        return FALSE;
    }
  return TRUE;
}

typedef struct
{
  CamInputBuilder *builder;
  CamPixelFormat format;
} Feed;

static gboolean
feed_rows (gconstpointer pixels, gsize stride, int y, int n_rows, gpointer data)
{
  Feed *feed = data;

  cam_input_builder_add_rows (feed->builder, feed->format, pixels, stride,
                              n_rows);
  return TRUE;
}

static CamTensor *
build_input (VipsImage *image, CamPixelFormat format, const char *path,
             const CamInputSettings *settings, int width, int height,
             CamView *view, GError **error)
{
  Feed feed = { NULL, format };

  feed.builder = cam_input_builder_new (settings, image->Xsize, image->Ysize,
                                        width, height, error);
  if (feed.builder == NULL)
    return NULL;
  if (each_strip (image, feed_rows, &feed))
    return cam_input_builder_finish (feed.builder, view, error);
  cam_input_builder_free (feed.builder);
  picture_refuse_reading (path, error);
  return NULL;
}

static CamTensor *
load_input (const char *path, const CamInputSettings *settings,
            gboolean may_shrink, CamView *view, GError **error)
{
  g_autoptr (PictureImage) image = NULL;
  CamPixelFormat format = CAM_PIXEL_RGB8;
  int width, height, shrink = 1;
  PictureKind kind;

  if (! picture_look (path, &kind, error))
    return NULL;
  image = picture_open (path, kind);
  if (image == NULL)
    {
      picture_refuse_reading (path, error);
      return NULL;
    }
  width = picture_is_turned (image) ? image->Ysize : image->Xsize;
  height = picture_is_turned (image) ? image->Xsize : image->Ysize;
  if (may_shrink && (kind == PICTURE_JPEG || kind == PICTURE_WEBP))
    shrink = choose_shrink (settings, width, height);
  if (shrink > 1)
    {
      VipsImage *small = picture_open_shrunk (path, kind, shrink);

      g_clear_object (&image);
      image = small;
    }
  image = prepare (g_steal_pointer (&image), &format);
  if (image != NULL)
    return build_input (image, format, path, settings, width, height, view,
                        error);
  picture_refuse_reading (path, error);
  return NULL;
}

/* Where memory or threads were short for a moment, decoders say all kinds of
 * things: before a picture counts as damaged, it is tried once more. */
static gboolean
try_again (GError **why)
{
  gboolean again = g_error_matches (*why, G_IO_ERROR, G_IO_ERROR_INVALID_DATA)
                   || g_error_matches (*why, G_IO_ERROR, G_IO_ERROR_NO_SPACE)
                   || g_error_matches (*why, G_IO_ERROR,
                                       G_IO_ERROR_NOT_SUPPORTED);

  if (again)
    g_clear_error (why);
  return again;
}

static CamTensor *
load_input_surely (const char *path, const CamInputSettings *settings,
                   gboolean may_shrink, CamView *view, GError **error)
{
  GError *why = NULL;
  CamTensor *input = load_input (path, settings, may_shrink, view, &why);

  if (input == NULL && try_again (&why))
    input = load_input (path, settings, may_shrink, view, &why);
  if (input == NULL)
    g_propagate_error (error, why);
  return input;
}

CamTensor *
picture_load_input (const char *path, const CamInputSettings *settings,
                    CamView *view, GError **error)
{
  return load_input_surely (path, settings, TRUE, view, error);
}

CamTensor *
picture_load_input_whole (const char *path, const CamInputSettings *settings,
                          CamView *view, GError **error)
{
  return load_input_surely (path, settings, FALSE, view, error);
}

gboolean
picture_size (const char *path, int *width, int *height, GError **error)
{
  g_autoptr (PictureImage) image = NULL;
  PictureKind kind;

  if (! picture_look (path, &kind, error))
    return FALSE;
  image = picture_open (path, kind);
  if (image == NULL)
    return picture_refuse_reading (path, error);
  *width = picture_is_turned (image) ? image->Ysize : image->Xsize;
  *height = picture_is_turned (image) ? image->Xsize : image->Ysize;
  return TRUE;
}

typedef struct
{
  guint8 *out;
  int width;
  CamPixelFormat format;
} Collect;

static gboolean
collect_rows (gconstpointer pixels, gsize stride, int y, int n_rows,
              gpointer data)
{
  Collect *collect = data;

  for (int i = 0; i < n_rows; i++)
    {
      const guint8 *in = (const guint8 *) pixels + i * stride;
      const guint16 *words = (const guint16 *) in;
      guint8 *out = collect->out + (gsize) (y + i) * collect->width * 4;

      for (int x = 0; x < collect->width; x++)
        for (int c = 0; c < 4; c++)
          switch (collect->format)
            {
            case CAM_PIXEL_RGB8:
              out[x * 4 + c] = c < 3 ? in[x * 3 + c] : 255;
              break;
            case CAM_PIXEL_RGBA16:
              out[x * 4 + c] = (words[x * 4 + c] + 128) / 257;
              break;
            default: out[x * 4 + c] = in[x * 4 + c];
            }
    }
  return TRUE;
}

static guint8 *
load_rgba (const char *path, int *width, int *height, GError **error)
{
  g_autoptr (PictureImage) image = NULL;
  g_autofree guint8 *pixels = NULL;
  Collect collect = { NULL, 0, CAM_PIXEL_RGB8 };
  PictureKind kind;

  if (! picture_look (path, &kind, error))
    return NULL;
  image = prepare (picture_open (path, kind), &collect.format);
  if (image == NULL)
    {
      picture_refuse_reading (path, error);
      return NULL;
    }
  pixels = g_try_malloc_n ((gsize) image->Xsize * image->Ysize, 4);
  if (pixels == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   _ ("Too little memory for the picture “%s” (%d x %d)."),
                   path, image->Xsize, image->Ysize);
      return NULL;
    }
  collect.out = pixels;
  collect.width = *width = image->Xsize;
  *height = image->Ysize;
  if (each_strip (image, collect_rows, &collect))
    return g_steal_pointer (&pixels);
  picture_refuse_reading (path, error);
  return NULL;
}

guint8 *
picture_load_rgba (const char *path, int *width, int *height, GError **error)
{
  GError *why = NULL;
  guint8 *pixels = load_rgba (path, width, height, &why);

  if (pixels == NULL && try_again (&why))
    pixels = load_rgba (path, width, height, &why);
  if (pixels == NULL)
    g_propagate_error (error, why);
  return pixels;
}

/* Without a profile of its own a picture needs no colour management, which
 * costs more than the rest of a small thumbnail. */
static VipsImage *
shrink (const char *path, PictureKind kind, int side)
{
  g_autoptr (PictureImage) header = picture_open (path, kind);
  VipsImage *image = NULL;
  gboolean managed;

  if (header == NULL)
    return NULL;
  managed = has_other_profile (header)
            || header->Type == VIPS_INTERPRETATION_CMYK;
  if (vips_thumbnail (path, &image, side, "height", side, "size",
                      VIPS_SIZE_DOWN, "fail_on", VIPS_FAIL_ON_ERROR,
                      managed ? "export_profile" : NULL, "srgb", NULL)
      != 0)
    return NULL;
  return image;
}

static GBytes *
make_thumbnail (const char *path, int side, GError **error)
{
  g_autoptr (PictureImage) image = NULL, flat = NULL;
  double white[] = { 255 };
  g_autoptr (PictureColour) background = vips_array_double_new (white, 1);
  void *data = NULL;
  size_t length = 0;
  PictureKind kind;

  if (! picture_look (path, &kind, error))
    return NULL;
  image = shrink (path, kind, side);
  if (image == NULL
      /* what it takes for alpha is the last band, whatever that is */
      || (vips_image_hasalpha (image)
              ? vips_flatten (image, &flat, "background", background, NULL)
              : vips_copy (image, &flat, NULL))
             != 0
      || vips_jpegsave_buffer (flat, &data, &length, "Q", 80, "strip", TRUE,
                               "optimize_coding", TRUE, NULL)
             != 0)
    {
      picture_refuse_reading (path, error);
      return NULL;
    }
  return g_bytes_new_take (data, length);
}

GBytes *
picture_thumbnail (const char *path, int side, GError **error)
{
  GError *why = NULL;
  GBytes *thumbnail = make_thumbnail (path, side, &why);

  if (thumbnail == NULL && try_again (&why))
    thumbnail = make_thumbnail (path, side, &why);
  if (thumbnail == NULL)
    g_propagate_error (error, why);
  return thumbnail;
}
