/* elementwise.c -- activations, their gradients, and the like */
#include "core/kernels/vector.h"
#include "core/kernels/levels.h"

CAM_INLINE void
activate_rows (CamActivationKind kind, float *y, gsize ldy, gsize rows,
               gsize n, CamVec a, CamVec b)
{
  for (gsize i = 0; i < rows; i++, y += ldy)
    {
      gsize j = 0;

      for (; j + CAM_LANES <= n; j += CAM_LANES)
        cam_store (y + j, cam_activate (kind, cam_load (y + j), a, b));
      if (j < n)
        cam_store_part (y + j,
                        cam_activate (kind, cam_load_part (y + j, (int) (n - j)),
                                      a, b),
                        (int) (n - j));
    }
}

void
CAM_KERNEL (activate) (float *y, gsize ldy, gsize rows, gsize n,
                       const CamActivation *activation)
{
  CamVec a = cam_splat (activation->a), b = cam_splat (activation->b);

  if (activation->kind == CAM_ACTIVATION_NONE)
    return;
  if (ldy == n)
    {
      n *= rows;
      rows = 1;
    }
  CAM_FOR_ACTIVATION (activation->kind,
                      activate_rows (KIND, y, ldy, rows, n, a, b))
}

/* @from_x: from what went into the activation, else from what came out of it */
CAM_INLINE CamVec
back_one (CamActivationKind kind, gboolean from_x, CamVec dy, CamVec from,
          CamVec a, CamVec b)
{
  return from_x ? cam_activation_slope (kind, dy, from, a, b)
                : cam_activate_back (kind, dy, from, a, b);
}

CAM_INLINE void
back (CamActivationKind kind, gboolean from_x, float *dx, const float *dy,
      const float *from, gsize n, CamVec a, CamVec b)
{
  gsize i = 0;

  for (; i + CAM_LANES <= n; i += CAM_LANES)
    cam_store (dx + i, back_one (kind, from_x, cam_load (dy + i),
                                 cam_load (from + i), a, b));
  if (i < n)
    {
      int rest = (int) (n - i);

      cam_store_part (dx + i,
                      back_one (kind, from_x, cam_load_part (dy + i, rest),
                                cam_load_part (from + i, rest), a, b),
                      rest);
    }
}

void
CAM_KERNEL (activation_backward) (float *dx, const float *dy, const float *y,
                                  gsize n, const CamActivation *activation)
{
  CamVec a = cam_splat (activation->a), b = cam_splat (activation->b);

  CAM_FOR_ACTIVATION (activation->kind, back (KIND, FALSE, dx, dy, y, n, a, b))
}

void
CAM_KERNEL (activation_slope) (float *dx, const float *dy, const float *x,
                               gsize n, const CamActivation *activation)
{
  CamVec a = cam_splat (activation->a), b = cam_splat (activation->b);

  CAM_FOR_ACTIVATION (activation->kind, back (KIND, TRUE, dx, dy, x, n, a, b))
}

CAM_INLINE void
affine_rows (CamActivationKind kind, float *y, const float *x, gsize rows,
             int n, const float *scale, const float *shift, CamVec a, CamVec b)
{
  for (gsize i = 0; i < rows; i++, x += n, y += n)
    {
      int j = 0;

      for (; j + CAM_LANES <= n; j += CAM_LANES)
        {
          CamVec v = cam_load (x + j) * cam_load (scale + j);

          if (shift)
            v += cam_load (shift + j);
          cam_store (y + j, cam_activate (kind, v, a, b));
        }
      if (j < n)
        {
          CamVec v = cam_load_part (x + j, n - j)
                     * cam_load_part (scale + j, n - j);

          if (shift)
            v += cam_load_part (shift + j, n - j);
          cam_store_part (y + j, cam_activate (kind, v, a, b), n - j);
        }
    }
}

void
CAM_KERNEL (affine) (float *y, const float *x, gsize rows, int n,
                     const float *scale, const float *shift,
                     const CamActivation *activation)
{
  CamVec a = cam_splat (activation->a), b = cam_splat (activation->b);

  CAM_FOR_ACTIVATION (activation->kind,
                      affine_rows (KIND, y, x, rows, n, scale, shift, a, b))
}

void
CAM_KERNEL (add) (float *y, const float *x, gsize n)
{
  for (gsize i = 0; i < n; i++)
    y[i] += x[i];
}

void
CAM_KERNEL (sum_rows) (const float *x, gsize rows, int n, float *out)
{
  int j = 0;

  for (; j + CAM_LANES <= n; j += CAM_LANES)
    {
      CamVec sum[4] = { { 0 } };
      gsize i = 0;

      for (; i + 4 <= rows; i += 4)
        for (int q = 0; q < 4; q++)
          sum[q] += cam_load (x + (i + q) * n + j);
      for (; i < rows; i++)
        sum[0] += cam_load (x + i * n + j);
      cam_store (out + j, (sum[0] + sum[1]) + (sum[2] + sum[3]));
    }
  for (; j < n; j++)
    {
      float sum = 0;

      for (gsize i = 0; i < rows; i++)
        sum += x[i * n + j];
      out[j] = sum;
    }
}
