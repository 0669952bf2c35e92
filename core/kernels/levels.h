/* levels.h -- the functions of one level, as its own files declare them */
#pragma once

#include "core/kernels/vector.h"

void CAM_KERNEL (packed_product) (const CamPackedProduct *product);
void CAM_KERNEL (activate) (float *y, gsize ldy, gsize rows, gsize n,
                            const CamActivation *activation);
void CAM_KERNEL (activation_backward) (float *dx, const float *dy,
                                       const float *y, gsize n,
                                       const CamActivation *activation);
void CAM_KERNEL (activation_slope) (float *dx, const float *dy,
                                    const float *x, gsize n,
                                    const CamActivation *activation);
void CAM_KERNEL (affine) (float *y, const float *x, gsize rows, int n,
                          const float *scale, const float *shift,
                          const CamActivation *activation);
void CAM_KERNEL (add) (float *y, const float *x, gsize n);
void CAM_KERNEL (depthwise_row) (const CamWindowRow *row,
                                 const float *const *rows, float *out,
                                 const CamActivation *activation);
void CAM_KERNEL (spread_groups) (const float *x, gsize channels, int n,
                                 int pixels, int group, float *to);
void CAM_KERNEL (grouped_strip) (const CamGroupedStrip *strip,
                                 const float *const *rows, int pixels,
                                 float *y, gsize ldy);
void CAM_KERNEL (max_pool_row) (const CamWindowRow *row,
                                const float *const *rows, float *out);
void CAM_KERNEL (sum_pool_row) (const CamWindowRow *row,
                                const float *const *rows, float *out);
void CAM_KERNEL (sum_rows) (const float *x, gsize rows, int n, float *out);
void CAM_KERNEL (winograd_input) (const CamWinogradBlock *block,
                                  const float *x, float *v);
void CAM_KERNEL (winograd_output) (const CamWinogradBlock *block,
                                   const float *p, const float *bias,
                                   const float *residual, float *y,
                                   const CamActivation *activation);
void CAM_KERNEL (layer_norm) (float *y, const float *x, gsize rows, int n,
                              const float *scale, const float *shift,
                              float epsilon);
void CAM_KERNEL (softmax) (float *y, const float *x, gsize rows, int n);
void CAM_KERNEL (sum_bytes) (const guint8 *const *rows, const gint32 *weights,
                             int n_rows, int n, guint8 *out);
void CAM_KERNEL (resample_rgb) (const CamByteSums *sums, const guint8 *in,
                                guint8 *out);
