/* known-keys.h -- settings that nobody reads, because their key is misspelt */
#pragma once

#include "core/model/settings.h"

/* Adds to @warnings (char *) a sentence for each key of model.ini, and each
 * camlens.* of the ONNX file, that is none of a model's settings; it names the
 * key, the file, and the known key that is spelt nearly so. */
void cam_known_keys_check (const CamSettings *settings, const char *model_path,
                           GPtrArray *warnings);
