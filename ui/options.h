/* options.h -- what the dialogs edit, and how it is kept between runs
 *
 * One struct for a run of each procedure; key files keep the last values and
 * the named presets.  A value out of its range is an error that names it, never
 * silently another value.
 */
#pragma once

#include "core/image/overlay.h"
#include "core/method/explainer.h"

typedef struct /* a layer mode that the overlay may have */
{
  const char *name;  /* "soft-light", as scripts write it          */
  const char *title; /* for people, to be translated               */
  int number;        /* GIMP's own: the same in 2.10 and in 3      */
} CamLayerMode;

/* All of them; the count is written to @n_modes. (static) */
const CamLayerMode *cam_layer_modes (int *n_modes);
/* Place in that table, or -1. */
int cam_layer_mode_by_name (const char *name);
int cam_layer_mode_by_number (int number);

const char *cam_transfer_name (CamTransfer transfer); /* "cluster" */
gboolean cam_transfer_parse (const char *name, CamTransfer *transfer);

typedef struct
{
  char *model;    /* installed name or path; "" is the bundled one */
  char *database; /* name or path; "" is the model's own           */
  char *positive; /* explain by example: path or "layer:NUMBER"    */
  char *negative; /* the same; "" explains a pair                  */
  int top_k;      /* channels kept; 0 is all                       */
  double opacity; /* 0 .. 100                                      */
  CamColormap colormap;
  int layer_mode;   /* place in cam_layer_modes ()                   */
  double threshold; /* 0 .. 1, of the map's maximum                  */
  CamTransfer transfer;
  gboolean convert; /* make the image RGB first; never kept          */
} CamOptions;

#define CAM_OPTIONS_ERROR (cam_options_error_quark ())
GQuark cam_options_error_quark (void);
typedef enum
{
  CAM_OPTIONS_ERROR_VALUE, /* a number or choice that cannot be  */
  CAM_OPTIONS_ERROR_FILE   /* a key file that cannot be written  */
} CamOptionsError;

CamOptions *cam_options_new (void); /* the defaults (transfer full) */
CamOptions *cam_options_copy (const CamOptions *settings);
void cam_options_assign (CamOptions *to, const CamOptions *from);
void cam_options_free (CamOptions *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamOptions, cam_options_free)

/* Each sets one value or says why it cannot be. */
gboolean cam_options_set_colormap (CamOptions *settings, const char *name,
                                   GError **error);
gboolean cam_options_set_layer_mode (CamOptions *settings, const char *name,
                                     GError **error);
gboolean cam_options_set_transfer (CamOptions *settings, const char *name,
                                   GError **error);
/* Ranges of all numbers. */
gboolean cam_options_check (const CamOptions *settings, GError **error);

/* Into and out of a group of a key file; what is absent or cannot be keeps its
 * value, since a file of last values must not stop a run. */
void cam_options_to_group (const CamOptions *settings, GKeyFile *file,
                           const char *group);
void cam_options_from_group (CamOptions *settings, GKeyFile *file,
                             const char *group);

/* The key file @path; empty where it is missing or no such file (transfer
 * full). The second is for a file that is written anew afterwards: one that
 * cannot be understood is renamed first, with "~" behind its name. */
GKeyFile *cam_key_file_read (const char *path);
GKeyFile *cam_key_file_read_to_change (const char *path);
gboolean cam_key_file_write (GKeyFile *file, const char *path, GError **error);

/* A group of the file @path; a missing file leaves @settings alone. */
void cam_options_load (CamOptions *settings, const char *path,
                       const char *group);
gboolean cam_options_save (const CamOptions *settings, const char *path,
                           const char *group, GError **error);
/* Names of all groups, sorted: the presets. (transfer full) */
char **cam_options_groups (const char *path);
gboolean cam_options_remove (const char *path, const char *group,
                             GError **error);
