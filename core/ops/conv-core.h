/* conv-core.h -- convolution and its transpose over NCHW; private to core/ops
 *
 * Both unfold the input's patches into columns (im2col) and leave the rest to
 * a matrix product, tile by tile of output positions; 1x1 convolutions need no
 * columns, and depthwise ones are plain loops.
 */
#pragma once

#include "core/ops/window.h"

typedef struct
{
  CamWindow window;
  gint64 batch, groups;
  gint64 c_in, c_out; /* of all groups */
} CamConv;

/* Bytes of scratch that either function below needs. */
gsize cam_conv_scratch (const CamConv *conv, int n_threads);
/* y[n, c_out, out] = x[n, c_in, in] * w[c_out, c_in / groups, kernel] + bias
 * (NULL: none) */
void cam_conv_forward (const CamConv *conv, const float *x, const float *w,
                       const float *bias, float *y, gpointer scratch,
                       CamThreads *threads);
/* x = transpose (w) * y + bias: the gradient of x given that of y. */
void cam_conv_transpose (const CamConv *conv, const float *y, const float *w,
                         const float *bias, float *x, gpointer scratch,
                         CamThreads *threads);
/* w = the gradient of the weights, summed over the batch. */
void cam_conv_weight_gradient (const CamConv *conv, const float *x,
                               const float *y, float *w, gpointer scratch);
