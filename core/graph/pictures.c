/* pictures.c -- see pictures.h
 *
 * A tensor is batched when slice i of its first dimension is made from slice i
 * of the inputs.  The inputs are; each operator below hands it on under a rule
 * of its own, and one that has no rule here ends the matter.
 *
 * The graph bound to one picture must then be the same but for that dimension:
 * a size or a number that came from the batch (by way of Shape) shows as a
 * difference of shapes or of constants.
 */
#include "config.h"

#include "core/graph/pictures.h"

#include <string.h>

typedef struct
{
  const CamNode *node;
  const gboolean *batched; /* by value index */
} Question;

static gboolean
is_batched (const Question *q, guint i)
{
  return i < q->node->n_inputs && q->node->inputs[i]
         && q->batched[q->node->inputs[i]->index];
}

static gboolean
any_batched (const Question *q, guint from)
{
  for (guint i = from; i < q->node->n_inputs; i++)
    if (is_batched (q, i))
      return TRUE;
  return FALSE;
}

static const CamShape *
in_shape (const Question *q, guint i)
{
  return &q->node->inputs[i]->shape;
}

/* Input 0 has the pictures, the others are parameters: convolutions, pools,
 * norms over channels or within a picture. */
static gboolean
by_first_input (const Question *q)
{
  return in_shape (q, 0)->n_dims >= 2 && ! any_batched (q, 1);
}

/* Element by element, with broadcasting. */
static gboolean
elementwise (const Question *q)
{
  int rank = q->node->outputs[0]->shape.n_dims;

  for (guint i = 0; i < q->node->n_inputs; i++)
    {
      const CamShape *shape = q->node->inputs[i] ? in_shape (q, i) : NULL;

      if (! shape)
        continue;
      if (is_batched (q, i) ? shape->n_dims != rank
                            : shape->n_dims == rank && shape->dims[0] != 1)
        return FALSE;
    }
  return TRUE;
}

/* Rows that lie one behind the other do so under another shape, too. */
static gboolean
same_first_size (const Question *q)
{
  const CamShape *out = &q->node->outputs[0]->shape;

  return by_first_input (q) && out->n_dims >= 1
         && out->dims[0] == in_shape (q, 0)->dims[0];
}

/* An axis that is not the first; all inputs batched where @all, else input 0
 * alone. */
static gboolean
along_axis (const Question *q, gint64 fallback, gboolean all)
{
  int rank = in_shape (q, 0)->n_dims;
  gint64 axis = cam_node_int (q->node, "axis", fallback);

  for (guint i = 0; i < q->node->n_inputs; i++)
    if (q->node->inputs[i] && is_batched (q, i) != (all || i == 0))
      return FALSE;
  return (axis < 0 ? axis + rank : axis) >= 1;
}

static gboolean
transposes (const Question *q)
{
  gsize n;
  const gint64 *perm = cam_node_ints (q->node, "perm", &n);

  return n >= 1 && perm[0] == 0;
}

/* An attribute of integers, or where it is absent the constant input @input. */
static const gint64 *
integers (const CamNode *node, const char *name, guint input, gsize *n)
{
  const gint64 *values = cam_node_ints (node, name, n);
  const CamTensor *constant = input < node->n_inputs && node->inputs[input]
                                ? node->inputs[input]->constant : NULL;

  if (values || ! constant || constant->dtype != CAM_DTYPE_INT64)
    return values;
  *n = constant->n_elements;
  return constant->data;
}

/* The axes of a reduction or of Slice. */
static gboolean
axes_leave_first (const Question *q, guint input)
{
  int rank = in_shape (q, 0)->n_dims;
  gsize n;
  const gint64 *axes = integers (q->node, "axes", input, &n);

  for (gsize i = 0; i < n; i++)
    if ((axes[i] < 0 ? axes[i] + rank : axes[i]) < 1)
      return FALSE;
  return n > 0 && by_first_input (q);
}

/* Nothing is put before the first picture, and so, with as many pictures as
 * before, nothing behind the last. */
static gboolean
pads (const Question *q)
{
  gsize n;
  const gint64 *numbers = integers (q->node, "pads", 1, &n);

  return n > 0 && numbers[0] == 0 && same_first_size (q)
         && (q->node->n_inputs < 4 || ! q->node->inputs[3]);
}

