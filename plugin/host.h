/* host.h -- all that the shared code asks of GIMP
 *
 * host-2.10.c and host-3.c implement it and are the only files that see
 * libgimp; images, layers and masks go by their numbers, which both have.
 * GIMP has one wire to a plug-in: everything here is for the main thread only.
 */
#pragma once

#include <gegl.h>
#include <gtk/gtk.h>

typedef enum
{
  CAM_RUN_INTERACTIVE,
  CAM_RUN_NONINTERACTIVE,
  CAM_RUN_WITH_LAST_VALS
} CamRunMode;

typedef enum
{
  CAM_IMAGE_RGB,
  CAM_IMAGE_GRAY,
  CAM_IMAGE_INDEXED
} CamImageType;

typedef struct /* what is explained: a rectangle of a layer */
{
  gint32 image, layer;
  CamImageType type;
  int x, y, width, height; /* in the layer's own pixels: its selected part */
  int image_x, image_y;    /* the same corner in the image                 */
  int layer_width, layer_height;
} CamSource;

#define CAM_PLUGIN_ERROR (cam_plugin_error_quark ())
GQuark cam_plugin_error_quark (void);
typedef enum
{
  CAM_PLUGIN_ERROR_IMAGE,   /* not an image or layer that can be explained   */
  CAM_PLUGIN_ERROR_GIMP,    /* GIMP refused a call                           */
  CAM_PLUGIN_ERROR_NOTHING, /* no model, no database, no overlay to export   */
  CAM_PLUGIN_ERROR_PROGRAM  /* the camlens program is missing or failed      */
} CamPluginError;

/* The layer of @drawable (of a mask: its layer) and the part of it that the
 * selection's bounding box covers. */
gboolean cam_host_source (gint32 image, gint32 drawable, CamSource *source,
                          GError **error);
gint32 cam_host_layer_of (gint32 drawable); /* of a mask: its layer */
/* (transfer full), NULL where GIMP refuses */
GeglBuffer *cam_host_buffer (gint32 drawable);
gint32 cam_host_applied_mask (gint32 layer); /* -1: none */
char *cam_host_layer_name (gint32 layer);    /* (transfer full) */
/* The next one in the same group; -1 under the lowest. */
gint32 cam_host_layer_below (gint32 layer);

typedef struct
{
  const char *name;
  int x, y, width, height; /* in the image */
  double opacity;          /* 0 .. 100     */
  int mode;                /* GIMP's number, blended in the space of sRGB */
  CamImageType type;       /* that of the image, as it is now */
} CamLayerSettings;

/* A layer with alpha that belongs to no image yet: nothing that is done to it
 * shows or can be undone, until it is inserted.  -1 where GIMP refuses. */
gint32 cam_host_layer_new (gint32 image, const CamLayerSettings *settings);
void cam_host_layer_delete (gint32 layer);
/* Directly above @below, in the same group. */
gboolean cam_host_layer_insert (gint32 layer, gint32 image, gint32 below);
/* The same layer for another image, not inserted; -1 where GIMP refuses. */
gint32 cam_host_layer_copy_to (gint32 layer, gint32 image);
void cam_host_layer_update (gint32 layer);

/* Text that is kept with a layer in XCF files; NULL where there is none. */
gboolean cam_host_attach (gint32 layer, const char *name, const char *text);
char *cam_host_attached (gint32 layer, const char *name); /* (transfer full) */

void cam_host_undo_start (gint32 image);
void cam_host_undo_end (gint32 image);
CamImageType cam_host_image_type (gint32 image);
gboolean cam_host_convert_rgb (gint32 image);
/* A copy that nobody sees and that keeps no undo history, and its top layer;
 * it shares the pixels, so it costs little.  -1 where GIMP refuses. */
gint32 cam_host_image_copy (gint32 image, gint32 *top);
void cam_host_flush (void);

typedef struct /* a layer of an open image, to choose from */
{
  gint32 image, layer;
  char *title; /* "photo.png: Background" */
} CamOpenLayer;
void cam_open_layer_free (CamOpenLayer *layer);
GPtrArray *cam_host_layers (void); /* (transfer full) of CamOpenLayer */
/* The image of a layer; -1 where @layer is none. */
gint32 cam_host_layer_image (gint32 layer);
/* Any picture that GIMP reads, without a display; -1 with an error. */
gint32 cam_host_load (const char *path, gint32 *layer, GError **error);
/* Where the layer lies in its image now; it must be valid. */
void cam_host_layer_place (gint32 layer, int *x, int *y, int *width,
                           int *height);
/* Of the file that the image is saved in; NULL: none (transfer full) */
char *cam_host_image_path (gint32 image);
void cam_host_image_delete (gint32 image);
/* A copy of the image as it shows, in one layer, which is not indexed. */
gint32 cam_host_flat_copy (gint32 image, gint32 *layer);

/* In a box of GIMP's own; on standard error where it has no windows. */
void cam_host_message (const char *text);
void cam_host_progress_start (const char *text);
void cam_host_progress (double fraction);
void cam_host_progress_end (void);

/* GIMP's own folder of this user (transfer full) */
char *cam_host_folder (void);

void cam_host_ui_init (void);
/* A dialog with Reset, Cancel and the button @accept (NULL: with Reset and
 * Close); Help shows @help. */
GtkWidget *cam_host_dialog_new (const char *title, const char *role,
                                const char *accept, const char *help);
/* Runs until a button ends it: a GTK response. */
int cam_host_dialog_run (GtkWidget *dialog);
#define CAM_RESPONSE_RESET 1
