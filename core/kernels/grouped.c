/* grouped.c -- convolutions whose outputs see only the inputs of their group
 *
 * Vectors run over 16 outputs.  Where several groups share them, inputs are
 * spread first, so that each lane finds the input of its own group: once for
 * all the taps that read it, and nothing is multiplied by zero.
 */
#include "core/kernels/vector.h"
#include "core/kernels/levels.h"

#define VECTORS (CAM_GROUP_LANES / CAM_LANES)
#if CAM_LANES == 16
#define PIXELS 14 /* times 1 vector */
#elif CAM_LANES == 8
#define PIXELS 6 /* times 2 vectors: 12 of 16 registers */
#else
#define PIXELS 3 /* times 4 vectors */
#endif

/* Lane i of vector @v gets channel i / group * group + j of the 16. */
CAM_INLINE CamVec
spread_vector (const float *x, int group, int v, int j)
{
  int first = v * CAM_LANES;
  CamVecInt index;

  if (group >= CAM_LANES)
    return cam_splat (x[first / group * group + j]);
  for (int i = 0; i < CAM_LANES; i++)
    index[i] = i / group * group + j;
  return cam_pick (cam_load (x + first), index);
}

CAM_INLINE void
spread_pixels (const float *x, gsize channels, int n, int pixels,
               const int group, float *to)
{
  float part[CAM_GROUP_LANES] = { 0 };

  for (int p = 0; p < pixels; p++, x += channels)
    {
      const float *from = n == CAM_GROUP_LANES
                            ? x : memcpy (part, x, n * sizeof *part);

      for (int j = 0; j < group; j++)
        for (int v = 0; v < VECTORS; v++, to += CAM_LANES)
          cam_store (to, spread_vector (from, group, v, j));
    }
}

void
CAM_KERNEL (spread_groups) (const float *x, gsize channels, int n, int pixels,
                            int group, float *to)
{
  if (group == 2)
    spread_pixels (x, channels, n, pixels, 2, to);
  else if (group == 4)
    spread_pixels (x, channels, n, pixels, 4, to);
  else
    spread_pixels (x, channels, n, pixels, 8, to);
}

/* One input of a group and one tap, for @n pixels @step floats apart. */
CAM_INLINE void
add_input (const int n, const gboolean spread, const float *x, gsize step,
           const float *w, CamVec (*sum)[VECTORS])
{
  CamVec b[VECTORS];

#pragma GCC unroll 4
  for (int v = 0; v < VECTORS; v++)
    b[v] = cam_load (w + v * CAM_LANES);
#pragma GCC unroll 16
  for (int p = 0; p < n; p++)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
      sum[p][v] += spread ? cam_load (x + p * step + v * CAM_LANES) * b[v]
                          : x[p * step] * b[v];
}

CAM_INLINE void
write_pixels (const int n, const CamGroupedStrip *s, float *y, gsize ldy,
              CamVec (*sum)[VECTORS])
{
  CamVec low = cam_splat (s->low), high = cam_splat (s->high);
  float part[CAM_GROUP_LANES];

#pragma GCC unroll 16
  for (int p = 0; p < n; p++, y += ldy)
    {
      float *to = s->n == CAM_GROUP_LANES ? y : part;

#pragma GCC unroll 4
      for (int v = 0; v < VECTORS; v++)
        cam_store (to + v * CAM_LANES,
                   cam_activate (CAM_ACTIVATION_CLIP, sum[p][v], low, high));
      if (to == part)
        memcpy (y, part, s->n * sizeof *y);
    }
}

/* @n and @spread are constants where this is inlined. */
CAM_INLINE void
block (const int n, const gboolean spread, const CamGroupedStrip *s,
       const float *const *rows, int first, float *y, gsize ldy)
{
  gsize size = s->group * (spread ? CAM_GROUP_LANES : 1); /* of a pixel */
  gsize step = s->stride_w * size;
  const float *w = s->weights;
  CamVec sum[PIXELS][VECTORS];
  float bias[CAM_GROUP_LANES] = { 0 };

  if (s->bias)
    memcpy (bias, s->bias, s->n * sizeof *bias);
#pragma GCC unroll 16
  for (int p = 0; p < n; p++)
#pragma GCC unroll 4
    for (int v = 0; v < VECTORS; v++)
      sum[p][v] = cam_load (bias + v * CAM_LANES);
  for (int tap = 0; tap < s->kernel_h * s->kernel_w; tap++)
    {
      const float *x = rows[tap / s->kernel_w];

      if (x)
        x += (first * s->stride_w + tap % s->kernel_w * s->dilation_w) * size;
      for (int j = 0; j < s->group; j++, w += CAM_GROUP_LANES)
        if (x)
          add_input (n, spread, x + j * (size / s->group), step, w, sum);
    }
  write_pixels (n, s, y, ldy, sum);
}

#define PIXELS_CASE(n)                                                         \
  case n: block (n, spread, s, rows, first, y, ldy); break;

CAM_INLINE void
any_block (const gboolean spread, const CamGroupedStrip *s,
           const float *const *rows, int first, int n, float *y, gsize ldy)
{
  switch (n)
    {
      PIXELS_CASE (1)
      PIXELS_CASE (2)
      PIXELS_CASE (3)
#if PIXELS > 3
      PIXELS_CASE (4)
      PIXELS_CASE (5)
      PIXELS_CASE (6)
#endif
#if PIXELS > 6
      PIXELS_CASE (7)
      PIXELS_CASE (8)
      PIXELS_CASE (9)
      PIXELS_CASE (10)
      PIXELS_CASE (11)
      PIXELS_CASE (12)
      PIXELS_CASE (13)
      PIXELS_CASE (14)
#endif
    default: break;
    }
}

/* Blocks as equal as they come. */
void
CAM_KERNEL (grouped_strip) (const CamGroupedStrip *s,
                            const float *const *rows, int pixels, float *y,
                            gsize ldy)
{
  int n_blocks = (pixels + PIXELS - 1) / PIXELS, first = 0;

  for (int i = 0; i < n_blocks; i++)
    {
      int end = pixels * (i + 1) / n_blocks;
      float *to = y + first * ldy;

      if (s->spread)
        any_block (TRUE, s, rows, first, end - first, to, ldy);
      else
        any_block (FALSE, s, rows, first, end - first, to, ldy);
      first = end;
    }
}
