/* installed.h -- where models by name are looked for */
#pragma once

#include "core/model/model.h"

/* The folders that hold models' folders, first to last, whether they exist or
 * not. (transfer full) array of char* */
GPtrArray *cam_model_folders (void);
/* Where "camlens models add" puts them (transfer full) */
char *cam_model_user_folder (void);
/* model.onnx of @folder, or its only .onnx file; NULL: none (transfer full) */
char *cam_model_file_in (const char *folder);
