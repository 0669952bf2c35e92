/* faithfulness.c -- deletion and insertion curves */
#include "core/method/faithfulness.h"

#include <math.h>
#include <string.h>

#include "core/method/score.h"

typedef struct
{
  float value;
  int pixel;
} Ranked;

static int
compare_ranked (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;

  if (x->value != y->value)
    return x->value > y->value ? -1 : 1;
  return x->pixel - y->pixel;
}

/* NULL: no memory */
static Ranked *
rank_pixels (const float *map, int n)
{
  Ranked *ranked = g_try_new (Ranked, n);

  if (ranked == NULL)
    return NULL;
  for (int i = 0; i < n; i++)
    ranked[i] = (Ranked) { map[i], i };
  qsort (ranked, n, sizeof *ranked, compare_ranked);
  return ranked;
}

typedef struct /* how the input lies in memory */
{
  int n_channels, n_pixels;
  gsize channel_stride, pixel_stride;
} Layout;

static Layout
layout_of (const CamTensor *input, gboolean nhwc)
{
  const gint64 *d = input->shape.dims;

  if (nhwc)
    return (Layout) { (int) d[3], (int) (d[1] * d[2]), 1, (gsize) d[3] };
  return (Layout) { (int) d[1], (int) (d[2] * d[3]), (gsize) (d[2] * d[3]), 1 };
}

static void
mean_colour (const CamTensor *input, const Layout *layout, float mean[3])
{
  const float *v = (const float *) input->data;

  for (int c = 0; c < layout->n_channels; c++)
    {
      double sum = 0.0;

      for (int p = 0; p < layout->n_pixels; p++)
        sum += v[c * layout->channel_stride + p * layout->pixel_stride];
      mean[c] = (float) (sum / layout->n_pixels);
    }
}

/* @mixed: the original's first @n ranked pixels over the mean (@insert), or
 * the mean's over the original */
static void
mix (const CamTensor *input, const Layout *layout, const float mean[3],
     const Ranked *ranked, int n, gboolean insert, CamTensor *mixed)
{
  const float *in = (const float *) input->data;
  float *out = cam_tensor_f32 (mixed);

  for (int i = 0; i < layout->n_pixels; i++)
    for (int c = 0; c < layout->n_channels; c++)
      {
        gsize at = c * layout->channel_stride
                   + ranked[i].pixel * layout->pixel_stride;

        out[at] = (i < n) == insert ? in[at] : mean[c];
      }
}

static double
area (const float *curve, int steps)
{
  double sum = 0.0;

  for (int i = 0; i < steps; i++)
    sum += 0.5 * (curve[i] + curve[i + 1]);
  return sum / steps;
}

typedef struct
{
  CamEmbedder *embedder;
  int worker, steps;
  const CamTensor *input;
  Layout layout;
  float mean[3];
  Ranked *ranked;
  CamTensor *mixed;
  float *original, *embedding; /* [dim] */
} Curves;

static gboolean
trace (Curves *c, gboolean insert, float *curve, GError **error)
{
  int dim = cam_embedder_dim (c->embedder);

  for (int i = 0; i <= c->steps; i++)
    {
      int n = (int) ((gint64) c->layout.n_pixels * i / c->steps);

      if (i == (insert ? c->steps : 0))
        {
          curve[i] = 1.0f; /* the original itself */
          continue;
        }
      mix (c->input, &c->layout, c->mean, c->ranked, n, insert, c->mixed);
      if (! cam_embedder_run (c->embedder, c->worker, c->mixed, c->embedding,
                              error))
        return FALSE;
      curve[i] = (float) cam_cosine (c->original, c->embedding, dim);
    }
  return TRUE;
}

static gboolean
is_zero (const float *map, int n)
{
  for (int i = 0; i < n; i++)
    if (map[i] > 0.0f)
      return FALSE;
  return TRUE;
}

gboolean
cam_faithfulness (CamEmbedder *embedder, int worker, const CamTensor *input,
                  const float *map, int steps, CamFaithfulness *areas,
                  float *curves, GError **error)
{
  const CamModel *model = cam_embedder_model (embedder);
  int dim = cam_embedder_dim (embedder);
  Curves c = { embedder, worker, steps, input };
  g_autofree float *own = g_new0 (float, 2 * (steps + 1));
  float *both = curves != NULL ? curves : own;
  gboolean good;

  *areas = (CamFaithfulness) { 0.0, 0.0 };
  c.layout = layout_of (input, model->input.nhwc);
  if (is_zero (map, c.layout.n_pixels))
    {
      memset (both, 0, 2 * (steps + 1) * sizeof (float));
      return TRUE;
    }
  mean_colour (input, &c.layout, c.mean);
  c.ranked = rank_pixels (map, c.layout.n_pixels);
  if (c.ranked == NULL)
    {
      cam_no_memory (error);
      return FALSE;
    }
  c.mixed = cam_tensor_new (CAM_DTYPE_FLOAT32, &input->shape, error);
  c.original = g_new (float, dim);
  c.embedding = g_new (float, dim);
  good = c.mixed != NULL
         && cam_embedder_run (embedder, worker, input, c.original, error)
         && trace (&c, TRUE, both, error)
         && trace (&c, FALSE, both + steps + 1, error);
  if (good)
    *areas = (CamFaithfulness) { area (both, steps),
                                 area (both + steps + 1, steps) };
  g_free (c.ranked);
  g_free (c.original);
  g_free (c.embedding);
  g_clear_pointer (&c.mixed, cam_tensor_unref);
  return good;
}

double
cam_faithfulness_score (const CamFaithfulness *areas)
{
  return areas->insertion - areas->deletion;
}
