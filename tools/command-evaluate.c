/* command-evaluate.c -- "camlens evaluate": explanations held against masks */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "tools/command.h"
#include "tools/commands.h"
#include "tools/evaluate.h"
#include "tools/picture.h"

#define NAME "evaluate"

static const char text[] = N_ (
    "Measures maps made in all the ways that the method knows, and by its "
    "controls:\nenergy in the mask, IoU, boxes, pointing, and (without "
    "masks) deletion and\ninsertion of the embedding's similarity, with 95 % "
    "bootstrap intervals.\n\nMASKS/a/b.png is the mask of IMAGES/a/b.jpg: "
    "anything but background (black,\ntransparent) is the object. Labels are "
    "the names of folders, or of a CSV\n“path,label”; boxes a CSV "
    "“path,x,y,width,height”. --train names the pictures that\ntriplets are "
    "drawn from.\n\n--sweep "
    "tries target layers and scores instead, chooses on one half of the\n"
    "pictures and reports on the other.");

static gboolean
open_databases (Evaluation *e, GError **error)
{
  char **paths = e->options->databases;

  e->databases =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_cluster_db_free);
  e->layers = g_ptr_array_new_with_free_func (g_free);
  for (int i = 0; paths != NULL && paths[i] != NULL; i++)
    {
      CamClusterDb *db = cam_cluster_db_open (paths[i], error);
      g_autoptr (CamExplainer) explainer = NULL;
      const char *layer;

      if (db == NULL)
        return FALSE;
      g_ptr_array_add (e->databases, db);
      layer = cam_cluster_db_info (db)->layer;
      explainer = cam_explainer_new (e->model, layer, FALSE, 1, error);
      if (explainer != NULL)
        g_ptr_array_add (e->layers, g_strdup (cam_explainer_layer (explainer)));
      if (explainer == NULL
          || ! cam_cluster_db_fits (db, cam_model_digest (e->model),
                                    cam_explainer_embedding_dim (explainer),
                                    cam_explainer_channels (explainer), error))
        return FALSE;
    }
  return TRUE;
}

/* Mean weights of all clusters, by how many pictures they are of */
static float *
mean_of_all (const CamClusterDb *db)
{
  const CamClusterDbInfo *info = cam_cluster_db_info (db);
  g_autofree double *sum = g_new0 (double, info->n_channels);
  float *mean = g_new0 (float, info->n_channels);
  double total = 0.0;

  for (int c = 0; c < info->n_clusters; c++)
    {
      int members;
      const float *weights = cam_cluster_db_weights (db, c, &members);

      members = MAX (members, 1);
      total += members;
      for (int k = 0; k < info->n_channels; k++)
        sum[k] += (double) members * weights[k];
    }
  for (int k = 0; k < info->n_channels; k++)
    mean[k] = (float) (sum[k] / total);
  return mean;
}

typedef struct
{
  Evaluation *e;
  CamEmbedder *embedder;
  gint64 first;
} Training;

static void
embed_one (gint64 tile, int thread, gpointer data)
{
  Training *training = data;
  EvaluateData *d = &training->e->data;
  gint64 index = training->first + tile;
  EvaluatePicture *picture = g_ptr_array_index (d->train, index);
  g_autoptr (CamTensor) input = NULL;
  g_autoptr (GError) error = NULL;

  input = picture_load_input (picture->path, &training->e->model->input, NULL,
                              &error);
  if (input != NULL
      && cam_embedder_run (training->embedder, thread, input,
                           d->train_embeddings + index * training->e->dim,
                           &error))
    return;
  evaluate_note_left_out (picture, error);
  g_atomic_int_inc (&training->e->data.n_left_out);
  picture->label = -1; /* takes no part in triplets */
}

static gboolean
embed_training (Evaluation *e, GError **error)
{
  EvaluateData *d = &e->data;
  int chunk = 8 * cam_threads_count (e->threads);
  g_autoptr (CamEmbedder)
      embedder = cam_embedder_new (e->model, cam_threads_count (e->threads),
                                   error);
  Training training = { e, embedder, 0 };

  if (embedder == NULL)
    return FALSE;
  e->dim = cam_embedder_dim (embedder);
  if (d->train == NULL)
    return TRUE;
  d->train_embeddings = g_new0 (float, (gsize) d->train->len * e->dim);
  for (guint i = 0; i < d->train->len; i += chunk)
    {
      guint n = MIN ((guint) chunk, d->train->len - i);

      training.first = i;
      cam_threads_run (e->threads, n, embed_one, &training);
      progress_show (e->progress, NC_ ("stage", "training pictures"), i + n,
                     d->train->len);
    }
  return TRUE;
}

