/* known-keys.h -- settings that nobody reads, because their key is misspelt */
#pragma once

#include "core/model/settings.h"

/* @key is a setting of every model ("input.size"). */
gboolean cam_known_keys_has (const char *key);

/* Adds to @warnings (char *) a sentence for each key of model.ini, and each
 * camlens.* of the ONNX file, that is none of a model's settings, nor the value
 * of one of its inputs (which are all still there); it names the key, the file,
 * and the known key that is spelt nearly so. */
void cam_known_keys_check (const CamSettings *settings, const char *model_path,
                           GPtrArray *warnings);
