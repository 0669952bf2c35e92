/* explanation.c -- see explanation.h */
#include "config.h"
#include "plugin/explanation.h"
#include "plugin/host.h"
#include <float.h>
#include <glib/gi18n.h>
#include <math.h>

#include "core/base/json.h"

void
cam_explanation_free (CamExplanation *explanation)
{
  g_clear_pointer (&explanation->map, cam_heat_map_free);
  g_free (explanation->name);
  g_free (explanation->provenance);
  g_free (explanation);
}

/* Not translated: it goes with the image to whoever opens it. */
static char *
layer_name (const CamLookup *lookup, gboolean triplet, int kept, int n_channels)
{
  g_autofree char *top = kept < n_channels ? g_strdup_printf ("top %d", kept)
                                           : g_strdup ("all channels");

  if (lookup->cluster < 0)
    return g_strdup_printf ("Grad-CAM: %s, %s", triplet ? "triplet" : "pair",
                            top);
  if (lookup->transfer == CAM_TRANSFER_NEIGHBOUR)
    return g_strdup_printf ("Grad-CAM: neighbour %d, %s", lookup->match.index,
                            top);
  return g_strdup_printf ("Grad-CAM: cluster %d, %s", lookup->cluster, top);
}

static CamExplanation *
explanation_new (const CamObservation *observation, const float *weights,
                 int n_weights, int top_k, GError **error)
{
  g_autoptr (CamHeatMap) map = cam_heat_map_new (observation->activations,
                                                 weights, n_weights, top_k,
                                                 error);
  CamExplanation *explanation;

  if (! map)
    return NULL;
  explanation = g_new0 (CamExplanation, 1);
  explanation->view = observation->view;
  explanation->top_k = top_k;
  explanation->n_kept = top_k <= 0 || top_k > n_weights ? n_weights : top_k;
  explanation->map = g_steal_pointer (&map);
  return explanation;
}

CamExplanation *
cam_explanation_look_up (const CamLoaded *loaded,
                         const CamObservation *observation,
                         const CamOptions *settings, GError **error)
{
  CamExplanation *explanation;
  CamLookup lookup;

  if (settings->transfer == CAM_TRANSFER_NEIGHBOUR
      && cam_cluster_db_info (loaded->db)->n_pictures == 0)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_NOTHING,
                   _ ("This database is compact: it holds clusters and no "
                      "pictures. Take the weights from the nearest cluster, or "
                      "choose another database."));
      return NULL;
    }
  if (! cam_lookup (loaded->db, observation, settings->transfer, &lookup,
                    error))
    return NULL;
  explanation = explanation_new (observation, lookup.match.weights,
                                 cam_cluster_db_info (loaded->db)->n_channels,
                                 settings->top_k, error);
  if (! explanation)
    return NULL;
  explanation->lookup = lookup;
  explanation->name = layer_name (&lookup, FALSE, explanation->n_kept,
                                  observation->activations->shape.dims[0]);
  explanation->provenance =
      cam_provenance_json (loaded->model,
                           cam_explainer_layer (loaded->explainer), loaded->db,
                           &explanation->lookup, settings->top_k);
  return explanation;
}

CamExplanation *
cam_explanation_of_weights (const CamLoaded *loaded,
                            const CamObservation *observation,
                            const CamOwnWeights *own, gboolean triplet,
                            const CamOptions *settings, GError **error)
{
  CamExplanation *explanation = explanation_new (observation, own->weights,
                                                 own->n_weights,
                                                 settings->top_k, error);

  if (! explanation)
    return NULL;
  if (explanation->map->empty == CAM_EMPTY_WEIGHTLESS)
    explanation->map->empty = own->flat;
  explanation->lookup.cluster = -1;
  explanation->name = layer_name (&explanation->lookup, triplet,
                                  explanation->n_kept,
                                  observation->activations->shape.dims[0]);
  explanation->provenance =
      cam_provenance_json (loaded->model,
                           cam_explainer_layer (loaded->explainer), NULL, NULL,
                           settings->top_k);
  return explanation;
}

