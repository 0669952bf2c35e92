/* export-panel.h -- which files of an overlay are saved, and where */
#pragma once

#include <gtk/gtk.h>

#define CAM_EXPORT_PANEL_KINDS 5 /* overlay, composite, TIFF, NPY, JSON */

typedef struct /* borrowed from the panel until it changes */
{
  const char *folder, *base;
  gboolean wanted[CAM_EXPORT_PANEL_KINDS];
} CamExportChoice;

/* @base: folder and the beginning of the files' names. */
GtkWidget *cam_export_panel_new (const char *base);
void cam_export_panel_reset (GtkWidget *panel, const char *base);
CamExportChoice cam_export_panel_get (GtkWidget *panel);
/* Whether @files, a line each, may be replaced. */
gboolean cam_export_panel_confirm (GtkWidget *panel, const char *files);
void cam_export_panel_complain (GtkWidget *panel, const char *message);
