/* input.c -- the input builder: rows in, a network's input out
 *
 * A row is made bytes, resized along its width and kept in a ring of as many
 * rows as the longest output row needs; an output row is summed and normalised
 * as soon as its last input row is there.  Memory: the ring and the input.
 */
#include "core/image/input.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/image/pixels.h"
#include "core/image/resample.h"
#include "core/image/view.h"

#define MAX_SIDE 16384

struct _CamInputBuilder
{
  CamInputSettings settings;
  CamView view;
  int width, height; /* of the rows that come */
  int n_channels;
  int to_x, to_y; /* the picture's corner in the input (pad)  */
  CamResampleTable *across, *down;
  guint8 background[3];
  guint8 *row;         /* [width, n_channels] opaque bytes, and one */
  guint8 *ring;        /* [ring_rows, across->n, n_channels]       */
  const guint8 **rows; /* [ring_rows] in order, for one output row */
  guint8 *line;        /* [across->n, n_channels] one output row   */
  int ring_rows;
  int rows_seen, rows_made;
  float normal[3][256]; /* byte to input value, by channel of the input */
  CamTensor *input;
};

static gboolean
check_settings (const CamInputSettings *settings, int width, int height,
                GError **error)
{
  const char *what = NULL;

  if (width < 1 || height < 1)
    what = _ ("the picture has no pixels");
  else if (settings->width < 1 || settings->height < 1
           || settings->width > MAX_SIDE || settings->height > MAX_SIDE)
    what = _ ("the input's size must be 1 to 16384 pixels");
  else if (! isfinite (settings->scale))
    what = _ ("the scale is not a number");
  else if (settings->resize == CAM_RESIZE_CROP
           && ! (settings->crop_fraction >= 0 && settings->crop_fraction <= 1))
    what = _ ("the crop must be a fraction between 0 and 1");
  for (int c = 0; what == NULL && c < 3; c++)
    if (! isfinite (settings->mean[c]) || ! isfinite (settings->std[c])
        || settings->std[c] == 0.0)
      what = _ ("mean and std must be numbers, and std not 0");
  if (what != NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _ ("Cannot prepare the network's input: %s."), what);
  return what == NULL;
}

/* Channel @c of the input is which of R, G, B */
static int
source_channel (const CamInputSettings *settings, int c)
{
  return settings->channels == CAM_CHANNELS_BGR ? 2 - c : c;
}

static void
fill_normal (CamInputBuilder *builder)
{
  const CamInputSettings *s = &builder->settings;

  for (int c = 0; c < builder->n_channels; c++)
    for (int v = 0; v < 256; v++)
      builder->normal[c][v] = (float) ((v * s->scale - s->mean[c]) / s->std[c]);
}

static void
put_pixel (CamInputBuilder *builder, int x, int y, const guint8 *pixel)
{
  const CamInputSettings *s = &builder->settings;
  float *out = cam_tensor_f32 (builder->input);
  gsize area = (gsize) s->width * s->height, at = (gsize) y * s->width + x;

  for (int c = 0; c < builder->n_channels; c++)
    {
      float v = builder->normal[c][pixel[source_channel (s, c)]];

      if (s->nhwc)
        out[at * builder->n_channels + c] = v;
      else
        out[c * area + at] = v;
    }
}

/* A made line from the left edge of what the picture takes. */
static void
put_line (CamInputBuilder *builder, int y)
{
  const CamInputSettings *s = &builder->settings;
  gsize area = (gsize) s->width * s->height;
  int n = builder->n_channels, step = s->nhwc ? n : 1;

  for (int c = 0; c < n; c++)
    {
      const float *normal = builder->normal[c];
      const guint8 *from = builder->line + (n == 1 ? 0 : source_channel (s, c));
      float *to = cam_tensor_f32 (builder->input)
                  + (s->nhwc ? (gsize) c : c * area)
                  + ((gsize) y * s->width + builder->to_x) * step;

      for (int x = 0; x < builder->across->n; x++, from += n, to += step)
        *to = normal[*from];
    }
}

/* Padding is all there is to see until the picture is laid over it. */
static void
fill_padding (CamInputBuilder *builder)
{
  const CamInputSettings *s = &builder->settings;
  guint8 pad[3];

  for (int c = 0; c < 3; c++)
    pad[c] = cam_unit_to_byte (s->pad_value[c]);
  if (builder->n_channels == 1)
    pad[0] = cam_luma (pad[0], pad[1], pad[2]);
  for (int y = 0; y < s->height; y++)
    for (int x = 0; x < s->width; x++)
      put_pixel (builder, x, y, pad);
}

