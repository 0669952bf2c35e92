/* cam.c -- channel weights and class activation maps */
#include "core/method/cam.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

typedef struct /* how many, and how far apart in memory */
{
  gint64 channels, height, width;
  gint64 channel_stride, position_stride, first;
} Reading;

static gboolean
refuse (const CamShape *shape, const char *wanted, GError **error)
{
  g_autofree char *text = cam_shape_to_string (shape);

  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MISMATCH,
               /* the second is "a square of tokens" or "[1, channels, ...]" */
               _ ("Activations of shape %s cannot be read as %s; set "
                  "layer.layout in model.ini or choose another layer."),
               text, wanted);
  return FALSE;
}

static gboolean
read_tokens (Reading *r, const CamShape *shape, const gint64 *d, int n_dims,
             gboolean cls, GError **error)
{
  gint64 side;

  if (n_dims != 2)
    return refuse (shape, _ ("tokens [N, positions, channels]"), error);
  r->first = cls ? d[1] : 0;
  side = (gint64) rint (sqrt ((double) (d[0] - (cls ? 1 : 0))));
  if (side < 1 || side * side + (cls ? 1 : 0) != d[0])
    return refuse (shape,
                   cls ? _ ("a class token and a square of tokens")
                       : _ ("a square of tokens"),
                   error);
  r->channels = d[1];
  r->height = r->width = side;
  r->channel_stride = 1;
  r->position_stride = d[1];
  return TRUE;
}

static gboolean
read_layout (Reading *r, const CamShape *shape, CamLayout layout,
             GError **error)
{
  const gint64 *d = shape->dims;
  int n = shape->n_dims;
  gboolean tokens = layout >= CAM_LAYOUT_TOKENS;

  r->first = 0;
  if (n > (tokens ? 2 : 3) && d[0] == 1)
    {
      d++;
      n--;
    }
  if (tokens)
    return read_tokens (r, shape, d, n, layout == CAM_LAYOUT_TOKENS_CLS, error);
  if (n != 3)
    return refuse (shape,
                   layout == CAM_LAYOUT_NHWC
                       ? _ ("[1, height, width, channels]")
                       : _ ("[1, channels, height, width]"),
                   error);
  if (layout == CAM_LAYOUT_NHWC)
    *r = (Reading) { d[2], d[0], d[1], 1, d[2], 0 };
  else
    *r = (Reading) { d[0], d[1], d[2], d[1] * d[2], 1, 0 };
  return TRUE;
}

CamTensor *
cam_activations_chw (const CamTensor *activations, CamLayout layout,
                     GError **error)
{
  Reading r;
  CamShape shape;
  CamTensor *out;
  const float *in;

  if (activations->dtype != CAM_DTYPE_FLOAT32)
    {
      g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MISMATCH,
                   _ ("Activations of type %s; a map needs float32."),
                   cam_dtype_name (activations->dtype));
      return NULL;
    }
  if (! read_layout (&r, &activations->shape, layout, error))
    return NULL;
  shape = cam_shape_make (3, (gint64[]) { r.channels, r.height, r.width });
  out = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (out == NULL)
    return NULL;
  in = (const float *) activations->data + r.first;
  for (gint64 k = 0; k < r.channels; k++)
    for (gint64 p = 0; p < r.height * r.width; p++)
      cam_tensor_f32 (out)[k * r.height * r.width + p] =
          in[k * r.channel_stride + p * r.position_stride];
  return out;
}

/* How well @height x @width suits the input's proportions: 0 is best. */
static double
misfit (gint64 height, gint64 width, const CamInputSettings *input)
{
  return fabs (log ((double) height / MAX (width, 1))
               - log ((double) input->height / input->width));
}

