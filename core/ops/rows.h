/* rows.h -- sums over rows of float32, to float32's last digit
 *
 * Eight double accumulators: exact enough that the order does not show, and
 * a plain loop that compilers turn into vectors.
 */
#pragma once

#include <glib.h>

#define CAM_ROW_LANES 8

static inline double
cam_row_fold (const double *lanes)
{
  return ((lanes[0] + lanes[4]) + (lanes[1] + lanes[5]))
         + ((lanes[2] + lanes[6]) + (lanes[3] + lanes[7]));
}

/* sum x */
static inline double
cam_row_sum (const float *x, gsize n)
{
  double lanes[CAM_ROW_LANES] = { 0 };
  gsize i = 0;

  for (; i + CAM_ROW_LANES <= n; i += CAM_ROW_LANES)
    for (int k = 0; k < CAM_ROW_LANES; k++)
      lanes[k] += x[i + (gsize) k];
  for (; i < n; i++)
    lanes[0] += x[i];
  return cam_row_fold (lanes);
}

/* sum (x - shift)^2 */
static inline double
cam_row_squares (const float *x, gsize n, double shift)
{
  double lanes[CAM_ROW_LANES] = { 0 };
  gsize i = 0;

  for (; i + CAM_ROW_LANES <= n; i += CAM_ROW_LANES)
    for (int k = 0; k < CAM_ROW_LANES; k++)
      {
        double d = x[i + (gsize) k] - shift;

        lanes[k] += d * d;
      }
  for (; i < n; i++)
    lanes[0] += (x[i] - shift) * (x[i] - shift);
  return cam_row_fold (lanes);
}

/* sum x y */
static inline double
cam_row_dot (const float *x, const float *y, gsize n)
{
  double lanes[CAM_ROW_LANES] = { 0 };
  gsize i = 0;

  for (; i + CAM_ROW_LANES <= n; i += CAM_ROW_LANES)
    for (int k = 0; k < CAM_ROW_LANES; k++)
      lanes[k] += (double) x[i + (gsize) k] * y[i + (gsize) k];
  for (; i < n; i++)
    lanes[0] += (double) x[i] * y[i];
  return cam_row_fold (lanes);
}
