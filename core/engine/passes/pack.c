/* pack.c -- weights in the order in which the fused operators read them */
#include <string.h>

#include "core/engine/passes/pass.h"

/* Where column @block, a multiple of 16, of [k, n] begins, and from row to row. */
typedef struct
{
  gint64 start, step;
} Columns;

static Columns
columns_at (gint64 block, gint64 k, gint64 n, gboolean panels)
{
  gint64 panel = block / CAM_PANEL * CAM_PANEL;
  Columns whole = { block, n };
  Columns in_panel = { panel * k + block - panel, MIN (n - panel, CAM_PANEL) };

  return panels ? in_panel : whole;
}

CamValue *
cam_pack_transposed (CamPass *pass, const CamTensor *w, gboolean panels,
                     GError **error)
{
  gint64 n = w->shape.dims[0], k = w->n_elements / MAX (n, 1);
  gint64 dims[2] = { k, n };
  CamValue *packed = cam_pass_new_constant (pass, 2, dims, error);
  const float *from = cam_tensor_f32 (w);

  for (gint64 block = 0; packed && block < n; block += 16)
    {
      Columns at = columns_at (block, k, n, panels);
      float *to = cam_tensor_f32 (packed->constant) + at.start;
      gint64 width = MIN (16, n - block);

      for (gint64 i = 0; i < k; i++, to += at.step)
        for (gint64 j = 0; j < width; j++)
          to[j] = from[(block + j) * k + i];
    }
  return packed;
}

CamValue *
cam_pack_panels (CamPass *pass, const CamTensor *w, GError **error)
{
  gint64 k = w->shape.dims[0], n = w->shape.dims[1];
  CamValue *packed = cam_pass_new_constant (pass, 2, w->shape.dims, error);
  float *to = packed ? cam_tensor_f32 (packed->constant) : NULL;

  for (gint64 panel = 0; to && panel < n; panel += CAM_PANEL)
    for (gint64 i = 0; i < k; i++)
      {
        gint64 width = MIN (CAM_PANEL, n - panel);

        memcpy (to, cam_tensor_f32 (w) + i * n + panel, width * sizeof *to);
        to += width;
      }
  return packed;
}

/* Taps of a convolution's weights; 1 of a matrix [n, k]. */
static gint64
count_taps (const CamTensor *w)
{
  return w->shape.n_dims == 4 ? w->shape.dims[2] * w->shape.dims[3] : 1;
}

/* [O, C, taps] -> [taps C, O] */
CamValue *
cam_pack_dense (CamPass *pass, const CamTensor *w, GError **error)
{
  const gint64 *d = w->shape.dims;
  gint64 taps = count_taps (w), dims[2] = { taps * d[1], d[0] };
  const float *from = cam_tensor_f32 (w);
  CamValue *packed;
  float *to;

  if (taps == 1)
    return cam_pack_transposed (pass, w, TRUE, error);
  packed = cam_pass_new_constant (pass, 2, dims, error);
  to = packed ? cam_tensor_f32 (packed->constant) : NULL;
  for (gint64 block = 0; to && block < d[0]; block += 16)
    {
      Columns at = columns_at (block, dims[0], d[0], TRUE);
      gint64 width = MIN (16, d[0] - block);

      for (gint64 c = 0; c < d[1]; c++)
        for (gint64 tap = 0; tap < taps; tap++)
          for (gint64 j = 0; j < width; j++)
            to[at.start + (tap * d[1] + c) * at.step + j]
                = from[((block + j) * d[1] + c) * taps + tap];
    }
  return packed;
}

