/* softmax.c -- Softmax and LogSoftmax along an axis
 *
 * Before opset 13 all dimensions from the axis on are one row.  camlens.Softmax
 * is Softmax where rows are consecutive elements.
 */
#include "config.h"

#include "core/ops/fused.h"
#include "core/ops/rows.h"

#include <math.h>
#include <string.h>

typedef struct
{
  gint64 axis;
  gboolean log, from_axis_on;
} Softmax;

static gboolean
parse (CamNode *node, GError **error)
{
  Softmax *p = g_new0 (Softmax, 1);

  node->params = p;
  p->log = node->op_type[0] == 'L';
  p->from_axis_on = node->opset < 13;
  p->axis = cam_node_int (node, "axis", p->from_axis_on ? 1 : -1);
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Softmax *p = node->params;
  int axis;

  return cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
         && (node->inputs[0]->shape.n_dims == 0
             || cam_op_axis (node, p->axis, node->inputs[0]->shape.n_dims,
                             &axis, error))
         && cam_op_infer_same (node, error);
}

/* Rows of @n elements, @step apart; @step rows lie within each other. */
typedef struct
{
  gboolean log;
  gsize n, step, n_rows;
  const float *x, *y, *gy;
  float *out;
} Job;

static Job
sizes_of (const CamNode *node)
{
  const Softmax *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  Job job = { .log = p->log, .n = 1, .step = 1, .n_rows = 1 };
  int axis = 0;

  if (x->n_dims == 0)
    return job;
  cam_op_axis (node, p->axis, x->n_dims, &axis, NULL);
  job.n_rows = (gsize) cam_op_count (x, 0, axis);
  if (p->from_axis_on)
    job.n = (gsize) cam_op_count (x, axis, x->n_dims);
  else
    {
      job.n = (gsize) x->dims[axis];
      job.step = (gsize) cam_op_count (x, axis + 1, x->n_dims);
      job.n_rows *= job.step;
    }
  return job;
}

static gsize
row_place (const Job *j, gsize row)
{
  return row / j->step * j->step * j->n + row % j->step;
}

static void
softmax_row (const float *x, float *y, gsize n, gsize step, gboolean log_of)
{
  float most = x[0];
  double sum = 0;

  for (gsize i = 1; i < n; i++)
    most = x[i * step] > most ? x[i * step] : most;
  for (gsize i = 0; i < n; i++)
    {
      float e = expf (x[i * step] - most);

      sum += e;
      y[i * step] = e;
    }
  if (log_of)
    {
      float shift = (float) (most + log (sum));

      for (gsize i = 0; i < n; i++)
        y[i * step] = x[i * step] - shift;
    }
  else
    {
      float scale = (float) (1 / sum);

      for (gsize i = 0; i < n; i++)
        y[i * step] *= scale;
    }
}

static void
forward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;

  for (gsize row = begin; row < end; row++)
    {
      gsize at = row_place (j, row);

      if (j->step == 1)
        softmax_row (j->x + at, j->out + at, j->n, 1, j->log);
      else
        softmax_row (j->x + at, j->out + at, j->n, j->step, j->log);
    }
}

static void
fast_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;

  cam_kernels ()->softmax (j->out + begin * j->n, j->x + begin * j->n,
                           end - begin, (int) j->n);
}

static void
forward (const CamForward *f)
{
  Job job = sizes_of (f->node);

  job.x = cam_tensor_f32 (f->inputs[0]);
  job.out = cam_tensor_f32 (f->outputs[0]);
  if (f->outputs[0]->n_elements > 0)
    cam_op_ranges (f->threads, job.n_rows, CAM_OP_GRAIN / 4 / job.n + 1,
                   *f->node->domain ? fast_range : forward_range, &job);
}

/* softmax: g_x = y (g - <g, y>); its logarithm: g_x = g - exp (y) sum (g) */
static void
backward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;

  for (gsize row = begin; row < end; row++)
    {
      gsize at = row_place (j, row), step = j->step;
      gsize from = row_place (j, row % j->n_rows);
      const float *g = j->gy + at, *y = j->y + from;
      float *out = j->out + at;
      double sum = 0;

      for (gsize i = 0; i < j->n; i++)
        sum += j->log ? g[i * step] : (double) g[i * step] * y[i * step];
      for (gsize i = 0; i < j->n; i++)
        out[i * step] = j->log
                            ? (float) (g[i * step] - expf (y[i * step]) * sum)
                            : (float) (y[i * step] * (g[i * step] - sum));
    }
}

static void
backward (const CamBackward *b)
{
  Job job = sizes_of (b->node);

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  job.y = cam_tensor_f32 (b->outputs[0]);
  job.gy = cam_tensor_f32 (b->output_gradients[0]);
  job.out = cam_tensor_f32 (b->input_gradients[0]);
  if (b->outputs[0]->n_elements > 0)
    cam_op_ranges (b->threads, (gsize) b->n_seeds * job.n_rows,
                   CAM_OP_GRAIN / 4 / job.n + 1, backward_range, &job);
}

#define SOFTMAX(family, name)                                                  \
  {                                                                            \
    .domain = family, .type = name, .since = 1, .min_inputs = 1,               \
    .max_inputs = 1, .min_outputs = 1, .max_outputs = 1,                       \
    .flags = CAM_OP_BACKWARD_NEEDS_OUTPUTS, .parse = parse, .infer = infer,    \
    .forward = forward, .backward = backward                                   \
  }

const CamOperator cam_ops_softmax[] = {
  SOFTMAX ("", "Softmax"),
  SOFTMAX ("", "LogSoftmax"),
  SOFTMAX (CAM_FUSED_DOMAIN, "Softmax"),
  { .type = NULL },
};
