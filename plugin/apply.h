/* apply.h -- the overlay becomes a layer: the one place that changes an image
 *
 * The layer is filled while it belongs to no image, and inserted last, in one
 * undo step; whatever goes wrong before leaves the image as it was.
 *
 * Where the image becomes RGB in that step, all that can be foreseen is checked
 * before, and the layer is filled in a scratch image.  GIMP has no call by
 * which a plug-in could undo, and keeps a group of undo steps even when it is
 * empty: should it refuse to convert, such a step is left, and should it
 * convert and then refuse the layer, the person must undo, and is told so.
 */
#pragma once

#include "plugin/explanation.h"
#include "plugin/host.h"

/* The new layer, or -1. */
gint32 cam_apply (const CamSource *source, const CamExplanation *explanation,
                  const CamOptions *settings, GError **error);
/* Whether this kind of image can bear an overlay at all. */
gboolean cam_apply_check (const CamSource *source, const CamOptions *settings,
                          GError **error);
/* The colour map that this image can bear: gray, where it stays gray.  People
 * see that in the dialog; a script must ask for it, or it is an error. */
CamColormap cam_apply_colormap (const CamSource *source,
                                const CamOptions *settings);
gboolean cam_apply_check_colormap (const CamSource *source,
                                   const CamOptions *settings, GError **error);

#define CAM_PROVENANCE_PARASITE "camlens-provenance"
#define CAM_HEAT_MAP_PARASITE "camlens-heat-map"
