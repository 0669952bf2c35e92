/* network-shapes.c -- what a network says of itself once it is bound to shapes
 *
 * Which sizes follow the batch or the picture is found by binding the graph
 * again with other sizes and looking at what changed.
 */
#include "config.h"
#include "core/engine/network-private.h"
#include "core/graph/bind.h"
#include "core/graph/needs.h"
#include <string.h>

#define OTHER_SIDE 64 /* more pixels a side in the probe; 32 divides it */

#define MOST_APART 16 /* outputs that are bound one by one */

gboolean
cam_value_may_be_picture (const CamValue *input)
{
  return input->dtype == CAM_DTYPE_FLOAT32 && input->shape.n_dims == 4;
}

static const CamValue *
find_picture (const CamNetwork *network)
{
  const CamGraph *graph = network->model->graph;

  if (network->picture)
    return cam_graph_find (graph, network->picture);
  for (guint i = 0; i < graph->inputs->len; i++)
    if (cam_value_may_be_picture (graph->inputs->pdata[i]))
      return graph->inputs->pdata[i];
  return NULL;
}

/* Height and width lie behind the channels, unless only the last dimension can
 * be channels. */
static gboolean
channels_are_last (const CamValue *input)
{
  const gint64 *dims = input->shape.dims;

  return dims[3] >= 1 && dims[3] <= 4 && (dims[1] < 1 || dims[1] > 4);
}

/* @open: of the picture, [batch, height, width] */
static CamShape
picture_shape (const CamValue *input, const gint64 open[3])
{
  gboolean last = channels_are_last (input);
  CamShape shape = input->shape;

  for (int i = 0; i < 4; i++)
    if (shape.dims[i] >= 0)
      continue;
    else if (i == 0)
      shape.dims[i] = open[0];
    else if (i == (last ? 3 : 1))
      shape.dims[i] = 3; /* channels that the file leaves open */
    else
      shape.dims[i] = open[i == (last ? 1 : 2) ? 1 : 2];
  return shape;
}

/* -1: @picture has no dimension of that name */
static gint64
size_of_symbol (const CamValue *picture, const CamShape *bound,
                const char *symbol)
{
  for (int i = 0; picture && symbol && i < 4; i++)
    if (g_strcmp0 (picture->symbols[i], symbol) == 0)
      return bound->dims[i];
  return -1;
}

/* Another input follows the picture where it names the same dimensions; its
 * other open ones are 1. */
static CamShape
other_shape (const CamValue *input, const CamValue *picture,
             const gint64 open[3])
{
  CamShape bound = picture ? picture_shape (picture, open) : input->shape;
  CamShape shape = input->shape;

  for (int i = 0; i < shape.n_dims; i++)
    if (shape.dims[i] < 0)
      {
        shape.dims[i] = size_of_symbol (picture, &bound, input->symbols[i]);
        if (shape.dims[i] < 0)
          shape.dims[i] = i == 0 && ! input->symbols[0] ? open[0] : 1;
      }
  return shape;
}

/* The picture; @input itself only where no other is there */
static const CamValue *
find_picture_beside (const CamNetwork *network, const CamValue *input)
{
  const CamGraph *graph = network->model->graph;
  const CamValue *picture = find_picture (network);

  for (guint i = 0; picture == input && i < graph->inputs->len; i++)
    if (graph->inputs->pdata[i] != input && ! network->picture
        && cam_value_may_be_picture (graph->inputs->pdata[i]))
      picture = graph->inputs->pdata[i];
  return picture;
}

static CamShape
input_shape (const CamNetwork *network, const CamValue *input,
             const gint64 open[3])
{
  const CamValue *picture = find_picture_beside (network, input);
  gint64 own[3] = { open[0], open[1], open[2] };

  if (! cam_value_may_be_picture (input))
    return other_shape (input, picture, open);
  for (int i = 1; picture && picture != input && i < 3; i++)
    {
      int dim = channels_are_last (picture) ? i : i + 1;

      if (picture->shape.dims[dim] > 0)
        own[i] = picture->shape.dims[dim];
    }
  return picture_shape (input, own);
}

CamShape
cam_network_input_shape (const CamNetwork *network, const CamValue *input,
                         int height, int width)
{
  return input_shape (network, input,
                      (gint64[]) { 1, height > 0 ? height : network->height,
                                   width > 0 ? width : network->width });
}

CamGraph *
cam_network_bind (const CamNetwork *network, const char *const *keep,
                  gint64 batch, gint64 height, gint64 width, GError **error)
{
  const CamGraph *graph = network->model->graph;
  const gint64 open[3] = { batch, height ? height : network->height,
                           width ? width : network->width };
  g_autofree CamBinding *bindings = g_new0 (CamBinding, graph->inputs->len + 1);
  guint n = 0;

  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *input = graph->inputs->pdata[i];

      if (input->shape.n_dims >= 0)
        bindings[n++] = (CamBinding) { input->name,
                                       input_shape (network, input, open) };
    }
  return cam_graph_bind (graph, bindings, n, keep, error);
}

void
cam_tensor_info_free (CamTensorInfo *info)
{
  g_free (info->name);
  g_free (info->op);
  g_free (info->text);
  g_free (info->problem);
  g_free (info);
}

typedef struct /* the graph at the sizes asked for, and two to compare with */
{
  GPtrArray *names; /* of what is kept, NULL-ended; borrowed */
  CamGraph *graph, *batch, *size;
} Probe;

