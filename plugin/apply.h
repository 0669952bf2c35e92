/* apply.h -- the overlay becomes a layer: the one place that changes an image
 *
 * The layer is filled while it belongs to no image, and inserted last, in one
 * undo step; whatever goes wrong before leaves the image as it was.
 *
 * Where the image becomes RGB in that step, all of it is done in a copy of the
 * image first, so that a GIMP that refuses leaves the image and its undo history
 * as they were.  Two calls remain that GIMP cannot be asked for as one: convert,
 * insert.  A plug-in that is killed between them leaves an RGB image without
 * the layer, which one undo brings back (before them, in the group that makes
 * them one undo step, an empty step; and GIMP keeps the copy in its memory).
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
/* Where nobody has seen a dialog: says why the map is empty, if it is. */
void cam_apply_warn (const CamExplanation *explanation);
