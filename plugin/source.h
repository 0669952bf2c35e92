/* source.h -- which layer a person means, and which part of it */
#pragma once

#include "plugin/host.h"

/* As cam_host_source (); but a new overlay is GIMP's active layer, and nobody
 * means to explain that: of an overlay, it is the first layer below it that is
 * none.  So the same filter can be repeated. */
gboolean cam_source_find (gint32 image, gint32 drawable, CamSource *source,
                          GError **error);
