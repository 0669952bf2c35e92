/* group-norm.c -- mean and variance of parts of one picture:
 * LayerNormalization, InstanceNormalization, GroupNormalization
 *
 * camlens.LayerNorm, which passes put in the place of the first, has a fast
 * kernel.  All see rows of consecutive elements, y = (x - mean) / sqrt (variance
 * + epsilon) * scale + shift; they differ in what a row is, and in which scale
 * an element has: by its place in the row (layers), or by the row's channel or
 * group, or by the channel that the element lies in.
 */
#include "config.h"

#include "core/ops/fused.h"
#include "core/ops/rows.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef enum
{
  LAYER,
  INSTANCE,
  GROUP
} NormKind;

typedef struct
{
  NormKind kind;
  double epsilon;
  gint64 axis;   /* LAYER */
  gint64 groups; /* GROUP */
} Norm;

static gboolean
parse (CamNode *node, GError **error)
{
  Norm *p = g_new0 (Norm, 1);

  node->params = p;
  p->kind = node->op_type[0] == 'L'   ? LAYER
            : node->op_type[0] == 'I' ? INSTANCE
                                      : GROUP;
  p->epsilon = cam_node_float (node, "epsilon", 1e-5);
  if (p->kind == LAYER)
    {
      p->axis = cam_node_int (node, "axis", -1);
      cam_node_int (node, "stash_type", 1);
    }
  if (p->kind == GROUP)
    p->groups = cam_node_int (node, "num_groups", 0);
  if (p->kind != GROUP || p->groups > 0)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute num_groups has the unsupported value %" PRId64),
                  p->groups);
  return FALSE;
}

/* @scales: how many there are; @run: elements of a row that share one, or 0
 * where the row's index alone chooses (row % scales). */
typedef struct
{
  gsize n_rows, n, scales, run;
} Rows;

static Rows
rows_of (const CamNode *node)
{
  const Norm *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  int axis = 2;

  if (p->kind == LAYER)
    cam_op_axis (node, p->axis, x->n_dims, &axis, NULL);
  if (p->kind == GROUP)
    {
      gsize all = (gsize) cam_op_count (x, 0, x->n_dims);
      gsize rows = (gsize) (x->dims[0] * p->groups);

      return (Rows) { rows, all / rows, (gsize) p->groups, 0 };
    }
  return (Rows) { (gsize) cam_op_count (x, 0, axis),
                  (gsize) cam_op_count (x, axis, x->n_dims),
                  p->kind == LAYER ? (gsize) cam_op_count (x, axis, x->n_dims)
                                   : (gsize) x->dims[1],
                  p->kind == LAYER };
}

static gboolean
infer_layer (CamNode *node, GError **error)
{
  const Norm *p = node->params;
  CamShape shape = node->inputs[0]->shape;
  int axis;

  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
      || ! cam_op_check_same_dtype (node, error)
      || ! cam_op_check_not_empty (node, 0, error)
      || ! cam_op_axis (node, p->axis, shape.n_dims, &axis, error))
    return FALSE;
  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i]
        && cam_op_count (&node->inputs[i]->shape, 0,
                         node->inputs[i]->shape.n_dims)
               != cam_op_count (&shape, axis, shape.n_dims))
      {
        cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                        _ ("'%s' must have one number for each normalised "
                           "element"),
                        node->inputs[i]->name);
        return FALSE;
      }
  if (! cam_op_infer_same (node, error))
    return FALSE;
  for (int i = axis; i < shape.n_dims; i++)
    shape.dims[i] = 1;
  return cam_node_set_output (node, 1, CAM_DTYPE_FLOAT32, &shape, error)
         && cam_node_set_output (node, 2, CAM_DTYPE_FLOAT32, &shape, error);
}

static gboolean
infer_channels (CamNode *node, GError **error)
{
  const Norm *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  gint64 n;

  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
      || ! cam_op_check_same_dtype (node, error)
      || ! cam_op_check_rank (node, 0, 3, CAM_MAX_DIMS, error)
      || ! cam_op_check_not_empty (node, 0, error))
    return FALSE;
  if (p->kind == GROUP && x->dims[1] % p->groups)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      ngettext ("%" PRId64 " channel in %" PRId64 " groups",
                                "%" PRId64 " channels in %" PRId64 " groups",
                                x->dims[1]),
                      x->dims[1], p->groups);
      return FALSE;
    }
  n = p->kind == GROUP ? p->groups : x->dims[1];
  return cam_op_check_vector (node, 1, n, error)
         && cam_op_check_vector (node, 2, n, error)
         && cam_op_infer_same (node, error);
}

typedef struct
{
  Rows rows;
  double epsilon;
  const float *x, *scale, *shift, *gy;
  float *out, *mean, *inverse; /* the last two may be NULL */
} Job;

static void
statistics (const Job *j, const float *x, double *mean, double *inverse)
{
  double n = (double) j->rows.n;

  *mean = cam_row_sum (x, j->rows.n) / n;
  *inverse = 1 / sqrt (cam_row_squares (x, j->rows.n, *mean) / n + j->epsilon);
}

