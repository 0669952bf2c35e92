/* pixels.h -- rows of any pixel format to the bytes that networks are fed */
#pragma once

#include "core/image/input.h"

/* @n pixels of @format to interleaved R, G, B bytes (@n_channels 3) or to
 * Pillow's luma (1), transparency laid over @background (bytes). */
void cam_pixels_to_bytes (CamPixelFormat format, gconstpointer pixels, int n,
                          const guint8 background[3], int n_channels,
                          guint8 *out);
gsize cam_pixel_format_size (CamPixelFormat format);
/* ITU-R 601-2 luma in Pillow's fixed point */
guint8 cam_luma (int r, int g, int b);
guint8 cam_unit_to_byte (double v); /* 0..1 to 0..255, rounded, clipped */
