/* winograd.c -- 3 x 3 convolution by fewer products
 *
 * Winograd's minimal filtering F (m x m, 3 x 3) as Lavin and Gray use it ("Fast
 * Algorithms for Convolutional Neural Networks", 2016, section 4): a tile of
 * (m + 2)^2 input pixels d gives m^2 output pixels
 *   Y = A^T [ (G g G^T) * (B^T d B) ] A
 * where * over channels is (m + 2)^2 matrix products.  Interpolation points 0,
 * 1, -1, infinity for m = 2, and 2, -2 besides for m = 4.
 */
#include "core/kernels/levels.h"
#include "core/kernels/vector.h"

/* B^T d, one dimension; @s is the step between elements */
CAM_INLINE void
input_1d (const int m, const CamVec *d, int s, CamVec *o, int t)
{
  if (m == 2)
    {
      o[0] = d[0] - d[2 * s];
      o[t] = d[s] + d[2 * s];
      o[2 * t] = d[2 * s] - d[s];
      o[3 * t] = d[s] - d[3 * s];
    }
  else
    {
      CamVec even = d[4 * s] - 4.0f * d[2 * s], odd = d[3 * s] - 4.0f * d[s];
      CamVec p = d[4 * s] - d[2 * s], q = 2.0f * (d[3 * s] - d[s]);

      o[0] = 4.0f * d[0] - 5.0f * d[2 * s] + d[4 * s];
      o[t] = even + odd;
      o[2 * t] = even - odd;
      o[3 * t] = p + q;
      o[4 * t] = p - q;
      o[5 * t] = 4.0f * d[s] - 5.0f * d[3 * s] + d[5 * s];
    }
}

/* A^T p, one dimension */
CAM_INLINE void
output_1d (const int m, const CamVec *p, int s, CamVec *o, int t)
{
  CamVec sum = p[s] + p[2 * s], difference = p[s] - p[2 * s];

  if (m == 2)
    {
      o[0] = p[0] + sum;
      o[t] = difference - p[3 * s];
    }
  else
    {
      CamVec sum2 = p[3 * s] + p[4 * s], difference2 = p[3 * s] - p[4 * s];

      o[0] = p[0] + sum + sum2;
      o[t] = difference + 2.0f * difference2;
      o[2 * t] = sum + 4.0f * sum2;
      o[3 * t] = difference + 8.0f * difference2 + p[5 * s];
    }
}

typedef struct
{
  int x, y; /* of the tile's first pixel */
} Corner;

CAM_INLINE Corner
corner_of (const CamWinogradBlock *block, gint64 tile)
{
  Corner corner = { (int) (tile % block->tiles_across) * block->m,
                    (int) (tile / block->tiles_across) * block->m };

  return corner;
}

CAM_INLINE void
load_tile (const int m, const CamWinogradBlock *block, const float *x,
           Corner corner, int c, int lanes, CamVec *d)
{
  int x0 = corner.x - block->pad_left, y0 = corner.y - block->pad_top;
  gboolean inside = x0 >= 0 && y0 >= 0 && x0 + m + 2 <= block->width
                    && y0 + m + 2 <= block->height && lanes == CAM_LANES;

  for (int i = 0; i < m + 2; i++)
    for (int j = 0; j < m + 2; j++)
      {
        const float *p = x + ((gssize) (y0 + i) * block->width + x0 + j)
                               * block->channels + c;

        if (inside)
          d[i * (m + 2) + j] = cam_load (p);
        else if (x0 + j >= 0 && x0 + j < block->width && y0 + i >= 0
                 && y0 + i < block->height)
          d[i * (m + 2) + j] = cam_load_part (p, lanes);
        else
          d[i * (m + 2) + j] = (CamVec){ 0 };
      }
}

CAM_INLINE void
input (const int m, const CamWinogradBlock *block, const float *x, float *v)
{
  const int side = m + 2;
  int channels = block->channels, lanes = MIN (channels, CAM_LANES);

  for (gint64 tile = 0; tile < block->n; tile++)
    for (int c = 0; c < channels; c += CAM_LANES)
      {
        int at = MIN (c, channels - lanes);
        CamVec d[36], t[36];

        load_tile (m, block, x, corner_of (block, block->first + tile), at,
                   lanes, d);
        for (int j = 0; j < side; j++)
          input_1d (m, d + j, side, t + j, side);
        for (int i = 0; i < side; i++)
          input_1d (m, t + i * side, 1, d + i * side, 1);
        for (int i = 0; i < side * side; i++)
          cam_store_part (v + i * block->plane + tile * channels + at, d[i],
                          lanes);
      }
}

void
CAM_KERNEL (winograd_input) (const CamWinogradBlock *block, const float *x,
                             float *v)
{
  if (block->m == 2)
    input (2, block, x, v);
  else
    input (4, block, x, v);
}

CAM_INLINE void
store_tile (CamActivationKind kind, const int m,
            const CamWinogradBlock *block, Corner corner, int c, int lanes,
            const CamVec *o, const float *bias, const float *residual,
            float *y, CamVec a, CamVec b)
{
  CamVec shift = bias ? cam_load_part (bias + c, lanes) : (CamVec){ 0 };
  int rows = MIN (m, block->out_height - corner.y);
  int columns = MIN (m, block->out_width - corner.x);

  for (int i = 0; i < rows; i++)
    for (int j = 0; j < columns; j++)
      {
        gsize at = ((gsize) (corner.y + i) * block->out_width + corner.x + j)
                   * block->out_channels + c;
        CamVec z = o[i * m + j] + shift;

        if (residual)
          z += cam_load_part (residual + at, lanes);
        cam_store_part (y + at, cam_activate (kind, z, a, b), lanes);
      }
}

CAM_INLINE void
output (CamActivationKind kind, const int m, const CamWinogradBlock *block,
        const float *p, const float *bias, const float *residual, float *y,
        CamVec a, CamVec b)
{
  const int side = m + 2;
  int channels = block->out_channels, lanes = MIN (channels, CAM_LANES);

  for (gint64 tile = 0; tile < block->n; tile++)
    for (int c = 0; c < channels; c += CAM_LANES)
      {
        int at = MIN (c, channels - lanes);
        CamVec d[36], t[24], o[16];

        for (int i = 0; i < side * side; i++)
          d[i] = cam_load_part (p + i * block->plane + tile * channels + at,
                                lanes);
        for (int j = 0; j < side; j++)
          output_1d (m, d + j, side, t + j, side);
        for (int i = 0; i < m; i++)
          output_1d (m, t + i * side, 1, o + i * m, 1);
        store_tile (kind, m, block, corner_of (block, block->first + tile),
                    at, lanes, o, bias, residual, y, a, b);
      }
}

void
CAM_KERNEL (winograd_output) (const CamWinogradBlock *block, const float *p,
                              const float *bias, const float *residual,
                              float *y, const CamActivation *activation)
{
  CamVec a = cam_splat (activation->a), b = cam_splat (activation->b);

  CAM_FOR_ACTIVATION (activation->kind,
                      if (block->m == 2)
                        output (KIND, 2, block, p, bias, residual, y, a, b);
                      else
                        output (KIND, 4, block, p, bias, residual, y, a, b))
}
