/* command-explain.c -- "camlens explain"
 *
 * Pictures are jobs of a pool: decoding, colouring and writing of several go on
 * at once, the forward pass is one picture's at a time with all cores.  Answers
 * are printed in the order of the command line.
 */
#include "tools/commands.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/base/whole-file.h"
#include "tools/command.h"
#include "tools/explain.h"
#include "tools/picture-write.h"
#include "tools/places.h"
#include "tools/signals.h"

#define NAME "explain"

static const char text[] =
    N_("OUT is the composite, the picture with its overlay, as .png, .jpg, "
    ".webp or .tif;\nwith several pictures (or where it is a folder, or ends "
    "in /) it is a folder, and\nfiles are named after their pictures: "
    "OUT/NAME.png, and OUT/NAME-overlay.png for\n“--overlay overlay.png”, "
    "OUT/NAME-map.npy for “--heatmap map.npy”.\n\n"
    "The overlay has the picture's size and is transparent where the map is "
    "zero; its\nopacity is left to you. The heat map is the raw map "
    "[h, w] in float32.\n\n"
    "Without -d the only cluster database beside the model that fits it is "
    "taken. With\n--positive (and --negative) the picture's own gradient "
    "towards one picture (and\naway from another) explains it, without a "
    "database.\n\n"
    "Examples:\n  camlens explain photo.jpg -o why.png\n"
    "  camlens explain -m birds -d birds.camdb photos/ -o out/ --json\n"
    "  camlens explain -m birds --positive a.jpg --negative b.jpg c.jpg -o "
    "c.png");

typedef struct
{
  ExplainOptions options;
  char *transfer, *colormap;
} Parsed;

static gboolean
check_options (Parsed *parsed, int n_pictures)
{
  ExplainOptions *o = &parsed->options;

  if (n_pictures == 0)
    command_misuse (NAME, _("name at least one picture"));
  else if (o->out == NULL && o->overlay == NULL && o->composite == NULL
           && o->heatmap == NULL && ! o->json)
    command_misuse (NAME, _("nothing to write: name an output with -o"));
  else if (o->negative != NULL && o->positive == NULL)
    command_misuse (NAME, _("--negative needs --positive as well"));
  else if (o->positive != NULL && o->database != NULL)
    command_misuse (NAME, _("choose: a database (-d) or examples (--positive)"));
  else if (! (o->opacity >= 0.0 && o->opacity <= 1.0))
    command_misuse (NAME, _("--opacity is a number from 0 to 1"));
  else if (! (o->threshold >= 0.0 && o->threshold < 1.0))
    command_misuse (NAME, _("--threshold is a fraction from 0 to below 1"));
  else if (parsed->colormap != NULL
           && ! cam_colormap_parse (parsed->colormap, &o->colormap))
    command_misuse (NAME,
                    _("there is no colour map “%s”: choose turbo, viridis, "
                    "inferno, jet or gray"),
                    parsed->colormap);
  else if (g_strcmp0 (parsed->transfer, "neighbour") != 0
           && g_strcmp0 (parsed->transfer, "cluster") != 0
           && parsed->transfer != NULL)
    command_misuse (NAME, _("--transfer is cluster or neighbour"));
  else if (command_check_number (NAME, "top-k", o->top_k, 0, COMMAND_MANY)
           && command_check_threads (NAME, "threads", o->n_threads))
    {
      if (g_strcmp0 (parsed->transfer, "neighbour") == 0)
        o->transfer = CAM_TRANSFER_NEIGHBOUR;
      return TRUE;
    }
  return FALSE;
}

/* "photo" of "x/photo.jpg"; "photo-2" where it is taken (transfer full) */
static char *
stem_for (const char *path, GHashTable *taken)
{
  g_autofree char *base = g_path_get_basename (path);
  char *dot = strrchr (base, '.'), *stem;

  if (dot != NULL && dot != base)
    *dot = '\0';
  stem = g_strdup (base);
  for (int i = 2; g_hash_table_contains (taken, stem); i++)
    {
      g_free (stem);
      stem = g_strdup_printf ("%s-%d", base, i);
    }
  g_hash_table_add (taken, g_strdup (stem));
  return stem;
}

/* OUT/STEM-NAME for the option's file NAME */
static char *
name_in_folder (const char *folder, const char *stem, const char *option)
{
  g_autofree char *base = option != NULL ? g_path_get_basename (option) : NULL;
  g_autofree char *name = NULL;

  if (option == NULL)
    return NULL;
  name = g_strconcat (stem, "-", base, NULL);
  return g_build_filename (folder, name, NULL);
}

