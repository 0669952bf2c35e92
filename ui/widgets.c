/* widgets.c -- see widgets.h */
#include "config.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>

#define LINE 6
/* The part of a compound widget that a label's mnemonic should focus. */
#define TARGET "cam-mnemonic-target"
/* Another part of it, which has the same label. */
#define PARTNER "cam-mnemonic-partner"
#define COMBO 30 /* characters of a list that are sure to show */

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

/* @up: 0 at the top of its place, 0.5 in the middle of it. */
static void
align_left (GtkWidget *label, double up)
{
#if GTK_MAJOR_VERSION >= 3
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_label_set_yalign (GTK_LABEL (label), up);
#else
  gtk_misc_set_alignment (GTK_MISC (label), 0, up);
#endif
}

void
cam_name (GtkWidget *widget, const char *name)
{
  atk_object_set_name (gtk_widget_get_accessible (widget), name);
}

GtkWidget *
cam_indent_new (GtkWidget *child)
{
  GtkWidget *box = cam_hbox_new (2 * LINE);
  GtkWidget *target = g_object_get_data (G_OBJECT (child), TARGET);

  g_object_set_data (G_OBJECT (box), TARGET, target ? target : child);
  gtk_box_pack_start (GTK_BOX (box), gtk_label_new (NULL), FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), child, TRUE, TRUE, 0);
  return box;
}

GtkWidget *
cam_frame_new (const char *title, GtkWidget *child)
{
  GtkWidget *box = cam_vbox_new (LINE);
  GtkWidget *label = gtk_label_new (NULL);
  g_autofree char *markup = g_markup_printf_escaped ("<b>%s</b>", title);

  gtk_label_set_markup (GTK_LABEL (label), markup);
  align_left (label, 0.5);
  gtk_box_pack_start (GTK_BOX (box), label, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), cam_indent_new (child), TRUE, TRUE, 0);
  return box;
}

static void
label_partner (GtkWidget *widget, GtkWidget *label)
{
  GtkWidget *partner = g_object_get_data (G_OBJECT (widget), PARTNER);

  if (partner)
    atk_object_add_relationship (gtk_widget_get_accessible (partner),
                                 ATK_RELATION_LABELLED_BY,
                                 gtk_widget_get_accessible (label));
}

void
cam_row_add (GtkWidget *box, GtkSizeGroup *group, const char *label,
             GtkWidget *widget)
{
  GtkWidget *row = cam_hbox_new (2 * LINE);
  GtkWidget *name = gtk_label_new_with_mnemonic (label);
  GtkWidget *target = g_object_get_data (G_OBJECT (widget), TARGET);

  gtk_label_set_mnemonic_widget (GTK_LABEL (name), target ? target : widget);
  label_partner (widget, name);
  align_left (name, 0.5);
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
  g_object_set_data (G_OBJECT (box), PARTNER, scale);
  return box;
}

GtkWidget *
cam_combo_new (void)
{
  GtkWidget *combo = gtk_combo_box_text_new ();
  GList *cells = gtk_cell_layout_get_cells (GTK_CELL_LAYOUT (combo));

  if (cells)
    g_object_set (cells->data, "ellipsize", PANGO_ELLIPSIZE_MIDDLE,
                  "width-chars", COMBO,
#if GTK_MAJOR_VERSION >= 3
                  "max-width-chars", COMBO,
#endif
                  NULL);
  g_list_free (cells);
  return combo;
}

void
cam_combo_clear (GtkWidget *combo)
{
  gtk_list_store_clear (
      GTK_LIST_STORE (gtk_combo_box_get_model (GTK_COMBO_BOX (combo))));
}

/* So many characters wide and lines high; -1: as it comes. */
static void
set_size (GtkWidget *widget, int width, int lines)
{
  PangoContext *context = gtk_widget_get_pango_context (widget);
  PangoFontMetrics *metrics = pango_context_get_metrics (context, NULL, NULL);
  int across = MAX (pango_font_metrics_get_approximate_char_width (metrics),
                    pango_font_metrics_get_approximate_digit_width (metrics));
  int down = pango_font_metrics_get_ascent (metrics)
             + pango_font_metrics_get_descent (metrics);

  gtk_widget_set_size_request (widget,
                               width < 0 ? -1 : PANGO_PIXELS (width * across),
                               lines < 0 ? -1 : PANGO_PIXELS (lines * down));
  pango_font_metrics_unref (metrics);
}

