/* preset-bar.h -- named settings: choose, save, delete */
#pragma once

#include "ui/options.h"
#include <gtk/gtk.h>

/* @chosen (data): @settings now hold the chosen preset.  @path: the key file,
 * a group a preset.  @settings lives longer than the widget. */
GtkWidget *cam_preset_bar_new (CamOptions *settings, const char *path,
                               GCallback chosen, gpointer data);
/* The settings are no preset's any more: none is shown as chosen. */
void cam_preset_bar_leave (GtkWidget *bar);
