/* legend.h -- a strip below a picture that says what its colours mean */
#pragma once

#include "core/image/overlay.h"

/* The strip for a picture @width wide, RGBA8 [*height, width]; NULL with an
 * error where memory is short.  (transfer full, g_free) */
guint8 *legend_new (int width, int *height, CamColormap colormap,
                    double threshold, double maximum, const char *text,
                    GError **error);
