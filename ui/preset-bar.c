/* preset-bar.c -- see preset-bar.h */
#include "config.h"
#include "ui/preset-bar.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>
#include <string.h>

typedef struct
{
  CamOptions *settings;
  char *path;
  void (*chosen) (gpointer data);
  gpointer data;
  GtkWidget *combo, *remove;
  gboolean filling;
} PresetBar;

static void
preset_bar_free (PresetBar *bar)
{
  g_free (bar->path);
  g_free (bar);
}

/* The first line chooses nothing. */
static void
fill (PresetBar *bar, const char *active)
{
  g_auto (GStrv) names = cam_options_groups (bar->path);
  int number = 0;

  bar->filling = TRUE;
  cam_combo_clear (bar->combo);
  gtk_combo_box_text_append_text (GTK_COMBO_BOX_TEXT (bar->combo),
                                  _ ("(no preset)"));
  for (int i = 0; names && names[i]; i++)
    {
      gtk_combo_box_text_append_text (GTK_COMBO_BOX_TEXT (bar->combo),
                                      names[i]);
      if (active && ! strcmp (active, names[i]))
        number = i + 1;
    }
  gtk_combo_box_set_active (GTK_COMBO_BOX (bar->combo), number);
  gtk_widget_set_sensitive (bar->remove, number > 0);
  bar->filling = FALSE;
}

static void
complain (PresetBar *bar, const GError *error)
{
  g_autofree char *text = g_strdup_printf (_ ("The preset was not saved: %s"),
                                           error->message);
  GtkWidget *dialog = cam_message_new (bar->combo, GTK_MESSAGE_ERROR,
                                       GTK_BUTTONS_CLOSE, text);

  gtk_dialog_run (GTK_DIALOG (dialog));
  gtk_widget_destroy (dialog);
}

static void
changed (GtkComboBox *combo, PresetBar *bar)
{
  g_autofree char *name =
      gtk_combo_box_text_get_active_text (GTK_COMBO_BOX_TEXT (combo));
  gboolean any = gtk_combo_box_get_active (combo) > 0;

  if (bar->filling)
    return;
  gtk_widget_set_sensitive (bar->remove, any);
  if (! any)
    return;
  cam_options_load (bar->settings, bar->path, name);
  bar->chosen (bar->data);
}

/* Asks for a name; NULL where there is none. */
static char *
ask_name (PresetBar *bar)
{
  GtkWidget *dialog = gtk_dialog_new_with_buttons (
      _ ("Save Preset"), GTK_WINDOW (gtk_widget_get_toplevel (bar->combo)),
      GTK_DIALOG_MODAL, _ ("_Cancel"), GTK_RESPONSE_CANCEL, _ ("_Save"),
      GTK_RESPONSE_OK, NULL);
  GtkWidget *entry = gtk_entry_new (), *box = cam_vbox_new (0);
  char *name = NULL;

  gtk_entry_set_activates_default (GTK_ENTRY (entry), TRUE);
  gtk_entry_set_width_chars (GTK_ENTRY (entry), 24);
  gtk_container_set_border_width (GTK_CONTAINER (box), 12);
  cam_row_add (box, NULL, _ ("_Name:"), entry);
  gtk_box_pack_start (
      GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (dialog))), box, TRUE,
      TRUE, 0);
  gtk_widget_show_all (box);
  gtk_dialog_set_default_response (GTK_DIALOG (dialog), GTK_RESPONSE_OK);
  if (gtk_dialog_run (GTK_DIALOG (dialog)) == GTK_RESPONSE_OK)
    name = g_strdup (gtk_entry_get_text (GTK_ENTRY (entry)));
  gtk_widget_destroy (dialog);
  return name;
}

static void
save (GtkButton *button, PresetBar *bar)
{
  g_autofree char *name = ask_name (bar);
  g_autoptr (GError) error = NULL;

  if (! name)
    return;
  /* a group's name in a key file cannot hold these */
  g_strdelimit (g_strstrip (name), "[]\n\t", '-');
  if (! name[0])
    return;
  if (cam_options_save (bar->settings, bar->path, name, &error))
    fill (bar, name);
  else
    complain (bar, error);
}

static void
remove_preset (GtkButton *button, PresetBar *bar)
{
  g_autofree char *name =
      gtk_combo_box_text_get_active_text (GTK_COMBO_BOX_TEXT (bar->combo));
  g_autoptr (GError) error = NULL;

  if (cam_options_remove (bar->path, name, &error))
    fill (bar, NULL);
  else
    complain (bar, error);
}

static GtkWidget *
icon_button (GtkWidget *box, const char *icon, const char *tip)
{
  GtkWidget *button = gtk_button_new ();

  gtk_container_add (GTK_CONTAINER (button), cam_icon_new (icon));
  gtk_widget_set_tooltip_text (button, tip);
  cam_name (button, tip);
  gtk_box_pack_start (GTK_BOX (box), button, FALSE, FALSE, 0);
  return button;
}

GtkWidget *
cam_preset_bar_new (CamOptions *settings, const char *path, GCallback chosen,
                    gpointer data)
{
  PresetBar *bar = g_new0 (PresetBar, 1);
  GtkWidget *box = cam_hbox_new (6), *add;

  bar->settings = settings;
  bar->path = g_strdup (path);
  bar->chosen = (void (*) (gpointer)) chosen;
  bar->data = data;
  g_object_set_data_full (G_OBJECT (box), "cam-preset-bar", bar,
                          (GDestroyNotify) preset_bar_free);
  bar->combo = cam_combo_new ();
  gtk_box_pack_start (GTK_BOX (box), bar->combo, TRUE, TRUE, 0);
  add = icon_button (box, "list-add", _ ("Save these settings as a preset"));
  bar->remove = icon_button (box, "list-remove", _ ("Delete this preset"));
  fill (bar, NULL);
  g_signal_connect (bar->combo, "changed", G_CALLBACK (changed), bar);
  g_signal_connect (add, "clicked", G_CALLBACK (save), bar);
  g_signal_connect (bar->remove, "clicked", G_CALLBACK (remove_preset), bar);
  g_object_set_data (G_OBJECT (box), "cam-mnemonic-target", bar->combo);
  return box;
}

void
cam_preset_bar_leave (GtkWidget *box)
{
  PresetBar *bar = g_object_get_data (G_OBJECT (box), "cam-preset-bar");

  gtk_combo_box_set_active (GTK_COMBO_BOX (bar->combo), 0);
}