static gboolean
prepare (Evaluation *e, GError **error)
{
  guint n = e->data.pictures->len;
  const char *layer = NULL;

  e->model = command_open_model (e->options->model, error);
  if (e->model == NULL || ! open_databases (e, error))
    return FALSE;
  if (e->layers->len == 0)
    {
      g_autoptr (CamExplainer)
          explainer = cam_explainer_new (e->model, NULL, FALSE, 1, error);

      if (explainer == NULL)
        return FALSE;
      layer = cam_explainer_layer (explainer);
      g_ptr_array_add (e->layers, g_strdup (layer));
    }
  e->threads = cam_threads_new (e->options->n_threads);
  if (! embed_training (e, error))
    return FALSE;
  e->global = g_new0 (float *, e->databases->len + 1);
  for (guint i = 0; i < e->databases->len; i++)
    e->global[i] = mean_of_all (g_ptr_array_index (e->databases, i));
  evaluate_add_rows (e);
  e->scores = g_new0 (EvaluateScore, (gsize) n *e->rows->len);
  e->embeddings = g_new0 (float, (gsize) n *e->dim);
  e->embedded = g_new0 (gboolean, n);
  e->centre = g_new0 (float, n);
  e->mask_area = g_new0 (double, n);
  return TRUE;
}

static void
evaluation_clear (Evaluation *e)
{
  gsize n_scores = e->rows != NULL
                       ? (gsize) e->data.pictures->len * e->rows->len
                       : 0;

  for (gsize i = 0; e->scores != NULL && i < n_scores; i++)
    {
      g_clear_pointer (&e->scores[i].map, cam_heat_map_free);
      g_clear_pointer (&e->scores[i].curves, g_free);
    }
  for (guint i = 0; e->global != NULL && i < e->databases->len; i++)
    g_free (e->global[i]);
  g_free (e->global);
  g_free (e->scores);
  g_free (e->embeddings);
  g_free (e->embedded);
  g_free (e->centre);
  g_free (e->mask_area);
  g_clear_pointer (&e->rows, g_ptr_array_unref);
  g_clear_pointer (&e->layers, g_ptr_array_unref);
  g_clear_pointer (&e->databases, g_ptr_array_unref);
  g_clear_pointer (&e->threads, cam_threads_free);
  g_clear_pointer (&e->progress, progress_free);
  g_clear_pointer (&e->model, cam_model_unref);
  evaluate_data_clear (&e->data);
}

static int
evaluate (const EvaluateOptions *options, GError **error)
{
  Evaluation e = { .options = options };
  gboolean good;
  int status;

  if (options->report != NULL
      && ! evaluate_report_check (options->report, error))
    return COMMAND_FAILED;
  e.progress = progress_new (PROGRESS_PEOPLE);
  good = evaluate_read (&e.data, options, error) && prepare (&e, error)
         && evaluate_run (&e, error);
  progress_end (e.progress);
  if (good && options->json)
    evaluate_print_json (&e);
  else if (good)
    evaluate_print (&e);
  if (good && options->report != NULL)
    good = evaluate_report (&e, options->report, error);
  status = good ? command_done (e.data.n_left_out, options->skips_ok)
                : COMMAND_FAILED;
  evaluation_clear (&e);
  return status;
}

