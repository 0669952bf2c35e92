/* norm.c -- layer normalisation and softmax over the last index */
#include "core/kernels/levels.h"
#include "core/kernels/vector.h"

CAM_INLINE float
sum_lanes (CamVec v)
{
  float sum = 0;

  for (int i = 0; i < CAM_LANES; i++)
    sum += v[i];
  return sum;
}

CAM_INLINE float
max_lanes (CamVec v)
{
  float max = v[0];

  for (int i = 1; i < CAM_LANES; i++)
    max = v[i] > max ? v[i] : max;
  return max;
}

static float
mean_of (const float *x, int n)
{
  CamVec sum = { 0 };
  float rest = 0;
  int j = 0;

  for (; j + CAM_LANES <= n; j += CAM_LANES)
    sum += cam_load (x + j);
  for (; j < n; j++)
    rest += x[j];
  return (sum_lanes (sum) + rest) / n;
}

/* Differences from the mean as it was rounded: their own mean puts it right,
 * so that a large mean costs no digits. */
static float
variance_of (const float *x, int n, float mean, float *rest_of_mean)
{
  CamVec sum = { 0 }, squares = { 0 };
  float rest = 0, rest_squares = 0;
  int j = 0;

  for (; j + CAM_LANES <= n; j += CAM_LANES)
    {
      CamVec d = cam_load (x + j) - mean;

      sum += d;
      squares += d * d;
    }
  for (; j < n; j++)
    {
      rest += x[j] - mean;
      rest_squares += (x[j] - mean) * (x[j] - mean);
    }
  *rest_of_mean = (sum_lanes (sum) + rest) / n;
  return (sum_lanes (squares) + rest_squares) / n
         - *rest_of_mean * *rest_of_mean;
}

void
CAM_KERNEL (layer_norm) (float *y, const float *x, gsize rows, int n,
                         const float *scale, const float *shift,
                         float epsilon)
{
  for (gsize i = 0; i < rows; i++, x += n, y += n)
    {
      float mean = mean_of (x, n), rest;
      float inverse = 1 / sqrtf (variance_of (x, n, mean, &rest) + epsilon);

      for (int j = 0; j < n; j++)
        y[j] = (x[j] - mean - rest) * inverse * scale[j];
      for (int j = 0; shift && j < n; j++)
        y[j] += shift[j];
    }
}

/* What is no number stays none. */
CAM_INLINE CamVec
exp_or_nan (CamVec x)
{
  return cam_select (x == x, cam_exp (x), x);
}

void
CAM_KERNEL (softmax) (float *y, const float *x, gsize rows, int n)
{
  for (gsize i = 0; i < rows; i++, x += n, y += n)
    {
      CamVec max = cam_splat (-INFINITY), sum = { 0 };
      float largest, inverse;
      int j = 0;

      for (; j + CAM_LANES <= n; j += CAM_LANES)
        max = cam_max (max, cam_load (x + j));
      largest = max_lanes (max);
      for (; j < n; j++)
        largest = MAX (largest, x[j]);
      for (j = 0; j + CAM_LANES <= n; j += CAM_LANES)
        {
          CamVec e = exp_or_nan (cam_load (x + j) - largest);

          cam_store (y + j, e);
          sum += e;
        }
      if (j < n)
        {
          CamVec e = exp_or_nan (cam_load_part (x + j, n - j) - largest);

          cam_store_part (y + j, e, n - j);
          sum += cam_load_part (y + j, n - j); /* zeros behind the end */
        }
      inverse = 1 / sum_lanes (sum);
      for (j = 0; j < n; j++)
        y[j] *= inverse;
    }
}
