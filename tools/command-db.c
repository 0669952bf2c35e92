/* command-db.c -- camlens db: what is in a cluster database, in and out */
#include <glib/gi18n.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "core/base/version.h"
#include "core/builder/clustering.h"
#include "core/database/db-arrays.h"
#include "core/database/db-verify.h"
#include "core/database/db-writer.h"
#include "core/method/explainer.h"
#include "tools/command.h"
#include "tools/commands.h"

#define NAME "db"

static void
json_text (JsonBuilder *json, const char *name, const char *text)
{
  json_builder_set_member_name (json, name);
  if (text != NULL)
    json_builder_add_string_value (json, text);
  else
    json_builder_add_null_value (json);
}

static void
json_int (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
json_double (JsonBuilder *json, const char *name, double value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_double_value (json, value);
}

static void
json_info (JsonBuilder *json, const CamClusterDb *db)
{
  const CamClusterDbInfo *info = cam_cluster_db_info (db);
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, info->seed);

  json_text (json, "file", cam_cluster_db_path (db));
  json_text (json, "digest", cam_cluster_db_digest (db));
  json_text (json, "model", info->model_name);
  json_text (json, "model_digest", info->model_digest);
  json_text (json, "preprocessing", info->preprocessing);
  json_text (json, "layer", info->layer);
  json_text (json, "layout", info->layout);
  json_text (json, "layer_choice", info->layer_choice);
  json_text (json, "method", info->method);
  json_text (json, "score", info->score);
  json_text (json, "mining", info->mining);
  json_text (json, "metric", cam_metric_name (info->metric));
  json_int (json, "clusters", info->n_clusters);
  json_int (json, "pictures", info->n_pictures);
  json_int (json, "embedding_dim", info->embedding_dim);
  json_int (json, "channels", info->n_channels);
  json_int (json, "triplets", info->triplets);
  json_int (json, "restarts", info->restarts);
  json_text (json, "seed", seed);
  json_double (json, "margin", info->margin);
  json_double (json, "eps", info->eps);
  if (info->far_distance >= 0)
    json_double (json, "far_distance", info->far_distance);
  else
    json_text (json, "far_distance", NULL);
  json_text (json, "far_way", info->far_way);
  json_text (json, "program_version", info->program_version);
}

static gboolean
json_clusters (JsonBuilder *json, const CamClusterDb *db, GError **error)
{
  json_builder_set_member_name (json, "members");
  json_builder_begin_array (json);
  for (int i = 0; i < cam_cluster_db_info (db)->n_clusters; i++)
    {
      g_autoptr (CamCluster) cluster = cam_cluster_db_cluster (db, i, error);

      if (cluster == NULL)
        return FALSE;
      json_builder_begin_object (json);
      json_int (json, "size", cluster->n_members);
      if (cluster->lent_from >= 0)
        json_int (json, "lent_from", cluster->lent_from);
      json_builder_set_member_name (json, "labels");
      json_builder_begin_object (json);
      for (guint j = 0; j < cluster->labels->len; j++)
        {
          CamLabelCount *l = &g_array_index (cluster->labels, CamLabelCount, j);

          json_int (json, l->label, l->count);
        }
      json_builder_end_object (json);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  return TRUE;
}

static gboolean
print_json (const CamClusterDb *db, GError **error)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  json_info (json, db);
  if (! json_clusters (json, db, error))
    return FALSE;
  json_builder_end_object (json);
  command_print_json (json, TRUE);
  return TRUE;
}

typedef struct
{
  const char *name;
  const char *value; /* NULL: no line */
} Line;

static void
print_lines (const Line *lines, int n)
{
  int width = 0;

  for (int i = 0; i < n; i++)
    width = MAX (width, command_width (lines[i].name));
  for (int i = 0; i < n; i++)
    if (lines[i].value != NULL)
      {
        command_cell (lines[i].name, width);
        command_print (stdout, "  %s\n", lines[i].value);
      }
}

