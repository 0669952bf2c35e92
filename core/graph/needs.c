/* needs.c -- see needs.h */
#include "config.h"
#include "core/graph/needs.h"
#include <string.h>

/* Its result says nothing of the numbers that it reads. */
static gboolean
asks_for_shape (const CamNode *node)
{
  return *node->domain == '\0'
         && (strcmp (node->op_type, "Shape") == 0
             || strcmp (node->op_type, "Size") == 0);
}

GPtrArray *
cam_graph_inputs_of (const CamGraph *graph, const char *name)
{
  g_autoptr (GHashTable) needed = g_hash_table_new (NULL, NULL);
  GPtrArray *inputs = g_ptr_array_new ();

  g_hash_table_add (needed, cam_graph_find (graph, name));
  for (guint i = graph->nodes->len; i-- > 0;)
    {
      const CamNode *node = graph->nodes->pdata[i];
      gboolean makes = FALSE;

      for (guint k = 0; ! makes && k < node->n_outputs; k++)
        makes = node->outputs[k]
                && g_hash_table_contains (needed, node->outputs[k]);
      for (guint k = 0; makes && ! asks_for_shape (node) && k < node->n_inputs;
           k++)
        g_hash_table_add (needed, node->inputs[k]);
    }
  for (guint i = 0; i < graph->inputs->len; i++)
    if (g_hash_table_contains (needed, graph->inputs->pdata[i]))
      g_ptr_array_add (inputs, graph->inputs->pdata[i]);
  return inputs;
}

guint8 *
cam_graph_flow (const CamGraph *graph, const CamValue *from,
                const char *const *types)
{
  guint8 *flow = g_new0 (guint8, graph->values->len + 1);

  flow[from->index] = 1;
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];
      guint8 most = 0;

      for (guint k = 0; ! asks_for_shape (node) && k < node->n_inputs; k++)
        if (node->inputs[k])
          most = MAX (most, flow[node->inputs[k]->index]);
      if (most && g_strv_contains (types, node->op_type))
        most = 2;
      for (guint k = 0; most && k < node->n_outputs; k++)
        if (node->outputs[k])
          flow[node->outputs[k]->index] = most;
    }
  return flow;
}
