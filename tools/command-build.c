/* command-build.c -- camlens build: a folder of pictures into a database */
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/version.h"
#include "tools/command.h"
#include "tools/commands.h"
#include "tools/csv.h"
#include "tools/labelled.h"
#include "tools/picture.h"
#include "tools/progress.h"
#include "tools/signals.h"

#define NAME "build"
#define THUMBNAIL_SIDE 96

typedef struct /* the command line */
{
  char *model, *out, *labels, *layer, *method, *score, *mining, *cache;
  gboolean continuous, resume, restart, compact, no_thumbnails, json, progress,
      quiet, skips_ok;
  int triplets, clusters, restarts, jobs;
  gint64 seed;
  double margin, eps;
} Arguments;

static void
arguments_clear (Arguments *a)
{
  g_free (a->model);
  g_free (a->out);
  g_free (a->labels);
  g_free (a->layer);
  g_free (a->method);
  g_free (a->score);
  g_free (a->mining);
  g_free (a->cache);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arguments, arguments_clear)

static gboolean
parse (Arguments *a, int *argc, char ***argv)
{
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &a->model,
      N_ ("network: installed name or .onnx file"), "MODEL" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &a->out,
      N_ ("database to write"), "DB" },
    { "labels", 0, 0, G_OPTION_ARG_FILENAME, &a->labels,
      N_ ("CSV of path,label (else: the folders' names)"), "FILE" },
    { "continuous", 0, 0, G_OPTION_ARG_NONE, &a->continuous,
      N_ ("labels are numbers: near ones are alike"), NULL },
    { "layer", 0, 0, G_OPTION_ARG_STRING, &a->layer,
      N_ ("target layer, or auto: by measurement (default)"), "NAME" },
    { "method", 0, 0, G_OPTION_ARG_STRING, &a->method,
      N_ ("gradcam (default) or gradcam++"), "METHOD" },
    { "score", 0, 0, G_OPTION_ARG_STRING, &a->score,
      N_ ("cosine (default), triplet, dot or dot-difference"), "SCORE" },
    { "mining", 0, 0, G_OPTION_ARG_STRING, &a->mining,
      N_ ("random or semi-hard (default: what fits the score)"), "MINING" },
    { "triplets", 0, 0, G_OPTION_ARG_INT, &a->triplets,
      N_ ("for each picture (50)"), "N" },
    { "margin", 0, 0, G_OPTION_ARG_DOUBLE, &a->margin,
      N_ ("of the triplet loss (0.2)"), "M" },
    { "eps", 0, 0, G_OPTION_ARG_DOUBLE, &a->eps,
      N_ ("of Grad-CAM++'s denominator (1e-6)"), "E" },
    { "clusters", 0, 0, G_OPTION_ARG_INT, &a->clusters,
      N_ ("of the embeddings (50)"), "N" },
    { "restarts", 0, 0, G_OPTION_ARG_INT, &a->restarts, N_ ("of k-means (5)"),
      "N" },
    { "seed", 0, 0, G_OPTION_ARG_INT64, &a->seed,
      N_ ("of triplets and clusters (1)"), "N" },
    { "jobs", 'j', 0, G_OPTION_ARG_INT, &a->jobs,
      N_ ("threads (default: all cores)"), "N" },
    { "max-pixels", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer) command_max_pixels,
      N_ ("Pixels that a picture may have, like 500M (default 200M)"), "N" },
    { "cache", 0, 0, G_OPTION_ARG_STRING, &a->cache,
      N_ ("scratch space beside DB for activations, like 500M (4G)"), "BYTES" },
    { "resume", 0, 0, G_OPTION_ARG_NONE, &a->resume,
      N_ ("go on with an interrupted build"), NULL },
    { "restart", 0, 0, G_OPTION_ARG_NONE, &a->restart,
      N_ ("begin again, and forget an interrupted one"), NULL },
    { "compact", 0, 0, G_OPTION_ARG_NONE, &a->compact,
      N_ ("keep clusters only, no pictures"), NULL },
    { "no-thumbnails", 0, 0, G_OPTION_ARG_NONE, &a->no_thumbnails,
      N_ ("keep no small pictures of the clusters' typical ones"), NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &a->json, N_ ("the summary as JSON"),
      NULL },
    { "progress", 0, 0, G_OPTION_ARG_NONE, &a->progress,
      N_ ("for programs: lines “progress DONE TOTAL RATE SECONDS-LEFT STAGE”"),
      NULL },
    { "quiet", 'q', 0, G_OPTION_ARG_NONE, &a->quiet, N_ ("show no progress"),
      NULL },
    { "skips-ok", 0, 0, G_OPTION_ARG_NONE, &a->skips_ok,
      N_ ("exit status 0, not 3, where pictures had to be left out"), NULL },
    { 0 }
  };

  return command_parse (
      argc, argv, "-m MODEL -o DB DIR|FILE…",
      _ ("Runs the network over the pictures, finds for each which channels "
         "place"
         " it where it lies, clusters their embeddings, and writes a database"
         " with which any picture can be explained by one forward pass.\n\n"
         "What is found is kept in DB.partial: an interrupted build goes on "
         "with"
         " --resume. Unreadable pictures are left out and listed; the exit "
         "status"
         " is then 3."),
      entries);
}

