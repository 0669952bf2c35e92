/* window.c -- depthwise convolution and pooling, a row of the output a call
 *
 * Vectors run over channels.  Inside a row four output columns are taken at a
 * time, so that neighbouring windows share their loads; windows that reach over
 * the left or right border go one by one.
 */
#include "core/kernels/vector.h"
#include "core/kernels/levels.h"

#define COLUMNS 4

CAM_INLINE CamVec
cam_clip (CamVec x, CamVec low, CamVec high)
{
  return cam_activate (CAM_ACTIVATION_CLIP, x, low, high);
}

/* @n channels from @c on for PX windows that lie within the row.  The sizes
 * are constants where this is inlined with constants. */
CAM_INLINE void
windows (const CamWindowRow *row, const float *const *rows, float *out,
         int column, const int px, const int kernel_w, const int stride, int c,
         CamVec *sum)
{
  gsize channels = row->channels;
  gsize first = (gsize) (column * stride - row->pad_left) * channels + c;

  for (int i = 0; i < px; i++)
    sum[i] = row->bias ? cam_load (row->bias + c) : (CamVec) { 0 };
  for (int ky = 0; ky < row->kernel_h; ky++)
    {
      const float *x = rows[ky] ? rows[ky] + first : NULL;
      const float *w = row->weights + (gsize) ky * kernel_w * channels + c;

      if (! x)
        continue;
      for (int kx = 0; kx < kernel_w; kx++)
        {
          CamVec weight = cam_load (w + kx * channels);

          for (int i = 0; i < px; i++)
            sum[i] += cam_load (x + (gsize) (i * stride + kx) * channels)
                      * weight;
        }
    }
}

CAM_INLINE void
inner_columns (const CamWindowRow *row, const float *const *rows, float *out,
               int column, const int px, const int kernel_w, const int stride,
               CamVec low, CamVec high)
{
  CamVec sum[COLUMNS];
  int channels = row->channels;

  for (int c = 0; c < channels; c += CAM_LANES)
    {
      int at = MIN (c, channels - CAM_LANES);

      windows (row, rows, out, column, px, kernel_w, stride, at, sum);
      for (int i = 0; i < px; i++)
        cam_store (out + (gsize) (column + i) * channels + at,
                   cam_clip (sum[i], low, high));
    }
}

/* Any window: at the border, dilated, or with fewer channels than lanes. */
CAM_INLINE void
any_column (const CamWindowRow *row, const float *const *rows, float *out,
            int column, CamVec low, CamVec high)
{
  int channels = row->channels, lanes = MIN (channels, CAM_LANES);
  int x0 = column * row->stride_w - row->pad_left;

  for (int c = 0; c < channels; c += CAM_LANES)
    {
      int at = MIN (c, channels - lanes);
      CamVec sum = row->bias ? cam_load_part (row->bias + at, lanes)
                             : (CamVec) { 0 };

      for (int ky = 0; ky < row->kernel_h; ky++)
        for (int kx = 0; rows[ky] && kx < row->kernel_w; kx++)
          {
            int x = x0 + kx * row->dilation_w;
            const float *w = row->weights
                             + (gsize) (ky * row->kernel_w + kx) * channels;

            if (x < 0 || x >= row->in_width)
              continue;
            if (lanes == CAM_LANES)
              sum += cam_load (rows[ky] + (gsize) x * channels + at)
                     * cam_load (w + at);
            else
              sum += cam_load_part (rows[ky] + (gsize) x * channels, lanes)
                     * cam_load_part (w, lanes);
          }
      cam_store_part (out + (gsize) column * channels + at,
                      cam_clip (sum, low, high), lanes);
    }
}

CAM_INLINE void
whole_row (const CamWindowRow *row, const float *const *rows, float *out,
           const int kernel_w, const int stride, CamVec low, CamVec high)
{
  int column = 0, width = row->out_width;
  int end = row->in_width - row->kernel_w + row->pad_left;
  int inner_begin = MIN ((row->pad_left + stride - 1) / stride, width);
  int inner_end = end < 0 ? 0 : MIN (end / stride + 1, width);

  for (; column < inner_begin; column++)
    any_column (row, rows, out, column, low, high);
  for (; column + COLUMNS <= inner_end; column += COLUMNS)
    inner_columns (row, rows, out, column, COLUMNS, kernel_w, stride, low,
                   high);
  for (; column < inner_end; column++)
    inner_columns (row, rows, out, column, 1, kernel_w, stride, low, high);
  for (; column < width; column++)
    any_column (row, rows, out, column, low, high);
}

