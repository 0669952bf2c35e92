/* layer-candidates.c -- a dozen layers that differ */
#include "core/method/layer-candidates.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/method/cam.h"

#define MIN_POSITIONS 9 /* 3 x 3: below that a map says nothing */
#define MIN_CHANNELS 8
#define MAX_GROUPS 3

/* Where features are finished: behind a non-linearity, a sum, a norm */
static gboolean
ends_features (const CamTensorInfo *info)
{
  static const char *const ops[] = { "Relu",  "Clip",    "LeakyRelu",
                                     "PRelu", "Elu",     "HardSwish",
                                     "Mul",   "Add",     "Concat",
                                     "Mish",  "Gelu",    "Selu",
                                     "Sum",   "Sigmoid", "LayerNormalization",
                                     "Max",   NULL };

  return g_strv_contains (ops, info->op);
}

/* Positions of the map that it would give; 0: it gives none. */
static gint64
positions (const CamModel *model, const CamTensorInfo *info)
{
  CamLayout layout = cam_layout_guess (&info->shape, &model->input);
  const gint64 *d = info->shape.dims;
  gint64 n, channels;

  if (info->dtype != CAM_DTYPE_FLOAT32 || info->shape.n_dims < 3
      || info->shape.n_dims > 4)
    return 0;
  if (info->shape.n_dims == 3)
    {
      n = d[1] - (layout == CAM_LAYOUT_TOKENS_CLS);
      channels = d[2];
      for (gint64 side = 1; side * side <= n; side++)
        if (side * side == n)
          return channels >= MIN_CHANNELS ? n : 0;
      return 0;
    }
  n = layout == CAM_LAYOUT_NHWC ? d[1] * d[2] : d[2] * d[3];
  channels = layout == CAM_LAYOUT_NHWC ? d[3] : d[1];
  return channels >= MIN_CHANNELS ? n : 0;
}

/* Names of all that the embedding is made from: a way for the gradient */
static void
add_ancestors (CamValue *value, GHashTable *names)
{
  g_autoptr (GPtrArray) stack = g_ptr_array_new ();

  g_ptr_array_add (stack, value);
  while (stack->len > 0)
    {
      value = g_ptr_array_steal_index (stack, stack->len - 1);
      if (value == NULL || ! g_hash_table_add (names, value->name)
          || value->producer == NULL)
        continue;
      for (guint i = 0; i < value->producer->n_inputs; i++)
        g_ptr_array_add (stack, value->producer->inputs[i]);
    }
}

typedef struct
{
  gint64 positions;
  GPtrArray *infos; /* borrowed CamTensorInfo, in order */
} Group;

static void
add_to_group (Group *groups, int *n_groups, gint64 n, CamTensorInfo *info)
{
  for (int g = 0; g < *n_groups; g++)
    if (groups[g].positions == n)
      {
        g_ptr_array_insert (groups[g].infos, 0, info);
        return;
      }
  if (*n_groups == MAX_GROUPS)
    return;
  groups[*n_groups] = (Group) { n, g_ptr_array_new () };
  g_ptr_array_add (groups[(*n_groups)++].infos, info);
}

/* From the end of the network, so that the last resolutions come first */
static int
group_layers (const CamModel *model, GPtrArray *layers, const char *fallback,
              Group *groups)
{
  const CamGraph *graph = cam_network_graph (model->network);
  g_autoptr (GHashTable) leads = g_hash_table_new (g_str_hash, g_str_equal);
  int n_groups = 0;

  add_ancestors (cam_graph_find (graph, model->embedding), leads);
  for (guint i = layers->len; i-- > 0;)
    {
      CamTensorInfo *info = g_ptr_array_index (layers, i);
      gint64 n = positions (model, info);

      if (n < MIN_POSITIONS || ! g_hash_table_contains (leads, info->name)
          || (! ends_features (info) && g_strcmp0 (info->name, fallback) != 0))
        continue;
      add_to_group (groups, &n_groups, n, info);
    }
  return n_groups;
}

/* Marks @n of a group, evenly, the last among them, and the fallback. */
static void
mark (const Group *group, int n, const char *fallback, GHashTable *chosen)
{
  int len = (int) group->infos->len;

  n = MIN (n, len);
  for (int i = 0; i < n; i++)
    {
      int at = len - 1 - (int) ((gint64) i * len / n);
      CamTensorInfo *info = g_ptr_array_index (group->infos, at);

      g_hash_table_add (chosen, info->name);
    }
  for (int i = 0; i < len; i++)
    {
      CamTensorInfo *info = g_ptr_array_index (group->infos, i);

      if (g_strcmp0 (info->name, fallback) == 0)
        g_hash_table_add (chosen, info->name);
    }
}

char **
cam_layer_candidates (const CamModel *model, int n, GError **error)
{
  static const int shares[MAX_GROUPS][MAX_GROUPS] = { { 12, 0, 0 },
                                                      { 7, 5, 0 },
                                                      { 5, 4, 3 } }; /* of 12 */
  g_autoptr (GPtrArray) layers = NULL;
  g_autoptr (GHashTable) chosen = g_hash_table_new (g_str_hash, g_str_equal);
  GPtrArray *names = g_ptr_array_new ();
  const char *fallback = cam_network_fallback_layer (model->network,
                                                     model->embedding);
  Group groups[MAX_GROUPS];
  int n_groups;

  layers = cam_network_layers (model->network, model->input.height,
                               model->input.width, error);
  if (layers == NULL)
    {
      g_ptr_array_unref (names);
      return NULL;
    }
  n_groups = group_layers (model, layers, fallback, groups);
  for (int g = 0; g < n_groups; g++)
    {
      mark (&groups[g], MAX (1, shares[n_groups - 1][g] * n / 12), fallback,
            chosen);
      g_ptr_array_unref (groups[g].infos);
    }
  for (guint i = 0; i < layers->len; i++)
    {
      const CamTensorInfo *info = g_ptr_array_index (layers, i);

      if (g_hash_table_contains (chosen, info->name))
        g_ptr_array_add (names, g_strdup (info->name));
    }
  g_ptr_array_add (names, NULL);
  if (names->len == 1)
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_LAYER,
                 _ ("The model “%s” has no spatial layer that a map could be "
                    "made of."),
                 model->name);
  if (names->len > 1)
    return (char **) g_ptr_array_free (names, FALSE);
  g_ptr_array_unref (names);
  return NULL;
}
