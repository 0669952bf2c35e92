/* explain-report.c -- an explanation as JSON and as a sentence */
#include "tools/explain.h"

#include <glib/gi18n.h>

#define MAX_LABELS 5

static void
add_string (JsonBuilder *b, const char *name, const char *value)
{
  json_builder_set_member_name (b, name);
  if (value != NULL)
    json_builder_add_string_value (b, value);
  else
    json_builder_add_null_value (b);
}

static void
add_double (JsonBuilder *b, const char *name, double value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_double_value (b, value);
}

static void
add_int (JsonBuilder *b, const char *name, gint64 value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_int_value (b, value);
}

static void
add_boolean (JsonBuilder *b, const char *name, gboolean value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_boolean_value (b, value);
}

static void
add_labels (JsonBuilder *b, const CamCluster *cluster)
{
  json_builder_set_member_name (b, "labels");
  json_builder_begin_array (b);
  for (guint i = 0; i < cluster->labels->len; i++)
    {
      const CamLabelCount *count = &g_array_index (cluster->labels,
                                                   CamLabelCount, i);

      json_builder_begin_object (b);
      add_string (b, "label", count->label);
      add_int (b, "count", count->count);
      json_builder_end_object (b);
    }
  json_builder_end_array (b);
}

static void
add_exemplar (JsonBuilder *b, const CamExemplar *exemplar)
{
  json_builder_begin_object (b);
  add_string (b, "name", exemplar->name);
  add_string (b, "label", exemplar->label);
  json_builder_end_object (b);
}

static void
add_cluster (const ExplainSession *session, const CamLookup *lookup,
             JsonBuilder *b)
{
  g_autoptr (CamCluster)
      cluster = cam_cluster_db_cluster (session->db, lookup->cluster, NULL);

  add_int (b, "cluster", lookup->cluster);
  add_double (b, "similarity", lookup->match.similarity);
  if (lookup->far_unknown)
    {
      json_builder_set_member_name (b, "far");
      json_builder_add_null_value (b);
    }
  else
    add_boolean (b, "far", lookup->far);
  if (cluster == NULL)
    return;
  if (cluster->lent_from >= 0 && lookup->transfer == CAM_TRANSFER_CLUSTER)
    add_int (b, "lent_from", cluster->lent_from);
  add_int (b, "members", cluster->n_members);
  add_labels (b, cluster);
  json_builder_set_member_name (b, "exemplars");
  json_builder_begin_array (b);
  for (guint i = 0; i < cluster->exemplars->len; i++)
    add_exemplar (b, g_ptr_array_index (cluster->exemplars, i));
  json_builder_end_array (b);
}

static void
add_neighbour (const ExplainSession *session, const CamLookup *lookup,
               JsonBuilder *b)
{
  CamExemplar *picture = cam_cluster_db_picture (session->db,
                                                 lookup->match.index, NULL);

  if (picture == NULL)
    return;
  json_builder_set_member_name (b, "neighbour");
  add_exemplar (b, picture);
  cam_exemplar_free (picture);
}

static void
add_channels (const Explanation *explanation, int n_channels, JsonBuilder *b)
{
  g_autofree int *channels = g_new (int, n_channels);
  int n = cam_top_channels (explanation->alpha, n_channels, explanation->top_k,
                            channels);

  json_builder_set_member_name (b, "channels");
  json_builder_begin_array (b);
  for (int i = 0; i < n; i++)
    {
      json_builder_begin_object (b);
      add_int (b, "channel", channels[i]);
      add_double (b, "weight", explanation->alpha[channels[i]]);
      json_builder_end_object (b);
    }
  json_builder_end_array (b);
}

/* [x, y, width, height] in picture pixels, or null */
static void
add_box (const Explanation *explanation, JsonBuilder *b)
{
  const CamBox *box = &explanation->box;

  json_builder_set_member_name (b, "box");
  if (! explanation->has_box)
    {
      json_builder_add_null_value (b);
      return;
    }
  json_builder_begin_array (b);
  json_builder_add_int_value (b, box->x0);
  json_builder_add_int_value (b, box->y0);
  json_builder_add_int_value (b, box->x1 - box->x0);
  json_builder_add_int_value (b, box->y1 - box->y0);
  json_builder_end_array (b);
}

static void
add_files (const Explanation *explanation, JsonBuilder *b)
{
  const char *names[] = { "composite", "overlay", "heatmap" };
  const char *paths[] = { explanation->composite != NULL
                              ? explanation->composite
                              : explanation->out,
                          explanation->overlay, explanation->heatmap };

  json_builder_set_member_name (b, "files");
  json_builder_begin_object (b);
  for (int i = 0; i < 3; i++)
    if (paths[i] != NULL)
      add_string (b, names[i], paths[i]);
  json_builder_end_object (b);
}

static void
add_seconds (const Explanation *explanation, JsonBuilder *b)
{
  static const char *const names[] = { "decode", "forward", "map", "write" };

  json_builder_set_member_name (b, "seconds");
  json_builder_begin_object (b);
  for (int i = 0; i < 4; i++)
    add_double (b, names[i], explanation->seconds[i]);
  json_builder_end_object (b);
}

