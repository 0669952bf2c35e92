/* order.c -- the order of a graph's nodes, and which of them are needed */
#include <glib/gi18n.h>
#include "config.h"
#include "core/graph/graph.h"

enum
{
  NEW,
  OPEN,
  DONE
};

typedef struct /* how far a node on the stack has looked at its inputs */
{
  CamNode *node;
  guint next_input;
} Step;

/* Depth first, without recursion, in the order of the file: an order that is
 * right already stays as it is. */
static gboolean
visit (CamNode *root, GArray *stack, GPtrArray *sorted, GError **error)
{
  Step step = { root, 0 };

  if (root->mark == DONE)
    return TRUE;
  root->mark = OPEN;
  g_array_append_val (stack, step);
  while (stack->len > 0)
    {
      Step *top = &g_array_index (stack, Step, stack->len - 1);
      CamNode *node = top->node;
      CamNode *before = NULL;

      while (top->next_input < node->n_inputs && ! before)
        {
          CamValue *input = node->inputs[top->next_input++];

          if (input && input->producer && input->producer->mark != DONE)
            before = input->producer;
        }
      if (! before)
        {
          node->mark = DONE;
          g_ptr_array_add (sorted, node);
          g_array_set_size (stack, stack->len - 1);
          continue;
        }
      if (before->mark == OPEN)
        {
          g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED,
                       _ ("the graph is cyclic: node '%s' (%s) needs its own "
                          "result"),
                       before->name, before->op_type);
          return FALSE;
        }
      before->mark = OPEN;
      step = (Step) { before, 0 };
      g_array_append_val (stack, step);
    }
  return TRUE;
}

gboolean
cam_graph_sort (CamGraph *graph, GError **error)
{
  g_autoptr (GPtrArray) sorted = g_ptr_array_sized_new (graph->nodes->len);
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (Step));

  for (guint i = 0; i < graph->nodes->len; i++)
    ((CamNode *) graph->nodes->pdata[i])->mark = NEW;
  for (guint i = 0; i < graph->nodes->len; i++)
    if (! visit (graph->nodes->pdata[i], stack, sorted, error))
      return FALSE;
  for (guint i = 0; i < graph->nodes->len; i++)
    graph->nodes->pdata[i] = sorted->pdata[i];
  return TRUE;
}

static void
want_all (GPtrArray *values, guint8 *wanted)
{
  for (guint i = 0; values && i < values->len; i++)
    wanted[((CamValue *) values->pdata[i])->index] = TRUE;
}

/* Drops the nodes none of whose outputs is wanted, from the last to the first;
 * those that stay want their inputs. */
static void
prune_nodes (CamGraph *graph, guint8 *wanted)
{
  guint n = 0;

  for (guint i = graph->nodes->len; i-- > 0;)
    {
      CamNode *node = graph->nodes->pdata[i];

      node->mark = FALSE;
      for (guint k = 0; k < node->n_outputs; k++)
        if (node->outputs[k] && wanted[node->outputs[k]->index])
          node->mark = TRUE;
      for (guint k = 0; node->mark && k < node->n_inputs; k++)
        if (node->inputs[k])
          wanted[node->inputs[k]->index] = TRUE;
      for (guint k = 0; node->mark && k < node->n_outputs; k++)
        if (k == 0 && node->outputs[0])
          wanted[node->outputs[0]->index] = TRUE;
        else if (node->outputs[k] && ! wanted[node->outputs[k]->index])
          node->outputs[k] = NULL;
    }
  for (guint i = 0; i < graph->nodes->len; i++)
    if (((CamNode *) graph->nodes->pdata[i])->mark)
      {
        CamNode *node = graph->nodes->pdata[i];

        graph->nodes->pdata[i] = graph->nodes->pdata[n];
        graph->nodes->pdata[n++] = node;
      }
  g_ptr_array_set_size (graph->nodes, (gint) n);
}

static void
number_values (CamGraph *graph)
{
  for (guint i = 0; i < graph->values->len; i++)
    ((CamValue *) graph->values->pdata[i])->index = i;
}

static void
prune_values (CamGraph *graph, const guint8 *wanted)
{
  guint n = 0;

  for (guint i = 0; i < graph->values->len; i++)
    {
      CamValue *value = graph->values->pdata[i];

      if (wanted[i])
        {
          graph->values->pdata[i] = graph->values->pdata[n];
          graph->values->pdata[n++] = value;
        }
      else
        g_hash_table_remove (graph->by_name, value->name);
    }
  g_ptr_array_set_size (graph->values, (gint) n);
  number_values (graph);
}

void
cam_graph_prune (CamGraph *graph, GPtrArray *keep)
{
  g_autofree guint8 *wanted = g_new0 (guint8, graph->values->len + 1);

  number_values (graph);
  want_all (graph->outputs, wanted);
  want_all (graph->inputs, wanted);
  want_all (keep, wanted);
  prune_nodes (graph, wanted);
  prune_values (graph, wanted);
}

void
cam_graph_replace_value (CamGraph *graph, CamValue *from, CamValue *to)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      CamNode *node = graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_inputs; k++)
        if (node->inputs[k] == from)
          node->inputs[k] = to;
    }
  for (guint i = 0; i < graph->outputs->len; i++)
    if (graph->outputs->pdata[i] == from)
      graph->outputs->pdata[i] = to;
}
