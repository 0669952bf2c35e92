/* apply.c -- see apply.h */
#include "config.h"
#include "plugin/apply.h"
#include "plugin/room.h"
#include "ui/evidence.h"
#include <glib/gi18n.h>

#define BAND_BYTES (2 << 20)
#define TILE_ROWS 128 /* bands are whole rows of either host's tiles */

gboolean
cam_apply_check (const CamSource *source, const CamOptions *settings,
                 GError **error)
{
  if (source->type != CAM_IMAGE_INDEXED || settings->convert)
    return TRUE;
  g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
               _ ("The image is indexed and cannot hold an overlay: "
                  "convert it first (Image > Mode > RGB, in a script "
                  "gimp-image-convert-rgb)."));
  return FALSE;
}

CamColormap
cam_apply_colormap (const CamSource *source, const CamOptions *settings)
{
  return source->type == CAM_IMAGE_GRAY && ! settings->convert
             ? CAM_COLORMAP_GRAY
             : settings->colormap;
}

gboolean
cam_apply_check_colormap (const CamSource *source, const CamOptions *settings,
                          GError **error)
{
  if (cam_apply_colormap (source, settings) == settings->colormap)
    return TRUE;
  g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
               _ ("The image is grayscale and cannot hold a coloured overlay: "
                  "choose the colour map 'gray', or convert the image first "
                  "(Image > Mode > RGB, in a script gimp-image-convert-rgb)."));
  return FALSE;
}

static gboolean
gimp_refuses (GError **error, const char *message)
{
  g_set_error_literal (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_GIMP, message);
  return FALSE;
}

/* One band is coloured in a thread while GIMP takes the one before. */
typedef struct
{
  const CamSource *source;
  const CamExplanation *explanation;
  const CamOptions *settings;
  int y, n_rows;
  guint8 *rows;
  float *floats; /* the same, for a layer that has more than 8 bits */
  GThread *thread;
} Band;

static gpointer
colour_band (gpointer data)
{
  Band *band = data;
  gsize stride = 4 * (gsize) band->source->width;

  cam_overlay_rgba (band->explanation->map, &band->explanation->view,
                    cam_apply_colormap (band->source, band->settings),
                    band->settings->threshold, band->source->width,
                    band->source->height, band->y, band->n_rows, band->rows,
                    stride);
  for (gsize i = 0; band->floats && i < stride * band->n_rows; i++)
    band->floats[i] = band->rows[i] / 255.0f;
  return NULL;
}

/* The next band after @after on its way, FALSE at the end.  Where there is no
 * room for a thread, it is coloured here. */
static gboolean
start_band (Band *band, int after, int height)
{
  band->y = after;
  band->n_rows = MIN (height, band->source->height - after);
  if (band->n_rows <= 0)
    return FALSE;
  band->thread = g_thread_try_new ("band", colour_band, band, NULL);
  if (! band->thread)
    colour_band (band);
  return TRUE;
}

static void
fill_bands (Band bands[2], GeglBuffer *buffer, int height)
{
  const CamSource *source = bands[0].source;
  const Babl *format = babl_format (bands[0].floats ? "R'G'B'A float"
                                                    : "R'G'B'A u8");
  gboolean more = start_band (&bands[0], 0, height);

  for (int i = 0; more; i ^= 1)
    {
      Band *ready = &bands[i];
      GeglRectangle where = { 0, ready->y, source->width, ready->n_rows };

      if (ready->thread)
        g_thread_join (ready->thread);
      more = start_band (&bands[i ^ 1], ready->y + ready->n_rows, height);
      gegl_buffer_set (buffer, &where, 0, format,
                       ready->floats ? (gpointer) ready->floats : ready->rows,
                       GEGL_AUTO_ROWSTRIDE);
      cam_host_progress ((double) (ready->y + ready->n_rows) / source->height);
    }
}

/* Whether the layer has eight bits.  Others get floats: babl 0.1.114 makes a
 * wrong table for bytes that become 16 bits of another colour space. */
