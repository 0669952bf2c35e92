/* run-build.c -- make a cluster database from a folder of pictures */
#include "config.h"
#include "plugin/build-log.h"
#include "plugin/build-process.h"
#include "plugin/procedures.h"
#include "plugin/run.h"
#include "plugin/timing.h"
#include "ui/build-panel.h"
#include "ui/options.h"
#include <glib/gi18n.h>
#include <string.h>

#define POLL_MS 250
#define GROUP CAM_PROC_BUILD

#define MOST_LEFT_OUT 5 /* pictures that are named */

typedef struct
{
  GtkWidget *panel;
  CamBuildProcess *process;
  guint poll;
  gboolean started; /* by this dialog */
  char *looked_at;  /* the database whose place was shown last */
} Build;

/* The stages that the program names, in words for people. */
static const char *
stage_title (const char *stage)
{
  static const char *const titles[][2] = {
    { "layer", N_ ("Measuring layers") },
    { "embedding", N_ ("Embedding the pictures") },
    { "mining", N_ ("Choosing triplets") },
    { "weighing", N_ ("Weighing the channels") },
    { "clustering", N_ ("Clustering") },
  };

  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    if (! strcmp (stage, titles[i][0]))
      return _ (titles[i][1]);
  return stage;
}

/* "Embedding the pictures: 123 of 480, 31.0 a second, 0:12 left" */
static char *
progress_text (const CamBuildState *state)
{
  GString *text = g_string_new (NULL);

  if (! state->total)
    {
      g_string_append (text, _ ("Starting..."));
      return g_string_free (text, FALSE);
    }
  g_string_append_printf (text, _ ("%s: %d of %d"), stage_title (state->stage),
                          (int) state->done, (int) state->total);
  if (state->rate > 0)
    g_string_append_printf (text, _ (", %.1f a second"), state->rate);
  if (state->seconds_left >= 0)
    g_string_append_printf (text, _ (", %d:%02d left"),
                            (int) state->seconds_left / 60,
                            (int) state->seconds_left % 60);
  return g_string_free (text, FALSE);
}

/* "birds.camdb: 12 pictures, 3 clusters, layer x, in 4.0 s, 1 left out", and
 * which they are */
static char *
done_text (const CamBuildState *state)
{
  GString *text = g_string_new (NULL);
  guint n = state->left_out->len;
  g_autofree char *pictures = g_strdup_printf (ngettext ("%d picture",
                                                         "%d pictures",
                                                         state->n_pictures),
                                               state->n_pictures);
  g_autofree char *clusters = g_strdup_printf (ngettext ("%d cluster",
                                                         "%d clusters",
                                                         state->n_clusters),
                                               state->n_clusters);
  g_autofree char *name = g_filename_display_name (state->database);

  g_string_append_printf (text, _ ("%s: %s, %s, layer %s, in %.1f s"), name,
                          pictures, clusters, state->layer, state->seconds);
  if (state->n_resumed)
    g_string_append_printf (text, _ (" (%d of them embedded before)"),
                            state->n_resumed);
  if (n)
    g_string_append_printf (text,
                            ngettext (", %u left out", ", %u left out", n), n);
  for (guint i = 0; i < MIN (n, MOST_LEFT_OUT); i++)
    g_string_append_printf (text, "\n%s",
                            (const char *) g_ptr_array_index (state->left_out,
                                                              i));
  if (n > MOST_LEFT_OUT)
    g_string_append (text, "\n…");
  return g_string_free (text, FALSE);
}

/* What came of it, in words (transfer full) */
static char *
end_text (const CamBuildState *state)
{
  const char *words = state->error     ? state->error
                      : state->message ? state->message
                                       : _ ("The program ended without a "
                                            "word.");

  if (state->end == CAM_BUILD_STOPPED)
    return g_strdup (_ ("Stopped. What was done is kept: Start goes on with "
                        "it."));
  if ((state->end == CAM_BUILD_DONE || state->end == CAM_BUILD_LEFT_OUT)
      && state->layer)
    return done_text (state);
  if (state->end == CAM_BUILD_DONE || state->end == CAM_BUILD_LEFT_OUT)
    return g_filename_display_name (state->database); /* no log was kept */
  if (state->end == CAM_BUILD_OTHER)
    return g_strdup_printf (
        _ ("An interrupted build of this database was made with other settings "
           "or pictures: give those again, or delete the file “%s.partial”."),
        state->database);
  if (state->end == CAM_BUILD_FAILED && state->kept)
    return g_strdup_printf (
        /* why a build failed */
        _ ("%s\nWhat was done is kept: Start goes on with it."), words);
  return g_strdup (words);
}

