/* pass.c -- what the passes share */
#include <string.h>

#include "core/engine/passes/pass.h"

gboolean
cam_pass_is_kept (const CamPass *pass, const CamValue *value)
{
  return g_ptr_array_find (pass->graph->outputs, value, NULL);
}

CamNode *
cam_pass_only_reader (const CamPass *pass, const CamValue *value)
{
  GPtrArray *readers = g_hash_table_lookup (pass->readers, value);

  if (!readers || readers->len != 1 || cam_pass_is_kept (pass, value)
      || g_hash_table_contains (pass->dead, readers->pdata[0]))
    return NULL;
  return readers->pdata[0];
}

gboolean
cam_pass_needs_gradient (const CamPass *pass, const CamValue *value)
{
  return g_hash_table_contains (pass->after, value);
}

void
cam_pass_replace (CamPass *pass, CamNode *node, CamNode *heir)
{
  g_hash_table_add (pass->dead, node);
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] && node->outputs[i]->producer == node)
      node->outputs[i]->producer = heir;
  for (guint i = 0; i < node->n_inputs; i++)
    {
      GPtrArray *readers = node->inputs[i]
                             ? g_hash_table_lookup (pass->readers,
                                                    node->inputs[i])
                             : NULL;

      /* of several, nobody asks which they are */
      if (readers && readers->len == 1 && readers->pdata[0] == node && heir)
        readers->pdata[0] = heir;
    }
}

gboolean
cam_pass_is (const CamNode *node, const char *domain, const char *op_type)
{
  return node && g_str_equal (node->op_type, op_type)
         && g_str_equal (node->domain, domain);
}

const CamTensor *
cam_pass_constant (const CamNode *node, guint i)
{
  const CamTensor *constant = i < node->n_inputs && node->inputs[i]
                                ? node->inputs[i]->constant : NULL;

  return constant && constant->dtype == CAM_DTYPE_FLOAT32 ? constant : NULL;
}

gboolean
cam_pass_has_target (const CamPass *pass, const CamValue *value,
                     const CamValue *x)
{
  if (!value || value == x || value->constant || !value->producer)
    return FALSE;
  if (cam_pass_is_kept (pass, value) && cam_pass_needs_gradient (pass, value))
    return TRUE;
  for (guint i = 0; i < value->producer->n_inputs; i++)
    if (cam_pass_has_target (pass, value->producer->inputs[i], x))
      return TRUE;
  return FALSE;
}

const gint64 *
cam_pass_axes (const CamNode *node, gsize *n)
{
  const gint64 *axes = cam_node_ints (node, "axes", n);
  const CamTensor *given = node->n_inputs > 1 && node->inputs[1]
                             ? node->inputs[1]->constant : NULL;

  if (axes || !given || given->dtype != CAM_DTYPE_INT64)
    return axes;
  *n = given->n_elements;
  return cam_tensor_i64 (given);
}

gboolean
cam_pass_scalar (const CamNode *node, guint i, float *value)
{
  const CamTensor *constant = cam_pass_constant (node, i);

  if (!constant || constant->n_elements != 1)
    return FALSE;
  *value = *cam_tensor_f32 (constant);
  return TRUE;
}

CamNode *
cam_pass_add (CamPass *pass, const char *domain, const char *op_type,
              const char *name, guint n_inputs, CamValue **inputs,
              CamValue *output, GError **error)
{
  if (!output)
    output = cam_graph_add_value (pass->graph, NULL, name);
  return cam_graph_add_node (pass->graph, domain, op_type, name, n_inputs,
                             inputs, 1, &output, error);
}

gboolean
cam_pass_finish (CamNode *node, GError **error)
{
  return node && cam_node_parse (node, error) && node->op->infer (node, error);
}

CamValue *
cam_pass_new_constant (CamPass *pass, int n_dims, const gint64 *dims,
                       GError **error)
{
  CamShape shape = cam_shape_make (n_dims, dims);
  CamTensor *tensor = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);

  return tensor ? cam_graph_add_constant (pass->graph, "packed", tensor)
                : NULL;
}

void
cam_pass_release (CamPass *pass, CamNode *node, guint i)
{
  CamValue *value = node->inputs[i];
  GPtrArray *readers = g_hash_table_lookup (pass->readers, value);

  if (readers && readers->len == 1 && !cam_pass_is_kept (pass, value))
    g_clear_pointer (&value->constant, cam_tensor_unref);
}
