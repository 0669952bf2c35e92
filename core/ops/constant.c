/* constant.c -- values that no picture is needed for: Constant,
 * ConstantOfShape, Shape, Size, Range
 *
 * Shape and Size look at the node's shapes only, never at a tensor.
 */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/ops/scalar.h"

typedef struct
{
  CamTensor *value;  /* Constant, ConstantOfShape; owned */
  gint64 start, end; /* Shape */
} ConstantParams;

static void
free_params (gpointer data)
{
  ConstantParams *p = data;

  g_clear_pointer (&p->value, cam_tensor_unref);
  g_free (p);
}

static CamTensor *
from_numbers (const CamAttribute *a, GError **error)
{
  gboolean list = a->kind == CAM_ATTRIBUTE_INTS
                  || a->kind == CAM_ATTRIBUTE_FLOATS;
  gboolean whole = a->kind == CAM_ATTRIBUTE_INTS
                   || a->kind == CAM_ATTRIBUTE_INT;
  CamShape shape = { list ? 1 : 0, { (gint64) a->n } };
  CamTensor *t = cam_tensor_new (whole ? CAM_DTYPE_INT64 : CAM_DTYPE_FLOAT32,
                                 &shape, error);

  for (gsize i = 0; t && i < t->n_elements; i++)
    if (whole)
      cam_tensor_i64 (t)[i] = list ? a->ints[i] : a->i;
    else
      cam_tensor_f32 (t)[i] = (float) (list ? a->floats[i] : a->f);
  return t;
}

static gboolean
parse_constant (CamNode *node, GError **error)
{
  static const char *const names[] = { "value", "value_int", "value_ints",
                                       "value_float", "value_floats" };
  ConstantParams *p = g_new0 (ConstantParams, 1);

  node->params = p;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const CamAttribute *a = cam_node_attribute (node, names[i]);

      if (a == NULL || p->value)
        continue;
      if (a->kind == CAM_ATTRIBUTE_TENSOR && a->tensor)
        p->value = cam_tensor_ref (a->tensor);
      else if (a->kind == CAM_ATTRIBUTE_INT || a->kind == CAM_ATTRIBUTE_INTS
               || a->kind == CAM_ATTRIBUTE_FLOAT
               || a->kind == CAM_ATTRIBUTE_FLOATS)
        {
          p->value = from_numbers (a, error);
          if (p->value == NULL)
            return FALSE;
        }
    }
  if (p->value)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("none of the attributes value, value_int(s), "
                     "value_float(s) is there"));
  return FALSE;
}

static gboolean
infer_constant (CamNode *node, GError **error)
{
  const ConstantParams *p = node->params;

  return cam_node_set_output (node, 0, p->value->dtype, &p->value->shape,
                              error);
}

static void
forward_constant (const CamForward *f)
{
  const ConstantParams *p = f->node->params;

  cam_op_copy (f->outputs[0], p->value);
}

static gboolean
parse_of_shape (CamNode *node, GError **error)
{
  ConstantParams *p = g_new0 (ConstantParams, 1);
  const CamAttribute *a = cam_node_attribute (node, "value");
  CamShape shape = { 1, { 1 } };

  node->params = p;
  if (a && a->kind == CAM_ATTRIBUTE_TENSOR && a->tensor)
    p->value = cam_tensor_ref (a->tensor);
  else
    p->value = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (p->value == NULL)
    return FALSE;
  if (p->value->n_elements == 1)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute value must be one number"));
  return FALSE;
}

/* The shape that constant input @i spells. */
static gboolean
infer_of_shape (CamNode *node, GError **error)
{
  const ConstantParams *p = node->params;
  gsize n;
  g_autofree gint64 *dims = cam_op_constant_ints (node, 0, &n, error);
  CamShape shape = { .n_dims = (int) MIN (n, CAM_MAX_DIMS + 1) };

  if (dims == NULL)
    return FALSE;
  for (int i = 0; i < MIN (shape.n_dims, CAM_MAX_DIMS); i++)
    shape.dims[i] = dims[i];
  return cam_node_set_output (node, 0, p->value->dtype, &shape, error);
}

static void
forward_of_shape (const CamForward *f)
{
  const ConstantParams *p = f->node->params;
  gsize size = cam_dtype_size (p->value->dtype);

  for (gsize i = 0; i < f->outputs[0]->n_elements; i++)
    memcpy ((char *) f->outputs[0]->data + i * size, p->value->data, size);
}

static gboolean
parse_shape (CamNode *node, GError **error)
{
  ConstantParams *p = g_new0 (ConstantParams, 1);

  node->params = p;
  p->end = CAM_MAX_DIMS;
  if (node->opset >= 15)
    {
      p->start = cam_node_int (node, "start", 0);
      p->end = cam_node_int (node, "end", CAM_MAX_DIMS);
    }
  return TRUE;
}

