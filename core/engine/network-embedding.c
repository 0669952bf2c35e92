/* network-embedding.c -- which output is the embedding, and where to look for
 * the layer that explains it
 */
#include "config.h"
#include "core/engine/embedding-candidates.h"
#include "core/engine/network-private.h"
#include <string.h>

static gboolean
is_float (CamDType dtype)
{
  return dtype == CAM_DTYPE_FLOAT32 || dtype == CAM_DTYPE_FLOAT64
         || dtype == CAM_DTYPE_FLOAT16;
}

static char *
find_embedding (const CamNetwork *network)
{
  g_autoptr (GPtrArray) candidates = NULL;
  const CamEmbeddingCandidate *best;

  if (network->chosen)
    return g_strdup (network->chosen);
  candidates = cam_embedding_candidates (network, NULL, 0, 0);
  best = cam_embedding_candidates_best (candidates);
  return best ? g_strdup (best->name) : NULL;
}

const char *
cam_network_embedding (const CamNetwork *network)
{
  CamNetwork *self = (CamNetwork *) network; /* what it caches is guarded */

  g_mutex_lock (&self->lock);
  if (! self->embedding_known)
    self->embedding = find_embedding (network);
  self->embedding_known = TRUE;
  g_mutex_unlock (&self->lock);
  return self->embedding;
}

/* More than one position, whether its channels are dimension 1 or the last:
 * [N, 1, 1, C] is what a norm of pooled features works on. */
gboolean
cam_value_is_spatial (const CamValue *value)
{
  const gint64 *dims = value->shape.dims;

  return value->shape.n_dims == 4 && is_float (value->dtype) && value->producer
         && dims[1] > 0 && dims[2] > 0 && dims[3] > 0
         && (dims[2] > 1 || (dims[1] > 1 && dims[3] > 1));
}

gboolean
cam_value_is_tokens (const CamValue *value)
{
  const CamShape *shape = &value->shape;

  return shape->n_dims == 3 && is_float (value->dtype) && value->producer
         && shape->dims[1] > 1 && shape->dims[2] > 1;
}

/* Behind the poolings, which only make it coarser. */
static const CamValue *
before_pooling (const CamValue *value)
{
  while (g_str_has_suffix (value->producer->op_type, "Pool")
         && cam_value_is_spatial (value->producer->inputs[0]))
    value = value->producer->inputs[0];
  return value;
}

static char *
find_fallback (const CamNetwork *network, const char *embedding)
{
  const char *keep[] = { embedding, NULL };
  g_autoptr (CamGraph) graph = cam_network_bind (network, keep, 1, 0, 0, NULL);
  const CamValue *end = graph ? cam_graph_find (graph, embedding) : NULL;
  g_autoptr (GHashTable) leads = g_hash_table_new (NULL, NULL);

  if (! end)
    return NULL;
  g_hash_table_add (leads, (gpointer) end);
  for (guint i = graph->nodes->len; i-- > 0;)
    {
      const CamNode *node = graph->nodes->pdata[i];
      gboolean wanted = FALSE;

      for (guint k = 0; k < node->n_outputs; k++)
        if (node->outputs[k] && g_hash_table_contains (leads, node->outputs[k]))
          {
            wanted = TRUE;
            if (cam_value_is_spatial (node->outputs[k]))
              return g_strdup (before_pooling (node->outputs[k])->name);
            if (cam_value_is_tokens (node->outputs[k]))
              return NULL;
          }
      for (guint k = 0; wanted && k < node->n_inputs; k++)
        g_hash_table_add (leads, node->inputs[k]);
    }
  return NULL;
}

const char *
cam_network_fallback_layer (const CamNetwork *network, const char *embedding)
{
  CamNetwork *self = (CamNetwork *) network; /* what it caches is guarded */
  char *layer;

  if (! embedding)
    return NULL;
  g_mutex_lock (&self->lock);
  if (! self->fallbacks)
    self->fallbacks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                             g_free);
  if (! g_hash_table_lookup_extended (self->fallbacks, embedding, NULL,
                                      (gpointer *) &layer))
    {
      layer = find_fallback (network, embedding);
      g_hash_table_insert (self->fallbacks, g_strdup (embedding), layer);
    }
  g_mutex_unlock (&self->lock);
  return layer;
}