static void
show_end (Build *build, const CamBuildState *state)
{
  static const char *const ends[] = { "",        "done",  "left out",
                                      "stopped", "other", "failed" };
  g_autofree char *text = end_text (state);
  g_autofree char *told = g_strdup_printf ("%s: %s", ends[state->end], text);

  cam_build_panel_set_running (build->panel, FALSE);
  cam_build_panel_set_result (build->panel, text, state->end == CAM_BUILD_DONE);
  cam_timing_told (told);
}

static void launch (Build *build, gboolean again);

static gboolean
poll (gpointer data)
{
  Build *build = data;
  const CamBuildState *state = cam_build_process_poll (build->process);
  g_autofree char *text = progress_text (state);
  gboolean other = state->end == CAM_BUILD_OTHER && build->started;

  if (state->end == CAM_BUILD_RUNNING)
    {
      cam_build_panel_set_progress (build->panel, text,
                                    state->total
                                        ? (double) state->done / state->total
                                        : -1);
      return G_SOURCE_CONTINUE;
    }
  show_end (build, state);
  cam_build_process_forget (build->process);
  g_clear_pointer (&build->process, cam_build_process_free);
  build->poll = 0;
  if (other && cam_build_panel_confirm_again (build->panel))
    launch (build, TRUE);
  return G_SOURCE_REMOVE;
}

static void
watch (Build *build, CamBuildProcess *process, gboolean started)
{
  build->process = process;
  build->started = started;
  if (! poll (build))
    return;
  cam_build_panel_set_running (build->panel, TRUE);
  build->poll = g_timeout_add (POLL_MS, poll, build);
}

/* The build goes on. */
static void
look_away (Build *build)
{
  if (build->poll)
    g_source_remove (build->poll);
  build->poll = 0;
  g_clear_pointer (&build->process, cam_build_process_free);
}

/* Shows the build whose log this is, with what it builds. */
static gboolean
attach (Build *build, const char *log_path)
{
  CamBuildProcess *process = cam_build_process_attach (log_path);
  const CamBuildState *state;
  CamBuildChoice choice;

  if (! process)
    return FALSE;
  state = cam_build_process_poll (process);
  choice = (CamBuildChoice) { state->folder, state->model, state->database,
                              state->clusters, state->triplets };
  cam_timing_told ("attached");
  cam_build_panel_set (build->panel, &choice);
  watch (build, process, FALSE);
  return TRUE;
}

/* What is known of the place of a database, unless it was shown before: a
 * build that goes on, or that ended when nobody looked, or was interrupted. */
static void
look_at (Build *build, const char *database)
{
  g_autofree char *log = cam_build_log_path (database);
  CamBuildPlace place = cam_build_place (database);
  const char *text = NULL;

  if (! g_strcmp0 (database, build->looked_at))
    return;
  g_free (build->looked_at);
  build->looked_at = g_strdup (database);
  if (database[0] && place != CAM_BUILD_PLACE_BUSY && attach (build, log))
    return;
  if (place == CAM_BUILD_PLACE_BUSY)
    text = _ ("Another program is building this database.");
  else if (place == CAM_BUILD_PLACE_KEPT)
    text = _ ("An interrupted build of this database is kept: Start goes on "
              "with it.");
  cam_build_panel_set_result (build->panel, text,
                              place != CAM_BUILD_PLACE_BUSY);
  if (text)
    cam_timing_told (text);
}

/* At the beginning: the database of last time, or else any that is built. */
static void
look_around (Build *build)
{
  g_autofree char *running = cam_build_log_running ();
  g_autofree char *database =
      g_strdup (cam_build_panel_get (build->panel).database);

  look_at (build, database);
  if (running && ! build->process)
    attach (build, running);
}

/* ---- what was built last, to go on with or to change ---- */

static void
save_last (const CamBuildChoice *choice)
{
  g_autofree char *path = cam_last_values_path ();
  g_autoptr (GKeyFile) file = cam_key_file_read_to_change (path);

  g_key_file_set_string (file, GROUP, "folder", choice->folder);
  g_key_file_set_string (file, GROUP, "model", choice->model);
  g_key_file_set_string (file, GROUP, "database", choice->database);
  g_key_file_set_integer (file, GROUP, "clusters", choice->clusters);
  g_key_file_set_integer (file, GROUP, "triplets", choice->triplets);
  cam_key_file_write (file, path, NULL);
}

static void
load_last (GtkWidget *panel)
{
  g_autofree char *path = cam_last_values_path ();
  g_autoptr (GKeyFile) file = cam_key_file_read (path);
  g_autofree char *folder = NULL, *model = NULL, *database = NULL;
  CamBuildChoice choice = { NULL };

  folder = g_key_file_get_string (file, GROUP, "folder", NULL);
  model = g_key_file_get_string (file, GROUP, "model", NULL);
  database = g_key_file_get_string (file, GROUP, "database", NULL);
  choice.folder = folder;
  choice.model = model;
  choice.database = database;
  choice.clusters = g_key_file_get_integer (file, GROUP, "clusters", NULL);
  choice.triplets = g_key_file_get_integer (file, GROUP, "triplets", NULL);
  cam_build_panel_set (panel, &choice);
}