static void
print_clusters (const CamClusterDb *db)
{
  const char *heads[] = { C_ ("column", "cluster"), C_ ("column", "members") };
  int widths[] = { MAX (7, command_width (heads[0])),
                   MAX (7, command_width (heads[1])) };

  printf ("\n");
  for (int i = 0; i < 2; i++)
    {
      command_cell (heads[i], -widths[i]);
      printf ("  ");
    }
  printf ("%s\n", C_ ("column", "labels"));
  for (int i = 0; i < cam_cluster_db_info (db)->n_clusters; i++)
    {
      g_autoptr (CamCluster) cluster = cam_cluster_db_cluster (db, i, NULL);

      if (cluster == NULL)
        continue;
      printf ("%*d  %*d ", widths[0], i, widths[1], cluster->n_members);
      for (guint j = 0; j < MIN (cluster->labels->len, 3); j++)
        {
          CamLabelCount *l = &g_array_index (cluster->labels, CamLabelCount, j);

          command_print (stdout, "%s %s (%d)", j ? "," : "", l->label,
                         l->count);
        }
      if (cluster->labels->len > 3)
        printf (_ (", %d more"), cluster->labels->len - 3);
      if (cluster->lent_from >= 0)
        {
          printf ("; ");
          printf (_ ("weights lent by cluster %d"), cluster->lent_from);
        }
      printf ("\n");
    }
}

/* (transfer full) */
static char *
describe_sizes (const CamClusterDbInfo *info)
{
  g_autofree char *numbers = g_strdup_printf (ngettext ("%d number",
                                                        "%d numbers",
                                                        info->embedding_dim),
                                              info->embedding_dim);
  g_autofree char *channels =
      g_strdup_printf (ngettext ("%d channel", "%d channels", info->n_channels),
                       info->n_channels);
  g_autofree char *pictures =
      info->n_pictures == 0
          ? g_strdup (_ ("no pictures (compact)"))
          : g_strdup_printf (ngettext ("%d picture", "%d pictures",
                                       info->n_pictures),
                             info->n_pictures);

  /* how many clusters, of how many numbers; channels; pictures */
  return g_strdup_printf (_ ("%d of %s, %s, %s"), info->n_clusters, numbers,
                          channels, pictures);
}

/* (transfer full) */
static char *
describe_far (const CamClusterDbInfo *info)
{
  if (info->far_distance < 0)
    return g_strdup (_ ("unknown"));
  return g_strdup_printf (_ ("below a similarity of %.3f"),
                          1 - info->far_distance);
}

static void
print_text (const CamClusterDb *db)
{
  const CamClusterDbInfo *info = cam_cluster_db_info (db);
  g_autofree char *method =
      g_strdup_printf (/* a method, a number, a score, a way of mining */
                       ngettext ("%s, %d triplet, score %s, mining %s, "
                                 "margin %g, eps %g",
                                 "%s, %d triplets, score %s, mining %s, "
                                 "margin %g, eps %g",
                                 info->triplets),
                       info->method ? info->method : "", info->triplets,
                       info->score ? info->score : "",
                       info->mining ? info->mining : "", info->margin,
                       info->eps);
  g_autofree char *drawn =
      g_strdup_printf (ngettext ("%" PRIu64 ", k-means begun once",
                                 "%" PRIu64 ", k-means begun %d times",
                                 info->restarts),
                       info->seed, info->restarts);
  g_autofree char *sizes = describe_sizes (info);
  g_autofree char *far = describe_far (info);
  gboolean built = info->method != NULL;
  const Line lines[] = {
    { C_ ("field", "file"), cam_cluster_db_path (db) },
    { C_ ("field", "model"), info->model_name },
    { C_ ("field", "model digest"), info->model_digest },
    { C_ ("field", "preprocessing"), info->preprocessing },
    { C_ ("field", "layer"), info->layer },
    { C_ ("field", "layer choice"), info->layer_choice },
    { C_ ("field", "method"), built ? method : NULL },
    { C_ ("field", "seed"), built ? drawn : NULL },
    { C_ ("field", "metric"), cam_metric_name (info->metric) },
    { C_ ("field", "clusters"), sizes },
    { C_ ("field", "far"), far },
    { C_ ("field", "made by"), info->program_version },
  };

  print_lines (lines, G_N_ELEMENTS (lines));
  print_clusters (db);
}

static int
run_info (int argc, char **argv)
{
  gboolean json = FALSE;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &json, N_ ("as JSON"), NULL }, { 0 }
  };
  g_autoptr (CamClusterDb) db = NULL;
  g_autoptr (GError) error = NULL;

  if (! command_parse (&argc, &argv, "DB",
                       _ ("Says what a cluster database holds."), entries))
    return COMMAND_USAGE;
  if (argc != 2)
    return command_misuse (NAME " info", _ ("give one database"));
  db = cam_cluster_db_open (argv[1], &error);
  if (db == NULL || (json && ! print_json (db, &error)))
    return command_fail (NAME " info", g_steal_pointer (&error));
  if (! json)
    print_text (db);
  return COMMAND_OK;
}

