/* global-pool.c -- GlobalAveragePool, GlobalMaxPool, GlobalLpPool: one number
 * a channel */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

typedef enum
{
  AVERAGE,
  MAXIMUM,
  NORM
} PoolKind;

typedef struct
{
  PoolKind kind;
  gint64 p; /* NORM */
} GlobalPool;

static gboolean
parse (CamNode *node, GError **error)
{
  GlobalPool *g = g_new0 (GlobalPool, 1);

  node->params = g;
  g->kind = strcmp (node->op_type, "GlobalAveragePool") == 0 ? AVERAGE
            : strcmp (node->op_type, "GlobalMaxPool") == 0   ? MAXIMUM
                                                             : NORM;
  if (g->kind == NORM)
    g->p = cam_node_int (node, "p", 2);
  if (g->kind != NORM || g->p >= 1)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute p has the unsupported value %" PRId64), g->p);
  return FALSE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;

  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
      || ! cam_op_check_rank (node, 0, 3, CAM_MAX_DIMS, error)
      || ! cam_op_check_not_empty (node, 0, error))
    return FALSE;
  for (int i = 2; i < shape.n_dims; i++)
    shape.dims[i] = 1;
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}

typedef struct
{
  const GlobalPool *pool;
  const float *x, *y, *gy;
  float *out;
  gint64 area;
  gsize n_channels; /* of all pictures */
} Job;

static double
norm (const float *x, gint64 n, gint64 p)
{
  double sum = 0;

  for (gint64 i = 0; i < n; i++)
    sum += p == 2 ? (double) x[i] * x[i] : pow (fabs (x[i]), (double) p);
  return p == 2 ? sqrt (sum) : pow (sum, 1.0 / (double) p);
}

static void
forward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;

  for (gsize c = begin; c < end; c++)
    {
      const float *x = j->x + c * (gsize) j->area;
      double sum = 0;
      float most = x[0];

      if (j->pool->kind == AVERAGE)
        for (gint64 i = 0; i < j->area; i++)
          sum += x[i];
      else if (j->pool->kind == MAXIMUM)
        for (gint64 i = 1; i < j->area; i++)
          most = x[i] > most || x[i] != x[i] ? x[i] : most;
      j->out[c] = j->pool->kind == AVERAGE ? (float) (sum / (double) j->area)
                  : j->pool->kind == MAXIMUM
                      ? most
                      : (float) norm (x, j->area, j->pool->p);
    }
}

static void
forward (const CamForward *f)
{
  Job job = { .pool = f->node->params,
              .x = cam_tensor_f32 (f->inputs[0]),
              .out = cam_tensor_f32 (f->outputs[0]) };

  job.area = cam_op_count (&f->inputs[0]->shape, 2, f->inputs[0]->shape.n_dims);
  cam_op_ranges (f->threads, f->outputs[0]->n_elements, 64, forward_range,
                 &job);
}

static void
spread_average (const Job *j, float g, float *gx)
{
  for (gint64 i = 0; i < j->area; i++)
    gx[i] = g / (float) j->area;
}

/* The maximum's first place, or the last NaN's, as in PyTorch. */
static gint64
find_maximum (const float *x, gint64 n, float y)
{
  gint64 i = 0;

  if (y != y)
    for (i = n - 1; i > 0 && x[i] == x[i]; i--)
      ;
  else
    while (i < n - 1 && x[i] != y)
      i++;
  return i;
}

static void
spread (const Job *j, const float *x, float y, float g, float *gx)
{
  gint64 n = j->area, p = j->pool->p;

  if (j->pool->kind == MAXIMUM)
    {
      memset (gx, 0, (gsize) n * sizeof *gx);
      gx[find_maximum (x, n, y)] = g;
    }
  else
    for (gint64 i = 0; i < n; i++)
      gx[i] =
          y == 0 ? 0
                 : (float) (g
                            * copysign (pow (fabs (x[i]) / y, (double) (p - 1)),
                                        x[i]));
}

static void
backward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;

  for (gsize c = begin; c < end; c++)
    {
      gsize from = c % j->n_channels;
      float *gx = j->out + c * (gsize) j->area;

      if (j->pool->kind == AVERAGE)
        spread_average (j, j->gy[c], gx);
      else
        spread (j, j->x + from * (gsize) j->area, j->y[from], j->gy[c], gx);
    }
}

static void
backward (const CamBackward *b)
{
  const CamShape *x = &b->node->inputs[0]->shape;
  Job job = { .pool = b->node->params };

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  if (job.pool->kind != AVERAGE)
    {
      job.x = cam_tensor_f32 (b->inputs[0]);
      job.y = cam_tensor_f32 (b->outputs[0]);
    }
  job.gy = cam_tensor_f32 (b->output_gradients[0]);
  job.out = cam_tensor_f32 (b->input_gradients[0]);
  job.n_channels = (gsize) cam_op_count (x, 0, 2);
  job.area = cam_op_count (x, 2, x->n_dims);
  cam_op_ranges (b->threads, b->output_gradients[0]->n_elements, 64,
                 backward_range, &job);
}

#define GLOBAL(name, look)                                                     \
  {                                                                            \
    .domain = "", .type = name, .since = 1, .min_inputs = 1, .max_inputs = 1,  \
    .min_outputs = 1, .max_outputs = 1, .flags = look, .parse = parse,         \
    .infer = infer, .forward = forward, .backward = backward                   \
  }

#define LOOK (CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BACKWARD_NEEDS_OUTPUTS)

const CamOperator cam_ops_global_pool[] = { GLOBAL ("GlobalAveragePool", 0),
                                            GLOBAL ("GlobalMaxPool", LOOK),
                                            GLOBAL ("GlobalLpPool", LOOK),
                                            { .type = NULL } };
