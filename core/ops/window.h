/* window.h -- where a sliding window lies: convolutions and poolings
 *
 * Always three spatial dimensions, depth, height, width; those that a network
 * does not have are 1.
 */
#pragma once

#include "core/ops/ops.h"

typedef enum
{
  CAM_PAD_NOTSET,
  CAM_PAD_VALID,
  CAM_PAD_SAME_UPPER,
  CAM_PAD_SAME_LOWER
} CamAutoPad;

/* As the node has them, one number a spatial dimension that there is. */
typedef struct
{
  CamAutoPad auto_pad;
  int n_kernel, n_strides, n_dilations, n_pads; /* 0: absent */
  gint64 kernel[3], strides[3], dilations[3], pads[6];
  gboolean ceil_mode;
} CamWindowAttributes;

typedef struct
{
  gint64 in[3], out[3], kernel[3], stride[3], dilation[3];
  gint64 pad[3];     /* before */
  gint64 pad_end[3]; /* after  */
} CamWindow;

/* Reads auto_pad, kernel_shape, strides, pads and (where @dilations) dilations.
 */
gboolean cam_window_parse (const CamNode *node, CamWindowAttributes *attributes,
                           gboolean dilations, GError **error);
/* For an input [N, C, spatial...]; @kernel (its spatial dims) NULL: from the
 * attributes.  Fills all but errors where the window does not fit. */
gboolean cam_window_resolve (const CamNode *node,
                             const CamWindowAttributes *attributes,
                             const CamShape *input, const gint64 *kernel,
                             CamWindow *window, GError **error);
/* [@n, @channels, out...] with @rank dimensions */
CamShape cam_window_shape (const CamWindow *window, int rank, gint64 n,
                           gint64 channels);

static inline gint64
cam_window_volume (const gint64 dims[3])
{
  return dims[0] * dims[1] * dims[2];
}

/* Output positions @begin .. @end - 1 along @axis for which tap @tap lies
 * inside the input (none: @begin == @end). */
static inline void
cam_window_valid (const CamWindow *w, int axis, gint64 tap, gint64 *begin,
                  gint64 *end)
{
  gint64 shift = w->pad[axis] - tap * w->dilation[axis];
  gint64 low = shift > 0 ? (shift + w->stride[axis] - 1) / w->stride[axis] : 0;
  gint64 last = w->in[axis] - 1 + shift;
  gint64 high = last < 0 ? 0 : last / w->stride[axis] + 1;

  *begin = MIN (low, w->out[axis]);
  *end = MAX (MIN (high, w->out[axis]), *begin);
}