static gboolean
takes_bytes (GeglBuffer *buffer)
{
  const Babl *format = gegl_buffer_get_format (buffer);

  return babl_format_get_type (format, 0) == babl_type ("u8");
}

static gboolean
fill_layer (gint32 layer, const CamSource *source,
            const CamExplanation *explanation, const CamOptions *settings,
            GError **error)
{
  g_autoptr (GeglBuffer) buffer = cam_host_buffer (layer);
  gsize stride = 4 * (gsize) source->width;
  int height = MAX (1, BAND_BYTES / stride / TILE_ROWS) * TILE_ROWS;
  gboolean bytes = buffer && takes_bytes (buffer);
  g_autofree guint8 *rows = g_try_malloc_n (2 * height, stride);
  g_autofree float *floats = bytes ? NULL
                                   : g_try_malloc_n (2 * height,
                                                     stride * sizeof (float));
  Band bands[2];

  if (! buffer)
    return gimp_refuses (error, _ ("GIMP refuses to take the layer's pixels; "
                                   "the image is as it was."));
  if (! rows || (! bytes && ! floats))
    {
      g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
                   _ ("Out of memory for the overlay of %d x %d pixels; the "
                      "image is as it was."),
                   source->width, source->height);
      return FALSE;
    }
  for (int i = 0; i < 2; i++)
    bands[i] = (Band) { .source = source,
                        .explanation = explanation,
                        .settings = settings,
                        .rows = rows + i * height * stride,
                        .floats = bytes ? NULL : floats + i * height * stride };
  fill_bands (bands, buffer, height);
  return TRUE;
}

/* In @image, which may be a copy of the source's. */
static gint32
new_layer (gint32 image, const CamSource *source,
           const CamExplanation *explanation, const CamOptions *settings)
{
  int n_modes;
  const CamLayerMode *modes = cam_layer_modes (&n_modes);
  gboolean gray = source->type == CAM_IMAGE_GRAY && ! settings->convert;
  CamLayerSettings layer = { explanation->name,
                             source->image_x,
                             source->image_y,
                             source->width,
                             source->height,
                             settings->opacity,
                             modes[settings->layer_mode].number,
                             gray ? CAM_IMAGE_GRAY : CAM_IMAGE_RGB };

  return cam_host_layer_new (image, &layer);
}

static gboolean
attach_records (gint32 layer, const CamExplanation *explanation, GError **error)
{
  g_autofree char *map = cam_heat_map_to_json (explanation->map,
                                               &explanation->view);

  if (cam_host_attach (layer, CAM_PROVENANCE_PARASITE, explanation->provenance)
      && cam_host_attach (layer, CAM_HEAT_MAP_PARASITE, map))
    return TRUE;
  return gimp_refuses (error, _ ("GIMP refuses to keep the overlay's "
                                 "provenance; the image is as it was."));
}

static gint32
filled_layer (gint32 image, const CamSource *source,
              const CamExplanation *explanation, const CamOptions *settings,
              GError **error)
{
  gint32 layer = new_layer (image, source, explanation, settings);

  if (layer == -1)
    {
      gimp_refuses (error, _ ("GIMP refuses to make a layer; the image is as "
                              "it was."));
      return -1;
    }
  if (fill_layer (layer, source, explanation, settings, error)
      && attach_records (layer, explanation, error))
    return layer;
  cam_host_layer_delete (layer);
  return -1;
}

/* @layer: -1 where GIMP made none */
static gint32
insert_layer (gint32 layer, gint32 image, gint32 below, GError **error)
{
  if (layer != -1 && cam_host_layer_insert (layer, image, below))
    return layer;
  if (layer != -1)
    cam_host_layer_delete (layer);
  gimp_refuses (error, _ ("GIMP refuses to add a layer to this image; it is "
                          "as it was."));
  return -1;
}

static gint32
add_layer (const CamSource *source, const CamExplanation *explanation,
           const CamOptions *settings, GError **error)
{
  gint32 layer = filled_layer (source->image, source, explanation, settings,
                               error);

  return layer == -1
             ? -1
             : insert_layer (layer, source->image, source->layer, error);
}

