/* choice.h -- a list to choose from, with "another file..." at its end
 *
 * Each line has a text for people and a value for the settings.  A value that
 * is no line of the list becomes one.
 */
#pragma once

#include <gtk/gtk.h>

typedef struct
{
  const char *chooser_title; /* of the file dialog; NULL: no files */
  const char *pattern;       /* "*.onnx", or NULL                  */
  const char *pattern_title;
} CamChoiceFiles;

/* @changed (@data) is called when the person has chosen. */
GtkWidget *cam_choice_new (const CamChoiceFiles *files, GCallback changed,
                           gpointer data);
void cam_choice_clear (GtkWidget *choice);
void cam_choice_add (GtkWidget *choice, const char *text, const char *value);
void cam_choice_set (GtkWidget *choice, const char *value);
const char *cam_choice_get (GtkWidget *choice); /* borrowed; never NULL */
