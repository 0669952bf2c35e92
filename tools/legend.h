/* legend.h -- a strip below a picture that says what its colours mean */
#pragma once

#include "core/image/overlay.h"

/* @base RGBA8 [*height, width] with the strip below; *height grows.  NULL with
 * an error where memory is short.  (transfer full, g_free) */
guint8 *legend_add (const guint8 *base, int width, int *height,
                    CamColormap colormap, double threshold, double maximum,
                    const char *text, GError **error);
