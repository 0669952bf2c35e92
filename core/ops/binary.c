/* binary.c -- arithmetic of two broadcast tensors: Add, Sub, Mul, Div, Pow, Mod
 * and PRelu
 *
 * A kind is a row of float32, one double for the other float types, one int64
 * for whole numbers, and the two partial derivatives.
 */
#include "config.h"

#include "core/ops/walk.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/ops/scalar.h"

typedef struct
{
  const char *type;
  guint kinds;
  void (*row) (const float *x, gsize x_step, const float *y, gsize y_step,
               float *z, gsize n);
  double (*exact) (double x, double y);
  gint64 (*whole) (gint64 x, gint64 y);
  float (*by_x) (float x, float y);
  float (*by_y) (float x, float y);
} BinaryKind;

typedef struct
{
  const BinaryKind *kind;
  gboolean fmod;
} Binary;

/* The three cases that matter are told apart so that each is a plain loop. */
static inline __attribute__ ((always_inline)) void
row (float (*f) (float, float), const float *x, gsize x_step, const float *y,
     gsize y_step, float *z, gsize n)
{
  if (x_step == 1 && y_step == 1)
    for (gsize i = 0; i < n; i++)
      z[i] = f (x[i], y[i]);
  else if (x_step == 1 && y_step == 0)
    for (gsize i = 0; i < n; i++)
      z[i] = f (x[i], y[0]);
  else if (x_step == 0 && y_step == 1)
    for (gsize i = 0; i < n; i++)
      z[i] = f (x[0], y[i]);
  else
    for (gsize i = 0; i < n; i++)
      z[i] = f (x[i * x_step], y[i * y_step]);
}