/* First dimension and number of them, as Python slices do. */
static void
shape_range (const CamNode *node, int *first, int *count)
{
  const ConstantParams *p = node->params;
  gint64 n = node->inputs[0]->shape.n_dims;
  gint64 start = CLAMP (p->start < 0 ? p->start + n : p->start, 0, n);
  gint64 end = CLAMP (p->end < 0 ? p->end + n : p->end, 0, n);

  *first = (int) start;
  *count = (int) MAX (end - start, 0);
}

static gboolean
infer_shape (CamNode *node, GError **error)
{
  CamShape shape = { .n_dims = 1 };
  int first, count;

  shape_range (node, &first, &count);
  shape.dims[0] = count;
  return cam_node_set_output (node, 0, CAM_DTYPE_INT64, &shape, error);
}

static void
forward_shape (const CamForward *f)
{
  int first, count;

  shape_range (f->node, &first, &count);
  for (int i = 0; i < count; i++)
    cam_tensor_i64 (f->outputs[0])[i] =
        f->node->inputs[0]->shape.dims[first + i];
}

static gboolean
infer_size (CamNode *node, GError **error)
{
  CamShape shape = { .n_dims = 0 };

  return cam_node_set_output (node, 0, CAM_DTYPE_INT64, &shape, error);
}

static void
forward_size (const CamForward *f)
{
  const CamShape *x = &f->node->inputs[0]->shape;

  cam_tensor_i64 (f->outputs[0])[0] = cam_op_count (x, 0, x->n_dims);
}

static gboolean
infer_range (CamNode *node, GError **error)
{
  double value[3], n;
  CamShape shape = { .n_dims = 1 };

  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_NUMBER, error)
      || ! cam_op_check_same_dtype (node, error))
    return FALSE;
  for (guint i = 0; i < 3; i++)
    if (! cam_op_constant_scalar (node, i, 0, &value[i], error))
      return FALSE;
  n = ceil ((value[1] - value[0]) / value[2]);
  if (value[2] == 0 || isnan (n) || n > 1e12)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("a range from %g to %g by %g is impossible"), value[0],
                      value[1], value[2]);
      return FALSE;
    }
  shape.dims[0] = (gint64) MAX (n, 0);
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static void
forward_range (const CamForward *f)
{
  CamTensor *y = f->outputs[0];
  gboolean whole = cam_op_dtype_is (y->dtype, CAM_OP_KINDS_INT);

  for (gsize i = 0; i < y->n_elements; i++)
    if (whole)
      cam_scalar_set_int (y, i,
                          cam_scalar_int (f->inputs[0], 0)
                              + (gint64) i * cam_scalar_int (f->inputs[2], 0));
    else
      cam_scalar_set_double (y, i,
                             cam_scalar_double (f->inputs[0], 0)
                                 + (double) i
                                       * cam_scalar_double (f->inputs[2], 0));
}

const CamOperator cam_ops_constant[] = { { .domain = "",
                                           .type = "Constant",
                                           .since = 1,
                                           .min_inputs = 0,
                                           .max_inputs = 0,
                                           .min_outputs = 1,
                                           .max_outputs = 1,
                                           .parse = parse_constant,
                                           .free_params = free_params,
                                           .infer = infer_constant,
                                           .forward = forward_constant },
                                         { .domain = "",
                                           .type = "ConstantOfShape",
                                           .since = 9,
                                           .min_inputs = 1,
                                           .max_inputs = 1,
                                           .min_outputs = 1,
                                           .max_outputs = 1,
                                           .parse = parse_of_shape,
                                           .free_params = free_params,
                                           .infer = infer_of_shape,
                                           .forward = forward_of_shape },
                                         { .domain = "",
                                           .type = "Shape",
                                           .since = 1,
                                           .min_inputs = 1,
                                           .max_inputs = 1,
                                           .min_outputs = 1,
                                           .max_outputs = 1,
                                           .parse = parse_shape,
                                           .infer = infer_shape,
                                           .forward = forward_shape },
                                         { .domain = "",
                                           .type = "Size",
                                           .since = 1,
                                           .min_inputs = 1,
                                           .max_inputs = 1,
                                           .min_outputs = 1,
                                           .max_outputs = 1,
                                           .infer = infer_size,
                                           .forward = forward_size },
                                         { .domain = "",
                                           .type = "Range",
                                           .since = 11,
                                           .min_inputs = 3,
                                           .max_inputs = 3,
                                           .min_outputs = 1,
                                           .max_outputs = 1,
                                           .infer = infer_range,
                                           .forward = forward_range },
                                         { .type = NULL } };