CamLayout
cam_layout_guess (const CamShape *shape, const CamInputSettings *input)
{
  const gint64 *d = shape->dims;

  if (shape->n_dims == 4)
    return misfit (d[1], d[2], input) < misfit (d[2], d[3], input)
               ? CAM_LAYOUT_NHWC
               : CAM_LAYOUT_NCHW;
  if (shape->n_dims == 3)
    {
      gint64 side = (gint64) rint (sqrt ((double) d[1]));

      return side * side == d[1] ? CAM_LAYOUT_TOKENS : CAM_LAYOUT_TOKENS_CLS;
    }
  return CAM_LAYOUT_NCHW;
}

void
cam_gradcam_weights (const CamTensor *gradient, float *alpha)
{
  gint64 channels = gradient->shape.dims[0];
  gint64 positions = gradient->shape.dims[1] * gradient->shape.dims[2];
  const float *g = (const float *) gradient->data;

  for (gint64 k = 0; k < channels; k++, g += positions)
    {
      double sum = 0.0;

      for (gint64 p = 0; p < positions; p++)
        sum += g[p];
      alpha[k] = (float) (sum / positions);
    }
}

gsize
cam_gradcampp_weights (const CamTensor *gradient, const CamTensor *activations,
                       double eps, float *alpha)
{
  gint64 channels = gradient->shape.dims[0];
  gint64 positions = gradient->shape.dims[1] * gradient->shape.dims[2];
  const float *g = (const float *) gradient->data;
  const float *a = (const float *) activations->data;
  gsize n_bad = 0;

  for (gint64 k = 0; k < channels; k++, g += positions, a += positions)
    {
      double total = 0.0, sum = 0.0;

      for (gint64 p = 0; p < positions; p++)
        total += a[p];
      for (gint64 p = 0; p < positions; p++)
        {
          double g1 = g[p], g2 = g1 * g1;
          double denominator = 2.0 * g2 + total * g2 * g1 + eps;

          if (g1 == 0.0)
            continue;
          if (! (denominator > 0.0))
            n_bad++;
          else if (g1 > 0.0)
            sum += g2 / denominator * g1;
        }
      alpha[k] = (float) sum;
    }
  return n_bad;
}

typedef struct
{
  float weight;
  int channel;
} Ranked;

static int
compare_ranked (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;

  if (x->weight != y->weight)
    return x->weight > y->weight ? -1 : 1;
  return x->channel - y->channel;
}

int
cam_top_channels (const float *alpha, int n_channels, int k, int *channels)
{
  g_autofree Ranked *ranked = g_new (Ranked, n_channels);

  for (int i = 0; i < n_channels; i++)
    ranked[i] = (Ranked) { isnan (alpha[i]) ? -INFINITY : alpha[i], i };
  qsort (ranked, n_channels, sizeof *ranked, compare_ranked);
  if (k <= 0 || k > n_channels)
    k = n_channels;
  for (int i = 0; i < k; i++)
    channels[i] = ranked[i].channel;
  return k;
}

CamHeatMap *
cam_heat_map_new (const CamTensor *activations_chw, const float *alpha, int k)
{
  int n_channels = (int) activations_chw->shape.dims[0];
  CamHeatMap *map = g_new0 (CamHeatMap, 1);
  g_autofree int *channels = g_new (int, n_channels);
  int n = cam_top_channels (alpha, n_channels, k, channels);
  gsize positions;

  map->height = (int) activations_chw->shape.dims[1];
  map->width = (int) activations_chw->shape.dims[2];
  positions = (gsize) map->width * map->height;
  map->values = g_new0 (float, positions);
  for (int i = 0; i < n; i++)
    {
      const float *a = (const float *) activations_chw->data
                       + (gsize) channels[i] * positions;
      float weight = alpha[channels[i]];

      for (gsize p = 0; p < positions; p++)
        map->values[p] += weight * a[p];
    }
  for (gsize p = 0; p < positions; p++)
    {
      map->values[p] = map->values[p] > 0.0f ? map->values[p] : 0.0f;
      map->maximum = MAX (map->maximum, map->values[p]);
    }
  return map;
}
