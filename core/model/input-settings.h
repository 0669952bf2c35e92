/* input-settings.h -- CamInputSettings from a model's settings and its graph */
#pragma once

#include "core/model/settings.h"

/* Fills @input for the graph's input @picture; adds to @guesses (char *) a
 * sentence for each thing that neither the settings nor the graph say, to
 * @customs those of things that hardly ever differ, and to @warnings those of
 * what can hardly be meant. */
gboolean cam_input_settings_read (const CamSettings *settings,
                                  const CamValue *picture,
                                  CamInputSettings *input, GPtrArray *guesses,
                                  GPtrArray *customs, GPtrArray *warnings,
                                  GError **error);
