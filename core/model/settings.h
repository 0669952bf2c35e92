/* settings.h -- the keys of model.ini and of ONNX metadata_props
 *
 * model.ini (group [camlens]) comes first, key by key, then metadata_props of
 * the same names behind "camlens."; docs/BRING-YOUR-OWN.md lists them.
 */
#pragma once

#include "core/model/model.h"

typedef struct
{
  GKeyFile *file;            /* owned; NULL: no model.ini */
  char *path;                /* of the model.ini          */
  const CamNetwork *network; /* borrowed                  */
} CamSettings;

/* The model.ini beside @model_path: NAME.ini for NAME.onnx (or NAME), else
 * model.ini; NULL: there is none.  (transfer full) */
char *cam_settings_find (const char *model_path);
/* Opens model.ini beside @model_path where there is one: NAME.ini for
 * NAME.onnx, else model.ini.  A value that is not UTF-8 is an error. */
gboolean cam_settings_open (CamSettings *settings, const char *model_path,
                            const CamNetwork *network, GError **error);
void cam_settings_clear (CamSettings *settings);

/* NULL where absent or empty (transfer full) */
char *cam_settings_get (const CamSettings *settings, const char *key);
/* FALSE with CAM_MODEL_ERROR_SETTINGS that names key, value and place. */
gboolean cam_settings_refuse (const CamSettings *settings, const char *key,
                              const char *value, const char *wanted,
                              GError **error);
/* @count numbers, or one for all; *@found says whether the key is there. */
gboolean cam_settings_numbers (const CamSettings *settings, const char *key,
                               int count, double *numbers, gboolean *found,
                               GError **error);
/* One of the NULL-ended @words; *@choice is left alone where absent. */
gboolean cam_settings_choice (const CamSettings *settings, const char *key,
                              const char *const *words, int *choice,
                              gboolean *found, GError **error);
