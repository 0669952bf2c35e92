/* build-panel.c -- see build-panel.h */
#include "config.h"
#include "ui/build-panel.h"
#include "core/model/model.h"
#include "ui/choice.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>

#define CLUSTERS 50
#define TRIPLETS 50
#define NOTE 72     /* characters */
#define SETTLED 400 /* ms after the last key: the name is whole */

typedef struct
{
  CamBuildFunc func;
  gpointer data;
  GtkWidget *settings, *folder, *model, *database;
  GtkAdjustment *clusters, *triplets;
  GtkWidget *button, *progress, *icon, *text;
  char *folder_path;
  gboolean running;
  guint settling; /* source of database_settled */
} Panel;

static void
panel_free (Panel *panel)
{
  if (panel->settling)
    g_source_remove (panel->settling);
  g_free (panel->folder_path);
  g_free (panel);
}

static Panel *
get (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "cam-build-panel");
}

static void
nothing (gpointer data)
{
}

/* The database goes beside the folder, named after it, until one is named. */
static void
folder_chosen (GtkFileChooser *chooser, Panel *panel)
{
  g_autofree char *path = gtk_file_chooser_get_filename (chooser);
  g_autofree char *name = path ? g_strconcat (path, ".camdb", NULL) : NULL;

  if (name && ! gtk_entry_get_text (GTK_ENTRY (panel->database))[0])
    gtk_entry_set_text (GTK_ENTRY (panel->database), name);
}

static void
choose_database (GtkButton *button, Panel *panel)
{
  g_autofree char *path =
      cam_choose_path (GTK_WIDGET (button), _ ("The Database to Build"),
                       GTK_FILE_CHOOSER_ACTION_SAVE, "*.camdb",
                       _ ("Cluster databases"),
                       gtk_entry_get_text (GTK_ENTRY (panel->database)));

  if (path)
    gtk_entry_set_text (GTK_ENTRY (panel->database), path);
}

static void
pressed (GtkButton *button, Panel *panel)
{
  panel->func (panel->running ? CAM_BUILD_ASKS_STOP : CAM_BUILD_ASKS_START,
               panel->data);
}

static gboolean
database_settled (gpointer data)
{
  Panel *panel = data;

  panel->settling = 0;
  if (! panel->running)
    panel->func (CAM_BUILD_ASKS_PLACE, panel->data);
  return G_SOURCE_REMOVE;
}

static void
database_changed (GtkEditable *entry, Panel *panel)
{
  if (panel->settling)
    g_source_remove (panel->settling);
  panel->settling = g_timeout_add (SETTLED, database_settled, panel);
}

/* What to know before a build */
static const char *
beginning (void)
{
  return _ ("Each subfolder is a label. The build goes on when this window is "
            "closed; Stop keeps what has been done.");
}

static GtkWidget *
model_new (const GPtrArray *models)
{
  CamChoiceFiles files = { _ ("Choose a Model"), "*.onnx", _ ("ONNX models") };
  GtkWidget *choice = cam_choice_new (&files, G_CALLBACK (nothing), NULL);

  for (guint i = 0; i < models->len; i++)
    {
      const CamInstalledModel *model = g_ptr_array_index (models, i);

      cam_choice_add (choice, model->title ? model->title : model->name,
                      model->name);
    }
  cam_choice_set (choice, "");
  return choice;
}

static GtkWidget *
database_new (Panel *panel)
{
  GtkWidget *box = cam_hbox_new (6);
  GtkWidget *button = gtk_button_new_with_mnemonic (_ ("Choos_e..."));

  panel->database = gtk_entry_new ();
  gtk_entry_set_width_chars (GTK_ENTRY (panel->database), 36);
  g_signal_connect (panel->database, "changed", G_CALLBACK (database_changed),
                    panel);
  gtk_box_pack_start (GTK_BOX (box), panel->database, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), button, FALSE, FALSE, 0);
  g_signal_connect (button, "clicked", G_CALLBACK (choose_database), panel);
  g_object_set_data (G_OBJECT (box), "cam-mnemonic-target", panel->database);
  return box;
}