/* "500M" in bytes; FALSE where it is none. */
static gboolean
parse_bytes (const char *text, guint64 *bytes)
{
  static const char units[] = "KMGT";
  char *end;
  double number = g_ascii_strtod (text, &end);
  const char *unit = *end != '\0' ? strchr (units, g_ascii_toupper (*end))
                                  : NULL;

  if (end == text || ! (number >= 0) || number > 1e15
      || (*end != '\0' && (unit == NULL || end[1] != '\0')))
    return FALSE;
  if (unit != NULL)
    number *= pow (1024, (double) (unit - units) + 1);
  *bytes = number < 1e18 ? (guint64) number : (guint64) 1e18;
  return TRUE;
}

/* What cannot be is said. */
static gboolean
check_numbers (const Arguments *a)
{
  if (! (a->margin >= 0) || a->margin > 4)
    command_misuse (NAME, _ ("--margin is 0 to 4"));
  else if (! (a->eps >= 0) || a->eps > 1)
    command_misuse (NAME, _ ("--eps is 0 to 1"));
  else if (a->resume && a->restart)
    command_misuse (NAME, _ ("--resume or --restart, not both"));
  else
    return command_check_number (NAME, "triplets", a->triplets, 1, COMMAND_MANY)
           && command_check_number (NAME, "clusters", a->clusters, 1,
                                    COMMAND_MANY)
           && command_check_number (NAME, "restarts", a->restarts, 1, 1000)
           && command_check_number (NAME, "seed", a->seed, 0, G_MAXINT64)
           && command_check_threads (NAME, "jobs", a->jobs);
  return FALSE;
}

/* Fills in what the command line says; COMMAND_OK or COMMAND_USAGE. */
static int
read_arguments (const Arguments *a, CamBuildOptions *o)
{
  if (! check_numbers (a))
    return COMMAND_USAGE;
  if (a->method != NULL && ! cam_method_parse (a->method, &o->method))
    return command_misuse (NAME,
                           _ ("--method is gradcam or gradcam++, not “%s”"),
                           a->method);
  if (a->score != NULL && ! cam_score_parse (a->score, &o->score))
    return command_misuse (NAME,
                           _ ("--score is cosine, triplet, dot or"
                              " dot-difference, not “%s”"),
                           a->score);
  if (o->score == CAM_SCORE_TRIPLET)
    o->mining = CAM_MINING_SEMI_HARD;
  if (a->mining != NULL && ! cam_mining_parse (a->mining, &o->mining))
    return command_misuse (NAME,
                           _ ("--mining is random or semi-hard, not “%s”"),
                           a->mining);
  if (o->mining == CAM_MINING_SEMI_HARD && o->score == CAM_SCORE_DOT)
    return command_misuse (NAME,
                           _ ("--score dot has no negatives, so nothing to"
                              " mine"));
  if (a->cache != NULL && ! parse_bytes (a->cache, &o->cache_bytes))
    return command_misuse (NAME,
                           _ ("--cache is a number of bytes like 500M, not"
                              " “%s”"),
                           a->cache);
  if (g_strcmp0 (a->layer, "auto") != 0)
    o->layer = a->layer;
  o->continuous = a->continuous;
  o->n_triplets = a->triplets;
  o->margin = a->margin;
  o->eps = a->eps;
  o->n_clusters = a->clusters;
  o->restarts = a->restarts;
  o->seed = (guint64) a->seed;
  o->n_jobs = a->jobs;
  o->compact = a->compact;
  o->resume = a->resume;
  o->restart = a->restart;
  return COMMAND_OK;
}

typedef struct
{
  CamModel *model;
  Progress *progress;
  int n_unfound; /* names in the labels' file */
} Session;

static CamTensor *
load (const char *path, gpointer data, GError **error)
{
  return picture_load_input (path, &((Session *) data)->model->input, NULL,
                             error);
}

static GBytes *
thumbnail (const char *path, gpointer data)
{
  g_autoptr (GError) why = NULL;
  GBytes *bytes = picture_thumbnail (path, THUMBNAIL_SIDE, &why);

  if (bytes == NULL)
    command_note ("%s", why->message);
  return bytes;
}

