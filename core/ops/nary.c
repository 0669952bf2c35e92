/* nary.c -- any number of broadcast tensors: Sum, Mean, Min, Max */
#include "config.h"

#include "core/ops/walk.h"

#include <string.h>

#include "core/ops/scalar.h"

typedef enum
{
  SUM,
  MEAN,
  MIN_OF,
  MAX_OF
} NaryKind;

typedef struct
{
  NaryKind kind;
} Nary;

static gboolean
parse (CamNode *node, GError **error)
{
  Nary *nary = g_new0 (Nary, 1);

  node->params = nary;
  nary->kind = strcmp (node->op_type, "Sum") == 0    ? SUM
               : strcmp (node->op_type, "Mean") == 0 ? MEAN
               : strcmp (node->op_type, "Min") == 0  ? MIN_OF
                                                     : MAX_OF;
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Nary *nary = node->params;
  CamShape shape = node->inputs[0]->shape;
  guint kinds = nary->kind <= MEAN ? CAM_OP_KINDS_FLOAT : CAM_OP_KINDS_NUMBER;

  if (! cam_op_check_dtype (node, 0, kinds, error)
      || ! cam_op_check_same_dtype (node, error))
    return FALSE;
  for (guint i = 1; i < node->n_inputs; i++)
    if (! cam_op_broadcast (node, &shape, &node->inputs[i]->shape, &shape,
                            error))
      return FALSE;
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

typedef struct
{
  NaryKind kind;
  const CamTensor *x; /* the next input; NULL: divide by n */
  CamTensor *y;
  guint n;
  gboolean first;
} Job;

/* NaN wins over any number, as in NumPy. */
static inline double
smaller (double a, double b)
{
  return b < a || b != b ? b : a;
}

static inline double
larger (double a, double b)
{
  return b > a || b != b ? b : a;
}

static void
float_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const Job *j = data;
  const float *x = cam_tensor_f32 (j->x) + at[0];
  float *y = cam_tensor_f32 (j->y) + index;
  gsize step = steps[0];

  if (j->first)
    for (gsize i = 0; i < n; i++)
      y[i] = x[i * step];
  else if (j->kind <= MEAN)
    for (gsize i = 0; i < n; i++)
      y[i] += x[i * step];
  else if (j->kind == MIN_OF)
    for (gsize i = 0; i < n; i++)
      y[i] = (float) smaller (y[i], x[i * step]);
  else
    for (gsize i = 0; i < n; i++)
      y[i] = (float) larger (y[i], x[i * step]);
}

static void
any_row (gsize n, const gsize *at, const gsize *steps, gsize index,
         gpointer data)
{
  const Job *j = data;
  gboolean whole = cam_op_dtype_is (j->x->dtype, CAM_OP_KINDS_INT);

  for (gsize i = 0; i < n; i++)
    {
      gsize from = at[0] + i * steps[0], to = index + i;

      if (whole)
        {
          gint64 x = cam_scalar_int (j->x, from);
          gint64 y = cam_scalar_int (j->y, to);
          gboolean below = j->x->dtype == CAM_DTYPE_UINT64
                               ? (guint64) x < (guint64) y
                               : x < y;

          if (j->first || below == (j->kind == MIN_OF))
            cam_scalar_set_int (j->y, to, x);
        }
      else
        {
          double x = cam_scalar_double (j->x, from);
          double y = cam_scalar_double (j->y, to);

          y = j->first            ? x
              : j->kind <= MEAN   ? y + x
              : j->kind == MIN_OF ? smaller (y, x)
                                  : larger (y, x);
          cam_scalar_set_double (j->y, to, y);
        }
    }
}

static void
divide_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;

  if (j->y->dtype == CAM_DTYPE_FLOAT32)
    for (gsize i = begin; i < end; i++)
      cam_tensor_f32 (j->y)[i] /= (float) j->n;
  else
    for (gsize i = begin; i < end; i++)
      cam_scalar_set_double (j->y, i, cam_scalar_double (j->y, i) / j->n);
}

static void
forward (const CamForward *f)
{
  const Nary *nary = f->node->params;
  Job job = { nary->kind, NULL, f->outputs[0], f->node->n_inputs, TRUE };

  for (guint i = 0; i < f->node->n_inputs; i++)
    {
      const CamShape *shape = &f->inputs[i]->shape;
      CamWalk walk;

      job.x = f->inputs[i];
      job.first = i == 0;
      cam_walk_init (&walk, &job.y->shape, 1, &shape);
      cam_walk_run (&walk, f->threads,
                    job.y->dtype == CAM_DTYPE_FLOAT32 ? float_row : any_row,
                    &job);
    }
  if (nary->kind == MEAN)
    cam_op_ranges (f->threads, job.y->n_elements, CAM_OP_GRAIN, divide_range,
                   &job);
}