/* The part of the resized picture that lies in the input. */
static void
make_tables (CamInputBuilder *builder, const CamPlacement *place)
{
  const CamInputSettings *s = &builder->settings;
  int left = MAX (place->x, 0), top = MAX (place->y, 0);
  int columns = MIN (place->width - left, s->width);
  int rows = MIN (place->height - top, s->height);

  builder->to_x = MAX (-place->x, 0);
  builder->to_y = MAX (-place->y, 0);
  builder->across = cam_resample_table_new (s->filter, builder->width,
                                            place->width, left, columns);
  builder->down = cam_resample_table_new (s->filter, builder->height,
                                          place->height, top, rows);
  builder->ring_rows = MIN (builder->down->capacity, builder->height);
}

static gboolean
make_buffers (CamInputBuilder *builder, GError **error)
{
  const CamInputSettings *s = &builder->settings;
  gsize line = (gsize) builder->across->n * builder->n_channels;
  gint64 nchw[4] = { 1, builder->n_channels, s->height, s->width };
  gint64 nhwc[4] = { 1, s->height, s->width, builder->n_channels };
  CamShape shape = cam_shape_make (4, s->nhwc ? nhwc : nchw);

  builder->input = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (builder->input == NULL)
    return FALSE;
  builder->row = g_try_malloc0 ((gsize) builder->width * builder->n_channels
                                + 1);
  builder->ring = g_try_malloc_n (builder->ring_rows, line);
  builder->rows = g_new (const guint8 *, builder->ring_rows);
  builder->line = g_malloc (line);
  if (builder->row != NULL && builder->ring != NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               _ ("Too little memory to read a picture of %d x %d pixels."),
               builder->width, builder->height);
  return FALSE;
}

CamInputBuilder *
cam_input_builder_new (const CamInputSettings *settings, int width, int height,
                       int picture_width, int picture_height, GError **error)
{
  g_autoptr (CamInputBuilder) builder = NULL;
  CamPlacement place;

  if (! check_settings (settings, MIN (width, picture_width),
                        MIN (height, picture_height), error))
    return NULL;
  builder = g_new0 (CamInputBuilder, 1);
  builder->settings = *settings;
  builder->width = width;
  builder->height = height;
  builder->n_channels = settings->channels == CAM_CHANNELS_GRAY ? 1 : 3;
  for (int c = 0; c < 3; c++)
    builder->background[c] = cam_unit_to_byte (settings->background[c]);
  cam_view_init (&builder->view, settings, picture_width, picture_height);
  cam_placement_init (&place, settings, picture_width, picture_height);
  make_tables (builder, &place);
  if (! make_buffers (builder, error))
    return NULL;
  fill_normal (builder);
  if (settings->resize == CAM_RESIZE_PAD)
    fill_padding (builder);
  return g_steal_pointer (&builder);
}

void
cam_input_builder_free (CamInputBuilder *builder)
{
  if (builder == NULL)
    return;
  g_clear_pointer (&builder->across, cam_resample_table_free);
  g_clear_pointer (&builder->down, cam_resample_table_free);
  g_clear_pointer (&builder->input, cam_tensor_unref);
  g_free (builder->row);
  g_free (builder->ring);
  g_free (builder->rows);
  g_free (builder->line);
  g_free (builder);
}

static void
make_row (CamInputBuilder *builder)
{
  const CamResampleTable *down = builder->down;
  gsize length = (gsize) builder->across->n * builder->n_channels;
  int index = builder->rows_made++;

  for (int i = 0; i < down->count[index]; i++)
    builder->rows[i] = builder->ring
                       + (down->start[index] + i) % builder->ring_rows * length;
  cam_resample_column (down, index, builder->rows, (int) length, builder->line);
  put_line (builder, builder->to_y + index);
}

static gboolean
row_is_due (const CamInputBuilder *builder)
{
  const CamResampleTable *down = builder->down;
  int index = builder->rows_made;

  return index < down->n
         && down->start[index] + down->count[index] <= builder->rows_seen;
}

void
cam_input_builder_add_rows (CamInputBuilder *builder, CamPixelFormat format,
                            gconstpointer pixels, gsize stride, int n_rows)
{
  gsize length = (gsize) builder->across->n * builder->n_channels;

  g_return_if_fail (builder->rows_seen + n_rows <= builder->height);
  for (int i = 0; i < n_rows; i++)
    {
      int y = builder->rows_seen++;

      if (y < builder->down->start[0] || builder->rows_made == builder->down->n)
        continue; /* above or below the crop */
      cam_pixels_to_bytes (format, (const guint8 *) pixels + i * stride,
                           builder->width, builder->background,
                           builder->n_channels, builder->row);
      cam_resample_row (builder->across, builder->n_channels, builder->row,
                        builder->ring + y % builder->ring_rows * length);
      while (row_is_due (builder))
        make_row (builder);
    }
}

CamTensor *
cam_input_builder_finish (CamInputBuilder *builder, CamView *view,
                          GError **error)
{
  CamTensor *input = NULL;

  if (builder->rows_seen == builder->height)
    input = g_steal_pointer (&builder->input);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT,
                 _ ("The picture ended after %d of %d rows."),
                 builder->rows_seen, builder->height);
  if (view != NULL)
    *view = builder->view;
  cam_input_builder_free (builder);
  return input;
}
