/* provenance.c -- where an overlay comes from, as JSON */
#include "core/base/json.h"
#include "core/base/version.h"
#include "core/method/explainer.h"

static void
add_string (JsonBuilder *b, const char *name, const char *value)
{
  g_autofree char *text = g_utf8_make_valid (value,
                                             -1); /* JSON knows no other */

  json_builder_set_member_name (b, name);
  json_builder_add_string_value (b, text);
}

static void
add_int (JsonBuilder *b, const char *name, gint64 value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_int_value (b, value);
}

static void
add_double (JsonBuilder *b, const char *name, double value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_double_value (b, value);
}

/* What the nearest cluster holds, most frequent first, and how near the next
 * one is: a picture between two clusters has two explanations. */
static void
add_cluster (JsonBuilder *b, const CamClusterDb *db, const CamLookup *lookup)
{
  g_autoptr (CamCluster)
      cluster = cam_cluster_db_cluster (db, lookup->cluster, NULL);

  json_builder_set_member_name (b, "labels");
  json_builder_begin_array (b);
  for (guint i = 0; cluster != NULL && i < cluster->labels->len; i++)
    json_builder_add_string_value (b, g_array_index (cluster->labels,
                                                     CamLabelCount, i)
                                          .label);
  json_builder_end_array (b);
  if (cluster != NULL && cluster->lent_from >= 0
      && lookup->transfer == CAM_TRANSFER_CLUSTER)
    add_int (b, "lent_from", cluster->lent_from);
  if (lookup->second_cluster < 0)
    return;
  add_int (b, "second_cluster", lookup->second_cluster);
  add_double (b, "second_similarity", lookup->second_similarity);
}

static void
add_lookup (JsonBuilder *b, const CamClusterDb *db, const CamLookup *lookup)
{
  gboolean neighbour = lookup->transfer == CAM_TRANSFER_NEIGHBOUR;

  add_string (b, "database_digest", cam_cluster_db_digest (db));
  add_string (b, "transfer", neighbour ? "neighbour" : "cluster");
  add_int (b, "cluster", lookup->cluster);
  if (neighbour)
    add_int (b, "neighbour", lookup->match.index);
  add_double (b, "similarity", lookup->match.similarity);
  json_builder_set_member_name (b, "far");
  if (lookup->far_unknown)
    json_builder_add_null_value (b);
  else
    json_builder_add_boolean_value (b, lookup->far);
  add_cluster (b, db, lookup);
}

char *
cam_provenance_json (const CamModel *model, const char *layer,
                     const CamClusterDb *db, const CamLookup *lookup, int top_k)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_object (b);
  add_string (b, "program", "camlens");
  add_string (b, "version", cam_version ());
  add_string (b, "model", model->name);
  add_string (b, "model_digest", cam_model_digest (model));
  add_string (b, "layer", layer);
  if (db != NULL && lookup != NULL)
    add_lookup (b, db, lookup);
  else
    add_string (b, "transfer", "own gradient");
  add_int (b, "top_k", top_k);
  json_builder_end_object (b);
  return cam_json_text (b, TRUE);
}
