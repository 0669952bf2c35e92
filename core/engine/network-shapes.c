/* network-shapes.c -- what a network says of itself once it is bound to shapes
 *
 * Which sizes follow the batch or the picture is found by binding the graph
 * again with other sizes and looking at what changed.
 */
#include "config.h"
#include "core/engine/network-private.h"
#include "core/graph/bind.h"
#include <string.h>

#define OTHER_SIDE 64 /* more pixels a side in the probe; 32 divides it */

typedef struct
{
  const CamValue *picture;  /* the input; NULL: none looks like one */
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

CamGraph *
cam_network_bind (const CamNetwork *network, gint64 batch, gint64 height,
                  gint64 width, GError **error)
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

void
cam_tensor_info_free (CamTensorInfo *info)
{
  g_free (info->name);
  g_free (info->op);
  g_free (info->text);
  g_free (info);
}

typedef struct /* the graph at the sizes asked for, and two to compare with */
{
  CamGraph *graph, *batch, *size;
} Probe;

static gboolean
probe_init (Probe *probe, const CamNetwork *network, int height, int width,
            GError **error)
{
  Picture picture = find_picture (network->model->graph);

  height = height > 0 ? height : CAM_NETWORK_SIDE;
  width = width > 0 ? width : CAM_NETWORK_SIDE;
  *probe = (Probe) { NULL };
  probe->graph = cam_network_bind (network, 1, height, width, error);
  if (! probe->graph)
    return FALSE;
  if (picture.batch >= 0)
    probe->batch = cam_network_bind (network, 2, height, width, NULL);
  if (picture.height >= 0 || picture.width >= 0)
    probe->size = cam_network_bind (network, 1, height + OTHER_SIDE,
                                    width + OTHER_SIDE, NULL);
  return TRUE;
}

static void
probe_clear (Probe *probe)
{
  cam_graph_free (probe->graph);
  cam_graph_free (probe->batch);
  cam_graph_free (probe->size);
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
describe_shape (const CamShape *bound, gboolean batch_is_symbolic)
{
  g_autofree char *text = cam_shape_to_string (bound);
  const char *comma = strchr (text, ',');

  if (! batch_is_symbolic)
    return g_steal_pointer (&text);
  return g_strconcat ("[N", comma ? comma : "]", NULL);
}

static CamTensorInfo *
describe (const CamValue *value, const Probe *probe)
{
  CamTensorInfo *info = g_new0 (CamTensorInfo, 1);

  info->name = g_strdup (value->name);
  info->op = g_strdup (value->producer ? value->producer->op_type : "");
  info->dtype = value->dtype;
  info->shape = info->bound = value->shape;
  mark_symbolic (info, probe->batch);
  info->text = describe_shape (&value->shape, info->shape.n_dims > 0
                                                  && info->shape.dims[0] < 0);
  mark_symbolic (info, probe->size);
  return info;
}

GPtrArray *
cam_network_layers (const CamNetwork *network, int height, int width,
                    GError **error)
{
  GPtrArray *layers;
  Probe probe;

  if (! probe_init (&probe, network, height, width, error))
    return NULL;
  layers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_tensor_info_free);
  for (guint i = 0; i < probe.graph->nodes->len; i++)
    {
      const CamNode *node = probe.graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_outputs; k++)
        if (node->outputs[k]
            && (cam_value_is_tokens (node->outputs[k])
                || cam_value_is_spatial (node->outputs[k])))
          g_ptr_array_add (layers, describe (node->outputs[k], &probe));
    }
  probe_clear (&probe);
  return layers;
}

GPtrArray *
cam_network_outputs (const CamNetwork *network, int height, int width,
                     GError **error)
{
  GPtrArray *outputs;
  Probe probe;

  if (! probe_init (&probe, network, height, width, error))
    return NULL;
  outputs =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_tensor_info_free);
  for (guint i = 0; i < probe.graph->outputs->len; i++)
    g_ptr_array_add (outputs,
                     describe (probe.graph->outputs->pdata[i], &probe));
  probe_clear (&probe);
  return outputs;
}

guint64
cam_network_macs (const CamNetwork *network, int height, int width,
                  GError **error)
{
  g_autoptr (CamGraph)
      graph = cam_network_bind (network, 1,
                                height > 0 ? height : CAM_NETWORK_SIDE,
                                width > 0 ? width : CAM_NETWORK_SIDE, error);
  Picture picture = find_picture (network->model->graph);
  gint64 fixed = picture.picture ? picture.picture->shape.dims[0] : 1;
  guint64 macs = 0;

  for (guint i = 0; graph && i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];

      if (node->op->macs)
        macs += node->op->macs (node);
    }
  return macs / (guint64) MAX (fixed, 1);
}
