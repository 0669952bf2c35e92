/* window.c -- where a sliding window lies: attributes to sizes and pads */
#include "config.h"

#include "core/ops/window.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

static gboolean
read_ints (const CamNode *node, const char *name, gint64 low, int most,
           gint64 *values, int *count, GError **error)
{
  gsize n;
  const gint64 *ints = cam_node_ints (node, name, &n);

  *count = 0;
  if (n > (gsize) most)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute %s has %zu numbers, at most %d are "
                         "possible"),
                      name, n, most);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    {
      if (ints[i] < low || ints[i] > G_MAXINT32)
        {
          cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                          _ ("attribute %s has the unsupported value %" PRId64),
                          name, ints[i]);
          return FALSE;
        }
      values[i] = ints[i];
    }
  *count = (int) n;
  return TRUE;
}

gboolean
cam_window_parse (const CamNode *node, CamWindowAttributes *attributes,
                  gboolean dilations, GError **error)
{
  static const char *const choices[] = { "NOTSET", "VALID", "SAME_UPPER",
                                         "SAME_LOWER", NULL };
  CamWindowAttributes a = { 0 };
  int auto_pad;

  if (! cam_op_choice (node, "auto_pad", "NOTSET", choices, &auto_pad, error)
      || ! read_ints (node, "kernel_shape", 1, 3, a.kernel, &a.n_kernel, error)
      || ! read_ints (node, "strides", 1, 3, a.strides, &a.n_strides, error)
      || ! read_ints (node, "pads", 0, 6, a.pads, &a.n_pads, error)
      || (dilations
          && ! read_ints (node, "dilations", 1, 3, a.dilations, &a.n_dilations,
                          error)))
    return FALSE;
  a.auto_pad = (CamAutoPad) auto_pad;
  *attributes = a;
  return TRUE;
}

static gboolean
check_counts (const CamNode *node, const CamWindowAttributes *a, int n,
              gboolean own_kernel, GError **error)
{
  if ((own_kernel && a->n_kernel == 0) || (a->n_kernel != 0 && a->n_kernel != n)
      || (a->n_strides != 0 && a->n_strides != n)
      || (a->n_dilations != 0 && a->n_dilations != n)
      || (a->n_pads != 0 && a->n_pads != 2 * n))
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      ngettext ("kernel_shape, strides, dilations or pads do "
                                "not fit an input of %d spatial dimension",
                                "kernel_shape, strides, dilations or pads do "
                                "not fit an input of %d spatial dimensions",
                                n),
                      n);
      return FALSE;
    }
  return TRUE;
}

/* ONNX's output_shape formulas; a last window that would begin in the padding
 * after the input is left out, as PyTorch and ONNX from opset 19 on do.  With
 * ceil_mode an input that is smaller than the window by less than a stride
 * gets one window. */
static void
resolve_axis (CamWindow *w, int axis, CamAutoPad auto_pad, gboolean ceil_mode)
{
  gint64 reach = (w->kernel[axis] - 1) * w->dilation[axis] + 1;
  gint64 stride = w->stride[axis], room;

  if (auto_pad == CAM_PAD_SAME_UPPER || auto_pad == CAM_PAD_SAME_LOWER)
    {
      gint64 out = (w->in[axis] + stride - 1) / stride;
      gint64 total = MAX ((out - 1) * stride + reach - w->in[axis], 0);
      gint64 small = total / 2;

      w->pad[axis] = auto_pad == CAM_PAD_SAME_UPPER ? small : total - small;
      w->pad_end[axis] = total - w->pad[axis];
      w->out[axis] = out;
      return;
    }
  if (auto_pad == CAM_PAD_VALID)
    w->pad[axis] = w->pad_end[axis] = 0;
  room = w->in[axis] + w->pad[axis] + w->pad_end[axis] - reach;
  if (room < 0)
    w->out[axis] = ceil_mode && room > -stride ? 1 : 0;
  else if (! ceil_mode)
    w->out[axis] = room / stride + 1;
  else
    {
      w->out[axis] = (room + stride - 1) / stride + 1;
      if ((w->out[axis] - 1) * stride >= w->in[axis] + w->pad[axis])
        w->out[axis]--;
    }
}

gboolean
cam_window_resolve (const CamNode *node, const CamWindowAttributes *a,
                    const CamShape *input, const gint64 *kernel, CamWindow *w,
                    GError **error)
{
  int n = input->n_dims - 2;

  if (! check_counts (node, a, n, kernel == NULL, error))
    return FALSE;
  for (int i = 0; i < 3; i++)
    {
      int k = i - (3 - n); /* the i-th of three is the k-th of the network's */

      w->in[i] = w->kernel[i] = w->stride[i] = w->dilation[i] = 1;
      w->pad[i] = w->pad_end[i] = 0;
      w->out[i] = 1;
      if (k < 0)
        continue;
      w->in[i] = input->dims[2 + k];
      w->kernel[i] = kernel ? kernel[k] : a->kernel[k];
      w->stride[i] = a->n_strides ? a->strides[k] : 1;
      w->dilation[i] = a->n_dilations ? a->dilations[k] : 1;
      w->pad[i] = a->n_pads ? a->pads[k] : 0;
      w->pad_end[i] = a->n_pads ? a->pads[n + k] : 0;
      resolve_axis (w, i, a->auto_pad, a->ceil_mode);
      if (w->out[i] <= 0)
        {
          g_autofree char *text = cam_shape_to_string (input);

          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("a window of %" PRId64
                             " does not fit the padded input %s"),
                          w->kernel[i], text);
          return FALSE;
        }
    }
  return TRUE;
}

CamShape
cam_window_shape (const CamWindow *window, int rank, gint64 n, gint64 channels)
{
  CamShape shape = { .n_dims = rank, .dims = { n, channels } };

  for (int i = 2; i < rank; i++)
    shape.dims[i] = window->out[i + 3 - rank];
  return shape;
}