static Explanation *
plan_picture (const ExplainOptions *o, const char *path, const char *folder,
              GHashTable *taken)
{
  Explanation *e = g_new0 (Explanation, 1);
  g_autofree char *stem = stem_for (path, taken);
  g_autofree char *own = g_strconcat (stem, ".png", NULL);

  e->path = path;
  if (folder == NULL)
    {
      e->out = g_strdup (o->out);
      e->overlay = g_strdup (o->overlay);
      e->composite = g_strdup (o->composite);
      e->heatmap = g_strdup (o->heatmap);
      return e;
    }
  e->out = g_build_filename (folder, own, NULL);
  e->overlay = name_in_folder (folder, stem, o->overlay);
  e->composite = name_in_folder (folder, stem, o->composite);
  e->heatmap = name_in_folder (folder, stem, o->heatmap);
  return e;
}

/* Said before any work. */
static gboolean
check_endings (const Explanation *e, GError **error)
{
  const char *pictures[] = { e->out, e->composite };

  for (int i = 0; i < 2; i++)
    if (pictures[i] != NULL && ! picture_can_write (pictures[i]))
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                     _("“%s” should end in .png, .jpg, .webp or .tif."),
                     pictures[i]);
        return FALSE;
      }
  if (e->overlay != NULL && ! picture_keeps_alpha (e->overlay))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   _("The overlay “%s” should end in .png, .webp or .tif, "
                     "which keep its transparency."),
                   e->overlay);
      return FALSE;
    }
  if (e->heatmap != NULL && ! picture_can_write_map (e->heatmap))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
                   _("The heat map “%s” should end in .npy, .tif or .tiff."),
                   e->heatmap);
      return FALSE;
    }
  return TRUE;
}

typedef struct
{
  ExplainSession session;
  GPtrArray *jobs; /* of Explanation */
  GCancellable *stopped; /* by Ctrl-C: what is begun is ended, no more */
  GMutex lock;
  GCond finished;
} Run;

static void
run_job (gpointer data, gpointer user_data)
{
  Explanation *e = data;
  Run *run = user_data;
  GError *error = NULL;

  if (! g_cancellable_set_error_if_cancelled (run->stopped, &error)
      && explain_picture (&run->session, e, &error))
    explain_write (&run->session, e, &error);
  g_mutex_lock (&run->lock);
  e->error = error;
  e->done = TRUE;
  g_cond_broadcast (&run->finished);
  g_mutex_unlock (&run->lock);
}

/* A damaged page shows only where it is read. */
static void
warn_of_damage (const Run *run, const Explanation *e)
{
  g_autoptr (GError) why = NULL;
  g_autoptr (CamCluster)
      cluster = cam_cluster_db_cluster (run->session.db, e->lookup.cluster,
                                        &why);

  if (cluster == NULL)
    command_note (_ ("%s: what the database says of its cluster %d cannot be "
                     "read: %s"),
                  e->path, e->lookup.cluster, why->message);
}

/* More channels are advised only where they would help. */
static void
warn_of_empty (const Explanation *e)
{
  if (e->map->empty == CAM_EMPTY_AGAINST && e->map->helped)
    command_note (ngettext ("%s: the map is empty: with this %d channel "
                            "nothing in the picture speaks for its place; try "
                            "more (--top-k 0: all)",
                            "%s: the map is empty: with these %d channels "
                            "nothing in the picture speaks for its place; try "
                            "more (--top-k 0: all)",
                            e->top_k),
                  e->path, e->top_k);
  else if (e->map->empty != CAM_EMPTY_NOT)
    command_note (_ ("%s: the map is empty: %s"), e->path,
                  cam_empty_reason (e->map->empty));
}

static void
warn (const Run *run, const Explanation *e)
{
  if (e->error == NULL && run->session.db != NULL)
    warn_of_damage (run, e);
  if (e->error == NULL)
    warn_of_empty (e);
  if (e->error == NULL && run->session.db != NULL && e->lookup.far)
    command_note (_("%s: lies farther from every cluster than 99 %% of the "
                  "database's own pictures; its explanation may not hold"),
                  e->path);
}

