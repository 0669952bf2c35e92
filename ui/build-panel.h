/* build-panel.h -- the inside of the dialog that builds cluster databases */
#pragma once

#include <gtk/gtk.h>

typedef struct /* borrowed from the panel until it changes */
{
  const char *folder, *model, *database;
  int clusters, triplets;
} CamBuildChoice;

/* @start: the button Start, or else Stop, has been pressed. */
typedef void (*CamBuildFunc) (gboolean start, gpointer data);

/* @models: CamInstalledModel */
GtkWidget *cam_build_panel_new (const GPtrArray *models, CamBuildFunc func,
                                gpointer data);
void cam_build_panel_reset (GtkWidget *panel);
CamBuildChoice cam_build_panel_get (GtkWidget *panel);
/* What is NULL or 0 stays as it is. */
void cam_build_panel_set (GtkWidget *panel, const CamBuildChoice *choice);
void cam_build_panel_set_running (GtkWidget *panel, gboolean running);
/* @fraction below 0: not known yet. */
void cam_build_panel_set_progress (GtkWidget *panel, const char *text,
                                   double fraction);
void cam_build_panel_set_result (GtkWidget *panel, const char *text,
                                 gboolean good);
