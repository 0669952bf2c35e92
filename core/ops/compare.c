/* compare.c -- truth values: Equal, Greater, Less, And, Or, Xor, Not, Where */
#include "config.h"

#include "core/ops/walk.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/ops/scalar.h"

typedef enum
{
  EQUAL,
  GREATER,
  GREATER_OR_EQUAL,
  LESS,
  LESS_OR_EQUAL,
  AND,
  OR,
  XOR
} CompareKind;

static const char *const names[] = { "Equal", "Greater",     "GreaterOrEqual",
                                     "Less",  "LessOrEqual", "And",
                                     "Or",    "Xor",         NULL };

static gboolean
parse (CamNode *node, GError **error)
{
  CompareKind *kind = g_new0 (CompareKind, 1);

  node->params = kind;
  while (strcmp (names[*kind], node->op_type) != 0)
    (*kind)++;
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const CompareKind *kind = node->params;
  guint kinds = *kind >= AND     ? CAM_OP_KINDS_BOOL
                : *kind == EQUAL ? CAM_OP_KINDS_ALL
                                 : CAM_OP_KINDS_NUMBER;
  CamShape shape;

  return cam_op_check_dtype (node, 0, kinds, error)
         && cam_op_check_same_dtype (node, error)
         && cam_op_broadcast (node, &node->inputs[0]->shape,
                              &node->inputs[1]->shape, &shape, error)
         && cam_node_set_output (node, 0, CAM_DTYPE_BOOL, &shape, error);
}

typedef struct
{
  CompareKind kind;
  const CamTensor *x, *y;
  guint8 *z;
} Job;

/* -1, 0, 1; 2 where a NaN leaves them without an order */
static int
order (const CamTensor *x, gsize i, const CamTensor *y, gsize j)
{
  if (cam_op_dtype_is (x->dtype, CAM_OP_KINDS_FLOAT))
    {
      double a = cam_scalar_double (x, i), b = cam_scalar_double (y, j);

      return a < b ? -1 : a > b ? 1 : a == b ? 0 : 2;
    }
  else
    {
      gint64 a = cam_scalar_int (x, i), b = cam_scalar_int (y, j);

      if (x->dtype == CAM_DTYPE_UINT64)
        return (guint64) a < (guint64) b ? -1 : a != b;
      return a < b ? -1 : a != b;
    }
}

static gboolean
holds (CompareKind kind, int o)
{
  switch (kind)
    {
    case EQUAL: return o == 0;
    case GREATER: return o == 1;
    case GREATER_OR_EQUAL: return o == 0 || o == 1;
    case LESS: return o == -1;
    default: return o == -1 || o == 0;
    }
}

static void
compare_row (gsize n, const gsize *at, const gsize *steps, gsize index,
             gpointer data)
{
  const Job *j = data;

  for (gsize i = 0; i < n; i++)
    {
      gsize a = at[0] + i * steps[0], b = at[1] + i * steps[1];

      if (j->kind >= AND)
        {
          guint8 x = ((const guint8 *) j->x->data)[a] != 0;
          guint8 y = ((const guint8 *) j->y->data)[b] != 0;

          j->z[index + i] = j->kind == AND  ? (x & y)
                            : j->kind == OR ? (x | y)
                                            : (x ^ y);
        }
      else
        j->z[index + i] = (guint8) holds (j->kind, order (j->x, a, j->y, b));
    }
}

static void
forward (const CamForward *f)
{
  const CamShape *shapes[2] = { &f->inputs[0]->shape, &f->inputs[1]->shape };
  Job job = { *(const CompareKind *) f->node->params, f->inputs[0],
              f->inputs[1], f->outputs[0]->data };
  CamWalk walk;

  cam_walk_init (&walk, &f->outputs[0]->shape, 2, shapes);
  cam_walk_run (&walk, f->threads, compare_row, &job);
}

static gboolean
infer_not (CamNode *node, GError **error)
{
  return cam_op_check_dtype (node, 0, CAM_OP_KINDS_BOOL, error)
         && cam_op_infer_same (node, error);
}

static void
forward_not (const CamForward *f)
{
  const guint8 *x = f->inputs[0]->data;
  guint8 *y = f->outputs[0]->data;

  for (gsize i = 0; i < f->inputs[0]->n_elements; i++)
    y[i] = ! x[i];
}

static gboolean
infer_where (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;

  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_BOOL, error))
    return FALSE;
  if (node->inputs[1]->dtype != node->inputs[2]->dtype)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("its two choices are of the types %s and %s"),
                      cam_dtype_name (node->inputs[1]->dtype),
                      cam_dtype_name (node->inputs[2]->dtype));
      return FALSE;
    }
  for (guint i = 1; i < 3; i++)
    if (! cam_op_broadcast (node, &shape, &node->inputs[i]->shape, &shape,
                            error))
      return FALSE;
  return cam_node_set_output (node, 0, node->inputs[1]->dtype, &shape, error);
}

