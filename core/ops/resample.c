/* resample.c -- one axis made larger or smaller; formulas are those of ONNX's
 * Resize */
#include "config.h"

#include "core/ops/resample.h"

#include <math.h>
#include <string.h>

/* Where output place @i lies in the input.  A scale that gives no whole size is
 * taken as it is where corners are aligned, as ONNX's tests have it. */
static double
source_of (const CamResizeRules *r, gint64 i, gint64 n_in, gint64 n_out,
           double scale, double begin, double end)
{
  double x = (double) i, in = (double) n_in, out = (double) n_out;
  double exact = scale * in, adjustment;

  switch (r->coordinate)
    {
    case CAM_COORDINATE_PYTORCH_HALF_PIXEL:
      return n_out > 1 ? (x + 0.5) / scale - 0.5 : 0;
    case CAM_COORDINATE_ALIGN_CORNERS:
      return n_out > 1 ? x * (in - 1) / (exact - 1) : 0;
    case CAM_COORDINATE_ASYMMETRIC: return x / scale;
    case CAM_COORDINATE_TF_HALF_PIXEL_FOR_NN: return (x + 0.5) / scale;
    case CAM_COORDINATE_TF_CROP_AND_RESIZE:
      return n_out > 1
                 ? begin * (in - 1) + x * (end - begin) * (in - 1) / (out - 1)
                 : 0.5 * (begin + end) * (in - 1);
    case CAM_COORDINATE_HALF_PIXEL_SYMMETRIC:
      adjustment = out / exact;
      return in / 2 * (1 - adjustment) + (x + 0.5) / scale - 0.5;
    default: return (x + 0.5) / scale - 0.5;
    }
}

static gint64
nearest (int rule, double x)
{
  switch (rule)
    {
    case CAM_NEAREST_ROUND_PREFER_FLOOR: return (gint64) ceil (x - 0.5);
    case CAM_NEAREST_ROUND_PREFER_CEIL: return (gint64) floor (x + 0.5);
    case CAM_NEAREST_FLOOR: return (gint64) floor (x);
    default: return (gint64) ceil (x);
    }
}

/* Keys' cubic convolution kernel at distance @x. */
static double
cubic (double x, double a)
{
  x = fabs (x);
  if (x <= 1)
    return ((a + 2) * x - (a + 3)) * x * x + 1;
  return x < 2 ? ((a * x - 5 * a) * x + 8 * a) * x - 4 * a : 0;
}

static double
kernel (const CamResizeRules *r, double x)
{
  if (r->mode == CAM_RESIZE_CUBIC)
    return cubic (x, r->cubic_a);
  return MAX (1 - fabs (x), 0);
}

/* Taps around @x; smaller outputs with antialiasing stretch the kernel. */
static void
set_taps (CamTaps *t, const CamResizeRules *r, gint64 i, double x,
          double stretch)
{
  gint64 *places = t->places + i * t->n_taps;
  float *weights = t->weights + i * t->n_taps;
  gint64 first = (gint64) floor (x) - (t->n_taps / 2 - 1);
  double sum = 0;

  for (gint64 k = 0; k < t->n_taps; k++)
    {
      gint64 p = first + k;
      double w = kernel (r, (x - (double) p) * stretch);

      if ((r->exclude_outside || r->antialias) && (p < 0 || p >= t->n_in))
        w = 0;
      places[k] = CLAMP (p, 0, t->n_in - 1);
      weights[k] = (float) w;
      sum += w;
    }
  if (r->exclude_outside || r->antialias)
    for (gint64 k = 0; k < t->n_taps && sum != 0; k++)
      weights[k] = (float) (weights[k] / sum);
}

static gint64
count_taps (const CamResizeRules *r, double stretch)
{
  gint64 reach = r->mode == CAM_RESIZE_CUBIC ? 2 : 1;

  if (r->mode == CAM_RESIZE_NEAREST)
    return 1;
  return 2 * (gint64) ceil ((double) reach / stretch);
}

CamTaps *
cam_taps_new (const CamResizeRules *r, gint64 n_in, gint64 n_out, double scale,
              double roi_begin, double roi_end)
{
  double stretch = r->antialias && scale < 1 ? scale : 1;
  CamTaps *t = g_new0 (CamTaps, 1);

  t->n_in = n_in;
  t->n_out = n_out;
  t->n_taps = MIN (count_taps (r, stretch), 2 * n_in + 4);
  t->places = g_new0 (gint64, n_out * t->n_taps);
  t->weights = g_new0 (float, n_out * t->n_taps);
  t->outside = g_new0 (gboolean, n_out);
  for (gint64 i = 0; i < n_out; i++)
    {
      double x = source_of (r, i, n_in, n_out, scale, roi_begin, roi_end);

      t->outside[i] = r->coordinate == CAM_COORDINATE_TF_CROP_AND_RESIZE
                      && (x < 0 || x > (double) (n_in - 1));
      if (r->mode != CAM_RESIZE_NEAREST)
        set_taps (t, r, i, x, stretch);
      else
        {
          t->places[i] = CLAMP (nearest (r->nearest, x), 0, n_in - 1);
          t->weights[i] = 1;
        }
    }
  return t;
}

void
cam_taps_free (CamTaps *t)
{
  g_free (t->places);
  g_free (t->weights);
  g_free (t->outside);
  g_free (t);
}

typedef struct
{
  const CamTaps *taps;
  gint64 inner;
  const float *from;
  float *to;
} Pass;

static void
apply_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Pass *p = data;
  const CamTaps *t = p->taps;
  gint64 m = p->inner;

  for (gsize row = begin; row < end; row++)
    {
      gint64 i = (gint64) row % t->n_out, outer = (gint64) row / t->n_out;
      const float *x = p->from + outer * t->n_in * m;
      float *y = p->to + (gint64) row * m;

      memset (y, 0, (gsize) m * sizeof *y);
      for (gint64 k = i * t->n_taps; k < (i + 1) * t->n_taps; k++)
        {
          const float *line = x + t->places[k] * m;
          float w = t->weights[k];

          for (gint64 e = 0; w != 0 && e < m; e++)
            y[e] += w * line[e];
        }
    }
}

void
cam_taps_apply (const CamTaps *taps, gint64 outer, gint64 inner, const float *x,
                float *y, CamThreads *threads)
{
  Pass pass = { taps, inner, x, y };

  cam_op_ranges (threads, (gsize) (outer * taps->n_out),
                 (gsize) (CAM_OP_GRAIN / (inner * taps->n_taps) + 1),
                 apply_range, &pass);
}

static void
transpose_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Pass *p = data;
  const CamTaps *t = p->taps;
  gint64 m = p->inner;

  for (gsize outer = begin; outer < end; outer++)
    {
      const float *gy = p->from + (gint64) outer * t->n_out * m;
      float *gx = p->to + (gint64) outer * t->n_in * m;

      memset (gx, 0, (gsize) (t->n_in * m) * sizeof *gx);
      for (gint64 k = 0; k < t->n_out * t->n_taps; k++)
        {
          const float *line = gy + k / t->n_taps * m;
          float *to = gx + t->places[k] * m, w = t->weights[k];

          for (gint64 e = 0; w != 0 && e < m; e++)
            to[e] += w * line[e];
        }
    }
}

void
cam_taps_transpose (const CamTaps *taps, gint64 outer, gint64 inner,
                    const float *gy, float *gx, CamThreads *threads)
{
  Pass pass = { taps, inner, gy, gx };

  cam_op_ranges (threads, (gsize) outer, 1, transpose_range, &pass);
}