static gboolean
check_options (const EvaluateOptions *o, int argc)
{
  CamMining mining;

  if (argc > 1)
    command_misuse (NAME, _ ("pictures are named with --images FOLDER"));
  else if (o->images == NULL)
    command_misuse (NAME, _ ("name the pictures with --images FOLDER"));
  else if (o->sweep && (o->databases || o->boxes || o->train || o->mining))
    command_misuse (NAME, _ ("--sweep draws on --images, --masks and --labels "
                             "alone: leave out -d, --boxes, --train and "
                             "--mining"));
  else if (o->mining != NULL && ! cam_mining_parse (o->mining, &mining)
           && strcmp (o->mining, "database") != 0)
    command_misuse (NAME, _ ("--mining is random, semi-hard or database"));
  else if (g_strcmp0 (o->mining, "database") == 0 && o->databases == NULL)
    command_misuse (NAME, _ ("--mining database needs a database (-d)"));
  else
    return command_check_number (NAME, "top-k", o->top_k, 1, COMMAND_MANY)
           && command_check_number (NAME, "triplets", o->triplets, 1,
                                    COMMAND_MANY)
           && command_check_number (NAME, "faithfulness", o->sample, 0,
                                    COMMAND_MANY)
           && command_check_number (NAME, "seed", o->seed, 0, G_MAXINT64)
           && command_check_threads (NAME, "threads", o->n_threads);
  return FALSE;
}

static void
free_options (EvaluateOptions *o)
{
  g_free (o->model);
  g_free (o->images);
  g_free (o->masks);
  g_free (o->boxes);
  g_free (o->labels);
  g_free (o->train);
  g_free (o->report);
  g_free (o->mining);
  g_strfreev (o->databases);
}

int
command_evaluate (int argc, char **argv)
{
  EvaluateOptions o = { .top_k = 50, .triplets = 50, .sample = 40, .seed = 1 };
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o.model,
      N_ ("Installed model or .onnx file (default: the bundled one)"),
      "MODEL" },
    { "database", 'd', 0, G_OPTION_ARG_FILENAME_ARRAY, &o.databases,
      N_ ("Cluster database; may be given several times"), "DB" },
    { "images", 0, 0, G_OPTION_ARG_FILENAME, &o.images,
      N_ ("Pictures to explain, none of those that the database is of"),
      "FOLDER" },
    { "masks", 0, 0, G_OPTION_ARG_FILENAME, &o.masks, N_ ("Their masks"),
      "FOLDER" },
    { "boxes", 0, 0, G_OPTION_ARG_FILENAME, &o.boxes, N_ ("Their boxes"),
      "FILE.csv" },
    { "labels", 0, 0, G_OPTION_ARG_FILENAME, &o.labels,
      N_ ("Their labels (default: the names of their folders)"), "FILE.csv" },
    { "train", 0, 0, G_OPTION_ARG_FILENAME, &o.train,
      N_ ("Pictures that triplets are drawn from"), "FOLDER" },
    { "top-k", 'k', 0, G_OPTION_ARG_INT, &o.top_k,
      N_ ("Channels of the top-k rows (default 50)"), "K" },
    { "triplets", 0, 0, G_OPTION_ARG_INT, &o.triplets,
      N_ ("Of each picture (default 50)"), "T" },
    { "mining", 0, 0, G_OPTION_ARG_STRING, &o.mining,
      N_ ("How they are drawn (default random; database: as for -d)"),
      "random|semi-hard|database" },
    { "faithfulness", 0, 0, G_OPTION_ARG_INT, &o.sample,
      N_ ("Pictures that deletion and insertion are measured on (default 40)"),
      "N" },
    { "sweep", 0, 0, G_OPTION_ARG_NONE, &o.sweep,
      N_ ("Compare target layers and scores"), NULL },
    { "report", 0, 0, G_OPTION_ARG_FILENAME, &o.report,
      N_ ("Write a page with tables, plots and overlays"), "FOLDER" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &o.seed,
      N_ ("Of all draws (default 1)"), "N" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &o.n_threads,
      N_ ("Pictures at once (default: all cores)"), "N" },
    { "skips-ok", 0, 0, G_OPTION_ARG_NONE, &o.skips_ok,
      N_ ("Exit status 0, not 3, where pictures had to be left out"), NULL },
    { "max-pixels", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer) command_max_pixels,
      N_ ("Pixels that a picture may have, like 500M (default 200M)"), "N" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o.json, N_ ("Print JSON"), NULL },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  g_autoptr (GError) error = NULL;
  int status = COMMAND_USAGE;

  if (command_parse (&argc, &argv, "--images FOLDER", text, entries)
      && check_options (&o, argc))
    status = o.sweep ? evaluate_sweep (&o, &error) : evaluate (&o, &error);
  if (error != NULL)
    status = command_fail (NAME, g_steal_pointer (&error));
  free_options (&o);
  return status;
}