#define BINARY(name, single, twofold, whole)                                   \
  static inline float name##_f (float x, float y)                              \
  {                                                                            \
    return single;                                                             \
  }                                                                            \
  static inline double name##_d (double x, double y)                           \
  {                                                                            \
    return twofold;                                                            \
  }                                                                            \
  static inline gint64 name##_i (gint64 x, gint64 y)                           \
  {                                                                            \
    return whole;                                                              \
  }                                                                            \
  static void name##_row (const float *x, gsize x_step, const float *y,        \
                          gsize y_step, float *z, gsize n)                     \
  {                                                                            \
    row (name##_f, x, x_step, y, y_step, z, n);                                \
  }
#define SLOPES(name, dx, dy)                                                   \
  static float name##_by_x (float x, float y)                                  \
  {                                                                            \
    return dx;                                                                 \
  }                                                                            \
  static float name##_by_y (float x, float y)                                  \
  {                                                                            \
    return dy;                                                                 \
  }

/* Signed overflow is undefined in C; wrapped as the unsigned types do. */
#define WRAP(op) ((gint64) ((guint64) x op (guint64) y))

static gint64
whole_power (gint64 x, gint64 y)
{
  guint64 result = 1, base = (guint64) x;

  if (y < 0)
    return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
  for (; y > 0; y >>= 1, base *= base)
    if (y & 1)
      result *= base;
  return (gint64) result;
}

/* Towards zero as C divides; by zero gives 0 instead of a trap. */
static gint64
whole_quotient (gint64 x, gint64 y)
{
  return y == 0 ? 0 : y == -1 ? (gint64) (0 - (guint64) x) : x / y;
}

static gint64
whole_remainder (gint64 x, gint64 y)
{
  return y == 0 || y == -1 ? 0 : x % y;
}

/* Python's: the sign of the divisor. */
static gint64
python_remainder (gint64 x, gint64 y)
{
  gint64 r = whole_remainder (x, y);

  return r != 0 && (r < 0) != (y < 0) ? r + y : r;
}

BINARY (add, x + y, x + y, WRAP (+))
SLOPES (add, 1, 1)
BINARY (sub, x - y, x - y, WRAP (-))
SLOPES (sub, 1, -1)
BINARY (mul, x * y, x * y, WRAP (*))
SLOPES (mul, y, x)
BINARY (div, x / y, x / y, whole_quotient (x, y))
SLOPES (div, 1 / y, -x / (y * y))
BINARY (pow, y == 2 ? x * x : powf (x, y), pow (x, y), whole_power (x, y))
SLOPES (pow,
        y == 0   ? 0
        : y == 2 ? 2 * x
                 : y * powf (x, y - 1),
        x > 0 ? powf (x, y) * logf (x) : 0)
BINARY (fmod, fmodf (x, y), fmod (x, y), whole_remainder (x, y))
BINARY (mod, fmodf (x, y), fmod (x, y), python_remainder (x, y))
SLOPES (fmod, 1, -truncf (x / y))
BINARY (prelu, x < 0 ? x * y : x, x < 0 ? x * y : x, x < 0 ? WRAP (*) : x)
SLOPES (prelu, x > 0 ? 1 : y, x < 0 ? x : 0)

#define N CAM_OP_KINDS_NUMBER
#define KIND(name) name##_row, name##_d, name##_i, name##_by_x, name##_by_y

static const BinaryKind kinds[] = {
  { "Add", N, KIND (add) },
  { "Sub", N, KIND (sub) },
  { "Mul", N, KIND (mul) },
  { "Div", N, KIND (div) },
  { "Pow", N, KIND (pow) },
  { "PRelu", N, KIND (prelu) },
  { "Mod", CAM_OP_KINDS_INT, mod_row, mod_d, mod_i, fmod_by_x, fmod_by_y },
};
static const BinaryKind fmod_kind = { "Mod", N, KIND (fmod) };

static gboolean
parse (CamNode *node, GError **error)
{
  Binary *binary = g_new0 (Binary, 1);

  node->params = binary;
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strcmp (kinds[i].type, node->op_type) == 0)
      binary->kind = &kinds[i];
  if (strcmp (node->op_type, "Mod") == 0 && cam_node_int (node, "fmod", 0))
    binary->kind = &fmod_kind;
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Binary *binary = node->params;
  CamShape shape;

  /* Pow may have an exponent of another type. */
  if (! cam_op_check_dtype (node, 0, binary->kind->kinds, error)
      || ! cam_op_check_dtype (node, 1, N, error)
      || (strcmp (node->op_type, "Pow") != 0
          && ! cam_op_check_same_dtype (node, error))
      || ! cam_op_broadcast (node, &node->inputs[0]->shape,
                             &node->inputs[1]->shape, &shape, error))
    return FALSE;
  if (strcmp (node->op_type, "PRelu") == 0
      && ! cam_shape_equal (&shape, &node->inputs[0]->shape))
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("the slope is larger than the input"));
      return FALSE;
    }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

typedef struct
{
  const BinaryKind *kind;
  const CamTensor *x, *y;
  CamTensor *z;
} Job;

static void
float_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const Job *j = data;

  j->kind->row (cam_tensor_f32 (j->x) + at[0], steps[0],
                cam_tensor_f32 (j->y) + at[1], steps[1],
                cam_tensor_f32 (j->z) + index, n);
}

static void
any_row (gsize n, const gsize *at, const gsize *steps, gsize index,
         gpointer data)
{
  const Job *j = data;
  gboolean whole = cam_op_dtype_is (j->x->dtype, CAM_OP_KINDS_INT)
                   && cam_op_dtype_is (j->y->dtype, CAM_OP_KINDS_INT);

  for (gsize i = 0; i < n; i++)
    if (whole)
      cam_scalar_set_int (j->z, index + i,
                          j->kind->whole (cam_scalar_int (j->x,
                                                          at[0] + i * steps[0]),
                                          cam_scalar_int (j->y,
                                                          at[1]
                                                              + i * steps[1])));
    else
      cam_scalar_set_double (
          j->z, index + i,
          j->kind->exact (cam_scalar_double (j->x, at[0] + i * steps[0]),
                          cam_scalar_double (j->y, at[1] + i * steps[1])));
}

static void
forward (const CamForward *f)
{
  const Binary *binary = f->node->params;
  const CamShape *shapes[2] = { &f->inputs[0]->shape, &f->inputs[1]->shape };
  Job job = { binary->kind, f->inputs[0], f->inputs[1], f->outputs[0] };
  gboolean fast = job.x->dtype == CAM_DTYPE_FLOAT32
                  && job.y->dtype == CAM_DTYPE_FLOAT32;
  CamWalk walk;

  cam_walk_init (&walk, &f->outputs[0]->shape, 2, shapes);
  cam_walk_run (&walk, f->threads, fast ? float_row : any_row, &job);
}