static gboolean
resizes (const Question *q)
{
  const char *mode = cam_node_string (q->node,
                                      "coordinate_transformation_mode", "");

  return same_first_size (q) && ! g_str_equal (mode, "tf_crop_and_resize");
}

static gboolean
multiplies (const Question *q)
{
  int rank = in_shape (q, 0)->n_dims;

  if (! is_batched (q, 0) || rank < 2)
    return FALSE;
  return is_batched (q, 1) ? rank >= 3 && in_shape (q, 1)->n_dims == rank
                           : in_shape (q, 1)->n_dims <= 2;
}

static gboolean
gemm (const Question *q)
{
  const CamShape *c = q->node->n_inputs > 2 && q->node->inputs[2]
                        ? in_shape (q, 2) : NULL;

  return by_first_input (q) && cam_node_int (q->node, "transA", 0) == 0
         && (! c || c->n_dims < 2 || c->dims[0] == 1);
}

/* Indices count through the whole batch. */
static gboolean
finds_largest (const Question *q)
{
  return by_first_input (q)
         && (q->node->n_outputs < 2 || ! q->node->outputs[1]);
}

static gboolean
is_one_of (const CamNode *node, const char *const *types)
{
  return *node->domain == '\0' && g_strv_contains (types, node->op_type);
}

static gboolean
is_type (const CamNode *node, const char *type)
{
  return *node->domain == '\0' && g_str_equal (node->op_type, type);
}

static const char *const first_input_types[]
    = { "Conv", "ConvTranspose", "BatchNormalization", "InstanceNormalization",
        "GroupNormalization", "LRN", "AveragePool", "LpPool",
        "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool", "DepthToSpace",
        "SpaceToDepth", "Clip", NULL };
static const char *const elementwise_types[]
    = { "Relu", "LeakyRelu", "ThresholdedRelu", "Elu", "Celu", "Selu",
        "Sigmoid", "HardSigmoid", "HardSwish", "Mish", "Gelu", "Tanh",
        "Softplus", "Softsign", "Erf", "Exp", "Log", "Sqrt", "Reciprocal",
        "Abs", "Neg", "Sign", "Floor", "Ceil", "Round", "Sin", "Cos", "Cast",
        "Identity", "Dropout", "PRelu", "Add", "Sub", "Mul", "Div", "Pow",
        "Min", "Max", "Mean", "Sum", "Mod", "Where", "Equal", "Not",
        "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or",
        NULL };
static const char *const reshaping_types[]
    = { "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Expand", NULL };
static const char *const reduction_types[]
    = { "ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin", "ReduceL1",
        "ReduceL2", "ReduceSumSquare", "ReduceProd", "ReduceLogSum",
        "ReduceLogSumExp", NULL };
static const char *const softmax_types[]
    = { "Softmax", "LogSoftmax", NULL };
static const char *const norm_types[]
    = { "LayerNormalization", "LpNormalization", NULL };

static gboolean
softmaxes (const Question *q)
{
  return along_axis (q, q->node->opset < 13 ? 1 : -1, FALSE);
}

static gboolean
normalises (const Question *q)
{
  return along_axis (q, -1, FALSE);
}

static gboolean
joins (const Question *q)
{
  return along_axis (q, 0, TRUE);
}

static gboolean
takes_parts (const Question *q)
{
  return along_axis (q, 0, FALSE);
}

static gboolean
reduces (const Question *q)
{
  return axes_leave_first (q, 1);
}

static gboolean
slices (const Question *q)
{
  return axes_leave_first (q, 3);
}

/* A rule, and the operators of ONNX's own domain that it holds for */
typedef struct
{
  gboolean (*holds) (const Question *q);
  const char *const *types;
} Rule;

#define TYPES(...) ((const char *const[]){ __VA_ARGS__, NULL })

static const Rule rules[] = {
  { by_first_input, first_input_types },
  { elementwise, elementwise_types },
  { same_first_size, reshaping_types },
  { reduces, reduction_types },
  { softmaxes, softmax_types },
  { normalises, norm_types },
  { finds_largest, TYPES ("MaxPool") },
  { joins, TYPES ("Concat") },
  { takes_parts, TYPES ("Split", "Gather") },
  { slices, TYPES ("Slice") },
  { transposes, TYPES ("Transpose") },
  { pads, TYPES ("Pad") },
  { resizes, TYPES ("Resize", "Upsample") },
  { multiplies, TYPES ("MatMul") },
  { gemm, TYPES ("Gemm") },
};