/* ---- the map as JSON ---- */

static void
add_number (JsonBuilder *builder, const char *name, double value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_double_value (builder, value);
}

static void
add_integer (JsonBuilder *builder, const char *name, int value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

char *
cam_heat_map_to_json (const CamHeatMap *map, const CamView *view)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  add_integer (builder, "width", map->width);
  add_integer (builder, "height", map->height);
  add_integer (builder, "picture-width", view->width);
  add_integer (builder, "picture-height", view->height);
  add_integer (builder, "input-width", view->input_width);
  add_integer (builder, "input-height", view->input_height);
  add_number (builder, "seen-x", view->x);
  add_number (builder, "seen-y", view->y);
  add_number (builder, "seen-width", view->w);
  add_number (builder, "seen-height", view->h);
  json_builder_set_member_name (builder, "values");
  json_builder_begin_array (builder);
  for (int i = 0; i < map->width * map->height; i++)
    json_builder_add_double_value (builder, map->values[i]);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
  return cam_json_text (builder, FALSE);
}

static gboolean
read_view (JsonObject *object, CamView *view)
{
  view->width = json_object_get_int_member_with_default (object,
                                                         "picture-width", 0);
  view->height = json_object_get_int_member_with_default (object,
                                                          "picture-height", 0);
  view->input_width =
      json_object_get_int_member_with_default (object, "input-width", 0);
  view->input_height =
      json_object_get_int_member_with_default (object, "input-height", 0);
  view->x = json_object_get_double_member_with_default (object, "seen-x", 0);
  view->y = json_object_get_double_member_with_default (object, "seen-y", 0);
  view->w = json_object_get_double_member_with_default (object, "seen-width",
                                                        0);
  view->h = json_object_get_double_member_with_default (object, "seen-height",
                                                        0);
  return view->width > 0 && view->height > 0 && view->w > 0 && view->h > 0
         && isfinite (view->x + view->y + view->w + view->h);
}

static gboolean
is_number (JsonNode *node)
{
  return JSON_NODE_HOLDS_VALUE (node)
         && (json_node_get_value_type (node) == G_TYPE_DOUBLE
             || json_node_get_value_type (node) == G_TYPE_INT64);
}

static CamHeatMap *
read_map (JsonObject *object)
{
  g_autoptr (CamHeatMap) map = g_new0 (CamHeatMap, 1);
  gint64 w = json_object_get_int_member_with_default (object, "width", 0);
  gint64 h = json_object_get_int_member_with_default (object, "height", 0);
  JsonNode *node = json_object_get_member (object, "values");
  JsonArray *values = node && JSON_NODE_HOLDS_ARRAY (node)
                          ? json_node_get_array (node)
                          : NULL;

  if (w <= 0 || h <= 0 || w > G_MAXUINT16 || h > G_MAXUINT16 || ! values
      || json_array_get_length (values) != w * h)
    return NULL;
  map->width = w;
  map->height = h;
  map->values = g_new (float, w * h);
  for (int i = 0; i < w * h; i++)
    {
      JsonNode *value = json_array_get_element (values, i);

      if (! is_number (value))
        return NULL;
      map->values[i] = json_node_get_double (value);
      if (! (map->values[i] >= 0 && map->values[i] <= FLT_MAX))
        return NULL;
      map->maximum = MAX (map->maximum, map->values[i]);
    }
  return g_steal_pointer (&map);
}

CamHeatMap *
cam_heat_map_from_json (const char *json, CamView *view, GError **error)
{
  g_autoptr (JsonNode) root = json_from_string (json, error);
  CamHeatMap *map = NULL;

  if (! root)
    return NULL;
  if (JSON_NODE_HOLDS_OBJECT (root)
      && read_view (json_node_get_object (root), view))
    map = read_map (json_node_get_object (root));
  if (! map)
    g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_NOTHING,
                 _ ("The layer's record of its heat map is damaged: make the "
                    "overlay again."));
  return map;
}