static GPtrArray *
names_to_keep (const CamNetwork *network)
{
  const GPtrArray *outputs = network->model->graph->outputs;
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < outputs->len; i++)
    g_ptr_array_add (names, ((CamValue *) outputs->pdata[i])->name);
  if (network->chosen)
    g_ptr_array_add (names, network->chosen);
  g_ptr_array_add (names, NULL);
  return names;
}

/* One output that cannot be had must not hide the others: takes those away.
 * FALSE where none is left. */
static gboolean
drop_unbound (const CamNetwork *network, GPtrArray *names, int height,
              int width)
{
  guint n = names->len - 1;
  guint left = 0;

  for (guint i = 0; i < MIN (n, MOST_APART); i++)
    {
      const char *keep[] = { names->pdata[i], NULL };
      g_autoptr (CamGraph)
          graph = cam_network_bind (network, keep, 1, height, width, NULL);

      if (graph)
        names->pdata[left++] = names->pdata[i];
    }
  g_ptr_array_set_size (names, (gint) left);
  g_ptr_array_add (names, NULL);
  return left > 0;
}

static void
probe_clear (Probe *probe)
{
  g_ptr_array_unref (probe->names);
  cam_graph_free (probe->graph);
  cam_graph_free (probe->batch);
  cam_graph_free (probe->size);
}

/* The graph of as many of @names as can be had: these are left of them. */
static CamGraph *
bind_most (const CamNetwork *network, GPtrArray *names, int height, int width,
           GError **error)
{
  GError *why = NULL;
  CamGraph *graph = cam_network_bind (network,
                                      (const char *const *) names->pdata, 1,
                                      height, width, &why);

  if (! graph && drop_unbound (network, names, height, width))
    {
      g_clear_error (&why);
      graph = cam_network_bind (network, (const char *const *) names->pdata, 1,
                                height, width, &why);
    }
  if (! graph)
    g_propagate_error (error, why);
  return graph;
}

static gboolean
probe_init (Probe *probe, const CamNetwork *network, int height, int width,
            GError **error)
{
  const CamValue *picture = find_picture (network);
  const char *const *keep;

  height = height > 0 ? height : network->height;
  width = width > 0 ? width : network->width;
  *probe = (Probe) { .names = names_to_keep (network) };
  probe->graph = bind_most (network, probe->names, height, width, error);
  if (! probe->graph)
    {
      probe_clear (probe);
      return FALSE;
    }
  keep = (const char *const *) probe->names->pdata;
  if (picture && picture->shape.dims[0] < 0)
    probe->batch = cam_network_bind (network, keep, 2, height, width, NULL);
  if (picture
      && (picture->shape.dims[channels_are_last (picture) ? 1 : 2] < 0
          || picture->shape.dims[channels_are_last (picture) ? 2 : 3] < 0))
    probe->size = cam_network_bind (network, keep, 1, height + OTHER_SIDE,
                                    width + OTHER_SIDE, NULL);
  return TRUE;
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

/* Of an output that cannot be had; @ask: find out why */
static CamTensorInfo *
describe_problem (const CamNetwork *network, const CamValue *value, int height,
                  int width, gboolean ask)
{
  const char *keep[] = { value->name, NULL };
  CamTensorInfo *info = g_new0 (CamTensorInfo, 1);
  g_autoptr (GError) why = NULL;

  if (ask)
    cam_graph_free (cam_network_bind (network, keep, 1, height, width, &why));

  info->name = g_strdup (value->name);
  info->op = g_strdup (value->producer ? value->producer->op_type : "");
  info->dtype = value->dtype;
  info->shape.n_dims = info->bound.n_dims = -1;
  info->text = g_strdup ("?");
  info->problem = g_strdup (why ? why->message : "");
  return info;
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
  const CamValue *picture = find_picture (network);
  static const char *const no_types[] = { NULL };
  g_autofree guint8 *flow = NULL;
  GPtrArray *layers;
  Probe probe;

  if (! probe_init (&probe, network, height, width, error))
    return NULL;
  layers =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_tensor_info_free);
  picture = picture ? cam_graph_find (probe.graph, picture->name) : NULL;
  flow = picture ? cam_graph_flow (probe.graph, picture, no_types) : NULL;
  for (guint i = 0; i < probe.graph->nodes->len; i++)
    {
      const CamNode *node = probe.graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_outputs; k++)
        if (node->outputs[k] && (! flow || flow[node->outputs[k]->index])
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
  for (guint i = 0; i < network->model->graph->outputs->len; i++)
    {
      const CamValue *output = network->model->graph->outputs->pdata[i];
      const CamValue *bound = cam_graph_find (probe.graph, output->name);

      g_ptr_array_add (outputs, bound
                                    ? describe (bound, &probe)
                                    : describe_problem (network, output, height,
                                                        width, i < MOST_APART));
    }
  probe_clear (&probe);
  return outputs;
}

guint64
cam_network_macs (const CamNetwork *network, int height, int width,
                  GError **error)
{
  const CamValue *picture = find_picture (network);
  gint64 fixed = picture ? picture->shape.dims[0] : 1;
  guint64 macs = 0;
  g_autoptr (GPtrArray) names = names_to_keep (network);
  g_autoptr (CamGraph) graph = bind_most (network, names, height, width, error);

  for (guint i = 0; graph && i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];

      if (node->op->macs)
        macs += node->op->macs (node);
    }
  return macs / (guint64) MAX (fixed, 1);
}