/* ---- into an image that must be converted ---- */

/* A copy of @layer, which may be another image's, above @below. */
static gint32
insert_copy (gint32 image, gint32 below, gint32 layer, GError **error)
{
  return insert_layer (cam_host_layer_copy_to (layer, image), image, below,
                       error);
}

/* The filled layer in @scratch, once all that will be asked of GIMP has gone
 * through there. */
static gint32
rehearse (gint32 scratch, gint32 top, const CamSource *source,
          const CamExplanation *explanation, const CamOptions *settings,
          GError **error)
{
  gint32 layer;

  if (! cam_host_convert_rgb (scratch))
    {
      gimp_refuses (error, _ ("GIMP refuses to convert the image, which is as "
                              "it was."));
      return -1;
    }
  layer = filled_layer (scratch, source, explanation, settings, error);
  if (layer == -1 || insert_copy (scratch, top, layer, error) != -1)
    return layer;
  cam_host_layer_delete (layer);
  return -1;
}

/* In one undo step. */
static gint32
perform (const CamSource *source, gint32 layer, GError **error)
{
  gint32 copy = -1;

  cam_host_undo_start (source->image);
  if (cam_host_convert_rgb (source->image))
    copy = insert_copy (source->image, source->layer, layer, NULL);
  cam_host_undo_end (source->image);
  if (copy == -1)
    g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_GIMP,
                 _ ("GIMP stopped halfway: Edit > Undo brings the image "
                    "back."));
  return copy;
}

/* First in a copy of the image, which nobody sees: when GIMP refuses there, or
 * the person cancels, the image and its undo history are as they were. */
static gint32
add_converting (const CamSource *source, const CamExplanation *explanation,
                const CamOptions *settings, GError **error)
{
  gint32 top, layer, copy = -1;
  gint32 scratch = cam_host_image_copy (source->image, &top);

  if (scratch == -1)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_GIMP,
                   _ ("GIMP cannot copy the image."));
      return -1;
    }
  layer = rehearse (scratch, top, source, explanation, settings, error);
  if (layer != -1)
    {
      copy = perform (source, layer, error);
      cam_host_layer_delete (layer);
    }
  cam_host_image_delete (scratch);
  return copy;
}

/* What the person does while the dialog is up goes before: a layer that was
 * moved takes the overlay with it. */
static gboolean
is_still_there (CamSource *source, GError **error)
{
  int x, y, width, height;

  if (cam_host_layer_image (source->layer) != source->image)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                   _ ("The layer that was explained is not in the image any "
                      "more."));
      return FALSE;
    }
  cam_host_layer_place (source->layer, &x, &y, &width, &height);
  if (width != source->layer_width || height != source->layer_height)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                   _ ("The layer that was explained has another size now: "
                      "explain it again."));
      return FALSE;
    }
  source->image_x = x + source->x;
  source->image_y = y + source->y;
  source->type = cam_host_image_type (source->image);
  return TRUE;
}

gint32
cam_apply (const CamSource *source, const CamExplanation *explanation,
           const CamOptions *settings, GError **error)
{
  CamSource now = *source;
  gint32 layer;

  if (! cam_room_check (CAM_ROOM_TO_GO_ON, error)
      || ! is_still_there (&now, error)
      || ! cam_apply_check (&now, settings, error))
    return -1;
  layer = settings->convert && now.type != CAM_IMAGE_RGB
              ? add_converting (&now, explanation, settings, error)
              : add_layer (&now, explanation, settings, error);
  if (layer != -1)
    cam_host_layer_update (layer);
  return layer;
}

void
cam_apply_warn (const CamExplanation *explanation)
{
  CamEvidence evidence = { .empty = explanation->map->empty,
                           .helped = explanation->map->helped };
  g_autofree char *text = cam_evidence_warning (&evidence);

  if (text)
    cam_host_message (text);
}
