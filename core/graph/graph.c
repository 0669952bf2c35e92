/* graph.c -- a graph's life, its values and nodes; see graph.h */
#include "config.h"
#include "core/graph/operator.h"
#include <glib/gi18n.h>
#include <stdarg.h>
#include <string.h>

/* clang-format off */
G_DEFINE_QUARK (cam-graph-error-quark, cam_graph_error)
/* clang-format on */

static void
value_free (CamValue *value)
{
  g_free (value->name);
  for (int i = 0; i < CAM_MAX_DIMS; i++)
    g_free (value->symbols[i]);
  cam_tensor_unref (value->constant);
  g_free (value);
}

static void
node_free_params (CamNode *node)
{
  if (! node->params)
    return;
  if (node->op && node->op->free_params)
    node->op->free_params (node->params);
  else
    g_free (node->params);
  node->params = NULL;
}

static void
node_free (CamNode *node)
{
  node_free_params (node);
  g_free (node->name);
  g_free (node->op_type);
  g_free (node->domain);
  g_free (node->inputs);
  g_free (node->outputs);
  g_ptr_array_unref (node->attributes);
  g_free (node);
}

CamGraph *
cam_graph_new (const char *name, int opset)
{
  CamGraph *graph = g_new0 (CamGraph, 1);

  graph->name = g_strdup (name ? name : "");
  graph->opset = opset;
  graph->values = g_ptr_array_new_with_free_func ((GDestroyNotify) value_free);
  graph->nodes = g_ptr_array_new_with_free_func ((GDestroyNotify) node_free);
  graph->inputs = g_ptr_array_new ();
  graph->outputs = g_ptr_array_new ();
  graph->by_name = g_hash_table_new (g_str_hash, g_str_equal);
  return graph;
}

void
cam_graph_free (CamGraph *graph)
{
  if (! graph)
    return;
  g_hash_table_unref (graph->by_name);
  g_ptr_array_unref (graph->inputs);
  g_ptr_array_unref (graph->outputs);
  g_ptr_array_unref (graph->nodes);
  g_ptr_array_unref (graph->values);
  g_free (graph->name);
  g_free (graph);
}

CamValue *
cam_graph_find (const CamGraph *graph, const char *name)
{
  return name ? g_hash_table_lookup (graph->by_name, name) : NULL;
}

CamValue *
cam_graph_add_value (CamGraph *graph, const char *name, const char *hint)
{
  CamValue *value = g_new0 (CamValue, 1);

  if (name)
    value->name = g_strdup (name);
  else
    do
      {
        g_free (value->name);
        value->name = g_strdup_printf ("%s#%u", hint ? hint : "value",
                                       graph->n_made++);
      }
    while (g_hash_table_contains (graph->by_name, value->name));
  value->shape.n_dims = -1;
  value->index = graph->values->len;
  g_ptr_array_add (graph->values, value);
  g_warn_if_fail (g_hash_table_insert (graph->by_name, value->name, value));
  return value;
}

gsize
cam_graph_constant_bytes (const CamGraph *graph)
{
  gsize bytes = 0;

  for (guint i = 0; i < graph->values->len; i++)
    {
      const CamTensor *constant
          = ((CamValue *) graph->values->pdata[i])->constant;

      if (constant)
        bytes += constant->n_elements * cam_dtype_size (constant->dtype);
    }
  return bytes;
}

CamValue *
cam_graph_add_constant (CamGraph *graph, const char *hint, CamTensor *tensor)
{
  CamValue *value = cam_graph_add_value (graph, NULL, hint);

  value->constant = tensor;
  value->dtype = tensor->dtype;
  value->shape = tensor->shape;
  return value;
}

static CamValue **
copy_pointers (CamValue **values, guint n)
{
  CamValue **copy = g_new0 (CamValue *, n + 1);

  if (n > 0)
    memcpy (copy, values, n * sizeof *copy);
  return copy;
}

char *
cam_graph_node_name (const CamGraph *graph, const char *name,
                     const char *op_type)
{
  return name && *name
             ? g_strdup (name)
             : g_strdup_printf ("%s_%u", op_type, graph->nodes->len);
}

CamNode *
cam_graph_add_node (CamGraph *graph, const char *domain, const char *op_type,
                    const char *name, guint n_inputs, CamValue **inputs,
                    guint n_outputs, CamValue **outputs, GError **error)
{
  CamNode *node = g_new0 (CamNode, 1);

  node->op_type = g_strdup (op_type);
  node->domain = g_strdup (g_strcmp0 (domain, "ai.onnx") ? domain : "");
  if (! node->domain)
    node->domain = g_strdup ("");
  node->name = cam_graph_node_name (graph, name, op_type);
  node->opset = graph->opset;
  node->n_inputs = n_inputs;
  node->n_outputs = n_outputs;
  node->inputs = copy_pointers (inputs, n_inputs);
  node->outputs = copy_pointers (outputs, n_outputs);
  node->attributes =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_attribute_free);
  node->op = cam_operator_find (node->domain, op_type, graph->opset);
  if (! node->op)
    {
      g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("node '%s': operator %s%s%s (opset %d) is not supported"),
                   node->name, node->domain, *node->domain ? "." : "", op_type,
                   graph->opset);
      node_free (node);
      return NULL;
    }
  for (guint i = 0; i < n_outputs; i++)
    if (outputs[i])
      outputs[i]->producer = node;
  g_ptr_array_add (graph->nodes, node);
  return node;
}

static gboolean
check_counts (CamNode *node, GError **error)
{
  const CamOperator *op = node->op;
  int most_inputs = op->max_inputs < 0 ? G_MAXINT : op->max_inputs;
  int most_outputs = op->max_outputs < 0 ? G_MAXINT : op->max_outputs;

  if ((int) node->n_inputs < op->min_inputs
      || (int) node->n_inputs > most_inputs)
    cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                    _ ("it has %u inputs, which must be %d to %d"),
                    node->n_inputs, op->min_inputs, most_inputs);
  else if ((int) node->n_outputs < op->min_outputs
           || (int) node->n_outputs > most_outputs)
    cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                    _ ("it has %u outputs, which must be %d to %d"),
                    node->n_outputs, op->min_outputs, most_outputs);
  else
    return TRUE;
  return FALSE;
}

gboolean
cam_node_parse (CamNode *node, GError **error)
{
  const CamOperator *op = node->op;

  if (! check_counts (node, error))
    return FALSE;
  /* of any number of inputs, none may be left out */
  for (guint i = 0; i < node->n_inputs; i++)
    if (! node->inputs[i] && ((int) i < op->min_inputs || op->max_inputs < 0))
      {
        cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                        _ ("input %u is missing"), i);
        return FALSE;
      }
  node_free_params (node);
  if (op->parse && ! op->parse (node, error))
    return FALSE;
  for (guint i = 0; i < node->attributes->len; i++)
    {
      CamAttribute *attribute = node->attributes->pdata[i];

      if (! attribute->seen)
        {
          cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                          _ ("attribute '%s' is not supported"),
                          attribute->name);
          return FALSE;
        }
    }
  return TRUE;
}