static int
run_verify (int argc, char **argv)
{
  const GOptionEntry entries[] = { { 0 } };
  int status = COMMAND_OK;

  if (! command_parse (&argc, &argv, "DB…",
                       _ ("Checks that databases are whole and agree with"
                          " themselves."),
                       entries))
    return COMMAND_USAGE;
  if (argc < 2)
    return command_misuse (NAME " verify", _ ("give a database"));
  for (int i = 1; i < argc; i++)
    {
      GError *error = NULL;

      if (cam_db_verify (argv[i], NULL, &error))
        command_print (stdout, _ ("%s: good\n"), argv[i]);
      else
        status = command_fail (NAME " verify", error);
    }
  return status;
}

static int
run_export (int argc, char **argv)
{
  g_autofree char *folder = NULL;
  const GOptionEntry entries[] = { { "npy", 0, 0, G_OPTION_ARG_FILENAME,
                                     &folder, N_ ("folder for the arrays"),
                                     "DIR" },
                                   { 0 } };
  g_autoptr (GError) error = NULL;

  if (! command_parse (&argc, &argv, "DB --npy DIR",
                       _ ("Writes a database as NumPy's arrays: centroids.npy,"
                          " weights.npy, sizes.npy, labels.json, lookup.json, "
                          "and of its"
                          " pictures embeddings.npy, picture_weights.npy,"
                          " clusters.npy, triplets.npy, pictures.json."),
                       entries))
    return COMMAND_USAGE;
  if (argc != 2 || folder == NULL)
    return command_misuse (NAME " export",
                           _ ("give one database and --npy DIR"));
  if (! cam_db_export (argv[1], folder, &error))
    return command_fail (NAME " export", g_steal_pointer (&error));
  return COMMAND_OK;
}

static int
run_recluster (int argc, char **argv)
{
  int clusters = 0, restarts = 5;
  g_autofree char *out = NULL;
  const GOptionEntry entries[] = {
    { "clusters", 0, 0, G_OPTION_ARG_INT, &clusters, N_ ("how many"), "N" },
    { "restarts", 0, 0, G_OPTION_ARG_INT, &restarts, N_ ("of k-means (5)"),
      "N" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &out,
      N_ ("database to write (default: DB itself)"), "DB" },
    { 0 }
  };
  g_autoptr (GError) error = NULL;
  CamClusteringResult result;

  if (! command_parse (&argc, &argv, "DB --clusters N [-o DB]",
                       _ ("Clusters the pictures of a database anew, without "
                          "the"
                          " network."),
                       entries))
    return COMMAND_USAGE;
  if (argc != 2)
    return command_misuse (NAME " recluster",
                           _ ("give one database and --clusters N, 1 or more"));
  if (! command_check_number (NAME " recluster", "clusters", clusters, 1,
                              COMMAND_MANY)
      || ! command_check_number (NAME " recluster", "restarts", restarts, 1,
                                 1000))
    return COMMAND_USAGE;
  if (! cam_db_recluster (argv[1], out != NULL ? out : argv[1], clusters,
                          restarts, &result, NULL, &error))
    return command_fail (NAME " recluster", g_steal_pointer (&error));
  if (result.n_clusters < clusters)
    command_note (ngettext ("%d cluster instead of %d: there are no more "
                            "different embeddings",
                            "%d clusters instead of %d: there are no more "
                            "different embeddings",
                            result.n_clusters),
                  result.n_clusters, clusters);
  return COMMAND_OK;
}

typedef struct
{
  char *folder, *model, *layer, *metric, *out;
} ImportOptions;

/* What nobody said is judged, and told. */
static gboolean
judge_metric (const char *folder, CamMetric *metric, GError **error)
{
  gboolean judged;

  if (! cam_db_import_metric (folder, metric, &judged, error))
    return FALSE;
  if (judged && *metric == CAM_METRIC_COSINE)
    command_note (_ ("no --metric is given; the centroids have length 1, so "
                     "clusters are looked up by cosine"));
  else if (judged)
    command_note (_ ("no --metric is given; the centroids have other lengths "
                     "than 1, so clusters are looked up by euclidean distance"));
  return TRUE;
}

