/* widgets.h -- the few places where GTK 2 and GTK 3 differ, and rows that look
 * the same everywhere: a label with a mnemonic, then what it names */
#pragma once

#include <gtk/gtk.h>

GtkWidget *cam_hbox_new (int spacing);
GtkWidget *cam_vbox_new (int spacing);
/* @child, 12 pixels to the right: below a title, or aligned with what is. */
GtkWidget *cam_indent_new (GtkWidget *child);
/* A bold title over an indented child, as GIMP groups things. */
GtkWidget *cam_frame_new (const char *title, GtkWidget *child);
/* "_Opacity" [widget] in @box; all labels of @group (NULL: none) are equally
 * wide. */
void cam_row_add (GtkWidget *box, GtkSizeGroup *group, const char *label,
                  GtkWidget *widget);
/* A slider with a number beside it, both on @adjustment. */
GtkWidget *cam_scale_new (GtkAdjustment *adjustment, int digits);
/* A list of texts; long ones are cut in the middle. */
GtkWidget *cam_combo_new (void);
void cam_combo_clear (GtkWidget *combo);
/* A line that wraps at @width characters, left-aligned. */
GtkWidget *cam_label_new (const char *text, int width);
/* An icon and a text that wraps beside it, and the two parts. */
GtkWidget *cam_note_new (const char *icon, const char *text, int width);
GtkWidget *cam_note_icon (GtkWidget *note);
GtkWidget *cam_note_label (GtkWidget *note);
/* A message over the window of @over, with its title. */
GtkWidget *cam_message_new (GtkWidget *over, GtkMessageType type,
                            GtkButtonsType buttons, const char *text);
/* Asks whether to go on: with Cancel, which Return presses, and @accept. */
gboolean cam_confirm (GtkWidget *over, const char *question,
                      const char *details, const char *accept);
/* @child in a place of at least so many lines, so that a window keeps its size
 * when a text does not. */
GtkWidget *cam_reserve_new (GtkWidget *child, int lines);
/* A dialog for one file or folder, which opens in the folder of the path
 * @beside (NULL: at home); NULL where cancelled. */
char *cam_choose_path (GtkWidget *over, const char *title,
                       GtkFileChooserAction action, const char *pattern,
                       const char *pattern_title, const char *beside);
GtkWidget *cam_icon_new (const char *name);
/* What a screen reader calls a widget that has no label. */
void cam_name (GtkWidget *widget, const char *name);
