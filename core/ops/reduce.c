/* reduce.c -- ReduceMean, Sum, Max, Min, L1, L2, SumSquare, Prod, LogSum,
 * LogSumExp over any axes
 *
 * Elements are added up in double, in the order in which they lie, each into
 * the place of the output that it belongs to.
 */
#include "config.h"

#include "core/ops/walk.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/ops/rows.h"
#include "core/ops/scalar.h"

typedef enum
{
  REDUCE_SUM,
  REDUCE_MEAN,
  REDUCE_MAX,
  REDUCE_MIN,
  REDUCE_L1,
  REDUCE_L2,
  REDUCE_SUM_SQUARE,
  REDUCE_PROD,
  REDUCE_LOG_SUM,
  REDUCE_LOG_SUM_EXP
} ReduceKind;

/* A node's params. */
typedef struct
{
  ReduceKind kind;
  gboolean keep;
  gboolean empty_is_none; /* noop_with_empty_axes */
  gsize n_axes;           /* of the attribute     */
  gint64 axes[CAM_MAX_DIMS];
} Reduce;

static gboolean
parse (CamNode *node, GError **error)
{
  static const char *const names[] = { "ReduceSum",       "ReduceMean",
                                       "ReduceMax",       "ReduceMin",
                                       "ReduceL1",        "ReduceL2",
                                       "ReduceSumSquare", "ReduceProd",
                                       "ReduceLogSum",    "ReduceLogSumExp" };
  Reduce *p = g_new0 (Reduce, 1);

  node->params = p;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (strcmp (names[i], node->op_type) == 0)
      p->kind = (ReduceKind) i;
  p->keep = cam_node_int (node, "keepdims", 1) != 0;
  if (node->opset >= (p->kind == REDUCE_SUM ? 13 : 18))
    p->empty_is_none = cam_node_int (node, "noop_with_empty_axes", 0) != 0;
  else
    {
      const gint64 *axes = cam_node_ints (node, "axes", &p->n_axes);

      if (p->n_axes > CAM_MAX_DIMS)
        {
          cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                          _ ("attribute axes has more than %d numbers"),
                          CAM_MAX_DIMS);
          return FALSE;
        }
      for (gsize i = 0; i < p->n_axes; i++)
        p->axes[i] = axes[i];
    }
  return TRUE;
}

