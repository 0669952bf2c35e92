/* passes.c -- the order of the passes, and what is done between them */
#include "core/engine/passes/pass.h"

static void
add_reader (GHashTable *readers, CamValue *value, CamNode *node)
{
  GPtrArray *list = g_hash_table_lookup (readers, value);

  if (!list)
    g_hash_table_insert (readers, value, list = g_ptr_array_new ());
  g_ptr_array_add (list, node);
}

static GHashTable *
find_readers (const CamGraph *graph)
{
  GHashTable *readers = g_hash_table_new_full (
    NULL, NULL, NULL, (GDestroyNotify) g_ptr_array_unref);

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      CamNode *node = graph->nodes->pdata[i];

      for (guint j = 0; j < node->n_inputs; j++)
        if (node->inputs[j])
          add_reader (readers, node->inputs[j], node);
    }
  return readers;
}

/* The values that depend on a target of gradients. */
static GHashTable *
find_after (const CamGraph *graph, const char *const *gradient_at)
{
  GHashTable *after = g_hash_table_new (NULL, NULL);

  for (guint i = 0; gradient_at && gradient_at[i]; i++)
    {
      CamValue *value = cam_graph_find (graph, gradient_at[i]);

      if (value)
        g_hash_table_add (after, cam_pass_layout_source (value));
    }
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      CamNode *node = graph->nodes->pdata[i];
      gboolean reached = FALSE;

      for (guint j = 0; j < node->n_inputs; j++)
        reached |= node->inputs[j]
                   && g_hash_table_contains (after, node->inputs[j]);
      for (guint j = 0; reached && j < node->n_outputs; j++)
        if (node->outputs[j])
          g_hash_table_add (after, node->outputs[j]);
    }
  return after;
}

/* Takes the dead out, one by one in the list's own way, so that they are freed. */
static void
bury (CamPass *pass)
{
  gsize n;
  gpointer *nodes = g_ptr_array_steal (pass->graph->nodes, &n);
  GPtrArray *list = pass->graph->nodes;

  for (gsize i = 0; i < n; i++)
    {
      g_ptr_array_add (list, nodes[i]);
      if (g_hash_table_contains (pass->dead, nodes[i]))
        g_ptr_array_remove_index (list, list->len - 1);
    }
  g_free (nodes);
}

static gboolean
run_pass (CamGraph *graph, const char *const *gradient_at,
          gboolean (*func) (CamPass *pass, GError **error), GError **error)
{
  CamPass pass = { graph, find_readers (graph), g_hash_table_new (NULL, NULL),
                   find_after (graph, gradient_at) };
  gboolean good = func (&pass, error);

  bury (&pass);
  g_hash_table_unref (pass.readers);
  g_hash_table_unref (pass.dead);
  g_hash_table_unref (pass.after);
  if (!good || !cam_graph_sort (graph, error))
    return FALSE;
  cam_graph_prune (graph, NULL);
  return TRUE;
}

gboolean
cam_passes_run (CamGraph *graph, const char *const *gradient_at,
                GError **error)
{
  return run_pass (graph, gradient_at, cam_pass_norms, error)
         && run_pass (graph, gradient_at, cam_pass_idioms, error)
         && run_pass (graph, gradient_at, cam_pass_fold_affine, error)
         && run_pass (graph, gradient_at, cam_pass_layout, error)
         && run_pass (graph, gradient_at, cam_pass_fuse, error);
}

CamValue *
cam_pass_layout_source (CamValue *value)
{
  if (value->producer
      && cam_pass_is (value->producer, CAM_FUSED_DOMAIN, "ToNCHW"))
    return value->producer->inputs[0];
  return value;
}