static GtkWidget *
settings_new (Panel *panel, const GPtrArray *models)
{
  GtkWidget *box = cam_vbox_new (6);
  GtkSizeGroup *group = gtk_size_group_new (GTK_SIZE_GROUP_HORIZONTAL);

  panel->folder =
      gtk_file_chooser_button_new (_ ("Choose a Folder"),
                                   GTK_FILE_CHOOSER_ACTION_SELECT_FOLDER);
  g_signal_connect (panel->folder, "selection-changed",
                    G_CALLBACK (folder_chosen), panel);
  panel->model = model_new (models);
  panel->clusters = GTK_ADJUSTMENT (gtk_adjustment_new (CLUSTERS, 1, 1000, 1,
                                                        10, 0));
  panel->triplets = GTK_ADJUSTMENT (gtk_adjustment_new (TRIPLETS, 1, 1000, 1,
                                                        10, 0));
  cam_row_add (box, group, _ ("Pictures in _folder:"), panel->folder);
  cam_row_add (box, group, _ ("_Model:"), panel->model);
  cam_row_add (box, group, _ ("_Database:"), database_new (panel));
  cam_row_add (box, group, _ ("C_lusters:"),
               cam_scale_new (panel->clusters, 0));
  cam_row_add (box, group, _ ("_Triplets per picture:"),
               cam_scale_new (panel->triplets, 0));
  g_object_unref (group);
  return box;
}

static GtkWidget *
progress_new (Panel *panel)
{
  GtkWidget *box = cam_vbox_new (6), *buttons = cam_hbox_new (6);
  GtkWidget *note = cam_note_new ("dialog-information", beginning (), NOTE);

  panel->button = gtk_button_new_with_mnemonic (_ ("_Start"));
  panel->progress = gtk_progress_bar_new ();
  panel->icon = cam_note_icon (note);
  panel->text = cam_note_label (note);
  g_signal_connect (panel->button, "clicked", G_CALLBACK (pressed), panel);
#if GTK_MAJOR_VERSION >= 3
  gtk_widget_set_valign (panel->progress, GTK_ALIGN_CENTER);
#endif
  gtk_box_pack_start (GTK_BOX (buttons), panel->progress, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (buttons), panel->button, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), buttons, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), cam_reserve_new (note, 3), FALSE, FALSE,
                      0);
  return box;
}

GtkWidget *
cam_build_panel_new (const GPtrArray *models, CamBuildFunc func, gpointer data)
{
  Panel *panel = g_new0 (Panel, 1);
  GtkWidget *box = cam_vbox_new (18);

  panel->func = func;
  panel->data = data;
  g_object_set_data_full (G_OBJECT (box), "cam-build-panel", panel,
                          (GDestroyNotify) panel_free);
  gtk_container_set_border_width (GTK_CONTAINER (box), 12);
  panel->settings = settings_new (panel, models);
  gtk_box_pack_start (GTK_BOX (box), panel->settings, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), progress_new (panel), FALSE, FALSE, 0);
  gtk_widget_show_all (box);
  return box;
}

void
cam_build_panel_reset (GtkWidget *widget)
{
  Panel *panel = get (widget);

  gtk_adjustment_set_value (panel->clusters, CLUSTERS);
  gtk_adjustment_set_value (panel->triplets, TRIPLETS);
  gtk_entry_set_text (GTK_ENTRY (panel->database), "");
  cam_choice_set (panel->model, "");
  gtk_progress_bar_set_fraction (GTK_PROGRESS_BAR (panel->progress), 0);
}

