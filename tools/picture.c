/* picture.c -- decoding, upright and in sRGB */
#include "tools/picture.h"

#include <glib/gi18n.h>
#include <math.h>

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

/* How many times smaller the decoder may make what is at least twice as large
 * as it will be: 1, 2, 4 or 8 */
static int
choose_shrink (const PictureHead *head, int width, int height, int to_width,
               int to_height)
{
  int shrink = head->kind == PICTURE_JPEG || head->kind == PICTURE_WEBP ? 8 : 1;

  while (shrink > 1
         && (width / shrink < 2 * to_width || height / shrink < 2 * to_height))
    shrink /= 2;
  return shrink;
}

gboolean
picture_make_upright (VipsImage **image)
{
  VipsImage *next;
  int failed;

  if (vips_image_get_orientation (*image) <= 1)
    return TRUE;
  next = vips_image_copy_memory (*image);
  if (! picture_step (image, next == NULL, &next))
    return FALSE;
  failed = vips_autorot (*image, &next, NULL);
  return picture_step (image, failed, &next);
}

/* Three bytes, four bytes or four 16-bit words a pixel */
static gboolean
to_pixels (VipsImage **image, CamPixelFormat *format)
{
  VipsImage *next = NULL;
  int failed;

  if ((*image)->BandFmt != VIPS_FORMAT_USHORT)
    {
      *format = (*image)->Bands == 4 ? CAM_PIXEL_RGBA8 : CAM_PIXEL_RGB8;
      return TRUE;
    }
  *format = CAM_PIXEL_RGBA16;
  if ((*image)->Bands == 4)
    return TRUE;
  failed = vips_addalpha (*image, &next, NULL);
  return picture_step (image, failed, &next);
}

/* Takes @image; NULL with an error */
static VipsImage *
prepare (VipsImage *image, const PictureHead *head, const char *path,
         CamPixelFormat *format, GError **error)
{
  if (! picture_to_srgb (&image, head, path, error))
    return NULL;
  if (picture_make_upright (&image) && to_pixels (&image, format))
    return image;
  g_clear_object (&image);
  picture_refuse_reading (path, error);
  return NULL;
}

VipsImage *
picture_open_upright (const char *path, CamPixelFormat *format, GError **error)
{
  PictureHead head;
  VipsImage *image = NULL;

  if (picture_head_read (&head, path, error))
    image = picture_open (path, &head, 1, error);
  return image != NULL ? prepare (image, &head, path, format, error) : NULL;
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
  PictureHead head;

  if (! picture_head_read (&head, path, error))
    return NULL;
  image = picture_open (path, &head, 1, error);
  if (image == NULL)
    return NULL;
  width = picture_is_turned (image) ? image->Ysize : image->Xsize;
  height = picture_is_turned (image) ? image->Xsize : image->Ysize;
  if (may_shrink)
    {
      CamPlacement place;

      cam_placement_init (&place, settings, width, height);
      shrink = choose_shrink (&head, width, height, place.width, place.height);
    }
  if (shrink > 1)
    {
      g_clear_object (&image);
      image = picture_open (path, &head, shrink, error);
    }
  if (image != NULL)
    image = prepare (g_steal_pointer (&image), &head, path, &format, error);
  return image == NULL ? NULL
                       : build_input (image, format, path, settings, width,
                                      height, view, error);
}

/* Where memory or threads were short for a moment, decoders say all kinds of
 * things: before a picture counts as damaged, it is tried once more. */
static gboolean
try_again (GError **why)
{
  gboolean again = g_error_matches (*why, G_IO_ERROR, G_IO_ERROR_INVALID_DATA)
                   || g_error_matches (*why, G_IO_ERROR, G_IO_ERROR_NO_SPACE)
                   || g_error_matches (*why, G_IO_ERROR, G_IO_ERROR_FAILED)
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
  PictureHead head;

  if (! picture_head_read (&head, path, error))
    return FALSE;
  image = picture_open (path, &head, 1, error);
  if (image == NULL)
    return FALSE;
  *width = picture_is_turned (image) ? image->Ysize : image->Xsize;
  *height = picture_is_turned (image) ? image->Xsize : image->Ysize;
  return TRUE;
}

/* Decoded no larger than it has to be, in sRGB */
static VipsImage *
shrink_to (const char *path, int side, GError **error)
{
  g_autoptr (PictureImage) image = NULL;
  CamPixelFormat format;
  PictureHead head;
  VipsImage *small = NULL, *srgb = NULL;
  double scale;
  int shrink;

  if (! picture_head_read (&head, path, error))
    return NULL;
  image = picture_open (path, &head, 1, error);
  if (image == NULL)
    return NULL;
  scale = MIN (1.0, (double) side / MAX (image->Xsize, image->Ysize));
  shrink = choose_shrink (&head, image->Xsize, image->Ysize,
                          (int) ceil (image->Xsize * scale),
                          (int) ceil (image->Ysize * scale));
  if (shrink > 1)
    {
      g_clear_object (&image);
      image = picture_open (path, &head, shrink, error);
    }
  if (image != NULL)
    image = prepare (g_steal_pointer (&image), &head, path, &format, error);
  if (image != NULL
      && (vips_thumbnail_image (image, &small, side, "height", side, "size",
                                VIPS_SIZE_DOWN, NULL)
              != 0
          || vips_colourspace (small, &srgb, VIPS_INTERPRETATION_sRGB, NULL)
                 != 0))
    picture_refuse_reading (path, error);
  g_clear_object (&small);
  return srgb;
}

static GBytes *
make_thumbnail (const char *path, int side, GError **error)
{
  g_autoptr (PictureImage) image = shrink_to (path, side, error), flat = NULL;
  double white[] = { 255 };
  g_autoptr (PictureColour) background = vips_array_double_new (white, 1);
  void *data = NULL;
  size_t length = 0;

  if (image == NULL)
    return NULL;
  if ((vips_image_hasalpha (image)
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