static void
show (CamBuildStage stage, gint64 done, gint64 total, gpointer data)
{
  progress_show (((Session *) data)->progress, cam_build_stage_name (stage),
                 done, total);
}

static void
add_int (JsonBuilder *json, const char *name, gint64 value)
{
  json_builder_set_member_name (json, name);
  json_builder_add_int_value (json, value);
}

static void
add_text (JsonBuilder *json, const char *name, const char *text)
{
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, text);
}

static void
print_json (const CamBuildSummary *s, const char *out, int n_unfound,
            double seconds)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  add_text (json, "database", out);
  add_text (json, "layer", s->layer);
  if (s->layer_choice != NULL)
    add_text (json, "layer_choice", s->layer_choice);
  add_int (json, "pictures", s->n_pictures);
  add_int (json, "resumed", s->n_resumed);
  add_int (json, "changed", s->n_changed);
  add_int (json, "without_weights", s->n_alone);
  add_int (json, "clusters", s->n_clusters);
  add_int (json, "clusters_with_lent_weights", s->n_lent);
  add_int (json, "triplets", s->n_triplets);
  add_int (json, "active", s->n_active);
  add_int (json, "semi_hard", s->n_semi_hard);
  add_int (json, "labels_without_picture", n_unfound);
  json_builder_set_member_name (json, "seconds");
  json_builder_add_double_value (json, seconds);
  json_builder_set_member_name (json, "skipped");
  json_builder_begin_array (json);
  for (guint i = 0; s->skipped != NULL && i < s->skipped->len; i++)
    {
      const CamSkippedPicture *skipped = s->skipped->pdata[i];

      json_builder_begin_object (json);
      add_text (json, "path", skipped->name);
      add_text (json, "reason", skipped->reason);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
  json_builder_end_object (json);
  command_print_json (json, FALSE);
}

static void
print_notes (const CamBuildSummary *s)
{
  if (s->n_alone > 0)
    command_note (ngettext ("%d picture has no other of its label: kept for "
                            "its embedding, without channel weights",
                            "%d pictures have no other of their label: kept "
                            "for their embedding, without channel weights",
                            s->n_alone),
                  s->n_alone);
  if (s->n_clusters > 0 && s->n_clusters < s->n_wanted)
    command_note (ngettext ("%d cluster instead of %d: there are no more "
                            "different embeddings",
                            "%d clusters instead of %d: there are no more "
                            "different embeddings",
                            s->n_clusters),
                  s->n_clusters, s->n_wanted);
  if (s->n_lent > 0)
    command_note (ngettext ("%d cluster holds only such pictures: it uses the "
                            "weights of the cluster nearest to it",
                            "%d clusters hold only such pictures: they use "
                            "the weights of the cluster nearest to them",
                            s->n_lent),
                  s->n_lent);
  if (s->n_changed > 0)
    command_note (ngettext ("%d picture was changed since it was embedded, and "
                            "is embedded again: %s",
                            "%d pictures were changed since they were "
                            "embedded, "
                            "and are embedded again; the first is %s",
                            s->n_changed),
                  s->n_changed, s->changed);
  if (s->scratch_was_short)
    command_note (_ ("the disk has no room for all activations: some pictures "
                     "went through the network twice (--cache says how much "
                     "is used)"));
  if (s->n_below > 0)
    command_note (_ ("%ld positions had a Grad-CAM++ denominator that is not"
                     " positive and count as 0 (a layer with negative"
                     " activations?)"),
                  (long) s->n_below);
  for (guint i = 0; s->skipped != NULL && i < s->skipped->len; i++)
    {
      const CamSkippedPicture *skipped = s->skipped->pdata[i];

      command_note (_ ("left out: %s: %s"), skipped->name, skipped->reason);
    }
}

static void
print_summary (const CamBuildSummary *s, const char *out, double seconds)
{
  g_autofree char *pictures = NULL, *clusters = NULL;

  if (s->was_complete)
    {
      command_print (stdout, _ ("%s is complete already.\n"), out);
      return;
    }
  if (s->n_active < s->n_triplets)
    printf (_ ("Of %ld triplets %.1f %% are inside the margin (%.1f %% "
               "semi-hard).\n"),
            (long) s->n_triplets,
            100.0 * (double) s->n_active / (double) s->n_triplets,
            100.0 * (double) s->n_semi_hard / (double) s->n_triplets);
  pictures = g_strdup_printf (ngettext ("%d picture", "%d pictures",
                                        s->n_pictures),
                              s->n_pictures);
  clusters = g_strdup_printf (ngettext ("%d cluster", "%d clusters",
                                        s->n_clusters),
                              s->n_clusters);
  /* a file, pictures, clusters */
  command_print (stdout, _ ("%s: %s, %s, layer %s, in %.1f s"), out, pictures,
                 clusters, s->layer, seconds);
  if (s->n_resumed > 0)
    printf (_ (" (%d of them embedded before)"), s->n_resumed);
  else
    printf (_ (" (%.1f pictures a second)"),
            s->n_pictures / MAX (seconds, 1e-6));
  if (s->skipped != NULL && s->skipped->len > 0)
    printf (ngettext (", %u left out", ", %u left out", s->skipped->len),
            s->skipped->len);
  printf ("\n");
}

