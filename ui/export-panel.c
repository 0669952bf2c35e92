/* export-panel.c -- see export-panel.h */
#include "config.h"
#include "ui/export-panel.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>

typedef struct
{
  GtkWidget *folder, *base, *kinds[CAM_EXPORT_PANEL_KINDS];
  char *folder_path;
} Panel;

static void
panel_free (Panel *panel)
{
  g_free (panel->folder_path);
  g_free (panel);
}

static Panel *
get (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "cam-export-panel");
}

static void
add_kinds (Panel *panel, GtkWidget *box)
{
  const char *texts[CAM_EXPORT_PANEL_KINDS] = {
    _ ("O_verlay with transparency (NAME-overlay.png)"),
    _ ("Co_mposite, the image as it shows (NAME-composite.png)"),
    _ ("Heat map as numbers, _TIFF (NAME-heat-map.tif)"),
    _ ("Heat map as numbers, NumP_y (NAME-heat-map.npy)"),
    _ ("_Provenance, how it was made (NAME-provenance.json)")
  };

  for (int i = 0; i < CAM_EXPORT_PANEL_KINDS; i++)
    {
      panel->kinds[i] = gtk_check_button_new_with_mnemonic (texts[i]);
      gtk_box_pack_start (GTK_BOX (box), panel->kinds[i], FALSE, FALSE, 0);
    }
}

GtkWidget *
cam_export_panel_new (const char *base)
{
  Panel *panel = g_new0 (Panel, 1);
  GtkWidget *box = cam_vbox_new (6), *list = cam_vbox_new (6);
  GtkSizeGroup *group = gtk_size_group_new (GTK_SIZE_GROUP_HORIZONTAL);

  g_object_set_data_full (G_OBJECT (box), "cam-export-panel", panel,
                          (GDestroyNotify) panel_free);
  gtk_container_set_border_width (GTK_CONTAINER (box), 12);
  panel->folder =
      gtk_file_chooser_button_new (_ ("Choose a Folder"),
                                   GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
  panel->base = gtk_entry_new ();
  gtk_entry_set_activates_default (GTK_ENTRY (panel->base), TRUE);
  cam_row_add (box, group, _ ("_Folder:"), panel->folder);
  cam_row_add (box, group, _ ("_Name:"), panel->base);
  add_kinds (panel, list);
  gtk_box_pack_start (GTK_BOX (box), cam_frame_new (_ ("Files"), list), FALSE,
                      FALSE, 6);
  g_object_unref (group);
  cam_export_panel_reset (box, base);
  gtk_widget_show_all (box);
  return box;
}

void
cam_export_panel_reset (GtkWidget *widget, const char *path)
{
  Panel *panel = get (widget);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *base = g_filename_display_basename (path);

  gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (panel->folder),
                                       folder);
  g_free (panel->folder_path);
  panel->folder_path = g_steal_pointer (&folder);
  gtk_entry_set_text (GTK_ENTRY (panel->base), base);
  for (int i = 0; i < CAM_EXPORT_PANEL_KINDS; i++)
    gtk_toggle_button_set_active (GTK_TOGGLE_BUTTON (panel->kinds[i]), TRUE);
}

CamExportChoice
cam_export_panel_get (GtkWidget *widget)
{
  Panel *panel = get (widget);
  char *folder =
      gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (panel->folder));
  CamExportChoice choice;

  if (folder) /* not known yet just after the folder has been set */
    {
      g_free (panel->folder_path);
      panel->folder_path = folder;
    }
  choice.folder = panel->folder_path;
  choice.base = gtk_entry_get_text (GTK_ENTRY (panel->base));
  for (int i = 0; i < CAM_EXPORT_PANEL_KINDS; i++)
    choice.wanted[i] =
        gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (panel->kinds[i]));
  return choice;
}

gboolean
cam_export_panel_confirm (GtkWidget *panel, const char *files)
{
  return cam_confirm (panel, _ ("These files exist already. Replace them?"),
                      files, _ ("_Replace"));
}

void
cam_export_panel_complain (GtkWidget *panel, const char *message)
{
  GtkWidget *dialog = cam_message_new (panel, GTK_MESSAGE_ERROR,
                                       GTK_BUTTONS_CLOSE, message);

  gtk_dialog_run (GTK_DIALOG (dialog));
  gtk_widget_destroy (dialog);
}
