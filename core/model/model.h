/* model.h -- a model as its user has it: a network and how pictures go in
 *
 * Settings come from model.ini (group [camlens]) beside the .onnx file, else
 * from its metadata_props
 * ("camlens.input.size" ...), else they are guessed, and the guesses are named.
 * Installed models are folders NAME/ with model.onnx, model.ini and *.camdb,
 * found in $CAMLENS_MODEL_PATH (colon-separated), then
 * $XDG_DATA_HOME/camlens/models, then the system's data folders and the prefix
 * that the program was built for.
 */
#pragma once

#include "core/engine/network.h"
#include "core/image/input.h"

typedef enum
{
  CAM_LAYOUT_NCHW,
  CAM_LAYOUT_NHWC,
  CAM_LAYOUT_TOKENS,
  CAM_LAYOUT_TOKENS_CLS
} CamLayout;

#define CAM_MODEL_ERROR (cam_model_error_quark ())
GQuark cam_model_error_quark (void);
typedef enum
{
  CAM_MODEL_ERROR_NOT_FOUND, /* no installed model or file of that name */
  CAM_MODEL_ERROR_SETTINGS,  /* a key that cannot be                    */
  CAM_MODEL_ERROR_NO_LAYER,  /* no target layer of that name            */
  CAM_MODEL_ERROR_NO_EMBEDDING,
  CAM_MODEL_ERROR_UNUSABLE /* the network, as the message says */
} CamModelError;

typedef struct
{
  char *path; /* of the .onnx file */
  char *name; /* short: folder or file name without its ending */
  char *title, *licence, *description; /* NULL where not given */
  CamInputSettings input;
  char *input_name;      /* of the graph's input */
  char **given_inputs;   /* NULL-ended: other inputs, which the settings give a
                            value: constants of the graph */
  char *embedding;       /* output name */
  char *layer;           /* target layer, NULL: not chosen */
  CamLayout layout;      /* of the layer */
  gboolean layout_given; /* else it follows from the layer's shape */
  char **guesses;        /* NULL-ended: sentences about what was guessed */
  char **customs;        /* the same of what is guessed rightly as a rule */
  char **warnings;       /* the same of what is hardly meant: settings that
                            are not known, scores for an embedding... */
  CamNetwork *network;
} CamModel;

/* @name_or_path: installed name or file; "" or NULL: the bundled "objects".
 * (transfer full) */
CamModel *cam_model_open (const char *name_or_path, GCancellable *cancellable,
                          GError **error);
/* The .onnx file of an installed name, a folder or a file. (transfer full) */
char *cam_model_find (const char *name, GError **error);
CamModel *cam_model_ref (CamModel *model);
void cam_model_unref (CamModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamModel, cam_model_unref)
const char *cam_model_digest (const CamModel *model);

typedef struct
{
  char *name, *title, *folder, *path; /* path of the .onnx */
} CamInstalledModel;
void cam_installed_model_free (CamInstalledModel *model);
/* All, first found first, a name once; cheap: no network is loaded. (transfer
 * full) array of CamInstalledModel */
GPtrArray *cam_models_installed (void);
/* Paths of *.camdb beside the model whose recorded model digest is @digest
 * (NULL: all). (transfer full) array of char* */
GPtrArray *cam_model_databases (const char *model_path, const char *digest);
