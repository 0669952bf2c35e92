/* lp-norm.c -- LpNormalization (rows divided by their norm) and LRN (by the
 * neighbouring channels' squares) */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef struct
{
  gint64 axis, p;
} LpNorm;

typedef struct
{
  gint64 size;
  float alpha, beta, bias;
} Lrn;

static gboolean
parse_lp (CamNode *node, GError **error)
{
  LpNorm *p = g_new0 (LpNorm, 1);

  node->params = p;
  p->axis = cam_node_int (node, "axis", -1);
  p->p = cam_node_int (node, "p", 2);
  if (p->p == 1 || p->p == 2)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute p has the unsupported value %" PRId64), p->p);
  return FALSE;
}

static gboolean
infer_lp (CamNode *node, GError **error)
{
  const LpNorm *p = node->params;
  int axis;

  return cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
         && cam_op_axis (node, p->axis, node->inputs[0]->shape.n_dims, &axis,
                         error)
         && cam_op_infer_same (node, error);
}

typedef struct
{
  const LpNorm *p;
  gint64 n, step;
} Axis;

static Axis
axis_of (const CamNode *node)
{
  const CamShape *x = &node->inputs[0]->shape;
  Axis a = { .p = node->params };
  int axis = 0;

  cam_op_axis (node, a.p->axis, x->n_dims, &axis, NULL);
  a.n = x->dims[axis];
  a.step = cam_op_count (x, axis + 1, x->n_dims);
  return a;
}

static double
norm (const Axis *a, const float *x)
{
  double sum = 0;

  for (gint64 i = 0; i < a->n; i++)
    {
      double v = x[i * a->step];

      sum += a->p->p == 1 ? fabs (v) : v * v;
    }
  return a->p->p == 1 ? sum : sqrt (sum);
}

/* A row of zeros stays one. */
static void
forward_lp (const CamForward *f)
{
  Axis a = axis_of (f->node);
  gint64 n_rows = a.n ? (gint64) f->inputs[0]->n_elements / a.n : 0;

  for (gint64 row = 0; row < n_rows; row++)
    {
      gint64 at = row / a.step * a.step * a.n + row % a.step;
      const float *x = cam_tensor_f32 (f->inputs[0]) + at;
      float *y = cam_tensor_f32 (f->outputs[0]) + at;
      double length = norm (&a, x);

      for (gint64 i = 0; i < a.n; i++)
        y[i * a.step] = length > 0 ? (float) (x[i * a.step] / length) : 0;
    }
}

/* y = x / |x|: g_x = (g - d|x| <g, y>) / |x|, where d|x| is y for the
 * Euclidean norm and the sign of x for the sum of absolute values. */
static void
backward_lp (const CamBackward *b)
{
  Axis a = axis_of (b->node);
  gint64 n_rows;

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  n_rows = a.n ? (gint64) b->inputs[0]->n_elements / a.n : 0;
  for (gint64 row = 0; row < b->n_seeds * n_rows; row++)
    {
      gint64 at = row / a.step * a.step * a.n + row % a.step;
      gint64 from = at % (n_rows * a.n);
      const float *x = cam_tensor_f32 (b->inputs[0]) + from;
      const float *g = cam_tensor_f32 (b->output_gradients[0]) + at;
      float *gx = cam_tensor_f32 (b->input_gradients[0]) + at;
      double length = norm (&a, x), dot = 0;

      for (gint64 i = 0; i < a.n; i++)
        dot += (double) g[i * a.step] * x[i * a.step] / length;
      for (gint64 i = 0; i < a.n; i++)
        {
          double v = x[i * a.step];
          double d = a.p->p == 2 ? v / length : (v > 0) - (v < 0);

          gx[i * a.step] = length > 0
                               ? (float) ((g[i * a.step] - d * dot) / length)
                               : 0;
        }
    }
}

