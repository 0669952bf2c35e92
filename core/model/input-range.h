/* input-range.h -- what reaches the network of a black and of a white picture
 *
 * Scale, mean and standard deviation that do not belong together leave maps
 * that look like maps.  The numbers that reach the network show it.
 */
#pragma once

#include "core/model/settings.h"

/* FALSE with an error where the numbers are not finite, or black and white are
 * the same.  Adds to @warnings where they can hardly be meant, and for each
 * setting that has no effect beside the others. */
gboolean cam_input_range_check (const CamSettings *settings,
                                const CamInputSettings *input,
                                GPtrArray *warnings, GError **error);