/* The output's shape with the reduced axes kept as 1, and the reduced count. */
static gboolean
resolve (const CamNode *node, CamShape *kept, gboolean *marks, GError **error)
{
  const Reduce *p = node->params;
  g_autofree gint64 *given = NULL;
  const gint64 *axes = p->axes;
  gsize n = p->n_axes;

  *kept = node->inputs[0]->shape;
  memset (marks, 0, CAM_MAX_DIMS * sizeof *marks);
  if (cam_op_has_input (node, 1))
    {
      axes = given = cam_op_constant_ints (node, 1, &n, error);
      if (given == NULL)
        return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    {
      int axis;

      if (! cam_op_axis (node, axes[i], kept->n_dims, &axis, error))
        return FALSE;
      marks[axis] = TRUE;
    }
  for (int i = 0; n == 0 && ! p->empty_is_none && i < kept->n_dims; i++)
    marks[i] = TRUE;
  for (int i = 0; i < kept->n_dims; i++)
    if (marks[i])
      kept->dims[i] = 1;
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Reduce *p = node->params;
  gboolean marks[CAM_MAX_DIMS];
  CamShape kept, shape = { 0 };
  guint kinds = CAM_OP_KINDS_NUMBER;

  if (node->opset >= 20 && (p->kind == REDUCE_MAX || p->kind == REDUCE_MIN))
    kinds |= CAM_OP_KINDS_BOOL;
  if (! cam_op_check_dtype (node, 0, kinds, error)
      || ! resolve (node, &kept, marks, error))
    return FALSE;
  for (int i = 0; i < kept.n_dims; i++)
    if (p->keep || ! marks[i])
      shape.dims[shape.n_dims++] = kept.dims[i];
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

/* One accumulator an output element; a second holds LogSumExp's maximum. */
static gsize
scratch (const CamNode *node, int n_threads)
{
  const CamShape *y = &node->outputs[0]->shape;

  return 2 * (gsize) cam_op_count (y, 0, y->n_dims) * sizeof (double);
}

typedef struct
{
  ReduceKind kind;
  const CamTensor *x;
  double *sums, *most;
  CamWalk walk;   /* over one part; the output is its operand */
  gsize part;     /* elements of a part of the input  */
  gsize part_out; /* and of the output                */
} Job;

static inline double
mapped (ReduceKind kind, double x, double most)
{
  switch (kind)
    {
    case REDUCE_L1: return fabs (x);
    case REDUCE_L2:
    case REDUCE_SUM_SQUARE: return x * x;
    case REDUCE_LOG_SUM_EXP: return exp (x - most);
    default: return x;
    }
}

static inline double
combined (ReduceKind kind, double sum, double x)
{
  switch (kind)
    {
    case REDUCE_MAX: return x > sum || x != x ? x : sum;
    case REDUCE_MIN: return x < sum || x != x ? x : sum;
    case REDUCE_PROD: return sum * x;
    default: return sum + x;
    }
}

typedef struct
{
  const Job *job;
  gsize from, to; /* of the part */
} Part;

static void
any_row (gsize n, const gsize *at, const gsize *steps, gsize index,
         gpointer data)
{
  const Part *part = data;
  const Job *j = part->job;

  for (gsize i = 0; i < n; i++)
    {
      gsize k = part->to + at[0] + i * steps[0];
      double x = cam_scalar_double (j->x, part->from + index + i);

      j->sums[k] = combined (j->kind, j->sums[k],
                             mapped (j->kind, x, j->most ? j->most[k] : 0));
    }
}

/* Sums, the common case, without a switch in the loop. */
static void
sum_row (gsize n, const gsize *at, const gsize *steps, gsize index,
         gpointer data)
{
  const Part *part = data;
  const Job *j = part->job;
  const float *x = cam_tensor_f32 (j->x) + part->from + index;
  double *sums = j->sums + part->to + at[0];

  if (steps[0] == 0)
    sums[0] += cam_row_sum (x, n);
  else
    for (gsize i = 0; i < n; i++)
      sums[i * steps[0]] += x[i];
}

static void
part_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;
  gboolean sum = j->kind <= REDUCE_MEAN && j->x->dtype == CAM_DTYPE_FLOAT32;

  for (gsize i = begin; i < end; i++)
    {
      Part part = { j, i * j->part, i * j->part_out };

      cam_walk_part (&j->walk, 0, j->part, sum ? sum_row : any_row, &part);
    }
}

static void
fill (double *values, gsize n, double value)
{
  for (gsize i = 0; i < n; i++)
    values[i] = value;
}

static double
finished (const Job *j, gsize i, gsize count)
{
  double sum = j->sums[i];

  switch (j->kind)
    {
    case REDUCE_MEAN: return sum / (double) count;
    case REDUCE_L2: return sqrt (sum);
    case REDUCE_LOG_SUM: return log (sum);
    case REDUCE_LOG_SUM_EXP: return j->most[i] + log (sum);
    default: return sum;
    }
}

/* The dimensions before the first reduced one are parts of their own. */
static gsize
split_parts (Job *job, const CamShape *x, const CamShape *kept,
             const gboolean *marks)
{
  int first = 0;
  CamShape inner, inner_kept;
  const CamShape *shapes[1] = { &inner_kept };

  while (first < x->n_dims && ! marks[first])
    first++;
  inner = cam_shape_make (x->n_dims - first, x->dims + first);
  inner_kept = cam_shape_make (x->n_dims - first, kept->dims + first);
  cam_walk_init (&job->walk, &inner, 1, shapes);
  job->part = (gsize) cam_op_count (&inner, 0, inner.n_dims);
  job->part_out = (gsize) cam_op_count (&inner_kept, 0, inner_kept.n_dims);
  return (gsize) cam_op_count (x, 0, first);
}

static void
forward (const CamForward *f)
{
  const Reduce *p = f->node->params;
  CamTensor *y = f->outputs[0];
  gsize n = y->n_elements, n_parts, grain;
  gboolean marks[CAM_MAX_DIMS];
  Job job = { .kind = p->kind, .x = f->inputs[0], .sums = f->scratch };
  CamShape kept;

  if (! resolve (f->node, &kept, marks, NULL))
    return;
  n_parts = split_parts (&job, &f->inputs[0]->shape, &kept, marks);
  grain = CAM_OP_GRAIN / MAX (job.part, 1) + 1;
  if (p->kind == REDUCE_LOG_SUM_EXP)
    {
      job.kind = REDUCE_MAX;
      fill (job.sums, n, -INFINITY);
      cam_op_ranges (f->threads, n_parts, grain, part_range, &job);
      job.kind = p->kind;
      job.most = job.sums + n;
      memcpy (job.most, job.sums, n * sizeof (double));
    }
  fill (job.sums, n,
        p->kind == REDUCE_MAX    ? -INFINITY
        : p->kind == REDUCE_MIN  ? INFINITY
        : p->kind == REDUCE_PROD ? 1
                                 : 0);
  cam_op_ranges (f->threads, n_parts, grain, part_range, &job);
  for (gsize i = 0; i < n; i++)
    cam_scalar_set_double (y, i,
                           finished (&job, i, f->inputs[0]->n_elements / n));
}

/* What an input element gets of its output's gradient. */
typedef struct
{
  ReduceKind kind;
  float scale; /* MEAN: 1 / count */
  const float *x, *y, *gy;
  const float *counts; /* MAX, MIN: how many are equal */
  float *gx, *tally;
} Slope;

static void
tally_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const Slope *s = data;

  for (gsize i = 0; i < n; i++)
    {
      gsize k = at[0] + i * steps[0];

      s->tally[k] += s->x[index + i] == s->y[k];
    }
}

