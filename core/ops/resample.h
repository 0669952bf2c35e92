/* resample.h -- one axis made larger or smaller; private to core/ops
 *
 * An output place is a weighted sum of a few input places (taps).  Resizing is
 * one such pass an axis; its gradient is the same passes transposed.
 */
#pragma once

#include "core/ops/ops.h"

typedef enum
{
  CAM_RESIZE_NEAREST,
  CAM_RESIZE_LINEAR,
  CAM_RESIZE_CUBIC
} CamResizeMode;

typedef enum
{
  CAM_COORDINATE_HALF_PIXEL,
  CAM_COORDINATE_PYTORCH_HALF_PIXEL,
  CAM_COORDINATE_ALIGN_CORNERS,
  CAM_COORDINATE_ASYMMETRIC,
  CAM_COORDINATE_TF_HALF_PIXEL_FOR_NN,
  CAM_COORDINATE_TF_CROP_AND_RESIZE,
  CAM_COORDINATE_HALF_PIXEL_SYMMETRIC
} CamCoordinate;

typedef enum
{
  CAM_NEAREST_ROUND_PREFER_FLOOR,
  CAM_NEAREST_ROUND_PREFER_CEIL,
  CAM_NEAREST_FLOOR,
  CAM_NEAREST_CEIL
} CamNearest;

typedef struct
{
  int mode, coordinate, nearest; /* the enumerations above */
  double cubic_a;
  gboolean exclude_outside, antialias;
  double extrapolation;
} CamResizeRules;

/* Taps of one axis: output place i takes weights[i * n_taps + k] times input
 * place places[i * n_taps + k]; outside[i]: the extrapolation value instead. */
typedef struct
{
  gint64 n_in, n_out, n_taps;
  gint64 *places;
  float *weights;
  gboolean *outside;
} CamTaps;

/* @scale: output over input; @roi_begin, @roi_end for TF_CROP_AND_RESIZE. */
CamTaps *cam_taps_new (const CamResizeRules *rules, gint64 n_in, gint64 n_out,
                       double scale, double roi_begin, double roi_end);
void cam_taps_free (CamTaps *taps);

/* x [outer, n_in, inner] to y [outer, n_out, inner] */
void cam_taps_apply (const CamTaps *taps, gint64 outer, gint64 inner,
                     const float *x, float *y, CamThreads *threads);
/* The other way: gx [outer, n_in, inner] from gy [outer, n_out, inner] */
void cam_taps_transpose (const CamTaps *taps, gint64 outer, gint64 inner,
                         const float *gy, float *gx, CamThreads *threads);
