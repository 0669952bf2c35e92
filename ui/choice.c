/* choice.c -- see choice.h */
#include "config.h"
#include "ui/choice.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>
#include <string.h>

typedef struct
{
  CamChoiceFiles files;
  void (*changed) (gpointer data);
  gpointer data;
  GPtrArray *values; /* one a line */
  int active;        /* -1: none   */
  gboolean filling;
} Choice;

static void
choice_free (Choice *choice)
{
  g_ptr_array_unref (choice->values);
  g_free (choice);
}

static Choice *
get (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "cam-choice");
}

/* The last line is the file dialog, where there is one. */
static gboolean
is_file_line (Choice *choice, int line)
{
  return choice->files.chooser_title && line == (int) choice->values->len;
}

static void
choose_file (GtkWidget *widget, Choice *choice)
{
  g_autofree char *path = cam_choose_path (widget, choice->files.chooser_title,
                                           GTK_FILE_CHOOSER_ACTION_OPEN,
                                           choice->files.pattern,
                                           choice->files.pattern_title,
                                           cam_choice_get (widget));

  choice->filling = TRUE;
  gtk_combo_box_set_active (GTK_COMBO_BOX (widget), choice->active);
  choice->filling = FALSE;
  if (! path)
    return;
  cam_choice_set (widget, path);
  choice->changed (choice->data);
}

static void
changed (GtkComboBox *combo, Choice *choice)
{
  int line = gtk_combo_box_get_active (combo);

  if (choice->filling || line < 0)
    return;
  if (is_file_line (choice, line))
    {
      choose_file (GTK_WIDGET (combo), choice);
      return;
    }
  choice->active = line;
  choice->changed (choice->data);
}

static void
add_file_line (GtkWidget *widget, Choice *choice)
{
  if (choice->files.chooser_title)
    gtk_combo_box_text_append_text (GTK_COMBO_BOX_TEXT (widget),
                                    _ ("Another file..."));
}

GtkWidget *
cam_choice_new (const CamChoiceFiles *files, GCallback call, gpointer data)
{
  GtkWidget *widget = cam_combo_new ();
  Choice *choice = g_new0 (Choice, 1);

  choice->files = *files;
  choice->changed = (void (*) (gpointer)) call;
  choice->data = data;
  choice->values = g_ptr_array_new_with_free_func (g_free);
  choice->active = -1;
  g_object_set_data_full (G_OBJECT (widget), "cam-choice", choice,
                          (GDestroyNotify) choice_free);
  g_signal_connect (widget, "changed", G_CALLBACK (changed), choice);
  add_file_line (widget, choice);
  return widget;
}

void
cam_choice_clear (GtkWidget *widget)
{
  Choice *choice = get (widget);

  choice->filling = TRUE;
  cam_combo_clear (widget);
  g_ptr_array_set_size (choice->values, 0);
  choice->active = -1;
  add_file_line (widget, choice);
  choice->filling = FALSE;
}

void
cam_choice_add (GtkWidget *widget, const char *text, const char *value)
{
  Choice *choice = get (widget);
  g_autofree char *shown = g_filename_display_name (text);

  choice->filling = TRUE;
  gtk_combo_box_text_insert_text (GTK_COMBO_BOX_TEXT (widget),
                                  choice->values->len, shown);
  g_ptr_array_add (choice->values, g_strdup (value));
  choice->filling = FALSE;
}

static int
find (Choice *choice, const char *value)
{
  for (guint i = 0; i < choice->values->len; i++)
    if (! strcmp (g_ptr_array_index (choice->values, i), value))
      return i;
  return -1;
}

void
cam_choice_set (GtkWidget *widget, const char *value)
{
  Choice *choice = get (widget);
  int line = find (choice, value);
  g_autofree char *tip = NULL;

  if (line < 0 && value[0])
    {
      g_autofree char *name = g_path_get_basename (value);

      cam_choice_add (widget, name, value);
      line = choice->values->len - 1;
    }
  choice->filling = TRUE;
  choice->active = MAX (line, choice->values->len ? 0 : -1);
  gtk_combo_box_set_active (GTK_COMBO_BOX (widget), choice->active);
  tip = g_filename_display_name (cam_choice_get (widget));
  gtk_widget_set_tooltip_text (widget, tip);
  choice->filling = FALSE;
}

const char *
cam_choice_get (GtkWidget *widget)
{
  Choice *choice = get (widget);

  return choice->active < 0
             ? ""
             : g_ptr_array_index (choice->values, choice->active);
}