CAM_INLINE void
depthwise (const CamWindowRow *row, const float *const *rows, float *out,
           CamVec low, CamVec high)
{
  int kernel_w = row->kernel_w, stride = row->stride_w;

  if (row->channels < CAM_LANES || row->dilation_w != 1)
    for (int column = 0; column < row->out_width; column++)
      any_column (row, rows, out, column, low, high);
  else if (kernel_w == 3 && stride == 1)
    whole_row (row, rows, out, 3, 1, low, high);
  else if (kernel_w == 3 && stride == 2)
    whole_row (row, rows, out, 3, 2, low, high);
  else if (kernel_w == 5 && stride == 1)
    whole_row (row, rows, out, 5, 1, low, high);
  else if (kernel_w == 5 && stride == 2)
    whole_row (row, rows, out, 5, 2, low, high);
  else if (kernel_w == 7 && stride == 1)
    whole_row (row, rows, out, 7, 1, low, high);
  else
    whole_row (row, rows, out, kernel_w, stride, low, high);
}

/* No activation, Relu and Clip are one clipping, done while a sum is in a
 * register; the others are a pass of their own over the row, which is still
 * near.  So the windows are not compiled once for every activation. */
void
CAM_KERNEL (depthwise_row) (const CamWindowRow *row, const float *const *rows,
                            float *out, const CamActivation *activation)
{
  CamVec low = cam_splat (-INFINITY), high = cam_splat (INFINITY);

  switch (activation->kind)
    {
    case CAM_ACTIVATION_RELU:
      depthwise (row, rows, out, (CamVec) { 0 }, high);
      break;
    case CAM_ACTIVATION_CLIP:
      depthwise (row, rows, out, cam_splat (activation->a),
                 cam_splat (activation->b));
      break;
    case CAM_ACTIVATION_NONE: depthwise (row, rows, out, low, high); break;
    default:
      depthwise (row, rows, out, low, high);
      CAM_KERNEL (activate) (out, row->channels, row->out_width, row->channels,
                             activation);
    }
}

/* First and last column of the kernel that lie in the row. */
CAM_INLINE void
clip_window (const CamWindowRow *row, int column, int *begin, int *end)
{
  int x0 = column * row->stride_w - row->pad_left;
  int dilation = row->dilation_w;

  *begin = x0 < 0 ? (-x0 + dilation - 1) / dilation : 0;
  *end = x0 >= row->in_width ? 0
                             : (row->in_width - x0 + dilation - 1) / dilation;
  *end = MIN (*end, row->kernel_w);
}

CAM_INLINE void
pool_column (const CamWindowRow *row, const float *const *rows, float *out,
             int column, const gboolean max)
{
  int channels = row->channels, lanes = MIN (channels, CAM_LANES);
  int x0 = column * row->stride_w - row->pad_left, begin, end;

  clip_window (row, column, &begin, &end);
  for (int c = 0; c < channels; c += CAM_LANES)
    {
      int at = MIN (c, channels - lanes);
      CamVec sum = max ? cam_splat (-INFINITY) : (CamVec) { 0 };

      for (int ky = 0; ky < row->kernel_h; ky++)
        for (int kx = begin; rows[ky] && kx < end; kx++)
          {
            const float *p = rows[ky]
                             + (gsize) (x0 + kx * row->dilation_w) * channels
                             + at;
            CamVec x = lanes == CAM_LANES ? cam_load (p)
                                          : cam_load_part (p, lanes);

            /* a NaN wins, and stays */
            sum = max ? cam_select ((x > sum) | (x != x), x, sum) : sum + x;
          }
      cam_store_part (out + (gsize) column * channels + at, sum, lanes);
    }
}

void
CAM_KERNEL (max_pool_row) (const CamWindowRow *row, const float *const *rows,
                           float *out)
{
  for (int column = 0; column < row->out_width; column++)
    pool_column (row, rows, out, column, TRUE);
}

void
CAM_KERNEL (sum_pool_row) (const CamWindowRow *row, const float *const *rows,
                           float *out)
{
  for (int column = 0; column < row->out_width; column++)
    pool_column (row, rows, out, column, FALSE);
}
