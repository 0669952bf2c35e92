/* input-settings.h -- CamInputSettings from a model's settings and its graph */
#pragma once

#include "core/model/settings.h"

/* Fills @input and *@input_name (transfer full); adds to @guesses (char *) a
 * sentence for each thing that neither the settings nor the graph say, and to
 * @customs those of things that hardly ever differ. */
gboolean cam_input_settings_read (const CamSettings *settings,
                                  CamInputSettings *input, char **input_name,
                                  GPtrArray *guesses, GPtrArray *customs,
                                  GError **error);
