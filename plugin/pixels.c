/* pixels.c -- see pixels.h */
#include "config.h"
#include "plugin/pixels.h"
#include "plugin/room.h"
#include <glib/gi18n.h>
#include <math.h>

#define BAND_BYTES (2 << 20) /* of a band; two are alive at once */
#define TILE_ROWS 128        /* bands are whole rows of either host's tiles */

struct _CamPixels
{
  CamSource source;
  GeglBuffer *buffer, *mask;
  const Babl *format;
  CamPixelFormat pixel;
  gsize stride;
  int band, next; /* rows a band, next row */
  guint8 *bands[2];
  float *mask_row;
  CamInputBuilder *input, *preview;
  GThreadPool *worker;
  GMutex lock;
  GCond done;
  int busy; /* bands that the worker has yet to finish */
};

typedef struct
{
  guint8 *rows;
  int n_rows;
} Band;

/* Networks know sRGB only: colours beyond it, and lights beyond white, are
 * what a PNG would make of them. */
static void
clip_band (float *values, gsize n)
{
  for (gsize i = 0; i < n; i++)
    values[i] = CLAMP (values[i], 0, 1);
}

static void
band_add (gpointer data, gpointer user_data)
{
  Band *band = data;
  CamPixels *pixels = user_data;

  if (pixels->pixel == CAM_PIXEL_RGBA_FLOAT)
    clip_band ((float *) band->rows,
               4 * (gsize) pixels->source.width * band->n_rows);

  cam_input_builder_add_rows (pixels->input, pixels->pixel, band->rows,
                              pixels->stride, band->n_rows);
  if (pixels->preview)
    cam_input_builder_add_rows (pixels->preview, pixels->pixel, band->rows,
                                pixels->stride, band->n_rows);
  g_free (band);
  g_mutex_lock (&pixels->lock);
  pixels->busy--;
  g_cond_signal (&pixels->done);
  g_mutex_unlock (&pixels->lock);
}

static void
wait_for_worker (CamPixels *pixels, int most)
{
  g_mutex_lock (&pixels->lock);
  while (pixels->busy > most)
    g_cond_wait (&pixels->done, &pixels->lock);
  g_mutex_unlock (&pixels->lock);
}

/* Eight bits are enough for what has no more and is sRGB already. */
static gboolean
is_plain (GeglBuffer *buffer)
{
  const Babl *format = gegl_buffer_get_format (buffer);
  const char *model = babl_get_name (babl_format_get_model (format));

  if (babl_format_is_palette (format))
    return TRUE;
  return babl_format_get_type (format, 0) == babl_type ("u8")
         && babl_format_get_space (format) == babl_space ("sRGB")
         && (g_str_has_prefix (model, "R'G'B'")
             || g_str_has_prefix (model, "Y'"));
}

/* The preview is another network's input, so to speak: its bytes, unscaled. */
static CamInputBuilder *
preview_builder (CamPixels *pixels, const CamPreviewBox *box, GError **error)
{
  CamInputSettings settings = { .resize = CAM_RESIZE_STRETCH,
                                .crop_fraction = 1,
                                .scale = 1,
                                .std = { 1, 1, 1 },
                                .background = { 0.8, 0.8, 0.8 },
                                .nhwc = TRUE };
  int w = pixels->source.width, h = pixels->source.height;
  double scale = MIN ((double) box->width / w, (double) box->height / h);

  settings.width = MAX (1, lrint (w * scale));
  settings.height = MAX (1, lrint (h * scale));
  return cam_input_builder_new (&settings, w, h, w, h, error);
}

/* What is opaque bytes already comes through without a conversion. */
static void
choose_format (CamPixels *pixels)
{
  static const struct
  {
    CamPixelFormat pixel;
    const char *format;
  } formats[] = { { CAM_PIXEL_RGB8, "R'G'B' u8" },
                  { CAM_PIXEL_RGBA8, "R'G'B'A u8" },
                  { CAM_PIXEL_RGBA_FLOAT, "R'G'B'A float" } };
  gboolean alpha =
      pixels->mask
      || babl_format_has_alpha (gegl_buffer_get_format (pixels->buffer));
  int which = is_plain (pixels->buffer) ? alpha : 2;

  pixels->pixel = formats[which].pixel;
  pixels->format = babl_format (formats[which].format);
}

/* GIMP ends a plug-in that reads what the person has deleted.  It is asked once
 * only: while the pixels come, nothing can be done about that. */
static gboolean
is_there (const CamSource *source, GError **error)
{
  if (cam_host_layer_image (source->layer) != -1)
    return TRUE;
  g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
               _ ("There is no such layer in this image."));
  return FALSE;
}

static gboolean
open_buffers (CamPixels *pixels, GError **error)
{
  gint32 mask;
  gsize pixel_size;

  if (! is_there (&pixels->source, error))
    return FALSE;
  mask = cam_host_applied_mask (pixels->source.layer);
  pixels->buffer = cam_host_buffer (pixels->source.layer);
  pixels->mask = mask == -1 ? NULL : cam_host_buffer (mask);
  if (! pixels->buffer || (mask != -1 && ! pixels->mask))
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_GIMP,
                   _ ("GIMP does not give the layer's pixels."));
      return FALSE;
    }
  choose_format (pixels);
  pixel_size = babl_format_get_bytes_per_pixel (pixels->format);
  pixels->stride = pixel_size * pixels->source.width;
  pixels->band = MAX (1, BAND_BYTES / pixels->stride / TILE_ROWS) * TILE_ROWS;
  pixels->band = MIN (pixels->band, pixels->source.height);
  return TRUE;
}

