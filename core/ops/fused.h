/* fused.h -- what the operators of domain "camlens" share
 *
 * Passes put them in the place of runs of ONNX's operators.  Pictures are NHWC,
 * literally: the shape of a value is [N, H, W, C].  Weights come packed as the
 * operator's arithmetic wants them: those of products in panels, as
 * core/kernels/product.c does.  An activation at the end is part of the operator
 * (attributes activation, activation_a, activation_b).
 */
#pragma once

#include "core/kernels/kernels.h"
#include "core/ops/ops.h"

#define CAM_FUSED_DOMAIN "camlens"

/* Input numbers of Linear and of all convolutions. */
enum
{
  CAM_FUSED_X,
  CAM_FUSED_WEIGHTS,
  CAM_FUSED_BIAS,     /* [N] or omitted                                     */
  CAM_FUSED_RESIDUAL, /* output's shape, or omitted; not DepthwiseConv,
                         GroupedConv                                         */
  CAM_FUSED_GATE,     /* Linear: [N, 1, 1, K] that x is multiplied by first */
  CAM_FUSED_BACK,     /* Linear, Conv: the weights' transpose, in panels, where
                         a gradient goes through to x                        */
  CAM_FUSED_N_INPUTS
};

void cam_fused_parse_activation (const CamNode *node,
                                 CamActivation *activation);
void cam_fused_set_activation (CamNode *node, const CamActivation *activation);
/* Can act'(x) be told from act (x)? */
gboolean cam_activation_from_output (const CamActivation *activation);
/* The arrays of an optional input, or NULL. */
const float *cam_fused_data (const CamTensor *const *tensors,
                             const CamNode *node, guint i);

/* FALSE where @kind is no clipping; no activation clips to infinities. */
gboolean cam_activation_clip (const CamActivation *activation, float *low,
                              float *high);

/* A window in two dimensions: attributes kernel_shape, strides, pads (top,
 * left, bottom, right), dilations. */
typedef struct
{
  int kernel[2], stride[2], pad[4], dilation[2];
} CamFusedWindow;

#define CAM_FUSED_KERNEL_ROWS 64 /* the most of DepthwiseConv, GroupedConv */

void cam_fused_parse_window (const CamNode *node, CamFusedWindow *window);
void cam_fused_set_window (CamNode *node, const CamFusedWindow *window);
/* Output sizes for an input [N, H, W, C] */
gboolean cam_fused_window_shape (CamNode *node, const CamFusedWindow *window,
                                 gint64 channels, GError **error);

/* --- fused-product.c: y = act (x w + bias + residual), in fixed tiles ----- */

typedef struct _CamProduct CamProduct;

/* Makes rows @first .. @first + @n - 1 of x in @to, product->ld_made apart. */
typedef void (*CamProductRows) (const CamProduct *product, gint64 first,
                                gint64 n, float *to);

struct _CamProduct
{
  gint64 rows;
  int k, n;
  const float *x;      /* [rows, k]; NULL: from make_rows */
  CamProductRows make_rows;
  gconstpointer source; /* for make_rows */
  int ld_made;         /* floats from row to row of what make_rows makes */
  const float *w;      /* [k, n] in panels */
  const float *bias, *residual;
  float *y; /* [rows, n] */
  CamActivation activation;
  int row_tile, column_tile; /* from cam_product_tiles */
};

/* Decides the tiles and ld_made; nothing but the sizes counts. */
void cam_product_tiles (CamProduct *product);
gsize cam_product_scratch (const CamProduct *product, int n_threads);
void cam_product_run (const CamProduct *product, CamThreads *threads,
                      gpointer scratch);

/* Gradients: dx [seeds rows, k] of dy [seeds rows, n] and y [rows, n]. */
typedef struct
{
  gint64 rows, n_seeds;
  int k, n;
  const float *w; /* [n, k] in panels */
  const float *y, *dy;
  float *dx;        /* NULL: not wanted */
  float *dresidual; /* NULL: not wanted */
  CamActivation activation;
} CamProductBack;

gsize cam_product_back_scratch (const CamProductBack *back, int n_threads);
void cam_product_back (const CamProductBack *back, CamThreads *threads,
                       gpointer scratch);

/* --- fused-grouped.c: what 16 outputs of a grouped convolution see -------- */

typedef struct
{
  int group, in, out; /* how many groups; channels of one */
} CamGroups;

typedef struct
{
  int first_in, first_out;
  int n; /* of 16 outputs, those that there are */
} CamGroupPanel;

/* Do the 16 outputs of a panel belong to several groups? */
gboolean cam_groups_share (const CamGroups *groups);
int cam_groups_count_panels (const CamGroups *groups);
CamGroupPanel cam_groups_panel (const CamGroups *groups, int i);

/* fused-layout.c: the transposes of @pictures pictures; @to ends in C, H, W */
void cam_fused_nhwc_to_nchw (const CamTensor *from, CamTensor *to,
                             gint64 pictures, CamThreads *threads);