CamBuildChoice
cam_build_panel_get (GtkWidget *widget)
{
  Panel *panel = get (widget);
  char *folder =
      gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (panel->folder));
  CamBuildChoice choice;

  if (folder) /* not known yet just after it has been set */
    {
      g_free (panel->folder_path);
      panel->folder_path = folder;
    }
  choice.folder = panel->folder_path ? panel->folder_path : "";
  choice.model = cam_choice_get (panel->model);
  choice.database = gtk_entry_get_text (GTK_ENTRY (panel->database));
  choice.clusters = gtk_adjustment_get_value (panel->clusters);
  choice.triplets = gtk_adjustment_get_value (panel->triplets);
  return choice;
}

void
cam_build_panel_set (GtkWidget *widget, const CamBuildChoice *choice)
{
  Panel *panel = get (widget);

  if (choice->database)
    gtk_entry_set_text (GTK_ENTRY (panel->database), choice->database);
  if (choice->folder && choice->folder[0])
    {
      g_free (panel->folder_path);
      panel->folder_path = g_strdup (choice->folder);
      gtk_file_chooser_set_filename (GTK_FILE_CHOOSER (panel->folder),
                                     choice->folder);
    }
  if (choice->model)
    cam_choice_set (panel->model, choice->model);
  if (choice->clusters)
    gtk_adjustment_set_value (panel->clusters, choice->clusters);
  if (choice->triplets)
    gtk_adjustment_set_value (panel->triplets, choice->triplets);
}

void
cam_build_panel_set_running (GtkWidget *widget, gboolean running)
{
  Panel *panel = get (widget);

  GtkProgressBar *bar = GTK_PROGRESS_BAR (panel->progress);

  panel->running = running;
  if (! running) /* no pulse is left half way */
    gtk_progress_bar_set_fraction (bar, gtk_progress_bar_get_fraction (bar));
  gtk_widget_set_sensitive (panel->settings, ! running);
  gtk_button_set_label (GTK_BUTTON (panel->button),
                        running ? _ ("_Stop") : _ ("_Start"));
}

static void
set_note (Panel *panel, const char *icon, const char *text)
{
  g_autofree char *shown = g_utf8_make_valid (text, -1);

  gtk_label_set_text (GTK_LABEL (panel->text), shown);
  gtk_image_set_from_icon_name (GTK_IMAGE (panel->icon), icon,
                                GTK_ICON_SIZE_MENU);
}

void
cam_build_panel_set_progress (GtkWidget *widget, const char *text,
                              double fraction)
{
  Panel *panel = get (widget);
  GtkProgressBar *bar = GTK_PROGRESS_BAR (panel->progress);

  set_note (panel, "dialog-information", text);
  if (fraction < 0)
    gtk_progress_bar_pulse (bar);
  else
    gtk_progress_bar_set_fraction (bar, CLAMP (fraction, 0, 1));
}

void
cam_build_panel_set_result (GtkWidget *widget, const char *text, gboolean good)
{
  set_note (get (widget), good ? "dialog-information" : "dialog-warning",
            text ? text : beginning ());
}

gboolean
cam_build_panel_confirm_replace (GtkWidget *widget, const char *path)
{
  g_autofree char *name = g_path_get_basename (path);
  g_autofree char *shown = g_filename_display_name (name);
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *where = g_filename_display_name (folder);
  g_autofree char *question =
      g_strdup_printf (_ ("The database “%s” exists already. Replace it?"),
                       shown);
  g_autofree char *details =
      g_strdup_printf (_ ("It is in “%s”, and stays there until the new one is "
                          "whole."),
                       where);

  return cam_confirm (widget, question, details, _ ("_Replace"));
}

gboolean
cam_build_panel_confirm_again (GtkWidget *widget)
{
  return cam_confirm (
      widget,
      _ ("An interrupted build of this database was made with other settings "
         "or pictures. Begin again without it?"),
      _ ("What it has done so far will be thrown away. To go on with it, "
         "cancel and give the settings that it was begun with."),
      _ ("_Begin Again"));
}