GtkWidget *
cam_reserve_new (GtkWidget *child, int lines)
{
  /* a size of the child's own would cut it off in GTK 2 */
  GtkWidget *box = cam_hbox_new (0), *strut = gtk_label_new (NULL);

  set_size (strut, -1, lines);
  gtk_box_pack_start (GTK_BOX (box), child, TRUE, TRUE, 0);
  gtk_box_pack_start (GTK_BOX (box), strut, FALSE, FALSE, 0);
  return box;
}

GtkWidget *
cam_label_new (const char *text, int width)
{
  GtkWidget *label = gtk_label_new (text);

  align_left (label, 0);
  gtk_label_set_line_wrap (GTK_LABEL (label), TRUE);
#if GTK_MAJOR_VERSION >= 3
  gtk_label_set_width_chars (GTK_LABEL (label), width);
  gtk_label_set_max_width_chars (GTK_LABEL (label), width);
#else
  set_size (label, width, -1); /* GTK 2 would wrap earlier than that */
#endif
  gtk_label_set_selectable (GTK_LABEL (label), FALSE);
  return label;
}

GtkWidget *
cam_note_new (const char *icon, const char *text, int width)
{
  GtkWidget *box = cam_hbox_new (LINE), *label = cam_label_new (text, width);
  GtkWidget *image = cam_icon_new (icon);

#if GTK_MAJOR_VERSION >= 3
  gtk_widget_set_valign (image, GTK_ALIGN_START);
#else
  gtk_misc_set_alignment (GTK_MISC (image), 0.5, 0);
#endif
  g_object_set_data (G_OBJECT (box), "cam-note-icon", image);
  gtk_box_pack_start (GTK_BOX (box), image, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), label, TRUE, TRUE, 0);
  g_object_set_data (G_OBJECT (box), "cam-note-label", label);
  return box;
}

GtkWidget *
cam_note_label (GtkWidget *note)
{
  return g_object_get_data (G_OBJECT (note), "cam-note-label");
}

GtkWidget *
cam_note_icon (GtkWidget *note)
{
  return g_object_get_data (G_OBJECT (note), "cam-note-icon");
}

GtkWidget *
cam_message_new (GtkWidget *over, GtkMessageType type, GtkButtonsType buttons,
                 const char *text)
{
  GtkWindow *window = GTK_WINDOW (gtk_widget_get_toplevel (over));
  g_autofree char *shown = g_utf8_make_valid (text, -1);
  GtkWidget *dialog = gtk_message_dialog_new (window, GTK_DIALOG_MODAL, type,
                                              buttons, "%s", shown);

  gtk_window_set_title (GTK_WINDOW (dialog), gtk_window_get_title (window));
  return dialog;
}

gboolean
cam_confirm (GtkWidget *over, const char *question, const char *details,
             const char *accept)
{
  GtkWidget *dialog = cam_message_new (over, GTK_MESSAGE_QUESTION,
                                       GTK_BUTTONS_NONE, question);
  g_autofree char *shown = g_utf8_make_valid (details, -1);
  int response;

  gtk_message_dialog_format_secondary_text (GTK_MESSAGE_DIALOG (dialog), "%s",
                                            shown);
  gtk_dialog_add_buttons (GTK_DIALOG (dialog), _ ("_Cancel"),
                          GTK_RESPONSE_CANCEL, accept, GTK_RESPONSE_OK, NULL);
  gtk_dialog_set_default_response (GTK_DIALOG (dialog), GTK_RESPONSE_CANCEL);
  response = gtk_dialog_run (GTK_DIALOG (dialog));
  gtk_widget_destroy (dialog);
  return response == GTK_RESPONSE_OK;
}

char *
cam_choose_path (GtkWidget *over, const char *title,
                 GtkFileChooserAction action, const char *pattern,
                 const char *pattern_title, const char *beside)
{
  GtkWidget *dialog =
      gtk_file_chooser_dialog_new (title,
                                   GTK_WINDOW (gtk_widget_get_toplevel (over)),
                                   action, _ ("_Cancel"), GTK_RESPONSE_CANCEL,
                                   action == GTK_FILE_CHOOSER_ACTION_SAVE
                                       ? _ ("_Save")
                                       : _ ("_Open"),
                                   GTK_RESPONSE_ACCEPT, NULL);
  g_autofree char *folder = beside && g_path_is_absolute (beside)
                                ? g_path_get_dirname (beside)
                                : g_strdup (g_get_home_dir ());
  char *path = NULL;

  gtk_file_chooser_set_current_folder (GTK_FILE_CHOOSER (dialog), folder);
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
