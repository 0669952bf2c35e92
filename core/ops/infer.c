/* infer.c -- checks that most operators' shape inference is made of */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

#include "core/ops/scalar.h"

static const char *
input_name (const CamNode *node, guint i)
{
  return cam_op_has_input (node, i) ? node->inputs[i]->name : "";
}

gboolean
cam_op_check_dtype (const CamNode *node, guint i, guint kinds, GError **error)
{
  if (! cam_op_has_input (node, i))
    return TRUE;
  if (cam_op_dtype_is (node->inputs[i]->dtype, kinds))
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("input '%s' is of type %s, which is not supported here"),
                  input_name (node, i),
                  cam_dtype_name (node->inputs[i]->dtype));
  return FALSE;
}

gboolean
cam_op_check_same_dtype (const CamNode *node, GError **error)
{
  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i] && node->inputs[i]->dtype != node->inputs[0]->dtype)
      {
        cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                        _ ("input '%s' is of type %s, but '%s' of %s"),
                        input_name (node, 0),
                        cam_dtype_name (node->inputs[0]->dtype),
                        input_name (node, i),
                        cam_dtype_name (node->inputs[i]->dtype));
        return FALSE;
      }
  return TRUE;
}

gboolean
cam_op_check_rank (const CamNode *node, guint i, int low, int high,
                   GError **error)
{
  g_autofree char *text = NULL;
  const CamShape *shape = &node->inputs[i]->shape;

  if (shape->n_dims >= low && shape->n_dims <= high)
    return TRUE;
  text = cam_shape_to_string (shape);
  if (low == high)
    cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                    ngettext ("input '%s' has the shape %s, but must have %d "
                              "dimension",
                              "input '%s' has the shape %s, but must have %d "
                              "dimensions",
                              low),
                    input_name (node, i), text, low);
  else
    cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                    _ ("input '%s' has the shape %s, but must have %d to %d "
                       "dimensions"),
                    input_name (node, i), text, low, high);
  return FALSE;
}

gboolean
cam_op_check_not_empty (const CamNode *node, guint i, GError **error)
{
  const CamShape *shape = &node->inputs[i]->shape;

  for (int d = 0; d < shape->n_dims; d++)
    if (shape->dims[d] <= 0)
      {
        g_autofree char *text = cam_shape_to_string (shape);

        cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                        _ ("input '%s' is empty: its shape is %s"),
                        input_name (node, i), text);
        return FALSE;
      }
  return TRUE;
}

gboolean
cam_op_check_vector (const CamNode *node, guint i, gint64 n, GError **error)
{
  g_autofree char *text = NULL;

  if (! cam_op_has_input (node, i))
    return TRUE;
  if (node->inputs[i]->shape.n_dims == 1 && node->inputs[i]->shape.dims[0] == n)
    return TRUE;
  text = cam_shape_to_string (&node->inputs[i]->shape);
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("input '%s' has the shape %s instead of [%" PRId64 "]"),
                  input_name (node, i), text, n);
  return FALSE;
}

gboolean
cam_op_choice (const CamNode *node, const char *attribute, const char *fallback,
               const char *const *choices, int *result, GError **error)
{
  const char *value = cam_node_string (node, attribute, fallback);

  for (int i = 0; choices[i]; i++)
    if (strcmp (choices[i], value) == 0)
      {
        *result = i;
        return TRUE;
      }
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute %s has the unsupported value '%s'"), attribute,
                  value);
  return FALSE;
}

gboolean
cam_op_axis (const CamNode *node, gint64 axis, int rank, int *result,
             GError **error)
{
  if (axis >= -rank && axis < rank)
    {
      *result = (int) (axis < 0 ? axis + rank : axis);
      return TRUE;
    }
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  ngettext ("axis %" PRId64 " is outside of %d dimension",
                            "axis %" PRId64 " is outside of %d dimensions",
                            rank),
                  axis, rank);
  return FALSE;
}

static const CamTensor *
constant_input (const CamNode *node, guint i, GError **error)
{
  if (cam_op_has_input (node, i) && node->inputs[i]->constant)
    return node->inputs[i]->constant;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("its input '%s' must be constant, but depends on the "
                     "picture"),
                  input_name (node, i));
  return NULL;
}

gint64 *
cam_op_constant_ints (const CamNode *node, guint i, gsize *n, GError **error)
{
  const CamTensor *tensor = constant_input (node, i, error);
  gint64 *values;

  *n = 0;
  if (tensor == NULL)
    return NULL;
  if (! cam_op_dtype_is (tensor->dtype, CAM_OP_KINDS_INT)
      || tensor->shape.n_dims > 1)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("input '%s' is no list of integers"),
                      input_name (node, i));
      return NULL;
    }
  values = g_new (gint64, tensor->n_elements + 1);
  for (gsize k = 0; k < tensor->n_elements; k++)
    values[k] = cam_scalar_int (tensor, k);
  *n = tensor->n_elements;
  return values;
}

gboolean
cam_op_constant_scalar (const CamNode *node, guint i, double fallback,
                        double *value, GError **error)
{
  const CamTensor *tensor;

  *value = fallback;
  if (! cam_op_has_input (node, i))
    return TRUE;
  tensor = constant_input (node, i, error);
  if (tensor == NULL)
    return FALSE;
  if (tensor->n_elements != 1)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("input '%s' must be one number"),
                      input_name (node, i));
      return FALSE;
    }
  *value = cam_scalar_double (tensor, 0);
  return TRUE;
}

gboolean
cam_op_broadcast (const CamNode *node, const CamShape *a, const CamShape *b,
                  CamShape *result, GError **error)
{
  CamShape shape = { .n_dims = MAX (a->n_dims, b->n_dims) };

  for (int i = 1; i <= shape.n_dims; i++)
    {
      gint64 m = i <= a->n_dims ? a->dims[a->n_dims - i] : 1;
      gint64 n = i <= b->n_dims ? b->dims[b->n_dims - i] : 1;

      if (m != n && m != 1 && n != 1)
        {
          g_autofree char *ta = cam_shape_to_string (a);
          g_autofree char *tb = cam_shape_to_string (b);

          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("the shapes %s and %s do not fit together"), ta,
                          tb);
          return FALSE;
        }
      shape.dims[shape.n_dims - i] = m == 1 ? n : m;
    }
  *result = shape;
  return TRUE;
}

gboolean
cam_op_infer_same (CamNode *node, GError **error)
{
  return cam_node_set_output (node, 0, node->inputs[0]->dtype,
                              &node->inputs[0]->shape, error);
}