static int
import (const ImportOptions *options, CamMetric metric)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CamModel) model = NULL;
  g_autoptr (CamExplainer) explainer = NULL;
  CamClusterDbInfo info = { .metric = metric,
                            .far_distance = -1,
                            .program_version = cam_version () };

  if (cam_db_may_appear (options->out, &error)
      && (options->metric != NULL
          || judge_metric (options->folder, &info.metric, &error)))
    model = command_open_model (options->model, &error);
  if (model != NULL)
    explainer = cam_explainer_new (model, options->layer, FALSE, 1, &error);
  if (explainer == NULL)
    return command_fail (NAME " import", g_steal_pointer (&error));
  info.model_digest = cam_model_digest (model);
  info.model_name = model->name;
  info.layer = cam_explainer_layer (explainer);
  if (! cam_db_import (options->folder, &info,
                       cam_explainer_embedding_dim (explainer),
                       cam_explainer_channels (explainer), options->out,
                       &error))
    return command_fail (NAME " import", g_steal_pointer (&error));
  return COMMAND_OK;
}

static void
import_options_clear (ImportOptions *o)
{
  g_free (o->folder);
  g_free (o->model);
  g_free (o->layer);
  g_free (o->metric);
  g_free (o->out);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ImportOptions, import_options_clear)

static int
run_import (int argc, char **argv)
{
  g_auto (ImportOptions) o = { NULL };
  CamMetric metric = CAM_METRIC_COSINE;
  const GOptionEntry entries[] = {
    { "npy", 0, 0, G_OPTION_ARG_FILENAME, &o.folder,
      N_ ("folder with centroids.npy, weights.npy"), "DIR" },
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o.model,
      N_ ("network that the arrays are of"), "MODEL" },
    { "layer", 0, 0, G_OPTION_ARG_STRING, &o.layer,
      N_ ("layer that the weights are of"), "NAME" },
    { "metric", 0, 0, G_OPTION_ARG_STRING, &o.metric,
      N_ ("of the look-up: cosine or euclidean (default: that of lookup.json, "
          "else cosine where all centroids have length 1, else euclidean)"),
      "METRIC" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.out, N_ ("database to write"),
      "DB" },
    { 0 }
  };

  if (! command_parse (&argc, &argv, "--npy DIR -m MODEL --layer NAME -o DB",
                       _ ("Makes a database of arrays from elsewhere:"
                          " centroids.npy [clusters, D], weights.npy [clusters,"
                          " K]; optional sizes.npy, labels.json and"
                          " lookup.json."),
                       entries))
    return COMMAND_USAGE;
  if (argc != 1 || o.folder == NULL || o.model == NULL || o.layer == NULL
      || o.out == NULL)
    return command_misuse (NAME " import", _ ("give --npy DIR, -m MODEL, "
                                              "--layer NAME and -o DB"));
  if (o.metric != NULL && ! cam_metric_parse (o.metric, &metric))
    return command_misuse (NAME " import",
                           _ ("--metric is cosine or euclidean, not “%s”"),
                           o.metric);
  return import (&o, metric);
}

int
command_db (int argc, char **argv)
{
  static const Command commands[] = {
    { "info", N_ ("says what a database holds"), run_info },
    { "verify", N_ ("checks that a database is whole"), run_verify },
    { "recluster", N_ ("clusters a database's pictures anew"), run_recluster },
    { "export", N_ ("writes a database as NumPy's arrays"), run_export },
    { "import", N_ ("makes a database of NumPy's arrays"), run_import },
    { NULL, NULL, NULL },
  };
  gboolean help = argc > 1
                  && (strcmp (argv[1], "--help") == 0
                      || strcmp (argv[1], "-h") == 0);

  for (const Command *c = commands; argc > 1 && c->name != NULL; c++)
    if (strcmp (argv[1], c->name) == 0)
      {
        g_autofree char *full = g_strconcat (NAME " ", c->name, NULL);

        argv[1] = full; /* whom help and complaints speak of */
        return c->run (argc - 1, argv + 1);
      }
  if (argc > 1 && ! help)
    return command_misuse (NAME,
                           _ ("there is no “%s %s”; try “camlens %s"
                              " --help”"),
                           NAME, argv[1], NAME);
  fprintf (help ? stdout : stderr,
           _ ("Usage:\n  camlens db COMMAND [OPTION…]\n\n"));
  for (const Command *c = commands; c->name != NULL; c++)
    fprintf (help ? stdout : stderr, "  %-10s %s\n", c->name, _ (c->summary));
  return help ? COMMAND_OK : COMMAND_USAGE;
}
