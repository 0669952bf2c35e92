/* picture-write.h -- pictures and maps to files, whole or not at all
 *
 * Written under a temporary name in the same folder, then renamed.
 */
#pragma once

#include "core/image/overlay.h"

/* Whether the ending is one of those */
gboolean picture_can_write (const char *path);
/* Whether what is written there keeps its alpha */
gboolean picture_keeps_alpha (const char *path);
/* Whether a map can be written there: .npy, .tif or .tiff */
gboolean picture_can_write_map (const char *path);
/* The map's own numbers, [h, w] float32: .npy, or .tif / .tiff */
gboolean picture_write_map (const char *path, const CamHeatMap *map,
                            GError **error);
/* RGBA8 over white as a JPEG in memory (transfer full) */
GBytes *picture_encode_jpeg (const guint8 *pixels, int width, int height,
                             GError **error);
