/* build-panel.h -- the inside of the dialog that builds cluster databases */
#pragma once

#include <gtk/gtk.h>

typedef struct /* borrowed from the panel until it changes */
{
  const char *folder, *model, *database;
  int clusters, triplets;
} CamBuildChoice;

typedef enum
{
  CAM_BUILD_ASKS_START, /* the button was pressed */
  CAM_BUILD_ASKS_STOP,
  CAM_BUILD_ASKS_PLACE /* another database was named: what is there? */
} CamBuildAsks;

typedef void (*CamBuildFunc) (CamBuildAsks what, gpointer data);

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
/* @text NULL: what to know before a build. */
void cam_build_panel_set_result (GtkWidget *panel, const char *text,
                                 gboolean good);
/* Whether the finished database @path may be replaced. */
gboolean cam_build_panel_confirm_replace (GtkWidget *panel, const char *path);
/* Whether to begin again, and forget a build of other settings. */
gboolean cam_build_panel_confirm_again (GtkWidget *panel);
