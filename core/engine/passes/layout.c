/* layout.c -- pictures with their channels last, where that is possible */
#include <string.h>

#include "core/engine/passes/layout.h"

gboolean
cam_layout_has_twin (const CamLayout *layout, const CamValue *value)
{
  return g_hash_table_contains (layout->twins, value);
}

CamValue *
cam_layout_new_twin (CamLayout *layout, CamValue *value)
{
  CamValue *twin = cam_graph_add_value (layout->pass->graph, NULL,
                                        value->name);

  g_hash_table_insert (layout->twins, value, twin);
  return twin;
}

/* One channel or one position: the order in memory is the same. */
static gboolean
same_memory (const CamValue *value)
{
  const gint64 *d = value->shape.dims;

  return d[1] == 1 || d[2] * d[3] == 1;
}

gboolean
cam_layout_reshape (CamLayout *layout, CamValue *from, CamValue *to,
                    const CamShape *shape, GError **error)
{
  gint64 n = shape->n_dims;
  CamShape flat = cam_shape_make (1, &n);
  CamTensor *tensor = cam_tensor_new (CAM_DTYPE_INT64, &flat, error);
  CamValue *inputs[2] = { from, NULL };

  if (!tensor)
    return FALSE;
  memcpy (tensor->data, shape->dims, n * sizeof (gint64));
  inputs[1] = cam_graph_add_constant (layout->pass->graph, "shape", tensor);
  return cam_pass_finish (cam_pass_add (layout->pass, "", "Reshape", NULL, 2,
                                        inputs, to, error), error);
}

CamValue *
cam_layout_twin (CamLayout *layout, CamValue *value, GError **error)
{
  CamValue *twin = g_hash_table_lookup (layout->twins, value);
  const gint64 *d = value->shape.dims;
  gint64 dims[4] = { d[0], d[2], d[3], d[1] };
  CamShape shape = cam_shape_make (4, dims);

  if (twin)
    return twin;
  twin = cam_layout_new_twin (layout, value);
  if (same_memory (value)
        ? cam_layout_reshape (layout, value, twin, &shape, error)
        : cam_pass_finish (cam_pass_add (layout->pass, CAM_FUSED_DOMAIN,
                                         "ToNHWC", NULL, 1, &value, twin,
                                         error), error))
    return twin;
  return NULL;
}

gboolean
cam_layout_logical (CamLayout *layout, CamValue *value, GError **error)
{
  CamValue *twin = g_hash_table_lookup (layout->twins, value);

  if (value->producer || value->constant || !twin
      || g_ptr_array_find (layout->pass->graph->inputs, value, NULL))
    return TRUE;
  /* not a tensor that somebody wants: cam_pass_layout_source looks for ToNCHW */
  if (same_memory (value) && !cam_pass_is_kept (layout->pass, value))
    return cam_layout_reshape (layout, twin, value, &value->shape, error);
  return cam_pass_finish (cam_pass_add (layout->pass, CAM_FUSED_DOMAIN,
                                        "ToNCHW", NULL, 1, &twin, value,
                                        error), error);
}

static gboolean
convert (CamLayout *layout, CamNode *node, GError **error)
{
  gboolean done = FALSE;

  for (guint i = 0; i < node->n_inputs; i++)
    {
      CamValue *other = g_hash_table_lookup (layout->renamed, node->inputs[i]);

      node->inputs[i] = other ? other : node->inputs[i];
    }
  if (!cam_layout_products (layout, node, &done, error)
      || (!done && !cam_layout_others (layout, node, &done, error)))
    return FALSE;
  if (done)
    {
      /* freed by the list that owned it, when the pass ends */
      g_hash_table_add (layout->pass->dead, node);
      for (guint i = 0; i < node->n_outputs; i++)
        if (node->outputs[i] && node->outputs[i]->producer == node)
          node->outputs[i]->producer = NULL;
      g_ptr_array_add (layout->pass->graph->nodes, node);
      return TRUE;
    }
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i]
        && !cam_layout_logical (layout, node->inputs[i], error))
      return FALSE;
  g_ptr_array_add (layout->pass->graph->nodes, node);
  return TRUE;
}

/* A maximum whose place somebody asks for: by its indices, or by a gradient */
static gboolean
settles_ties (const CamPass *pass, const CamNode *node)
{
  static const char *const types[]
    = { "MaxPool", "GlobalMaxPool", "ReduceMax", "ReduceMin", NULL };

  return *node->domain == '\0' && g_strv_contains (types, node->op_type)
         && (cam_pass_needs_gradient (pass, node->inputs[0])
             || (node->n_outputs > 1 && node->outputs[1]));
}

/* All that such a maximum is made of.  In flat parts of a picture elements are
 * equal, and the first of them counts.  Winograd's way rounds each place of a
 * tile in its own manner: it would let chance decide. */
static GHashTable *
find_ties (const CamPass *pass)
{
  GHashTable *ties = g_hash_table_new (NULL, NULL);

  for (guint i = pass->graph->nodes->len; i-- > 0;)
    {
      const CamNode *node = pass->graph->nodes->pdata[i];
      gboolean tied = settles_ties (pass, node);

      for (guint j = 0; !tied && j < node->n_outputs; j++)
        tied = node->outputs[j]
               && g_hash_table_contains (ties, node->outputs[j]);
      for (guint j = 0; tied && j < node->n_inputs; j++)
        if (node->inputs[j])
          g_hash_table_add (ties, node->inputs[j]);
    }
  return ties;
}

gboolean
cam_pass_layout (CamPass *pass, GError **error)
{
  CamLayout layout = { pass, g_hash_table_new (NULL, NULL),
                       g_hash_table_new (NULL, NULL), find_ties (pass) };
  gboolean good = TRUE;
  gsize n_nodes;
  gpointer *nodes = g_ptr_array_steal (pass->graph->nodes, &n_nodes);

  for (gsize i = 0; i < n_nodes; i++)
    {
      good = good && convert (&layout, nodes[i], error);
      if (!good) /* the graph still owns it */
        g_ptr_array_add (pass->graph->nodes, nodes[i]);
    }
  for (guint i = 0; good && i < pass->graph->outputs->len; i++)
    good = cam_layout_logical (&layout, pass->graph->outputs->pdata[i], error);
  g_free (nodes);
  g_hash_table_unref (layout.twins);
  g_hash_table_unref (layout.renamed);
  g_hash_table_unref (layout.ties);
  return good;
}
