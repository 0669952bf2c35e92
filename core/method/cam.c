/* cam.c -- channel weights and class activation maps */
#include "core/method/cam.h"

#include <float.h>
#include <glib/gi18n.h>
#include <inttypes.h>
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

/* A gradient that is zero on the whole, as before a normalisation over places,
 * comes as numbers that nearly cancel out.  Each is off by the rounding, u =
 * 2^-24, of the few numbers that the normalisation subtracted to make it, which
 * are larger than itself: up to 16 u of the sizes were left of such sums, and
 * twice that is taken for nothing. */
#define CANCELS (16 * FLT_EPSILON)

void
cam_gradcam_weights (const CamTensor *gradient, float *alpha)
{
  gint64 channels = gradient->shape.dims[0];
  gint64 positions = gradient->shape.dims[1] * gradient->shape.dims[2];
  const float *g = (const float *) gradient->data;

  for (gint64 k = 0; k < channels; k++, g += positions)
    {
      double sum = 0.0, size = 0.0;

      for (gint64 p = 0; p < positions; p++)
        {
          sum += g[p];
          size += fabs ((double) g[p]);
        }
      alpha[k] = fabs (sum) <= CANCELS * size ? 0.0f
                                              : (float) (sum / positions);
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

          if (! (g1 > 0.0)) /* ReLU (g) is 0: nothing to lose */
            continue;
          if (denominator > 0.0)
            sum += g2 / denominator * g1;
          else
            n_bad++;
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

/* What is summed are float32 numbers, weights and activations alike, and each
 * may be off by u = 2^-24 of itself from what it stands for: a product by 2 u,
 * and their sum by 2 u of the sum of their sizes.  What a sum has below that is
 * rounding, whatever the number of channels, as the sums are of doubles: there
 * the products are exact, and n additions cost n 2^-53 of the same size
 * (Higham, Accuracy and Stability of Numerical Algorithms, 2002, section 3.1).
 */
#define ROUNDING FLT_EPSILON

/* The reciprocal of anything smaller may be no float32, and processors may take
 * it for zero. */
#define SMALLEST_MAXIMUM FLT_MIN

typedef struct /* of the products of all channels taken so far, by position */
{
  gsize n;
  double *sum, *size; /* of their absolute values */
} Sums;

static void
add_channels (Sums *sums, const CamTensor *activations, const float *alpha,
              const int *channels, int n)
{
  for (int i = 0; i < n; i++)
    {
      const float *a = (const float *) activations->data
                       + (gsize) channels[i] * sums->n;
      double weight = alpha[channels[i]];

      for (gsize p = 0; p < sums->n; p++)
        {
          double product = weight * a[p];

          sums->sum[p] += product;
          sums->size[p] += fabs (product);
        }
    }
}

/* The sum at position @p, 0 where it is nothing but rounding */
static inline double
significant (const Sums *sums, gsize p)
{
  double v = sums->sum[p];

  return fabs (v) <= ROUNDING * sums->size[p] ? 0.0 : v;
}

static double
largest_sum (const Sums *sums)
{
  double largest = 0.0;

  for (gsize p = 0; p < sums->n; p++)
    largest = fmax (largest, significant (sums, p));
  return largest;
}

static float
largest_size (const float *v, gsize n)
{
  float largest = 0.0f;

  for (gsize i = 0; i < n; i++)
    largest = fmaxf (largest, fabsf (v[i]));
  return largest;
}

/* @largest: of the sums */
static CamEmpty
why_empty (const Sums *sums, double largest, const CamTensor *activations,
           const float *alpha, int n_channels)
{
  gboolean against = FALSE, summed = FALSE;

  if (largest >= SMALLEST_MAXIMUM)
    return CAM_EMPTY_NOT;
  if (largest_size ((const float *) activations->data, activations->n_elements)
      == 0.0f)
    return CAM_EMPTY_SILENT;
  if (largest_size (alpha, n_channels) == 0.0f)
    return CAM_EMPTY_WEIGHTLESS;
  if (largest > 0.0)
    return CAM_EMPTY_TINY;
  for (gsize p = 0; p < sums->n; p++)
    {
      against = against || significant (sums, p) < 0.0;
      summed = summed || sums->size[p] > 0.0;
    }
  return summed && ! against ? CAM_EMPTY_ROUNDING : CAM_EMPTY_AGAINST;
}

static gboolean
check_numbers (const Sums *sums, const CamTensor *activations,
               const float *alpha, int n_channels, GError **error)
{
  gboolean finite = TRUE;

  for (int k = 0; k < n_channels; k++)
    if (! isfinite (alpha[k]))
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                     _ ("The weight of channel %d is no finite number, so "
                        "there is no heat map."),
                     k);
        return FALSE;
      }
  for (gsize p = 0; p < sums->n; p++)
    finite = finite && isfinite (sums->size[p]) && sums->sum[p] <= FLT_MAX;
  if (! finite)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("The heat map has numbers that are not finite: its channel "
                    "weights go up to %g, the layer's activations up to %g."),
                 largest_size (alpha, n_channels),
                 largest_size ((const float *) activations->data,
                               activations->n_elements));
  return finite;
}

