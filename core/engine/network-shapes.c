/* network-shapes.c -- what a network says of itself once it is bound to shapes
 *
 * Which sizes follow the batch or the picture is found by binding the graph
 * again with other sizes and looking at what changed.
 */
#include "config.h"
#include "core/engine/network-private.h"
#include "core/graph/bind.h"
#include <string.h>

#define DEFAULT_SIDE 224
#define OTHER_SIDE 64 /* more pixels a side in the probe; 32 divides it */

typedef struct
{
  const CamValue *picture; /* the input; NULL: none looks like one */
  int batch, height, width; /* its dimensions; -1: not symbolic    */
} Picture;

/* The first float input of rank 4; height and width behind the channels,
 * unless only the last dimension can be channels. */
static Picture
find_picture (const CamGraph *graph)
{
  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *input = graph->inputs->pdata[i];
      const gint64 *dims = input->shape.dims;
      gboolean nhwc = dims[3] >= 1 && dims[3] <= 4
                      && (dims[1] < 1 || dims[1] > 4);

      if (input->dtype != CAM_DTYPE_FLOAT32 || input->shape.n_dims != 4)
        continue;
      return (Picture) { input, dims[0] < 0 ? 0 : -1,
                         dims[nhwc ? 1 : 2] < 0 ? (nhwc ? 1 : 2) : -1,
                         dims[nhwc ? 2 : 3] < 0 ? (nhwc ? 2 : 3) : -1 };
    }
  return (Picture) { NULL, -1, -1, -1 };
}

static CamGraph *
bind (const CamNetwork *network, gint64 batch, gint64 height, gint64 width,
      GError **error)
{
  const CamGraph *graph = network->model->graph;
  Picture picture = find_picture (graph);
  CamBinding binding;

  if (! picture.picture)
    return cam_graph_bind (graph, NULL, 0, NULL, error);
  binding = (CamBinding) { picture.picture->name, picture.picture->shape };
  for (int i = 0; i < 4; i++)
    if (i == picture.batch)
      binding.shape.dims[i] = batch;
    else if (i == picture.height)
      binding.shape.dims[i] = height;
    else if (i == picture.width)
      binding.shape.dims[i] = width;
    else if (binding.shape.dims[i] < 0)
      binding.shape.dims[i] = 3; /* channels that the file leaves open */
  return cam_graph_bind (graph, &binding, 1, NULL, error);
}

static gboolean
is_float (CamDType dtype)
{
  return dtype == CAM_DTYPE_FLOAT32 || dtype == CAM_DTYPE_FLOAT64
         || dtype == CAM_DTYPE_FLOAT16;
}

static gboolean
is_embedding (const CamValue *value)
{
  const CamShape *shape = &value->shape;

  return is_float (value->dtype) && ! value->constant
         && (shape->n_dims == 2
             || (shape->n_dims == 4 && shape->dims[2] == 1
                 && shape->dims[3] == 1))
         && shape->dims[1] > 1;
}

