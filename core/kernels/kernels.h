/* kernels.h -- the inner loops, chosen once for the processor
 *
 * The same plain C, compiled for several -march levels; cam_kernels () is the
 * table of the level that cam_cpu_level () names.  Arrays are float32 unless they
 * are said to be bytes; pictures are NHWC, so that the last index runs over
 * channels.  A kernel works
 * on one thread and allocates nothing.
 */
#pragma once

#include "core/base/cpu.h"

typedef enum
{
  CAM_ACTIVATION_NONE,
  CAM_ACTIVATION_RELU,
  CAM_ACTIVATION_CLIP,         /* to a .. b                              */
  CAM_ACTIVATION_LEAKY_RELU,   /* a x below 0                            */
  CAM_ACTIVATION_SIGMOID,
  CAM_ACTIVATION_HARD_SIGMOID, /* a x + b clipped to 0 .. 1              */
  CAM_ACTIVATION_SILU,         /* x sigmoid (x)                          */
  CAM_ACTIVATION_HARD_SWISH,   /* x clip (x / 6 + 1 / 2, 0, 1)           */
  CAM_ACTIVATION_GELU,         /* x Phi (x), exact                       */
  CAM_ACTIVATION_MISH,         /* x tanh (log (1 + exp (x)))             */
  CAM_N_ACTIVATIONS
} CamActivationKind;

typedef struct
{
  CamActivationKind kind;
  float a, b;
} CamActivation;

/* One output row of a depthwise convolution or of pooling. */
typedef struct
{
  int channels;
  int kernel_h, kernel_w, stride_w, dilation_w, pad_left;
  int in_width, out_width;
  const float *weights; /* [kernel_h * kernel_w, channels] */
  const float *bias;    /* [channels] or NULL              */
} CamWindowRow;

/* Outputs that a grouped convolution makes at a time */
#define CAM_GROUP_LANES 16

/* Some pixels of one row of a grouped convolution, 16 outputs each. */
typedef struct
{
  int group;       /* inputs that an output sees                             */
  gboolean spread; /* rows are [pixels, group, 16] by spread_groups; else
                      [pixels, group], and the 16 outputs are of one group   */
  int kernel_h, kernel_w, stride_w, dilation_w;
  int n;                /* of the 16 outputs, those that there are           */
  const float *weights; /* [kernel_h * kernel_w, group, 16]                  */
  const float *bias;    /* [n] or NULL                                       */
  float low, high;      /* what the result is clipped to                     */
} CamGroupedStrip;

/* A block of Winograd tiles, F (m x m, 3 x 3), m = 4 or 2. */
typedef struct
{
  int m;
  int height, width, channels; /* of the input */
  int pad_top, pad_left;
  int out_height, out_width, out_channels;
  int tiles_across;  /* tiles in a row of tiles       */
  gint64 first, n;   /* tiles of the picture           */
  gsize plane;       /* floats from one of the (m+2)^2 planes to the next */
} CamWinogradBlock;

/* Columns of a panel of packed weights; see product.c. */
#define CAM_PANEL 32

typedef struct
{
  gsize rows;
  int k, n;
  const float *x; /* [rows, k], rows @ldx apart                          */
  gsize ldx;
  const float *w;        /* [k, n] in panels                             */
  const float *bias;     /* [n] or NULL                                  */
  const float *residual; /* [rows, n], rows @ld_residual apart, or NULL  */
  gsize ld_residual;
  float *y; /* [rows, n], rows @ldy apart                                */
  gsize ldy;
  float low, high; /* what the result is clipped to; infinities: not at all */
} CamPackedProduct;

#define CAM_BYTE_WEIGHT_BITS 22 /* a weight of 1 << 22 is 1 */

typedef struct /* output i is a weighted sum of some of the inputs */
{
  int n, capacity;       /* outputs; weights kept for each */
  const int *start;      /* [n] first input                */
  const int *count;      /* [n] inputs                     */
  const gint32 *weights; /* [n, capacity]                  */
} CamByteSums;

typedef struct
{
  /* y = clip (x w + bias + residual) */
  void (*packed_product) (const CamPackedProduct *product);
  /* y[i, j] = act (y[i, j]), rows @ldy apart */
  void (*activate) (float *y, gsize ldy, gsize rows, gsize n,
                    const CamActivation *activation);
  /* dx = dy act'(x) in terms of y = act (x); dx may be dy */
  void (*activation_backward) (float *dx, const float *dy, const float *y,
                               gsize n, const CamActivation *activation);
  /* dx = dy act'(x) in terms of x, for every activation; dx may be dy */
  void (*activation_slope) (float *dx, const float *dy, const float *x,
                            gsize n, const CamActivation *activation);
  /* y[i, j] = act (x[i, j] scale[j] + shift[j]); shift NULL: 0 */
  void (*affine) (float *y, const float *x, gsize rows, int n,
                  const float *scale, const float *shift,
                  const CamActivation *activation);
  /* y += x */
  void (*add) (float *y, const float *x, gsize n);
  /* rows[ky]: input row of width in_width, NULL above and below the picture */
  void (*depthwise_row) (const CamWindowRow *row, const float *const *rows,
                         float *out, const CamActivation *activation);
  /* to[pixels, group, 16]: for each input of a group, that of each output's
   * own group; x: @n of 16 channels, pixels @channels apart; group 2, 4 or 8 */
  void (*spread_groups) (const float *x, gsize channels, int n, int pixels,
                         int group, float *to);
  /* rows[ky]: what the first pixel's window sees of input row ky and on, NULL
   * above and below the picture; pixels of y @ldy apart */
  void (*grouped_strip) (const CamGroupedStrip *strip,
                         const float *const *rows, int pixels, float *y,
                         gsize ldy);
  void (*max_pool_row) (const CamWindowRow *row, const float *const *rows,
                        float *out);
  /* out = sum over what lies in the picture */
  void (*sum_pool_row) (const CamWindowRow *row, const float *const *rows,
                        float *out);
  /* out[j] = sum over i of x[i, j] */
  void (*sum_rows) (const float *x, gsize rows, int n, float *out);
  /* v[(m+2)^2][n, channels], planes block->plane floats apart */
  void (*winograd_input) (const CamWinogradBlock *block, const float *x,
                          float *v);
  /* from p[(m+2)^2][n, out_channels]; residual may be NULL */
  void (*winograd_output) (const CamWinogradBlock *block, const float *p,
                           const float *bias, const float *residual, float *y,
                           const CamActivation *activation);
  /* y[i, :] = (x[i, :] - mean) / sqrt (variance + epsilon) scale + shift;
   * shift NULL: 0 */
  void (*layer_norm) (float *y, const float *x, gsize rows, int n,
                      const float *scale, const float *shift, float epsilon);
  /* over the last index, in place or not */
  void (*softmax) (float *y, const float *x, gsize rows, int n);
  /* out[i] = sum over j of rows[j][i] weights[j], rounded and clipped; bytes */
  void (*sum_bytes) (const guint8 *const *rows, const gint32 *weights,
                     int n_rows, int n, guint8 *out);
  /* out[n, 3] from pixels of three bytes; reads one byte behind the last */
  void (*resample_rgb) (const CamByteSums *sums, const guint8 *in,
                        guint8 *out);
} CamKernels;

const CamKernels *cam_kernels (void);
/* NULL where the level is not compiled in or the processor lacks it. */
const CamKernels *cam_kernels_for (CamCpuLevel level);