void
explain_add_json (const ExplainSession *session, const Explanation *explanation,
                  JsonBuilder *b)
{
  CamEmpty empty = explanation->map != NULL ? explanation->map->empty
                                            : CAM_EMPTY_NOT;

  json_builder_begin_object (b);
  add_string (b, "picture", explanation->path);
  if (explanation->error != NULL)
    {
      add_string (b, "error", explanation->error->message);
      json_builder_end_object (b);
      return;
    }
  add_string (b, "model", session->model->name);
  add_string (b, "layer", cam_explainer_layer (session->explainer));
  if (session->db != NULL)
    {
      gboolean cluster = explanation->lookup.transfer == CAM_TRANSFER_CLUSTER;

      add_string (b, "database", cam_cluster_db_path (session->db));
      add_string (b, "transfer", cluster ? "cluster" : "neighbour");
      add_cluster (session, &explanation->lookup, b);
      if (! cluster)
        add_neighbour (session, &explanation->lookup, b);
    }
  else
    {
      add_string (b, "transfer", "own gradient");
      add_string (b, "positive", session->options->positive);
      add_string (b, "negative", session->options->negative);
    }
  add_int (b, "top_k", explanation->top_k);
  add_channels (explanation, cam_explainer_channels (session->explainer), b);
  add_boolean (b, "empty", explanation->map->maximum <= 0.0f);
  if (empty != CAM_EMPTY_NOT)
    add_string (b, "empty_reason", cam_empty_word (empty));
  add_double (b, "maximum", explanation->map->maximum);
  add_box (explanation, b);
  add_files (explanation, b);
  add_seconds (explanation, b);
  json_builder_end_object (b);
}

/* "monarch 31, peacock 2" */
static void
say_labels (GString *text, const CamCluster *cluster)
{
  guint n = MIN (cluster->labels->len, MAX_LABELS);

  for (guint i = 0; i < n; i++)
    {
      const CamLabelCount *count = &g_array_index (cluster->labels,
                                                   CamLabelCount, i);

      g_string_append_printf (text, "%s%s %d", i == 0 ? " (" : ", ",
                              count->label, count->count);
    }
  if (n > 0)
    g_string_append (text, cluster->labels->len > n ? ", …)" : ")");
}

static void
say_cluster (GString *text, const ExplainSession *session,
             const CamLookup *lookup)
{
  g_autoptr (CamCluster)
      cluster = cam_cluster_db_cluster (session->db, lookup->cluster, NULL);
  g_autoptr (GString) labels = g_string_new (NULL);

  if (cluster != NULL)
    say_labels (labels, cluster);
  /* the second is "" or, with its blank, " (monarch 31, peacock 2)" */
  g_string_append_printf (text, _ ("cluster %d%s, similarity %.2f"),
                          lookup->cluster, labels->str,
                          lookup->match.similarity);
  if (cluster != NULL && cluster->lent_from >= 0)
    {
      g_string_append (text, ", ");
      g_string_append_printf (text, _ ("weights lent by cluster %d"),
                              cluster->lent_from);
    }
}

static void
say_neighbour (GString *text, const ExplainSession *session,
               const CamLookup *lookup)
{
  CamExemplar *picture = cam_cluster_db_picture (session->db,
                                                 lookup->match.index, NULL);

  if (picture != NULL && picture->label != NULL)
    g_string_append_printf (text,
                            _ ("nearest picture %s (%s), similarity %.2f"),
                            picture->name, picture->label,
                            lookup->match.similarity);
  else
    g_string_append_printf (text, _ ("nearest picture %s, similarity %.2f"),
                            picture != NULL ? picture->name : "?",
                            lookup->match.similarity);
  g_clear_pointer (&picture, cam_exemplar_free);
}

char *
explain_sentence (const ExplainSession *session, const Explanation *explanation)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *channels = NULL;
  int n_channels = cam_explainer_channels (session->explainer);
  const char *layer = cam_explainer_layer (session->explainer);

  if (session->db != NULL
      && explanation->lookup.transfer == CAM_TRANSFER_NEIGHBOUR)
    say_neighbour (text, session, &explanation->lookup);
  else if (session->db != NULL)
    say_cluster (text, session, &explanation->lookup);
  else
    g_string_append (text, session->options->negative != NULL
                               ? _ ("own gradient of the triplet")
                               : _ ("own gradient of the pair"));
  if (explanation->top_k < n_channels)
    channels = g_strdup_printf (_ ("top %d of %d channels of %s"),
                                explanation->top_k, n_channels, layer);
  else
    channels = g_strdup_printf (ngettext ("the %d channel of %s",
                                          "all %d channels of %s", n_channels),
                                n_channels, layer);
  /* where the weights come from, and which of them are kept */
  return g_strdup_printf (_ ("%s, %s"), text->str, channels);
}
