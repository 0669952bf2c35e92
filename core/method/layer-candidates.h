/* layer-candidates.h -- which layers of a network are worth trying */
#pragma once

#include "core/model/model.h"

/* At most @n names, in the order of the network, NULL-ended: outputs of
 * activations and of sums, spread over the last three resolutions, most from
 * the last; the fallback layer is among them.  (transfer full) */
char **cam_layer_candidates (const CamModel *model, int n, GError **error);