/* Counts, for every element of the output, the inputs that reach it. */
typedef struct
{
  const float *x, *y, *gy, *counts;
  float *out;
  float scale;
} Share;

static void
count_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const Share *s = data;

  for (gsize i = 0; i < n; i++)
    s->out[index + i] += s->x[at[0] + i * steps[0]] == s->y[index + i];
}

static void
share_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const Share *s = data;

  for (gsize i = 0; i < n; i++)
    {
      gsize k = index + i;
      float share = s->scale;

      if (s->counts)
        share = s->x[at[0] + i * steps[0]] == s->y[k] && s->counts[k] > 0
                    ? 1 / s->counts[k]
                    : 0;
      s->out[k] = s->gy[k] * share;
    }
}

static gsize
output_size (const CamNode *node)
{
  const CamShape *shape = &node->outputs[0]->shape;

  return (gsize) cam_op_count (shape, 0, shape->n_dims);
}

/* scratch: sums of doubles, products, counts, each of the output's size */
static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  return output_size (node) * (sizeof (double) + 2 * sizeof (float)) + 64;
}

/* Equal inputs share the gradient of a minimum or maximum evenly. */
static const float *
count_equal (const CamBackward *b, float *counts)
{
  gsize n = output_size (b->node);

  memset (counts, 0, n * sizeof *counts);
  for (guint i = 0; i < b->node->n_inputs; i++)
    {
      const CamShape *shape = &b->node->inputs[i]->shape;
      Share share = { .x = cam_tensor_f32 (cam_op_backward_input (b, i)),
                      .y = cam_tensor_f32 (b->outputs[0]),
                      .out = counts };
      CamWalk walk;

      cam_walk_init (&walk, &b->node->outputs[0]->shape, 1, &shape);
      cam_walk_run (&walk, b->threads, count_row, &share);
    }
  return counts;
}

static void
backward_input (const CamBackward *b, guint i, const float *counts)
{
  const CamShape *whole = &b->node->outputs[0]->shape;
  const CamShape *shape = &b->node->inputs[i]->shape;
  gsize n = output_size (b->node);
  gsize m = (gsize) cam_op_count (shape, 0, shape->n_dims);
  const Nary *nary = b->node->params;
  double *sums = b->scratch;
  float *product = (float *) (sums + n);
  CamWalk walk;

  cam_walk_init (&walk, whole, 1, &shape);
  for (gint64 s = 0; s < b->n_seeds; s++)
    {
      float *gradient = cam_tensor_f32 (b->input_gradients[i]) + (gsize) s * m;
      Share share = {
        .gy = cam_tensor_f32 (b->output_gradients[0]) + (gsize) s * n,
        .counts = counts,
        .out = n == m ? gradient : product,
        .scale = nary->kind == MEAN ? 1.0f / (float) b->node->n_inputs : 1.0f
      };

      if (counts)
        {
          share.x = cam_tensor_f32 (cam_op_backward_input (b, i));
          share.y = cam_tensor_f32 (b->outputs[0]);
        }
      cam_walk_run (&walk, b->threads, share_row, &share);
      if (n != m)
        cam_walk_reduce (whole, product, shape, gradient, sums);
    }
}

static void
backward (const CamBackward *b)
{
  const Nary *nary = b->node->params;
  gsize n = output_size (b->node);
  const float *counts = NULL;

  if (b->output_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  if (nary->kind >= MIN_OF)
    counts = count_equal (b, (float *) ((double *) b->scratch + n) + n);
  for (guint i = 0; i < b->node->n_inputs; i++)
    if (b->input_gradients[i])
      backward_input (b, i, counts);
}

#define OPERATOR(name, look)                                                   \
  {                                                                            \
    .domain = "", .type = name, .since = 6, .min_inputs = 1, .max_inputs = -1, \
    .min_outputs = 1, .max_outputs = 1, .flags = look, .parse = parse,         \
    .infer = infer, .forward = forward, .backward = backward,                  \
    .backward_scratch = backward_scratch                                       \
  }
#define LOOK (CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BACKWARD_NEEDS_OUTPUTS)

const CamOperator cam_ops_nary[] = { OPERATOR ("Sum", 0),
                                     OPERATOR ("Mean", 0),
                                     OPERATOR ("Min", LOOK),
                                     OPERATOR ("Max", LOOK),
                                     { .type = NULL } };