/* Waits for a job and prints its answer. */
static gboolean
answer (Run *run, Explanation *e, JsonBuilder *json)
{
  gboolean good;

  g_mutex_lock (&run->lock);
  while (! e->done)
    g_cond_wait (&run->finished, &run->lock);
  g_mutex_unlock (&run->lock);
  good = e->error == NULL;
  if (! good && ! g_error_matches (e->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    command_note ("%s", e->error->message);
  warn (run, e);
  if (json != NULL)
    explain_add_json (&run->session, e, json);
  else if (good)
    {
      g_autofree char *sentence = explain_sentence (&run->session, e);

      command_print (stdout, "%s: %s%s%s\n", e->path, sentence,
                     e->out ? " → " : "", e->out ? e->out : "");
      fflush (stdout);
    }
  g_clear_pointer (&e->map, cam_heat_map_free);
  return good;
}

static int
run_all (Run *run)
{
  gboolean many = run->jobs->len > 1;
  g_autoptr (JsonBuilder)
      json = run->session.options->json ? json_builder_new () : NULL;
  GThreadPool *pool = g_thread_pool_new (run_job, run,
                                         MIN ((int) g_get_num_processors () + 1,
                                              8),
                                         TRUE, NULL);
  gboolean alone = g_thread_pool_get_num_threads (pool) == 0;
  guint n_failed = 0;

  for (guint i = 0; i < run->jobs->len; i++)
    if (alone)
      run_job (g_ptr_array_index (run->jobs, i), run);
    else
      g_thread_pool_push (pool, g_ptr_array_index (run->jobs, i), NULL);
  if (json != NULL && many)
    json_builder_begin_array (json);
  for (guint i = 0; i < run->jobs->len; i++)
    n_failed += ! answer (run, g_ptr_array_index (run->jobs, i), json);
  if (json != NULL && many)
    json_builder_end_array (json);
  g_thread_pool_free (pool, FALSE, TRUE);
  if (json != NULL)
    command_print_json (json, TRUE);
  if (g_cancellable_is_cancelled (run->stopped))
    command_note (ngettext ("stopped: %u of %u picture is explained",
                            "stopped: %u of %u pictures are explained",
                            run->jobs->len),
                  run->jobs->len - n_failed, run->jobs->len);
  else if (n_failed > 0 && many)
    command_note (_("%u of %u pictures could not be explained"), n_failed,
                  run->jobs->len);
  if (n_failed == run->jobs->len || g_cancellable_is_cancelled (run->stopped))
    return COMMAND_FAILED;
  return command_done (n_failed, run->session.options->skips_ok);
}

static gboolean
is_folder_name (const char *out)
{
  return out != NULL
         && (g_str_has_suffix (out, "/")
             || g_file_test (out, G_FILE_TEST_IS_DIR));
}

/* Also before any work: all can be written, and nothing that is read is. */
static gboolean
check_places (GPtrArray *jobs, const ExplainOptions *o, GError **error)
{
  g_autoptr (Places) places = places_new ();

  places_read (places, o->model);
  places_read (places, o->database);
  places_read (places, o->positive);
  places_read (places, o->negative);
  for (guint i = 0; i < jobs->len; i++)
    places_read (places, ((Explanation *) jobs->pdata[i])->path);
  for (guint i = 0; i < jobs->len; i++)
    {
      const Explanation *e = jobs->pdata[i];

      if (! places_write (places, e->out, error)
          || ! places_write (places, e->composite, error)
          || ! places_write (places, e->overlay, error)
          || ! places_write (places, e->heatmap, error))
        return FALSE;
    }
  return TRUE;
}

/* The jobs, with the names of all that they will write */
static gboolean
plan_jobs (Run *run, const ExplainOptions *o, GPtrArray *paths, GError **error)
{
  gboolean many = paths->len > 1;
  gboolean writes = o->out || o->overlay || o->composite || o->heatmap;
  const char *folder = is_folder_name (o->out) || (many && writes) ? o->out
                                                                   : NULL;
  g_autoptr (GHashTable)
      taken = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  if (many && writes && folder == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   _("Several pictures need a folder to go to: -o FOLDER."));
      return FALSE;
    }
  if (folder != NULL && ! is_folder_name (folder)
      && picture_can_write (folder))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                   _("“%s” names one picture, and several need a folder: "
                   "-o FOLDER."),
                   folder);
      return FALSE;
    }
  for (guint i = 0; i < paths->len; i++)
    {
      Explanation *e = plan_picture (o, g_ptr_array_index (paths, i), folder,
                                     taken);

      g_ptr_array_add (run->jobs, e);
      if (! check_endings (e, error))
        return FALSE;
    }
  return (folder == NULL || cam_whole_file_folder (folder, error))
         && check_places (run->jobs, o, error);
}