static void
forward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;
  gsize n = j->rows.n;

  for (gsize row = begin; row < end; row++)
    {
      const float *x = j->x + row * n;
      float *y = j->out + row * n;
      double mean, inverse;

      statistics (j, x, &mean, &inverse);
      if (j->mean)
        j->mean[row] = (float) mean;
      if (j->inverse)
        j->inverse[row] = (float) inverse;
      if (j->rows.run)
        {
          float m = (float) mean, r = (float) inverse;

          for (gsize i = 0; i < n; i++)
            y[i] = (x[i] - m) * r * j->scale[i];
          for (gsize i = 0; j->shift && i < n; i++)
            y[i] += j->shift[i];
        }
      else
        {
          gsize c = row % j->rows.scales;
          float m = (float) mean, r = (float) (inverse * j->scale[c]);
          float shift = j->shift[c];

          for (gsize i = 0; i < n; i++)
            y[i] = (x[i] - m) * r + shift;
        }
    }
}

static void
fast_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;
  gsize n = j->rows.n;

  cam_kernels ()->layer_norm (j->out + begin * n, j->x + begin * n, end - begin,
                              (int) n, j->scale, j->shift, (float) j->epsilon);
}

static float *
optional (CamTensor *const *outputs, const CamNode *node, guint i)
{
  return i < node->n_outputs && outputs[i] ? cam_tensor_f32 (outputs[i]) : NULL;
}

static void
forward (const CamForward *f)
{
  const Norm *p = f->node->params;
  Job job = { .rows = rows_of (f->node),
              .epsilon = p->epsilon,
              .x = cam_tensor_f32 (f->inputs[0]),
              .scale = cam_tensor_f32 (f->inputs[1]),
              .out = cam_tensor_f32 (f->outputs[0]),
              .mean = optional (f->outputs, f->node, 1),
              .inverse = optional (f->outputs, f->node, 2) };

  if (cam_op_has_input (f->node, 2))
    job.shift = cam_tensor_f32 (f->inputs[2]);
  cam_op_ranges (f->threads, job.rows.n_rows, CAM_OP_GRAIN / job.rows.n + 1,
                 *f->node->domain ? fast_range : forward_range, &job);
}

/* With h = g scale and x^ the normalised x:
 * g_x = (h - mean (h) - x^ mean (h x^)) / sqrt (variance + epsilon) */
static void
backward_row (const Job *j, const float *x, gsize row, const float *g,
              float *out)
{
  gsize n = j->rows.n;
  double mean, inverse, sum = 0, dot = 0;
  float r, a, b, m;

  statistics (j, x, &mean, &inverse);
  for (gsize i = 0; i < n; i++)
    {
      out[i] = g[i] * j->scale[j->rows.run ? i : row % j->rows.scales];
      sum += out[i];
      dot += out[i] * (x[i] - mean);
    }
  r = (float) inverse;
  m = (float) mean;
  a = (float) (sum / (double) n);
  b = (float) (dot * inverse * inverse / (double) n);
  for (gsize i = 0; i < n; i++)
    out[i] = (out[i] - a - (x[i] - m) * b) * r;
}

static void
backward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;
  gsize n = j->rows.n;

  for (gsize row = begin; row < end; row++)
    {
      gsize from = row % j->rows.n_rows;

      backward_row (j, j->x + from * n, from, j->gy + row * n,
                    j->out + row * n);
    }
}

static void
backward (const CamBackward *b)
{
  const Norm *p = b->node->params;
  Job job = { .rows = rows_of (b->node), .epsilon = p->epsilon };

  for (guint i = 1; i < b->node->n_inputs; i++)
    if (b->input_gradients[i])
      cam_op_clear (b->input_gradients[i]);
  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  job.x = cam_tensor_f32 (b->inputs[0]);
  job.scale = cam_tensor_f32 (cam_op_backward_input (b, 1));
  job.gy = cam_tensor_f32 (b->output_gradients[0]);
  job.out = cam_tensor_f32 (b->input_gradients[0]);
  cam_op_ranges (b->threads, job.rows.n_rows * (gsize) b->n_seeds,
                 CAM_OP_GRAIN / job.rows.n + 1, backward_range, &job);
}

#define NORM(family, name, first, last, few, many, inference)                  \
  {                                                                            \
    .domain = family, .type = name, .since = first, .until = last,             \
    .min_inputs = few, .max_inputs = 3, .min_outputs = 1, .max_outputs = many, \
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS, .parse = parse, .infer = inference, \
    .forward = forward, .backward = backward                                   \
  }

const CamOperator cam_ops_group_norm[] = {
  NORM ("", "LayerNormalization", 17, 0, 2, 3, infer_layer),
  NORM ("", "InstanceNormalization", 6, 0, 3, 1, infer_channels),
  NORM ("", "GroupNormalization", 18, 20, 3, 1, infer_channels),
  NORM (CAM_FUSED_DOMAIN, "LayerNorm", 1, 0, 2, 1, infer_layer),
  { .type = NULL },
};