static gboolean
keeps_apart (const Question *q)
{
  for (gsize i = 0; i < G_N_ELEMENTS (rules); i++)
    if (is_one_of (q->node, rules[i].types))
      return rules[i].holds (q);
  return FALSE;
}

static gboolean
same_but_for_batch (const CamValue *many, const CamValue *one,
                    gboolean batched, gint64 pictures)
{
  CamShape shape = one->shape;

  if (batched && (shape.n_dims < 1 || shape.dims[0] != 1))
    return FALSE;
  if (batched)
    shape.dims[0] = pictures;
  return many->dtype == one->dtype && cam_shape_equal (&many->shape, &shape);
}

static gboolean
same_constant (const CamTensor *a, const CamTensor *b)
{
  if (! a || ! b)
    return a == b;
  return a == b
         || (a->dtype == b->dtype && cam_shape_equal (&a->shape, &b->shape)
             && (a->data == b->data
                 || memcmp (a->data, b->data,
                            a->n_elements * cam_dtype_size (a->dtype)) == 0));
}

/* What only says a shape may differ: the shapes themselves are compared. */
static gboolean
says_shape (const CamNode *node, guint input)
{
  return (input == 1 && (is_type (node, "Reshape") || is_type (node, "Expand")))
         || (input == 3 && is_type (node, "Resize"));
}

static gboolean
same_node (const CamNode *many, const CamNode *one, const gboolean *batched,
           gint64 pictures)
{
  if (many->op != one->op || many->n_inputs != one->n_inputs
      || many->n_outputs != one->n_outputs
      || ! g_str_equal (many->name, one->name))
    return FALSE;
  for (guint i = 0; i < many->n_inputs; i++)
    {
      const CamValue *a = many->inputs[i], *b = one->inputs[i];

      if (! a || ! b ? a != b
                     : ! says_shape (many, i)
                         && ! same_constant (a->constant, b->constant))
        return FALSE;
    }
  for (guint i = 0; i < many->n_outputs; i++)
    {
      const CamValue *a = many->outputs[i], *b = one->outputs[i];

      if (! a || ! b ? a != b
                     : ! same_but_for_batch (a, b, batched[a->index],
                                             pictures))
        return FALSE;
    }
  return TRUE;
}

/* Marks what @node makes; FALSE: it mixes pictures, or nobody knows. */
static gboolean
walk_node (const CamNode *node, gboolean *batched)
{
  const Question q = { node, batched };

  if (! any_batched (&q, 0))
    return TRUE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] && node->outputs[i]->shape.n_dims < 1)
      return FALSE;
  if (! node->inputs[0] || ! node->outputs[0] || ! keeps_apart (&q))
    return FALSE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i])
      batched[node->outputs[i]->index] = TRUE;
  return TRUE;
}

/* FALSE where the inputs do not begin with one number of pictures. */
static gboolean
mark_inputs (const CamGraph *many, const CamGraph *one, gboolean *batched,
             gint64 *pictures)
{
  *pictures = 0;
  for (guint i = 0; i < many->inputs->len; i++)
    {
      const CamValue *input = many->inputs->pdata[i];

      if (input->shape.n_dims < 1
          || (*pictures && input->shape.dims[0] != *pictures))
        return FALSE;
      *pictures = input->shape.dims[0];
      batched[input->index] = TRUE;
      if (i >= one->inputs->len
          || ! same_but_for_batch (input, one->inputs->pdata[i], TRUE,
                                   *pictures))
        return FALSE;
    }
  return *pictures > 0 && many->inputs->len == one->inputs->len;
}

gboolean
cam_graph_treats_pictures_apart (const CamGraph *many, const CamGraph *one)
{
  g_autofree gboolean *batched = g_new0 (gboolean, many->values->len);
  gint64 pictures;

  if (! mark_inputs (many, one, batched, &pictures)
      || many->nodes->len != one->nodes->len
      || many->outputs->len != one->outputs->len)
    return FALSE;
  for (guint i = 0; i < many->nodes->len; i++)
    if (! walk_node (many->nodes->pdata[i], batched)
        || ! same_node (many->nodes->pdata[i], one->nodes->pdata[i], batched,
                        pictures))
      return FALSE;
  for (guint i = 0; i < many->outputs->len; i++)
    if (! batched[((CamValue *) many->outputs->pdata[i])->index])
      return FALSE;
  return TRUE;
}