static int
fail (const char *out, GError *error)
{
  g_autofree char *partial = g_strconcat (out, ".partial", NULL);
  gboolean kept = g_file_test (partial, G_FILE_TEST_EXISTS)
                  && (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
                      || g_error_matches (error, CAM_CLUSTER_DB_ERROR,
                                          CAM_CLUSTER_DB_ERROR_WRITE));
  int status = command_fail (NAME, error);

  if (kept)
    command_note (_ ("what was done is in %s: the same command with --resume"
                     " goes on"),
                  partial);
  return status;
}

/* For who watches and is not the parent */
static void
print_status (int status)
{
  printf ("status %d\n", status);
}

static int
build (const Arguments *a, CamBuildOptions *o, Progress *progress)
{
  g_autoptr (GCancellable) cancellable = cancel_on_signal ();
  g_auto (CamBuildSummary) summary = { 0 };
  gint64 begun = g_get_monotonic_time ();
  GError *error = NULL;
  double seconds;
  int status;

  if (! cam_build_database (o, a->out, &summary, cancellable, &error))
    return fail (a->out, error);
  seconds = (double) (g_get_monotonic_time () - begun) / G_USEC_PER_SEC;
  progress_end (progress);
  print_notes (&summary);
  status = command_done (summary.skipped != NULL ? summary.skipped->len : 0,
                         a->skips_ok);
  if (a->progress)
    print_status (status);
  if (a->json)
    print_json (&summary, a->out, ((Session *) o->data)->n_unfound, seconds);
  else
    print_summary (&summary, a->out, seconds);
  return status;
}

static int
run (const Arguments *a, CamBuildOptions *o, char **paths, int n_paths)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CamModel) model = NULL;
  g_autoptr (Labelled) labelled = labelled_new (paths, n_paths, a->labels,
                                                a->continuous, &error);
  g_autoptr (Progress) progress = progress_new (a->progress ? PROGRESS_PROGRAM
                                                : a->quiet  ? PROGRESS_NONE
                                                            : PROGRESS_PEOPLE);
  Session session = { .progress = progress };

  if (labelled != NULL)
    model = command_open_model (a->model, &error);
  if (model == NULL)
    return command_fail (NAME, g_steal_pointer (&error));
  for (int i = 0; model->guesses != NULL && model->guesses[i] != NULL; i++)
    command_note ("%s", model->guesses[i]);
  if (labelled->n_unlabelled > 0)
    command_note (a->continuous
                      ? ngettext ("%d picture is not in %s and is left out",
                                  "%d pictures are not in %s and are left out",
                                  labelled->n_unlabelled)
                      : ngettext ("%d picture is not in %s",
                                  "%d pictures are not in %s",
                                  labelled->n_unlabelled),
                  labelled->n_unlabelled, a->labels);
  csv_note_unfound (a->labels, labelled->n_unfound, labelled->unfound);
  session.model = model;
  session.n_unfound = labelled->n_unfound;
  o->model = model;
  o->pictures = (const CamBuildPicture *) (void *) labelled->pictures->data;
  o->n_pictures = (int) labelled->pictures->len;
  o->program_version = cam_version ();
  o->load = load;
  o->thumbnail = a->no_thumbnails ? NULL : thumbnail;
  o->progress = show;
  o->data = &session;
  return build (a, o, progress);
}

int
command_build (int argc, char **argv)
{
  g_auto (Arguments) a = { .triplets = 50,
                           .margin = 0.2,
                           .eps = 1e-6,
                           .clusters = 50,
                           .restarts = 5,
                           .seed = 1 };
  CamBuildOptions options = { .cache_bytes = (guint64) 4 << 30 };
  int status;

  if (! parse (&a, &argc, &argv))
    return COMMAND_USAGE;
  if (a.model == NULL || a.out == NULL || argc < 2)
    return command_misuse (NAME, _ ("give -m MODEL, -o DB and pictures"));
  status = read_arguments (&a, &options);
  if (status == COMMAND_OK)
    status = run (&a, &options, argv + 1, argc - 1);
  if (a.progress && status != COMMAND_OK && status != COMMAND_LEFT_OUT)
    print_status (status);
  return status;
}