/* [O, C, taps] -> [O, taps C] */
CamValue *
cam_pack_back (CamPass *pass, const CamTensor *w, GError **error)
{
  gint64 taps = count_taps (w), c = w->shape.dims[1];
  gint64 dims[2] = { w->shape.dims[0], taps * c };
  CamValue *packed = cam_pass_new_constant (pass, 2, dims, error);
  float *to = packed ? cam_tensor_f32 (packed->constant) : NULL;

  for (gint64 panel = 0; to && panel < dims[1]; panel += CAM_PANEL)
    for (gint64 o = 0; o < dims[0]; o++)
      {
        const float *from = cam_tensor_f32 (w) + o * dims[1];
        gint64 end = MIN (panel + CAM_PANEL, dims[1]);

        for (gint64 column = panel; column < end; column++)
          *to++ = from[column % c * taps + column / c];
      }
  return packed;
}

CamValue *
cam_pack_depthwise (CamPass *pass, const CamTensor *w, GError **error)
{
  return cam_pack_transposed (pass, w, FALSE, error);
}

CamValue *
cam_pack_grouped (CamPass *pass, const CamTensor *w, const CamGroups *groups,
                  GError **error)
{
  gint64 taps = count_taps (w), c = groups->in;
  gint64 dims[4] = { cam_groups_count_panels (groups), taps, c,
                     CAM_GROUP_LANES };
  CamValue *packed = cam_pass_new_constant (pass, 4, dims, error);
  float *to = packed ? cam_tensor_f32 (packed->constant) : NULL;

  if (to)
    memset (to, 0, packed->constant->n_elements * sizeof *to);
  for (int i = 0; to && i < dims[0]; i++, to += taps * c * CAM_GROUP_LANES)
    {
      CamGroupPanel panel = cam_groups_panel (groups, i);
      const float *from = cam_tensor_f32 (w) + panel.first_out * c * taps;

      for (gint64 j = 0; j < panel.n * c * taps; j++)
        to[(j % taps * c + j / taps % c) * CAM_GROUP_LANES + j / (taps * c)]
            = from[j];
    }
  return packed;
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

#define LANES 16

/* u = G w G^T of LANES filters at a time; filter j of n_filters is 9 floats at
 * w + j * step. */
static void
transform_filters (const double (*g)[3], int side, const float *w, gsize step,
                   int n_filters, double (*u)[LANES])
{
  double taps[9][LANES] = { { 0 } }, half[6][3][LANES];

  for (int j = 0; j < n_filters; j++)
    for (int tap = 0; tap < 9; tap++)
      taps[tap][j] = w[j * step + tap];
  for (int i = 0; i < side; i++)
    for (int tap = 0; tap < 3; tap++)
      for (int j = 0; j < LANES; j++)
        half[i][tap][j] = g[i][0] * taps[tap][j] + g[i][1] * taps[3 + tap][j]
                          + g[i][2] * taps[6 + tap][j];
  for (int i = 0; i < side * side; i++)
    for (int j = 0; j < LANES; j++)
      u[i][j] = half[i / side][0][j] * g[i % side][0]
                + half[i / side][1][j] * g[i % side][1]
                + half[i / side][2][j] * g[i % side][2];
}

CamValue *
cam_pack_winograd (CamPass *pass, const CamTensor *w, int m, GError **error)
{
  int side = m + 2;
  gint64 n = w->shape.dims[0], channels = w->shape.dims[1];
  gint64 dims[3] = { side * side, channels, n };
  CamValue *packed = cam_pass_new_constant (pass, 3, dims, error);
  float *to = packed ? cam_tensor_f32 (packed->constant) : NULL;
  double u[36][LANES];

  for (gint64 block = 0; to && block < n; block += LANES)
    {
      Columns at = columns_at (block, channels, n, TRUE);
      int width = (int) MIN (LANES, n - block);

      for (gint64 c = 0; c < channels; c++)
        {
          transform_filters (m == 2 ? g2 : g4, side,
                             cam_tensor_f32 (w) + (block * channels + c) * 9,
                             channels * 9, width, u);
          for (int i = 0; i < side * side; i++)
            for (int j = 0; j < width; j++)
              to[i * channels * n + at.start + c * at.step + j]
                  = (float) u[i][j];
        }
    }
  return packed;
}