static char *
find_embedding (const CamNetwork *network)
{
  g_autoptr (CamGraph) graph = bind (network, 1, DEFAULT_SIDE, DEFAULT_SIDE,
                                     NULL);
  const char *first = NULL;

  for (guint i = 0; graph && i < graph->outputs->len; i++)
    {
      const CamValue *output = graph->outputs->pdata[i];

      if (! is_embedding (output))
        continue;
      if (strcmp (output->name, "embedding") == 0)
        return g_strdup (output->name);
      if (! first)
        first = output->name;
    }
  return g_strdup (first);
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

static gboolean
is_spatial (const CamValue *value)
{
  const CamShape *shape = &value->shape;

  return shape->n_dims == 4 && is_float (value->dtype) && value->producer
         && shape->dims[2] * shape->dims[3] > 1;
}

static gboolean
is_tokens (const CamValue *value)
{
  const CamShape *shape = &value->shape;

  return shape->n_dims == 3 && shape->dims[1] > 1 && shape->dims[2] > 1;
}

/* Behind the poolings, which only make it coarser. */
static const CamValue *
before_pooling (const CamValue *value)
{
  while (g_str_has_suffix (value->producer->op_type, "Pool")
         && is_spatial (value->producer->inputs[0]))
    value = value->producer->inputs[0];
  return value;
}

static char *
find_fallback (const CamNetwork *network, const char *embedding)
{
  g_autoptr (CamGraph) graph = bind (network, 1, DEFAULT_SIDE, DEFAULT_SIDE,
                                     NULL);
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
        if (node->outputs[k]
            && g_hash_table_contains (leads, node->outputs[k]))
          {
            wanted = TRUE;
            if (is_spatial (node->outputs[k]))
              return g_strdup (before_pooling (node->outputs[k])->name);
            if (is_tokens (node->outputs[k]))
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

void
cam_tensor_info_free (CamTensorInfo *info)
{
  g_free (info->name);
  g_free (info->op);
  g_free (info->text);
  g_free (info);
}

/* Rank 3 [N, T, D] or [N, D, T] or 4, with more than one position. */
static gboolean
is_layer (const CamValue *value)
{
  return value->producer && is_float (value->dtype)
         && (is_tokens (value) || is_spatial (value));
}

/* Marks with -1 what differs in @other. */
static void
mark_symbolic (CamTensorInfo *info, const CamGraph *other)
{
  const CamValue *value = other ? cam_graph_find (other, info->name) : NULL;

  if (! value || value->shape.n_dims != info->shape.n_dims)
    return;
  for (int i = 0; i < info->shape.n_dims; i++)
    if (value->shape.dims[i] != info->bound.dims[i])
      info->shape.dims[i] = -1;
}

static char *
describe (const CamShape *bound, gboolean batch_is_symbolic)
{
  g_autofree char *text = cam_shape_to_string (bound);
  const char *comma = strchr (text, ',');

  if (! batch_is_symbolic || ! comma)
    return g_steal_pointer (&text);
  return g_strconcat ("[N", comma, NULL);
}

static CamTensorInfo *
describe_value (const CamValue *value, const CamGraph *batch,
                const CamGraph *size)
{
  CamTensorInfo *info = g_new0 (CamTensorInfo, 1);

  info->name = g_strdup (value->name);
  info->op = g_strdup (value->producer ? value->producer->op_type : "");
  info->dtype = value->dtype;
  info->shape = info->bound = value->shape;
  mark_symbolic (info, batch);
  info->text = describe (&value->shape, info->shape.n_dims > 0
                                          && info->shape.dims[0] < 0);
  mark_symbolic (info, size);
  return info;
}

GPtrArray *
cam_network_layers (const CamNetwork *network, int height, int width,
                    GError **error)
{
  Picture picture = find_picture (network->model->graph);
  g_autoptr (CamGraph) batch = NULL;
  g_autoptr (CamGraph) size = NULL;
  g_autoptr (CamGraph) graph = NULL;
  GPtrArray *layers;

  height = height > 0 ? height : DEFAULT_SIDE;
  width = width > 0 ? width : DEFAULT_SIDE;
  graph = bind (network, 1, height, width, error);
  if (! graph)
    return NULL;
  if (picture.batch >= 0)
    batch = bind (network, 2, height, width, NULL);
  if (picture.height >= 0 || picture.width >= 0)
    size = bind (network, 1, height + OTHER_SIDE, width + OTHER_SIDE, NULL);
  layers = g_ptr_array_new_with_free_func (
    (GDestroyNotify) cam_tensor_info_free);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_outputs; k++)
        if (node->outputs[k] && is_layer (node->outputs[k]))
          g_ptr_array_add (layers,
                           describe_value (node->outputs[k], batch, size));
    }
  return layers;
}

guint64
cam_network_macs (const CamNetwork *network, int height, int width,
                  GError **error)
{
  g_autoptr (CamGraph) graph = bind (network, 1,
                                     height > 0 ? height : DEFAULT_SIDE,
                                     width > 0 ? width : DEFAULT_SIDE, error);
  guint64 macs = 0;

  for (guint i = 0; graph && i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];

      if (node->op->macs)
        macs += node->op->macs (node);
    }
  return macs;
}
