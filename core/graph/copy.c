/* copy.c -- a graph's deep copy; the constants' tensors are shared */
#include "config.h"
#include "core/graph/graph.h"

static void
copy_value (CamGraph *copy, const CamValue *from)
{
  CamValue *to = cam_graph_add_value (copy, from->name, NULL);

  to->dtype = from->dtype;
  to->shape = from->shape;
  for (int i = 0; i < CAM_MAX_DIMS; i++)
    to->symbols[i] = g_strdup (from->symbols[i]);
  to->constant = from->constant ? cam_tensor_ref (from->constant) : NULL;
}

/* The copies of @n values, which lie at the same index. (transfer full) */
static CamValue **
counterparts (const CamGraph *copy, CamValue **values, guint n)
{
  CamValue **result = g_new0 (CamValue *, n + 1);

  for (guint i = 0; i < n; i++)
    if (values[i])
      result[i] = copy->values->pdata[values[i]->index];
  return result;
}

static gboolean
copy_node (CamGraph *copy, const CamNode *from, GError **error)
{
  g_autofree CamValue **inputs = counterparts (copy, from->inputs,
                                               from->n_inputs);
  g_autofree CamValue **outputs = counterparts (copy, from->outputs,
                                                from->n_outputs);
  CamNode *to = cam_graph_add_node (copy, from->domain, from->op_type,
                                    from->name, from->n_inputs, inputs,
                                    from->n_outputs, outputs, error);

  if (! to)
    return FALSE;
  to->opset = from->opset;
  to->op = from->op;
  for (guint i = 0; i < from->attributes->len; i++)
    g_ptr_array_add (to->attributes,
                     cam_attribute_copy (from->attributes->pdata[i]));
  return cam_node_parse (to, error);
}

static void
copy_list (const CamGraph *copy, GPtrArray *from, GPtrArray *to)
{
  for (guint i = 0; i < from->len; i++)
    g_ptr_array_add (to,
                     copy->values->pdata[((CamValue *) from->pdata[i])->index]);
}

CamGraph *
cam_graph_copy (const CamGraph *graph, GError **error)
{
  g_autoptr (CamGraph) copy = cam_graph_new (graph->name, graph->opset);

  for (guint i = 0; i < graph->values->len; i++)
    copy_value (copy, graph->values->pdata[i]);
  copy->n_made = graph->n_made;
  for (guint i = 0; i < graph->nodes->len; i++)
    if (! copy_node (copy, graph->nodes->pdata[i], error))
      return NULL;
  copy_list (copy, graph->inputs, copy->inputs);
  copy_list (copy, graph->outputs, copy->outputs);
  return g_steal_pointer (&copy);
}