static CamHeatMap *
map_of (const Sums *sums, const CamTensor *activations)
{
  CamHeatMap *map = g_new0 (CamHeatMap, 1);

  map->height = (int) activations->shape.dims[1];
  map->width = (int) activations->shape.dims[2];
  map->values = g_new0 (float, sums->n);
  if (largest_sum (sums) < SMALLEST_MAXIMUM)
    return map;
  for (gsize p = 0; p < sums->n; p++)
    {
      map->values[p] = (float) fmax (significant (sums, p), 0.0);
      map->maximum = MAX (map->maximum, map->values[p]);
    }
  return map;
}

CamHeatMap *
cam_heat_map_new (const CamTensor *activations_chw, const float *alpha,
                  int n_alpha, int k, GError **error)
{
  gint64 n_channels = activations_chw->shape.dims[0];
  gsize n = (gsize) activations_chw->shape.dims[1]
            * (gsize) activations_chw->shape.dims[2];
  g_autofree double *memory = NULL;
  g_autofree int *channels = NULL;
  CamHeatMap *map;
  Sums sums;
  int kept;

  if (n_alpha != n_channels)
    {
      g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MISMATCH,
                   _ ("%d channel weights cannot weigh a layer of %" PRId64
                      " channels: they are another layer's."),
                   n_alpha, n_channels);
      return NULL;
    }
  channels = g_new (int, n_alpha);
  memory = g_new0 (double, 2 * n);
  sums = (Sums) { n, memory, memory + n };
  kept = cam_top_channels (alpha, n_alpha, k, channels);
  add_channels (&sums, activations_chw, alpha, channels, kept);
  if (! check_numbers (&sums, activations_chw, alpha, n_alpha, error))
    return NULL;
  map = map_of (&sums, activations_chw);
  map->empty = why_empty (&sums, largest_sum (&sums), activations_chw, alpha,
                          n_alpha);
  if (map->empty == CAM_EMPTY_NOT || kept == n_alpha)
    return map;
  cam_top_channels (alpha, n_alpha, 0, channels);
  add_channels (&sums, activations_chw, alpha, channels + kept, n_alpha - kept);
  map->helped = largest_sum (&sums) >= SMALLEST_MAXIMUM;
  return map;
}

const char *
cam_empty_reason (CamEmpty empty)
{
  static const char *const reasons[] = {
    [CAM_EMPTY_SILENT] = N_ ("all activations of the layer are zero"),
    [CAM_EMPTY_WEIGHTLESS] = N_ ("all its channel weights are zero"),
    [CAM_EMPTY_AGAINST] =
        N_ ("all that its channels say is against the picture's place"),
    [CAM_EMPTY_ROUNDING] =
        N_ ("what its channels say cancels out, and only rounding is left"),
    [CAM_EMPTY_TINY] = N_ ("its numbers are too small to divide by"),
    [CAM_EMPTY_SAME_POSITIVE] =
        N_ ("the picture and its positive are the same, or their embeddings "
            "are"),
    [CAM_EMPTY_SAME_EXAMPLES] =
        N_ ("positive and negative are the same, or their embeddings are"),
    [CAM_EMPTY_NO_DIRECTION] =
        N_ ("an embedding is all zeros and has no direction"),
    [CAM_EMPTY_NO_GRADIENT] =
        N_ ("the gradient is zero, or cancels out over the layer's places"),
  };

  g_return_val_if_fail (empty > CAM_EMPTY_NOT && empty <= CAM_EMPTY_NO_GRADIENT,
                        "");
  return _ (reasons[empty]);
}

const char *
cam_empty_word (CamEmpty empty)
{
  static const char *const words[] = {
    [CAM_EMPTY_SILENT] = "silent",
    [CAM_EMPTY_WEIGHTLESS] = "weightless",
    [CAM_EMPTY_AGAINST] = "against",
    [CAM_EMPTY_ROUNDING] = "rounding",
    [CAM_EMPTY_TINY] = "tiny",
    [CAM_EMPTY_SAME_POSITIVE] = "same-positive",
    [CAM_EMPTY_SAME_EXAMPLES] = "same-examples",
    [CAM_EMPTY_NO_DIRECTION] = "no-direction",
    [CAM_EMPTY_NO_GRADIENT] = "no-gradient",
  };

  g_return_val_if_fail (empty > CAM_EMPTY_NOT && empty <= CAM_EMPTY_NO_GRADIENT,
                        "");
  return words[empty];
}