static void
where_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const CamForward *f = data;
  const guint8 *which = (const guint8 *) f->inputs[0]->data + at[0];
  gsize size = cam_dtype_size (f->outputs[0]->dtype);
  guint8 *z = (guint8 *) f->outputs[0]->data + index * size;

  for (gsize i = 0; i < n; i++)
    {
      int k = which[i * steps[0]] ? 1 : 2;

      memcpy (z + i * size,
              (const guint8 *) f->inputs[k]->data
                  + (at[k] + i * steps[k]) * size,
              size);
    }
}

static void
where_float_row (gsize n, const gsize *at, const gsize *steps, gsize index,
                 gpointer data)
{
  const CamForward *f = data;
  const guint8 *which = (const guint8 *) f->inputs[0]->data + at[0];
  const float *x = cam_tensor_f32 (f->inputs[1]) + at[1];
  const float *y = cam_tensor_f32 (f->inputs[2]) + at[2];
  float *z = cam_tensor_f32 (f->outputs[0]) + index;

  for (gsize i = 0; i < n; i++)
    z[i] = which[i * steps[0]] ? x[i * steps[1]] : y[i * steps[2]];
}

static void
forward_where (const CamForward *f)
{
  const CamShape *shapes[3] = { &f->inputs[0]->shape, &f->inputs[1]->shape,
                                &f->inputs[2]->shape };
  CamWalk walk;

  cam_walk_init (&walk, &f->outputs[0]->shape, 3, shapes);
  cam_walk_run (&walk, f->threads,
                f->outputs[0]->dtype == CAM_DTYPE_FLOAT32 ? where_float_row
                                                          : where_row,
                (gpointer) f);
}

typedef struct
{
  const guint8 *which;
  gboolean wanted;
  const float *gz;
  float *g;
} Mask;

static void
mask_row (gsize n, const gsize *at, const gsize *steps, gsize index,
          gpointer data)
{
  const Mask *m = data;

  for (gsize i = 0; i < n; i++)
    m->g[index + i] = (m->which[at[0] + i * steps[0]] != 0) == m->wanted
                          ? m->gz[index + i]
                          : 0;
}

static gsize
where_backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  const CamShape *shape = &node->outputs[0]->shape;

  return (gsize) cam_op_count (shape, 0, shape->n_dims)
             * (sizeof (double) + sizeof (float))
         + 64;
}

static void
backward_where (const CamBackward *b)
{
  const CamShape *whole = &b->node->outputs[0]->shape;
  const CamShape *which_shape = &b->node->inputs[0]->shape;
  gsize n = (gsize) cam_op_count (whole, 0, whole->n_dims);
  double *sums = b->scratch;
  float *product = (float *) (sums + n);
  CamWalk walk;

  cam_op_clear_gradients (b);
  if (b->output_gradients[0] == NULL)
    return;
  cam_walk_init (&walk, whole, 1, &which_shape);
  for (guint i = 1; i < 3; i++)
    for (gint64 s = 0; b->input_gradients[i] && s < b->n_seeds; s++)
      {
        const CamShape *shape = &b->node->inputs[i]->shape;
        gsize m = (gsize) cam_op_count (shape, 0, shape->n_dims);
        float *gradient = cam_tensor_f32 (b->input_gradients[i])
                          + (gsize) s * m;
        Mask mask = { cam_op_backward_input (b, 0)->data, i == 1,
                      cam_tensor_f32 (b->output_gradients[0]) + (gsize) s * n,
                      n == m ? gradient : product };

        cam_walk_run (&walk, b->threads, mask_row, &mask);
        if (n != m)
          cam_walk_reduce (whole, product, shape, gradient, sums);
      }
}

#define COMPARE(name, first)                                                   \
  {                                                                            \
    .domain = "", .type = name, .since = first, .min_inputs = 2,               \
    .max_inputs = 2, .min_outputs = 1, .max_outputs = 1, .parse = parse,       \
    .infer = infer, .forward = forward                                         \
  }

const CamOperator cam_ops_compare[] = {
  COMPARE ("Equal", 7),
  COMPARE ("Greater", 7),
  COMPARE ("GreaterOrEqual", 12),
  COMPARE ("Less", 7),
  COMPARE ("LessOrEqual", 12),
  COMPARE ("And", 7),
  COMPARE ("Or", 7),
  COMPARE ("Xor", 7),
  { .domain = "",
    .type = "Not",
    .since = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_IN_PLACE,
    .infer = infer_not,
    .forward = forward_not },
  { .domain = "",
    .type = "Where",
    .since = 9,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS,
    .infer = infer_where,
    .forward = forward_where,
    .backward = backward_where,
    .backward_scratch = where_backward_scratch },
  { .type = NULL }
};
