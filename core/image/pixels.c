/* pixels.c -- 8-bit, 16-bit and float pixels to opaque bytes */
#include "core/image/pixels.h"

#include <string.h>

guint8
cam_luma (int r, int g, int b)
{
  return (guint8) ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16);
}

guint8
cam_unit_to_byte (double v)
{
  /* written so that not-a-number becomes 0 */
  return v > 0.0 ? (v < 1.0 ? (guint8) (v * 255.0 + 0.5) : 255) : 0;
}

gsize
cam_pixel_format_size (CamPixelFormat format)
{
  switch (format)
    {
    case CAM_PIXEL_RGB8: return 3;
    case CAM_PIXEL_RGBA16: return 8;
    case CAM_PIXEL_RGBA_FLOAT: return 16;
    default: return 4;
    }
}

static inline int
over (int colour, int alpha, int background)
{
  return (colour * alpha + background * (255 - alpha) + 127) / 255;
}

/* One pixel as R, G, B, alpha bytes. */
static inline void
read_pixel (CamPixelFormat format, gconstpointer pixels, int i, int rgba[4])
{
  const guint8 *bytes = pixels;
  const guint16 *words = pixels;
  const float *floats = pixels;

  switch (format)
    {
    case CAM_PIXEL_RGB8:
      for (int c = 0; c < 3; c++)
        rgba[c] = bytes[i * 3 + c];
      rgba[3] = 255;
      break;
    case CAM_PIXEL_RGBA8:
      for (int c = 0; c < 4; c++)
        rgba[c] = bytes[i * 4 + c];
      break;
    case CAM_PIXEL_RGBA16:
      for (int c = 0; c < 4; c++)
        rgba[c] = (words[i * 4 + c] + 128) / 257;
      break;
    default: /* CAM_PIXEL_RGBA_FLOAT */
      for (int c = 0; c < 4; c++)
        rgba[c] = cam_unit_to_byte (floats[i * 4 + c]);
      break;
    }
}

void
cam_pixels_to_bytes (CamPixelFormat format, gconstpointer pixels, int n,
                     const guint8 background[3], int n_channels, guint8 *out)
{
  if (format == CAM_PIXEL_RGB8 && n_channels == 3)
    {
      memcpy (out, pixels, (gsize) n * 3);
      return;
    }
  for (int i = 0; i < n; i++)
    {
      int p[4];

      read_pixel (format, pixels, i, p);
      if (p[3] != 255)
        for (int c = 0; c < 3; c++)
          p[c] = over (p[c], p[3], background[c]);
      if (n_channels == 1)
        out[i] = cam_luma (p[0], p[1], p[2]);
      else
        for (int c = 0; c < 3; c++)
          out[i * 3 + c] = (guint8) p[c];
    }
}