static gboolean
parse_lrn (CamNode *node, GError **error)
{
  Lrn *p = g_new0 (Lrn, 1);

  node->params = p;
  p->size = cam_node_int (node, "size", 0);
  p->alpha = (float) cam_node_float (node, "alpha", 1e-4);
  p->beta = (float) cam_node_float (node, "beta", 0.75);
  p->bias = (float) cam_node_float (node, "bias", 1);
  if (p->size > 0)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute size has the unsupported value %" PRId64),
                  p->size);
  return FALSE;
}

static gboolean
infer_lrn (CamNode *node, GError **error)
{
  return cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
         && cam_op_check_rank (node, 0, 2, CAM_MAX_DIMS, error)
         && cam_op_infer_same (node, error);
}

/* bias + alpha / size * sum of squares of the channels around @c, at one
 * position whose channels are @step apart */
static double
around (const Lrn *p, const float *x, gint64 c, gint64 n, gint64 step)
{
  gint64 begin = MAX (c - (p->size - 1) / 2, 0);
  gint64 end = MIN (c + p->size / 2 + 1, n);
  double sum = 0;

  for (gint64 i = begin; i < end; i++)
    sum += (double) x[i * step] * x[i * step];
  return p->bias + p->alpha / (double) p->size * sum;
}

static void
forward_lrn (const CamForward *f)
{
  const Lrn *p = f->node->params;
  const CamShape *shape = &f->inputs[0]->shape;
  gint64 n = shape->dims[1], step = cam_op_count (shape, 2, shape->n_dims);

  for (gint64 i = 0; i < (gint64) f->inputs[0]->n_elements; i++)
    {
      gint64 c = i / step % n;
      const float *x = cam_tensor_f32 (f->inputs[0]) + i - c * step;

      cam_tensor_f32 (f->outputs[0])[i] =
          (float) (x[c * step] * pow (around (p, x, c, n, step), -p->beta));
    }
}

/* With s_c what around () gives: g_x_c = g_c s_c^-beta - 2 alpha beta / size
 * x_c sum over the channels k that see c of g_k x_k s_k^(-beta - 1) */
static float
lrn_gradient (const Lrn *p, const float *x, const float *g, gint64 c, gint64 n,
              gint64 step)
{
  gint64 begin = MAX (c - p->size / 2, 0);
  gint64 end = MIN (c + (p->size - 1) / 2 + 1, n);
  double sum = 0;

  for (gint64 k = begin; k < end; k++)
    sum += (double) g[k * step] * x[k * step]
           * pow (around (p, x, k, n, step), -p->beta - 1);
  return (float) (g[c * step] * pow (around (p, x, c, n, step), -p->beta)
                  - 2.0 * p->alpha * p->beta / (double) p->size * x[c * step]
                        * sum);
}

static void
backward_lrn (const CamBackward *b)
{
  const CamShape *shape = &b->node->inputs[0]->shape;
  gint64 n = shape->dims[1], step = cam_op_count (shape, 2, shape->n_dims);
  gint64 all = cam_op_count (shape, 0, shape->n_dims);

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  for (gint64 i = 0; i < b->n_seeds * all; i++)
    {
      gint64 c = i / step % n, at = i - c * step;

      cam_tensor_f32 (b->input_gradients[0])[i] =
          lrn_gradient (b->node->params,
                        cam_tensor_f32 (b->inputs[0]) + at % all,
                        cam_tensor_f32 (b->output_gradients[0]) + at, c, n,
                        step);
    }
}

#define NORM(name, parser, inference, fore, back)                              \
  {                                                                            \
    .domain = "", .type = name, .since = 1, .min_inputs = 1, .max_inputs = 1,  \
    .min_outputs = 1, .max_outputs = 1, .flags = CAM_OP_BACKWARD_NEEDS_INPUTS, \
    .parse = parser, .infer = inference, .forward = fore, .backward = back     \
  }

const CamOperator cam_ops_lp_norm[] = {
  NORM ("LpNormalization", parse_lp, infer_lp, forward_lp, backward_lp),
  NORM ("LRN", parse_lrn, infer_lrn, forward_lrn, backward_lrn),
  { .type = NULL },
};