typedef struct
{
  float (*slope) (float x, float y);
  const float *x, *y, *gz;
  float *g; /* gz times slope */
} Slopes;

static void
slope_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const Slopes *s = data;

  for (gsize i = 0; i < n; i++)
    s->g[index + i] = s->gz[index + i]
                      * s->slope (s->x ? s->x[at[0] + i * steps[0]] : 0,
                                  s->y ? s->y[at[1] + i * steps[1]] : 0);
}

/* scratch: one product of the output's size, one sum of doubles of the larger
 * input's */
static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  const CamShape *shape = &node->outputs[0]->shape;

  return (gsize) cam_op_count (shape, 0, shape->n_dims)
             * (sizeof (double) + sizeof (float))
         + 64;
}

/* Gradient of input @i, seed by seed. */
static void
backward_input (const CamBackward *b, guint i, const CamWalk *walk,
                Slopes *slopes)
{
  const CamNode *node = b->node;
  const CamShape *whole = &node->outputs[0]->shape;
  const CamShape *shape = &node->inputs[i]->shape;
  gsize n = (gsize) cam_op_count (whole, 0, whole->n_dims);
  gsize m = (gsize) cam_op_count (shape, 0, shape->n_dims);
  gboolean direct = n == m;
  double *sums = b->scratch;
  float *product = (float *) (sums + n);

  for (gint64 s = 0; s < b->n_seeds; s++)
    {
      float *gradient = cam_tensor_f32 (b->input_gradients[i]) + (gsize) s * m;

      slopes->gz = cam_tensor_f32 (b->output_gradients[0]) + (gsize) s * n;
      slopes->g = direct ? gradient : product;
      cam_walk_run (walk, b->threads, slope_row, slopes);
      if (! direct)
        cam_walk_reduce (whole, product, shape, gradient, sums);
    }
}

static void
backward (const CamBackward *b)
{
  const Binary *binary = b->node->params;
  const CamShape *shapes[2] = { &b->node->inputs[0]->shape,
                                &b->node->inputs[1]->shape };
  const CamTensor *x = cam_op_backward_input (b, 0);
  const CamTensor *y = cam_op_backward_input (b, 1);
  Slopes slopes = { .x = x ? cam_tensor_f32 (x) : NULL,
                    .y = y ? cam_tensor_f32 (y) : NULL };
  CamWalk walk;

  if (b->output_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  cam_walk_init (&walk, &b->node->outputs[0]->shape, 2, shapes);
  for (guint i = 0; i < 2; i++)
    if (b->input_gradients[i])
      {
        slopes.slope = i == 0 ? binary->kind->by_x : binary->kind->by_y;
        backward_input (b, i, &walk, &slopes);
      }
}

#define OPERATOR(name, first, look)                                            \
  {                                                                            \
    .domain = "", .type = name, .since = first, .min_inputs = 2,               \
    .max_inputs = 2, .min_outputs = 1, .max_outputs = 1,                       \
    .flags = look | CAM_OP_IN_PLACE, .parse = parse, .infer = infer,           \
    .forward = forward, .backward = backward,                                  \
    .backward_scratch = backward_scratch                                       \
  }

const CamOperator cam_ops_binary[] = {
  OPERATOR ("Add", 7, 0),
  OPERATOR ("Sub", 7, 0),
  OPERATOR ("Mul", 7, CAM_OP_BACKWARD_NEEDS_INPUTS),
  OPERATOR ("Div", 7, CAM_OP_BACKWARD_NEEDS_INPUTS),
  OPERATOR ("Pow", 7, CAM_OP_BACKWARD_NEEDS_INPUTS),
  OPERATOR ("PRelu", 7, CAM_OP_BACKWARD_NEEDS_INPUTS),
  OPERATOR ("Mod", 10, CAM_OP_BACKWARD_NEEDS_INPUTS),
  { .type = NULL }
};
