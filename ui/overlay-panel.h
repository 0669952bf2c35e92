/* overlay-panel.h -- the inside of the overlay and example dialogs
 *
 * A picture at the left, controls and evidence at the right.  The panel edits
 * a CamOptions and says what changed; whoever made it computes, and gives it
 * pixels to show.
 */
#pragma once

#include "ui/evidence.h"
#include "ui/options.h"

/* The box that the picture has; pictures fill it one way or the other. */
#define CAM_PREVIEW_WIDTH 560
#define CAM_PREVIEW_HEIGHT 460

typedef enum
{
  CAM_SHOW_OVERLAY,
  CAM_SHOW_HEAT_MAP,
  CAM_SHOW_ORIGINAL
} CamShow;

typedef enum
{
  CAM_CHANGED_MODEL,    /* everything has to be done again        */
  CAM_CHANGED_DATABASE, /* the look-up, and perhaps the layer     */
  CAM_CHANGED_EXAMPLE,  /* a positive or negative picture         */
  CAM_CHANGED_MAP,      /* top-k or transfer: the weighted sum    */
  CAM_CHANGED_LOOK,     /* colours, opacity, what is shown        */
  CAM_CHANGED_ALL       /* a preset or Reset: any of these        */
} CamChanged;

typedef void (*CamChangedFunc) (CamChanged what, gpointer data);

typedef struct _CamOverlayPanel CamOverlayPanel;

typedef struct /* what a panel offers */
{
  gboolean example;        /* positive and negative, not a database      */
  gboolean gray, indexed;  /* the image cannot hold colours              */
  GPtrArray *models;       /* CamInstalledModel (borrowed)               */
  GPtrArray *layer_titles; /* char *: of other open layers, for examples */
  GPtrArray *layer_names;  /* char *: "layer:12", in the same order      */
  const char *presets;     /* key file                                   */
} CamPanelSettings;

/* @settings lives longer than the panel; freed with its widget. */
CamOverlayPanel *cam_overlay_panel_new (CamOptions *settings,
                                        const CamPanelSettings *panel,
                                        CamChangedFunc changed, gpointer data);
GtkWidget *cam_overlay_panel_widget (CamOverlayPanel *panel);
CamShow cam_overlay_panel_show (const CamOverlayPanel *panel);
/* The keyboard goes to what has to be chosen first: the positive picture. */
void cam_overlay_panel_focus (CamOverlayPanel *panel);

/* All controls as @settings have it; nothing is said to have changed. */
void cam_overlay_panel_refresh (CamOverlayPanel *panel);
/* Paths of the databases that fit the model; @current is the one in use. */
void cam_overlay_panel_set_databases (CamOverlayPanel *panel,
                                      const GPtrArray *paths,
                                      const char *current);
/* How many channels there are to choose from. */
void cam_overlay_panel_set_channels (CamOverlayPanel *panel, int n_channels);
/* RGB, copied, at most as large as the box. */
void cam_overlay_panel_set_pixels (CamOverlayPanel *panel, const guint8 *pixels,
                                   int width, int height, int stride);
void cam_overlay_panel_set_evidence (CamOverlayPanel *panel,
                                     const CamEvidence *evidence);
/* What speaks against the model, NULL-ended; NULL or none: nothing is shown. */
void cam_overlay_panel_set_doubts (CamOverlayPanel *panel, char **sentences);
/* @fraction below 0: how long is not known; above 1: nothing goes on. */
void cam_overlay_panel_set_progress (CamOverlayPanel *panel, const char *text,
                                     double fraction);
void cam_overlay_panel_set_error (CamOverlayPanel *panel, const char *text);
