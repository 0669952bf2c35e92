/* run-build.c -- make a cluster database from a folder of pictures */
#include "config.h"
#include "plugin/build-process.h"
#include "plugin/procedures.h"
#include "plugin/run.h"
#include "ui/build-panel.h"
#include <glib/gi18n.h>
#include <string.h>

#define POLL_MS 250
#define GROUP CAM_PROC_BUILD

typedef struct
{
  GtkWidget *panel;
  CamBuildProcess *process;
  guint poll;
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

static void
show_end (Build *build, const CamBuildState *state)
{
  const char *message = state->message
                            ? state->message
                            : _ ("The program ended without a word.");

  if (state->stopped && ! state->good)
    message = _ ("Stopped. What was done is kept: Start goes on with it.");
  cam_build_panel_set_running (build->panel, FALSE);
  cam_build_panel_set_result (build->panel, message, state->good);
}

static gboolean
poll (gpointer data)
{
  Build *build = data;
  const CamBuildState *state = cam_build_process_poll (build->process);
  g_autofree char *text = progress_text (state);

  if (! state->ended)
    {
      cam_build_panel_set_progress (build->panel, text,
                                    state->total
                                        ? (double) state->done / state->total
                                        : -1);
      return G_SOURCE_CONTINUE;
    }
  show_end (build, state);
  g_clear_pointer (&build->process, cam_build_process_free);
  build->poll = 0;
  return G_SOURCE_REMOVE;
}

/* ---- what was built last, to go on with or to change ---- */

static void
save_last (const CamBuildChoice *choice)
{
  g_autofree char *path = cam_last_values_path ();
  g_autofree char *folder = g_path_get_dirname (path);
  g_autoptr (GKeyFile) file = g_key_file_new ();

  g_key_file_load_from_file (file, path, G_KEY_FILE_KEEP_COMMENTS, NULL);
  g_key_file_set_string (file, GROUP, "folder", choice->folder);
  g_key_file_set_string (file, GROUP, "model", choice->model);
  g_key_file_set_string (file, GROUP, "database", choice->database);
  g_key_file_set_integer (file, GROUP, "clusters", choice->clusters);
  g_key_file_set_integer (file, GROUP, "triplets", choice->triplets);
  g_mkdir_with_parents (folder, 0700);
  g_key_file_save_to_file (file, path, NULL);
}

static void
load_last (GtkWidget *panel)
{
  g_autofree char *path = cam_last_values_path ();
  g_autoptr (GKeyFile) file = g_key_file_new ();
  g_autofree char *folder = NULL, *model = NULL, *database = NULL;
  CamBuildChoice choice = { NULL };

  g_key_file_load_from_file (file, path, G_KEY_FILE_NONE, NULL);
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
start_or_stop (gboolean start, gpointer data)
{
  Build *build = data;
  g_autoptr (GError) error = NULL;
  CamBuildChoice choice = cam_build_panel_get (build->panel);
  CamBuildSettings settings = { choice.folder, choice.model, choice.database,
                                choice.clusters, choice.triplets };

  if (! start)
    {
      cam_build_process_stop (build->process);
      return;
    }
  build->process = cam_build_process_start (&settings, &error);
  if (! build->process)
    {
      cam_build_panel_set_result (build->panel, error->message, FALSE);
      return;
    }
  save_last (&choice);
  cam_build_panel_set_running (build->panel, TRUE);
  build->poll = g_timeout_add (POLL_MS, poll, build);
}

/* Closing the dialog leaves the program at its work. */
static gboolean
run_dialog (void)
{
  g_autoptr (GPtrArray) models = cam_models_installed ();
  Build build = { NULL };
  GtkWidget *dialog;

  cam_host_ui_init ();
  dialog = cam_host_dialog_new (_ ("Build Cluster Database"), "camlens-build",
                                NULL, CAM_PROC_BUILD);
  build.panel = cam_build_panel_new (models, start_or_stop, &build);
  load_last (build.panel);
  gtk_box_pack_start (
      GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog))), build.panel,
      TRUE, TRUE, 0);
  gtk_widget_show (dialog);
  while (cam_host_dialog_run (dialog) == CAM_RESPONSE_RESET)
    cam_build_panel_reset (build.panel);
  if (build.poll)
    g_source_remove (build.poll);
  g_clear_pointer (&build.process, cam_build_process_free);
  gtk_widget_destroy (dialog);
  return TRUE;
}

static gboolean
run_and_wait (const CamBuildSettings *settings, GError **error)
{
  g_autoptr (CamBuildProcess)
      process = cam_build_process_start (settings, error);
  const CamBuildState *state;

  if (! process)
    return FALSE;
  cam_host_progress_start (_ ("Building a cluster database"));
  while (! (state = cam_build_process_poll (process))->ended)
    {
      cam_host_progress (state->total ? (double) state->done / state->total
                                      : 0);
      g_usleep (POLL_MS * 1000);
    }
  cam_host_progress_end ();
  if (state->good)
    return TRUE;
  g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_PROGRAM,
               _ ("The database was not built: %s"),
               state->message ? state->message
                              : _ ("The program ended without a word."));
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