static void
slope_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const Slope *s = data;

  for (gsize i = 0; i < n; i++)
    {
      gsize k = at[0] + i * steps[0];
      float x = s->x ? s->x[index + i] : 0, slope = 1;

      switch (s->kind)
        {
        case REDUCE_MEAN: slope = s->scale; break;
        case REDUCE_MAX:
        case REDUCE_MIN: slope = x == s->y[k] ? 1 / s->counts[k] : 0; break;
        case REDUCE_L1: slope = (float) ((x > 0) - (x < 0)); break;
        case REDUCE_L2: slope = s->y[k] > 0 ? x / s->y[k] : 0; break;
        case REDUCE_SUM_SQUARE: slope = 2 * x; break;
        case REDUCE_LOG_SUM: slope = expf (-s->y[k]); break;
        case REDUCE_LOG_SUM_EXP: slope = expf (x - s->y[k]); break;
        default: break;
        }
      s->gx[index + i] = s->gy[k] * slope;
    }
}

static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  return scratch (node, n_threads);
}

static void
backward (const CamBackward *b)
{
  const Reduce *p = b->node->params;
  const CamShape *x = &b->node->inputs[0]->shape, *shapes[1];
  gsize n = (gsize) cam_op_count (x, 0, x->n_dims), m;
  gboolean marks[CAM_MAX_DIMS];
  Slope slope = { .kind = p->kind };
  CamShape kept;
  CamWalk walk;

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL
      || ! resolve (b->node, &kept, marks, NULL))
    {
      cam_op_clear_gradients (b);
      return;
    }
  shapes[0] = &kept;
  cam_walk_init (&walk, x, 1, shapes);
  m = (gsize) cam_op_count (&kept, 0, kept.n_dims);
  slope.scale = (float) ((double) m / (double) n);
  slope.x = b->inputs ? cam_tensor_f32 (b->inputs[0]) : NULL;
  slope.y = b->outputs ? cam_tensor_f32 (b->outputs[0]) : NULL;
  if (p->kind == REDUCE_MAX || p->kind == REDUCE_MIN)
    {
      slope.counts = slope.tally = b->scratch;
      memset (slope.tally, 0, m * sizeof *slope.tally);
      cam_walk_part (&walk, 0, n, tally_row, &slope);
    }
  for (gint64 s = 0; s < b->n_seeds; s++)
    {
      slope.gy = cam_tensor_f32 (b->output_gradients[0]) + (gsize) s * m;
      slope.gx = cam_tensor_f32 (b->input_gradients[0]) + (gsize) s * n;
      cam_walk_run (&walk, b->threads, slope_row, &slope);
    }
}

#define X CAM_OP_BACKWARD_NEEDS_INPUTS
#define Y CAM_OP_BACKWARD_NEEDS_OUTPUTS
#define ENTRY(name, first, last, many, look, back)                             \
  {                                                                            \
    .domain = "", .type = name, .since = first, .until = last,                 \
    .min_inputs = 1, .max_inputs = many, .min_outputs = 1, .max_outputs = 1,   \
    .flags = look, .parse = parse, .infer = infer, .forward = forward,         \
    .backward = back, .scratch = scratch, .backward_scratch = backward_scratch \
  }
/* Axes are an attribute before opset 18 (the sum's: 13), then an input. */
#define REDUCE(name, look, back)                                               \
  ENTRY (name, 1, 17, 1, look, back), ENTRY (name, 18, 0, 2, look, back)

const CamOperator cam_ops_reduce[] = {
  ENTRY ("ReduceSum", 1, 12, 1, 0, backward),
  ENTRY ("ReduceSum", 13, 0, 2, 0, backward),
  REDUCE ("ReduceMean", 0, backward),
  REDUCE ("ReduceMax", X | Y, backward),
  REDUCE ("ReduceMin", X | Y, backward),
  REDUCE ("ReduceL1", X, backward),
  REDUCE ("ReduceL2", X | Y, backward),
  REDUCE ("ReduceSumSquare", X, backward),
  REDUCE ("ReduceProd", 0, NULL),
  REDUCE ("ReduceLogSum", Y, backward),
  REDUCE ("ReduceLogSumExp", X | Y, backward),
  { .type = NULL },
};