static void
launch (Build *build, gboolean again)
{
  g_autoptr (GError) error = NULL;
  CamBuildChoice choice = cam_build_panel_get (build->panel);
  CamBuildSettings settings = { choice.folder, choice.model, choice.database,
                                choice.clusters, choice.triplets };
  CamBuildProcess *process = cam_build_process_start (&settings, again, &error);

  if (! process)
    {
      cam_build_panel_set_result (build->panel, error->message, FALSE);
      return;
    }
  save_last (&choice);
  watch (build, process, TRUE);
}

/* A database is not built twice at once, nor replaced unasked. */
static gboolean
may_start (Build *build)
{
  g_autoptr (GError) error = NULL;
  CamBuildChoice choice = cam_build_panel_get (build->panel);
  CamBuildSettings settings = { choice.folder, choice.model, choice.database,
                                choice.clusters, choice.triplets };
  CamBuildPlace place;

  if (! cam_build_settings_check (&settings, &error))
    {
      cam_build_panel_set_result (build->panel, error->message, FALSE);
      return FALSE;
    }
  place = cam_build_place (choice.database);
  if (place == CAM_BUILD_PLACE_RUNNING || place == CAM_BUILD_PLACE_BUSY)
    {
      g_clear_pointer (&build->looked_at, g_free);
      look_at (build, choice.database);
      return FALSE;
    }
  return ! g_file_test (choice.database, G_FILE_TEST_IS_REGULAR)
         || cam_build_panel_confirm_replace (build->panel, choice.database);
}

static void
asked (CamBuildAsks what, gpointer data)
{
  Build *build = data;

  if (what == CAM_BUILD_ASKS_PLACE)
    look_at (build, cam_build_panel_get (build->panel).database);
  else if (what == CAM_BUILD_ASKS_STOP)
    cam_build_process_stop (build->process);
  else if (may_start (build))
    launch (build, FALSE);
}

/* Closing the dialog leaves the program at its work, and so does Reset. */
static gboolean
run_dialog (void)
{
  g_autoptr (GPtrArray) models = cam_models_installed ();
  Build build = { NULL };
  GtkWidget *dialog;

  cam_host_ui_init ();
  dialog = cam_host_dialog_new (_ ("Build Cluster Database"), "camlens-build",
                                NULL, CAM_PROC_BUILD);
  build.panel = cam_build_panel_new (models, asked, &build);
  load_last (build.panel);
  gtk_box_pack_start (
      GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog))), build.panel,
      TRUE, TRUE, 0);
  gtk_widget_show (dialog);
  look_around (&build);
  while (cam_host_dialog_run (dialog) == CAM_RESPONSE_RESET)
    {
      look_away (&build);
      cam_build_panel_set_running (build.panel, FALSE);
      cam_build_panel_reset (build.panel);
      cam_build_panel_set_result (build.panel, NULL, TRUE);
    }
  look_away (&build);
  gtk_widget_destroy (dialog);
  g_free (build.looked_at);
  return TRUE;
}

static gboolean
run_and_wait (const CamBuildSettings *settings, GError **error)
{
  g_autoptr (CamBuildProcess)
      process = cam_build_process_start (settings, FALSE, error);
  g_autofree char *text = NULL;
  const CamBuildState *state;

  if (! process)
    return FALSE;
  cam_host_progress_start (_ ("Building a cluster database"));
  while ((state = cam_build_process_poll (process))->end == CAM_BUILD_RUNNING)
    {
      cam_host_progress (state->total ? (double) state->done / state->total
                                      : 0);
      g_usleep (POLL_MS * 1000);
    }
  cam_host_progress_end ();
  cam_build_process_forget (process);
  text = end_text (state);
  if (state->end == CAM_BUILD_LEFT_OUT)
    g_message ("%s", text);
  if (state->end == CAM_BUILD_DONE || state->end == CAM_BUILD_LEFT_OUT)
    return TRUE;
  g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_PROGRAM,
               _ ("The database was not built: %s"), text);
  return FALSE;
}

gboolean
cam_run_build (CamRunMode mode, const char *folder, const char *model,
               const char *database, int clusters, int triplets, GError **error)
{
  CamBuildSettings settings = { folder, model, database, clusters, triplets };

  return mode == CAM_RUN_NONINTERACTIVE ? run_and_wait (&settings, error)
                                        : run_dialog ();
}
