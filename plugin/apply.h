/* apply.h -- the overlay becomes a layer: the one place that changes an image
 *
 * The layer is filled while it belongs to no image, and inserted last, in one
 * undo step; whatever goes wrong before leaves the image as it was.
 */
#pragma once

#include "plugin/explanation.h"
#include "plugin/host.h"

/* The new layer, or -1. */
gint32 cam_apply (const CamSource *source, const CamExplanation *explanation,
                  const CamOptions *settings, GError **error);
/* What this kind of image can bear: a coloured layer needs an RGB image. */
gboolean cam_apply_check (const CamSource *source, const CamOptions *settings,
                          GError **error);

#define CAM_PROVENANCE_PARASITE "camlens-provenance"
#define CAM_HEAT_MAP_PARASITE "camlens-heat-map"
