/* run-export.c -- save what an overlay layer holds */
#include "config.h"
#include "plugin/export.h"
#include "plugin/run.h"
#include "ui/export-panel.h"
#include <glib/gi18n.h>
#include <string.h>

G_STATIC_ASSERT (CAM_N_EXPORTS == CAM_EXPORT_PANEL_KINDS);

/* "FOLDER/photo" for an image; "" where it has no file yet. */
static char *
default_base (gint32 image)
{
  g_autofree char *path = cam_host_image_path (image);
  char *dot;

  if (! path)
    return g_build_filename (g_get_home_dir (), "camlens", NULL);
  dot = strrchr (path, '.');
  if (dot && ! strchr (dot, G_DIR_SEPARATOR))
    *dot = '\0';
  return g_steal_pointer (&path);
}

static char *
path_of (const CamExportChoice *choice, CamExport what)
{
  g_autofree char *name = g_strconcat (choice->base, cam_export_ending (what),
                                       NULL);

  return g_build_filename (choice->folder, name, NULL);
}

/* The files that are there already, and may have to be kept. */
static char *
existing (const CamExportChoice *choice)
{
  GString *names = g_string_new (NULL);

  for (int i = 0; i < CAM_N_EXPORTS; i++)
    {
      g_autofree char *path = path_of (choice, i);

      g_autofree char *shown = g_filename_display_name (path);

      if (choice->wanted[i] && g_file_test (path, G_FILE_TEST_EXISTS))
        g_string_append_printf (names, "%s%s", names->len ? "\n" : "", shown);
    }
  return g_string_free (names, FALSE);
}

static gboolean
write_all (gint32 image, gint32 layer, const CamExportChoice *choice,
           GError **error)
{
  char *paths[CAM_N_EXPORTS] = { NULL };
  gboolean good;

  for (int i = 0; i < CAM_N_EXPORTS; i++)
    paths[i] = choice->wanted[i] ? path_of (choice, i) : NULL;
  good = cam_export_write (image, layer, (const char *const *) paths, error);
  for (int i = 0; i < CAM_N_EXPORTS; i++)
    g_free (paths[i]);
  return good;
}

/* What went wrong is told over the dialog, which stays. */
static gboolean
run_dialog (gint32 image, gint32 layer, GError **error)
{
  g_autofree char *base = default_base (image);
  GtkWidget *dialog, *panel;
  gboolean done = FALSE;
  int response = GTK_RESPONSE_OK;

  cam_host_ui_init ();
  dialog = cam_host_dialog_new (_ ("Export Overlay"), "camlens-export",
                                _ ("_Export"), CAM_PROC_EXPORT);
  panel = cam_export_panel_new (base);
  gtk_box_pack_start (
      GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog))), panel, TRUE,
      TRUE, 0);
  gtk_widget_show (dialog);
  while (! done && response != GTK_RESPONSE_CANCEL
         && response != GTK_RESPONSE_DELETE_EVENT)
    {
      response = cam_host_dialog_run (dialog);
      if (response == CAM_RESPONSE_RESET)
        cam_export_panel_reset (panel, base);
      else if (response == GTK_RESPONSE_OK)
        {
          g_autoptr (GError) problem = NULL;
          CamExportChoice choice = cam_export_panel_get (panel);
          g_autofree char *there = existing (&choice);

          if (there[0] && ! cam_export_panel_confirm (panel, there))
            continue;
          done = write_all (image, layer, &choice, &problem);
          if (problem)
            cam_export_panel_complain (panel, problem->message);
        }
    }
  gtk_widget_destroy (dialog);
  if (! done)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                         _ ("Cancelled"));
  return done;
}

gboolean
cam_run_export (CamRunMode mode, gint32 image, gint32 drawable, int what,
                const char *path, GError **error)
{
  const char *paths[CAM_N_EXPORTS] = { NULL };
  gint32 layer = cam_host_layer_of (drawable);

  if (! cam_export_check (layer, error))
    return FALSE;
  if (mode != CAM_RUN_NONINTERACTIVE)
    return run_dialog (image, layer, error);
  if (what < 0 || what >= CAM_N_EXPORTS)
    {
      g_set_error (error, CAM_OPTIONS_ERROR, CAM_OPTIONS_ERROR_VALUE,
                   _ ("This cannot be exported: choose overlay (0), composite "
                      "(1), heat-map (2), array (3) or provenance (4)."));
      return FALSE;
    }
  if (! path[0])
    {
      g_set_error (error, CAM_OPTIONS_ERROR, CAM_OPTIONS_ERROR_VALUE,
                   _ ("The file to export to has no name."));
      return FALSE;
    }
  paths[what] = path;
  return cam_export_write (image, layer, paths, error);
}