static gboolean
allocate_bands (CamPixels *pixels, GError **error)
{
  for (int i = 0; i < 2; i++)
    pixels->bands[i] = g_try_malloc_n (pixels->band, pixels->stride);
  pixels->mask_row = g_try_new (float, pixels->source.width);
  if (pixels->bands[0] && pixels->bands[1] && pixels->mask_row)
    return TRUE;
  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
               _ ("Out of memory for a band of %d x %d pixels: close other "
                  "images or select a smaller part."),
               pixels->source.width, pixels->band);
  return FALSE;
}

CamPixels *
cam_pixels_new (const CamSource *source, const CamInputSettings *settings,
                const CamPreviewBox *preview, GError **error)
{
  g_autoptr (CamPixels) pixels = g_new0 (CamPixels, 1);
  GError *why = NULL;

  g_mutex_init (&pixels->lock);
  g_cond_init (&pixels->done);
  pixels->source = *source;
  if (! cam_room_check (CAM_ROOM_TO_GO_ON, error)
      || ! open_buffers (pixels, error) || ! allocate_bands (pixels, error))
    return NULL;
  pixels->input = cam_input_builder_new (settings, source->width,
                                         source->height, source->width,
                                         source->height, error);
  if (! pixels->input)
    return NULL;
  if (preview && ! (pixels->preview = preview_builder (pixels, preview, error)))
    return NULL;
  pixels->worker = g_thread_pool_new (band_add, pixels, 1, TRUE, &why);
  if (! why) /* there is a pool without a thread, too */
    return g_steal_pointer (&pixels);
  g_propagate_error (error, why);
  return NULL;
}

static void
apply_mask (CamPixels *pixels, guint8 *rows, int y, int n_rows)
{
  int width = pixels->source.width;

  for (int r = 0; r < n_rows; r++)
    {
      GeglRectangle row = { pixels->source.x, y + r, width, 1 };
      guint8 *bytes = rows + r * pixels->stride;
      float *floats = (float *) bytes;

      gegl_buffer_get (pixels->mask, &row, 1.0, babl_format ("Y float"),
                       pixels->mask_row, GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
      for (int x = 0; x < width; x++)
        if (pixels->pixel == CAM_PIXEL_RGBA8)
          bytes[4 * x + 3] = lrintf (bytes[4 * x + 3] * pixels->mask_row[x]);
        else
          floats[4 * x + 3] *= pixels->mask_row[x];
    }
}

gboolean
cam_pixels_step (CamPixels *pixels)
{
  int n_rows = MIN (pixels->band, pixels->source.height - pixels->next);
  int y = pixels->source.y + pixels->next;
  GeglRectangle where = { pixels->source.x, y, pixels->source.width, n_rows };
  guint8 *rows = pixels->bands[(pixels->next / pixels->band) % 2];
  Band *band;

  if (n_rows <= 0)
    return FALSE;
  wait_for_worker (pixels, 1);
  gegl_buffer_get (pixels->buffer, &where, 1.0, pixels->format, rows,
                   pixels->stride, GEGL_ABYSS_NONE);
  if (pixels->mask)
    apply_mask (pixels, rows, y, n_rows);
  band = g_new (Band, 1);
  band->rows = rows;
  band->n_rows = n_rows;
  pixels->next += n_rows;
  g_mutex_lock (&pixels->lock);
  pixels->busy++;
  g_mutex_unlock (&pixels->lock);
  g_thread_pool_push (pixels->worker, band, NULL);
  return pixels->next < pixels->source.height;
}

double
cam_pixels_fraction (const CamPixels *pixels)
{
  return (double) pixels->next / pixels->source.height;
}

CamTensor *
cam_pixels_finish (CamPixels *pixels, CamView *view, CamTensor **preview,
                   GError **error)
{
  g_autoptr (CamPixels) mine = pixels;
  g_autoptr (CamTensor) input = NULL;
  CamView ignored;

  wait_for_worker (pixels, 0);
  input = cam_input_builder_finish (g_steal_pointer (&pixels->input), view,
                                    error);
  if (! input)
    return NULL;
  if (preview && pixels->preview)
    {
      *preview = cam_input_builder_finish (g_steal_pointer (&pixels->preview),
                                           &ignored, error);
      if (! *preview)
        return NULL;
    }
  return g_steal_pointer (&input);
}

void
cam_pixels_free (CamPixels *pixels)
{
  if (pixels->worker)
    {
      wait_for_worker (pixels, 0);
      g_thread_pool_free (pixels->worker, FALSE, TRUE);
    }
  g_clear_pointer (&pixels->input, cam_input_builder_free);
  g_clear_pointer (&pixels->preview, cam_input_builder_free);
  g_clear_object (&pixels->buffer);
  g_clear_object (&pixels->mask);
  g_free (pixels->bands[0]);
  g_free (pixels->bands[1]);
  g_free (pixels->mask_row);
  g_mutex_clear (&pixels->lock);
  g_cond_clear (&pixels->done);
  g_free (pixels);
}

CamTensor *
cam_pixels_read (const CamSource *source, const CamInputSettings *settings,
                 CamView *view, GError **error)
{
  CamPixels *pixels = cam_pixels_new (source, settings, NULL, error);

  if (! pixels)
    return NULL;
  while (cam_pixels_step (pixels))
    cam_host_progress (cam_pixels_fraction (pixels));
  return cam_pixels_finish (pixels, view, NULL, error);
}
