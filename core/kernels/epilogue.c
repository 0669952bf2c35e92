/* epilogue.c -- what follows a product while it is in the cache: bias,
 * residual, activation; and the like, element by element */
#include "core/kernels/vector.h"
#include "core/kernels/levels.h"

CAM_INLINE void
epilogue_row (CamActivationKind kind, float *c, int n, const float *bias,
              const float *residual, CamVec a, CamVec b)
{
  int j = 0;

  for (; j + CAM_LANES <= n; j += CAM_LANES)
    {
      CamVec x = cam_load (c + j);

      if (bias)
        x += cam_load (bias + j);
      if (residual)
        x += cam_load (residual + j);
      cam_store (c + j, cam_activate (kind, x, a, b));
    }
  if (j < n)
    {
      CamVec x = cam_load_part (c + j, n - j);

      if (bias)
        x += cam_load_part (bias + j, n - j);
      if (residual)
        x += cam_load_part (residual + j, n - j);
      cam_store_part (c + j, cam_activate (kind, x, a, b), n - j);
    }
}

CAM_INLINE void
epilogue_rows (CamActivationKind kind, float *c, gsize ldc, gsize rows, int n,
               const float *bias, const float *residual, gsize ld_residual,
               CamVec a, CamVec b)
{
  for (gsize i = 0; i < rows; i++, c += ldc)
    {
      if (!residual)
        epilogue_row (kind, c, n, bias, NULL, a, b);
      else
        {
          epilogue_row (kind, c, n, bias, residual, a, b);
          residual += ld_residual;
        }
    }
}

static void
epilogue_plain (float *c, gsize ldc, gsize rows, int n, const float *bias,
                const float *residual, gsize ld_residual,
                const CamActivation *activation)
{
  CamVec a = cam_splat (activation->a), b = cam_splat (activation->b);

  CAM_FOR_ACTIVATION (activation->kind,
                      epilogue_rows (KIND, c, ldc, rows, n, bias, residual,
                                     ld_residual, a, b))
}

#define MAX_REPEATED 512

/* How many rows make a whole number of vectors; 1 where they do already or
 * where a longer row would gain little. */
static int
rows_together (int n, gsize rows)
{
  int together = 1;

  while ((n * together) % CAM_LANES)
    together *= 2;
  if (n * together > MAX_REPEATED || (gsize) together > rows)
    return 1;
  return together;
}

/* Contiguous rows that end in the middle of a vector are taken several at a
 * time, with the bias repeated. */
void
CAM_KERNEL (epilogue) (float *c, gsize ldc, gsize rows, int n,
                       const float *bias, const float *residual,
                       gsize ld_residual, const CamActivation *activation)
{
  float repeated[MAX_REPEATED];
  int together = 1;
  gsize done;

  if (!bias && !residual && activation->kind == CAM_ACTIVATION_NONE)
    return;
  if (ldc == (gsize) n && (!residual || ld_residual == (gsize) n))
    together = rows_together (n, rows);
  if (together > 1)
    {
      for (int i = 0; bias && i < together; i++)
        memcpy (repeated + i * n, bias, n * sizeof *bias);
      done = rows / together;
      epilogue_plain (c, n * together, done, n * together,
                      bias ? repeated : NULL, residual, n * together,
                      activation);
      c += done * together * n;
      residual = residual ? residual + done * together * n : NULL;
      rows -= done * together;
    }
  if (rows)
    epilogue_plain (c, ldc, rows, n, bias, residual, ld_residual, activation);
}

CAM_INLINE void
back (CamActivationKind kind, float *dx, const float *dy, const float *y,
      gsize n, CamVec a, CamVec b)
{
  gsize i = 0;

  for (; i + CAM_LANES <= n; i += CAM_LANES)
    cam_store (dx + i, cam_activate_back (kind, cam_load (dy + i),
                                          cam_load (y + i), a, b));
  if (i < n)
    cam_store_part (dx + i,
                    cam_activate_back (kind, cam_load_part (dy + i, n - i),
                                       cam_load_part (y + i, n - i), a, b),
                    n - i);
}

void
CAM_KERNEL (activation_backward) (float *dx, const float *dy, const float *y,
                                  gsize n, const CamActivation *activation)
{
  CamVec a = cam_splat (activation->a), b = cam_splat (activation->b);

  CAM_FOR_ACTIVATION (activation->kind, back (KIND, dx, dy, y, n, a, b))
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

void
CAM_KERNEL (vector_times_matrix) (const float *x, const float *w, int k,
                                  int n, int ldw, float *y)
{
  int j = 0;

  for (; j + 4 * CAM_LANES <= n; j += 4 * CAM_LANES)
    {
      CamVec sum[4] = { { 0 } };

      for (int i = 0; i < k; i++)
        for (int q = 0; q < 4; q++)
          sum[q] += x[i] * cam_load (w + (gsize) i * ldw + j + q * CAM_LANES);
      for (int q = 0; q < 4; q++)
        cam_store (y + j + q * CAM_LANES, sum[q]);
    }
  for (; j + CAM_LANES <= n; j += CAM_LANES)
    {
      CamVec sum = { 0 };

      for (int i = 0; i < k; i++)
        sum += x[i] * cam_load (w + (gsize) i * ldw + j);
      cam_store (y + j, sum);
    }
  for (; j < n; j++)
    {
      float sum = 0;

      for (int i = 0; i < k; i++)
        sum += x[i] * w[(gsize) i * ldw + j];
      y[j] = sum;
    }
}
