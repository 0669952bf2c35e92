/* pack.c -- weights in the order in which the fused operators read them */
#include <string.h>

#include "core/engine/passes/pass.h"

CamValue *
cam_pack_transposed (CamPass *pass, const CamTensor *w, GError **error)
{
  gint64 n = w->shape.dims[0], k = w->n_elements / MAX (n, 1);
  gint64 dims[2] = { k, n };
  CamValue *packed = cam_pass_new_constant (pass, 2, dims, error);
  const float *from = cam_tensor_f32 (w);

  for (gint64 block = 0; packed && block < n; block += 16)
    for (gint64 i = 0; i < k; i++)
      for (gint64 j = block; j < MIN (block + 16, n); j++)
        cam_tensor_f32 (packed->constant)[i * n + j] = from[j * k + i];
  return packed;
}

/* [O, C, taps] -> [taps, C, O] */
CamValue *
cam_pack_dense (CamPass *pass, const CamTensor *w, GError **error)
{
  const gint64 *d = w->shape.dims;
  gint64 taps = d[2] * d[3], dims[2] = { taps * d[1], d[0] };
  const float *from = cam_tensor_f32 (w);
  CamValue *packed;
  float *to;

  if (taps == 1)
    return cam_pack_transposed (pass, w, error);
  packed = cam_pass_new_constant (pass, 2, dims, error);
  to = packed ? cam_tensor_f32 (packed->constant) : NULL;
  for (gint64 block = 0; to && block < d[0]; block += 16)
    for (gint64 c = 0; c < d[1]; c++)
      for (gint64 tap = 0; tap < taps; tap++)
        for (gint64 o = block; o < MIN (block + 16, d[0]); o++)
          to[(tap * d[1] + c) * d[0] + o] = from[(o * d[1] + c) * taps + tap];
  return packed;
}

CamValue *
cam_pack_depthwise (CamPass *pass, const CamTensor *w, GError **error)
{
  return cam_pack_transposed (pass, w, error);
}

/* G of F (2 x 2, 3 x 3) and F (4 x 4, 3 x 3); see core/kernels/winograd.c */
static const double g2[4][3]
  = { { 1, 0, 0 }, { 0.5, 0.5, 0.5 }, { 0.5, -0.5, 0.5 }, { 0, 0, 1 } };
static const double g4[6][3] = { { 1 / 4.0, 0, 0 },
                                 { -1 / 6.0, -1 / 6.0, -1 / 6.0 },
                                 { -1 / 6.0, 1 / 6.0, -1 / 6.0 },
                                 { 1 / 24.0, 1 / 12.0, 1 / 6.0 },
                                 { 1 / 24.0, -1 / 12.0, 1 / 6.0 },
                                 { 0, 0, 1 } };

/* u = G w G^T */
static void
transform_filter (const double (*g)[3], int side, const float *w, double *u)
{
  double half[6][3];

  for (int i = 0; i < side; i++)
    for (int j = 0; j < 3; j++)
      half[i][j] = g[i][0] * w[j] + g[i][1] * w[3 + j] + g[i][2] * w[6 + j];
  for (int i = 0; i < side; i++)
    for (int j = 0; j < side; j++)
      u[i * side + j] = half[i][0] * g[j][0] + half[i][1] * g[j][1]
                        + half[i][2] * g[j][2];
}

CamValue *
cam_pack_winograd (CamPass *pass, const CamTensor *w, int m, GError **error)
{
  int side = m + 2;
  gint64 n = w->shape.dims[0], channels = w->shape.dims[1];
  gint64 dims[3] = { side * side, channels, n };
  CamValue *packed = cam_pass_new_constant (pass, 3, dims, error);
  float *to = packed ? cam_tensor_f32 (packed->constant) : NULL;
  double u[36];

  for (gint64 block = 0; to && block < n; block += 16)
    for (gint64 c = 0; c < channels; c++)
      for (gint64 o = block; o < MIN (block + 16, n); o++)
        {
          transform_filter (m == 2 ? g2 : g4, side,
                            cam_tensor_f32 (w) + (o * channels + c) * 9, u);
          for (int i = 0; i < side * side; i++)
            to[(i * channels + c) * n + o] = (float) u[i];
        }
  return packed;
}