static int
explain_paths (const ExplainOptions *o, char **argv, int n)
{
  Run run = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) paths = command_list_pictures (argv, n, &error);
  int status;

  if (paths == NULL)
    return command_fail (NAME, g_steal_pointer (&error));
  if (paths->len == 0)
    {
      g_set_error (&error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                   _("There are no pictures in “%s”."), argv[0]);
      return command_fail (NAME, g_steal_pointer (&error));
    }
  run.jobs = g_ptr_array_new_with_free_func ((GDestroyNotify) explanation_free);
  g_mutex_init (&run.lock);
  g_cond_init (&run.finished);
  if (plan_jobs (&run, o, paths, &error)
      && explain_session_open (&run.session, o, run.jobs->len, &error))
    {
      run.stopped = cancel_on_signal ();
      status = run_all (&run);
      g_object_unref (run.stopped);
    }
  else
    status = command_fail (NAME, g_steal_pointer (&error));
  explain_session_close (&run.session);
  g_ptr_array_unref (run.jobs);
  g_mutex_clear (&run.lock);
  g_cond_clear (&run.finished);
  return status;
}

static void
free_options (Parsed *p)
{
  ExplainOptions *o = &p->options;
  char *strings[] = { o->model,    o->database, o->layer,   o->positive,
                      o->negative, o->out,      o->overlay, o->composite,
                      o->heatmap,  p->transfer, p->colormap };

  for (guint i = 0; i < G_N_ELEMENTS (strings); i++)
    g_free (strings[i]);
}

int
command_explain (int argc, char **argv)
{
  Parsed p = { .options = { .top_k = 50, .opacity = 0.5 } };
  ExplainOptions *o = &p.options;
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o->model,
      N_("Installed model or .onnx file (default: the bundled one)"), "MODEL" },
    { "database", 'd', 0, G_OPTION_ARG_FILENAME, &o->database,
      N_("Cluster database: a file, or the name of one beside the model"), "DB" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o->out,
      N_("Composite, or folder for several"), "OUT" },
    { "top-k", 'k', 0, G_OPTION_ARG_INT, &o->top_k,
      N_("Channels with the largest weights (default 50; 0: all)"), "K" },
    { "transfer", 0, 0, G_OPTION_ARG_STRING, &p.transfer,
      N_("Weights of the nearest cluster (default) or picture"),
      "cluster|neighbour" },
    { "opacity", 0, 0, G_OPTION_ARG_DOUBLE, &o->opacity,
      N_("Of the overlay in the composite, 0 to 1 (default 0.5)"), "O" },
    { "colormap", 0, 0, G_OPTION_ARG_STRING, &p.colormap,
      N_("turbo (default), viridis, inferno, jet, gray"), "NAME" },
    { "threshold", 0, 0, G_OPTION_ARG_DOUBLE, &o->threshold,
      N_("Transparent up to this fraction of the maximum (default 0)"), "T" },
    { "legend", 0, 0, G_OPTION_ARG_NONE, &o->legend,
      N_("A strip below the composite that says what it shows"), NULL },
    { "overlay", 0, 0, G_OPTION_ARG_FILENAME, &o->overlay,
      N_("The overlay alone, with alpha"), "FILE" },
    { "composite", 0, 0, G_OPTION_ARG_FILENAME, &o->composite,
      N_("The composite (as -o)"), "FILE" },
    { "heatmap", 0, 0, G_OPTION_ARG_FILENAME, &o->heatmap,
      N_("The raw map as numbers"), "FILE.npy|FILE.tif" },
    { "json", 0, 0, G_OPTION_ARG_NONE, &o->json,
      N_("Print what the explanation rests on as JSON"), NULL },
    { "positive", 'p', 0, G_OPTION_ARG_FILENAME, &o->positive,
      N_("Explain the nearness to this picture, by own gradient"), "PICTURE" },
    { "negative", 'n', 0, G_OPTION_ARG_FILENAME, &o->negative,
      N_("… and the distance from this one"), "PICTURE" },
    { "layer", 0, 0, G_OPTION_ARG_STRING, &o->layer,
      N_("Target layer, with --positive"), "NAME" },
    { "threads", 0, 0, G_OPTION_ARG_INT, &o->n_threads,
      N_("Of the forward pass (default: all cores)"), "N" },
    { "skips-ok", 0, 0, G_OPTION_ARG_NONE, &o->skips_ok,
      N_("Exit status 0, not 3, where pictures had to be left out"), NULL },
    { "max-pixels", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer) command_max_pixels,
      N_("Pixels that a picture may have, like 500M (default 200M)"), "N" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };

  int status = COMMAND_USAGE;

  if (command_parse (&argc, &argv, "PICTURE|FOLDER…", text, entries)
      && check_options (&p, argc - 1))
    status = explain_paths (o, argv + 1, argc - 1);
  free_options (&p);
  return status;
}
