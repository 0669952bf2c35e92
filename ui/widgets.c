/* widgets.c -- see widgets.h */
#include "config.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>

#define LINE 6

GtkWidget *
cam_hbox_new (int spacing)
{
#if GTK_MAJOR_VERSION >= 3
  return gtk_box_new (GTK_ORIENTATION_HORIZONTAL, spacing);
#else
  return gtk_hbox_new (FALSE, spacing);
#endif
}

GtkWidget *
cam_vbox_new (int spacing)
{
#if GTK_MAJOR_VERSION >= 3
  return gtk_box_new (GTK_ORIENTATION_VERTICAL, spacing);
#else
  return gtk_vbox_new (FALSE, spacing);
#endif
}

static void
align_left (GtkWidget *label)
{
#if GTK_MAJOR_VERSION >= 3
  gtk_label_set_xalign (GTK_LABEL (label), 0);
#else
  gtk_misc_set_alignment (GTK_MISC (label), 0, 0.5);
#endif
}

GtkWidget *
cam_frame_new (const char *title, GtkWidget *child)
{
  GtkWidget *box = cam_vbox_new (LINE);
  GtkWidget *inner = cam_hbox_new (0);
  GtkWidget *label = gtk_label_new (NULL);
  g_autofree char *markup = g_markup_printf_escaped ("<b>%s</b>", title);

  gtk_label_set_markup (GTK_LABEL (label), markup);
  align_left (label);
  gtk_box_pack_start (GTK_BOX (box), label, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (inner), child, TRUE, TRUE, 2 * LINE);
  gtk_box_pack_start (GTK_BOX (box), inner, TRUE, TRUE, 0);
  return box;
}

/* The part of a compound widget that a label's mnemonic should focus. */
#define TARGET "cam-mnemonic-target"

void
cam_row_add (GtkWidget *box, GtkSizeGroup *group, const char *label,
             GtkWidget *widget)
{
  GtkWidget *row = cam_hbox_new (2 * LINE);
  GtkWidget *name = gtk_label_new_with_mnemonic (label);
  GtkWidget *target = g_object_get_data (G_OBJECT (widget), TARGET);

  gtk_label_set_mnemonic_widget (GTK_LABEL (name), target ? target : widget);
  align_left (name);
  if (group)
    gtk_size_group_add_widget (group, name);
  gtk_box_pack_start (GTK_BOX (row), name, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (row), widget, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), row, FALSE, FALSE, 0);
}

GtkWidget *
cam_scale_new (GtkAdjustment *adjustment, int digits)
{
  GtkWidget *box = cam_hbox_new (LINE);
#if GTK_MAJOR_VERSION >= 3
  GtkWidget *scale = gtk_scale_new (GTK_ORIENTATION_HORIZONTAL, adjustment);
#else
  GtkWidget *scale = gtk_hscale_new (adjustment);
#endif
  GtkWidget *spin = gtk_spin_button_new (adjustment, 0, digits);

  gtk_scale_set_draw_value (GTK_SCALE (scale), FALSE);
  gtk_widget_set_size_request (scale, 140, -1);
  gtk_entry_set_activates_default (GTK_ENTRY (spin), TRUE);
  gtk_entry_set_width_chars (GTK_ENTRY (spin), 5);
  gtk_box_pack_start (GTK_BOX (box), scale, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), spin, FALSE, FALSE, 0);
  g_object_set_data (G_OBJECT (box), TARGET, spin);
  return box;
}

GtkWidget *
cam_combo_new (void)
{
  GtkWidget *combo = gtk_combo_box_text_new ();
  GList *cells = gtk_cell_layout_get_cells (GTK_CELL_LAYOUT (combo));

  if (cells)
    g_object_set (cells->data, "ellipsize", PANGO_ELLIPSIZE_MIDDLE,
                  "width-chars", 24, NULL);
  g_list_free (cells);
  return combo;
}

void
cam_combo_clear (GtkWidget *combo)
{
  gtk_list_store_clear (
      GTK_LIST_STORE (gtk_combo_box_get_model (GTK_COMBO_BOX (combo))));
}

GtkWidget *
cam_label_new (const char *text, int width)
{
  GtkWidget *label = gtk_label_new (text);

  align_left (label);
  gtk_label_set_line_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_width_chars (GTK_LABEL (label), width);
  gtk_label_set_max_width_chars (GTK_LABEL (label), width);
  gtk_label_set_selectable (GTK_LABEL (label), FALSE);
  return label;
}

GtkWidget *
cam_note_new (const char *icon, const char *text, int width)
{
  GtkWidget *box = cam_hbox_new (LINE), *label = cam_label_new (text, width);

  gtk_box_pack_start (GTK_BOX (box), cam_icon_new (icon), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), label, TRUE, TRUE, 0);
  g_object_set_data (G_OBJECT (box), "cam-note-label", label);
  return box;
}

GtkWidget *
cam_note_label (GtkWidget *note)
{
  return g_object_get_data (G_OBJECT (note), "cam-note-label");
}

char *
cam_choose_path (GtkWidget *over, const char *title,
                 GtkFileChooserAction action, const char *pattern,
                 const char *pattern_title)
{
  GtkWidget *dialog =
      gtk_file_chooser_dialog_new (title,
                                   GTK_WINDOW (gtk_widget_get_toplevel (over)),
                                   action, _ ("_Cancel"), GTK_RESPONSE_CANCEL,
                                   action == GTK_FILE_CHOOSER_ACTION_SAVE
                                       ? _ ("_Save")
                                       : _ ("_Open"),
                                   GTK_RESPONSE_ACCEPT, NULL);
  char *path = NULL;

  if (pattern)
    {
      GtkFileFilter *filter = gtk_file_filter_new ();

      gtk_file_filter_add_pattern (filter, pattern);
      gtk_file_filter_set_name (filter, pattern_title);
      gtk_file_chooser_add_filter (GTK_FILE_CHOOSER (dialog), filter);
    }
  gtk_dialog_set_default_response (GTK_DIALOG (dialog), GTK_RESPONSE_ACCEPT);
  gtk_file_chooser_set_do_overwrite_confirmation (GTK_FILE_CHOOSER (dialog),
                                                  TRUE);
  if (gtk_dialog_run (GTK_DIALOG (dialog)) == GTK_RESPONSE_ACCEPT)
    path = gtk_file_chooser_get_filename (GTK_FILE_CHOOSER (dialog));
  gtk_widget_destroy (dialog);
  return path;
}

GtkWidget *
cam_icon_new (const char *name)
{
  return gtk_image_new_from_icon_name (name, GTK_ICON_SIZE_MENU);
}
