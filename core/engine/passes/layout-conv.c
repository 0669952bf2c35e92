/* layout-conv.c -- convolutions and products by constants, as the fused
 * operators do them */
#include "core/engine/passes/layout.h"
#include "core/ops/window.h"

/* Sizes from where a 3 x 3 convolution gains by Winograd's way; measured, see
 * docs/SPEED.md */
#define WINOGRAD_CHANNELS 16

#define GROUP_OUTPUTS 4 /* with fewer most lanes would be idle */

typedef struct
{
  CamFusedWindow window;
  int group;
  gint64 channels, n; /* in, out */
  const CamTensor *w;
} Conv;

static gboolean
read_conv (const CamNode *node, Conv *conv)
{
  CamWindowAttributes attributes = { 0 };
  CamWindow window;

  conv->w = cam_pass_constant (node, 1);
  if (!cam_pass_is (node, "", "Conv") || node->inputs[0]->shape.n_dims != 4
      || node->inputs[0]->dtype != CAM_DTYPE_FLOAT32 || !conv->w
      || (node->n_inputs > 2 && node->inputs[2]
          && !cam_pass_constant (node, 2)))
    return FALSE;
  if (!cam_window_parse (node, &attributes, TRUE, NULL)
      || !cam_window_resolve (node, &attributes, &node->inputs[0]->shape,
                              conv->w->shape.dims + 2, &window, NULL))
    return FALSE;
  for (int i = 0; i < 2; i++)
    {
      conv->window.kernel[i] = (int) window.kernel[i + 1];
      conv->window.stride[i] = (int) window.stride[i + 1];
      conv->window.dilation[i] = (int) window.dilation[i + 1];
      conv->window.pad[i] = (int) window.pad[i + 1];
      conv->window.pad[2 + i] = (int) window.pad_end[i + 1];
    }
  conv->group = (int) cam_node_int (node, "group", 1);
  conv->channels = node->inputs[0]->shape.dims[1];
  conv->n = conv->w->shape.dims[0];
  return TRUE;
}

static gboolean
is_pointwise (const CamFusedWindow *w)
{
  return w->kernel[0] == 1 && w->kernel[1] == 1 && w->stride[0] == 1
         && w->stride[1] == 1 && !w->pad[0] && !w->pad[1] && !w->pad[2]
         && !w->pad[3];
}

/* 0: no Winograd; else the side of its tiles */
static int
winograd_tile (CamLayout *layout, const CamNode *node, const Conv *conv)
{
  const CamFusedWindow *w = &conv->window;
  const gint64 *out = node->outputs[0]->shape.dims;

  if (w->kernel[0] != 3 || w->kernel[1] != 3 || w->stride[0] != 1
      || w->stride[1] != 1 || w->dilation[0] != 1 || w->dilation[1] != 1
      || conv->channels < WINOGRAD_CHANNELS || conv->n < WINOGRAD_CHANNELS
      || cam_pass_needs_gradient (layout->pass, node->inputs[0])
      || g_hash_table_contains (layout->ties, node->outputs[0]))
    return 0;
  if (out[0] * out[2] * out[3] < 64)
    return 2;
  return 4;
}

/* The weights, [n, k...] where @transposed, else [k, n], as a product reads them,
 * and for the way back where a gradient goes. */
static gboolean
pack_product (CamPass *pass, const CamNode *node, const CamTensor *w,
              gboolean transposed, CamValue **inputs, GError **error)
{
  CamValue **back = inputs + CAM_FUSED_BACK;

  inputs[CAM_FUSED_WEIGHTS] = transposed ? cam_pack_dense (pass, w, error)
                                         : cam_pack_panels (pass, w, error);
  if (inputs[CAM_FUSED_WEIGHTS]
      && cam_pass_needs_gradient (pass, node->inputs[0]))
    {
      *back = transposed ? cam_pack_back (pass, w, error)
                         : cam_pack_transposed (pass, w, TRUE, error);
      return *back != NULL;
    }
  return inputs[CAM_FUSED_WEIGHTS] != NULL;
}

static gboolean
is_depthwise (const Conv *conv)
{
  return conv->group == conv->channels && conv->n == conv->group;
}

static CamGroups
groups_of (const Conv *conv)
{
  CamGroups groups = { conv->group, (int) conv->channels / conv->group,
                       (int) conv->n / conv->group };

  return groups;
}

/* The way back of groups that are not single channels is that of ONNX's own
 * operator. */
static gboolean
is_convertible (CamLayout *layout, const CamNode *node, const Conv *conv)
{
  CamGroups groups = groups_of (conv);

  if (conv->group == 1)
    return TRUE;
  if (conv->window.kernel[0] > CAM_FUSED_KERNEL_ROWS)
    return FALSE;
  return is_depthwise (conv)
         || (!cam_pass_needs_gradient (layout->pass, node->inputs[0])
             && (cam_groups_share (&groups) || groups.out >= GROUP_OUTPUTS));
}

static CamNode *
add_product (CamPass *pass, const char *type, const char *name,
             CamValue **inputs, CamValue *output, GError **error)
{
  guint n = inputs[CAM_FUSED_BACK] ? CAM_FUSED_N_INPUTS : CAM_FUSED_BIAS + 1;

  return cam_pass_add (pass, CAM_FUSED_DOMAIN, type, name, n, inputs, output,
                       error);
}

static CamNode *
add_conv (CamLayout *layout, CamNode *node, const Conv *conv,
          CamValue **inputs, GError **error)
{
  CamPass *pass = layout->pass;
  CamValue *twin = cam_layout_new_twin (layout, node->outputs[0]);
  CamValue **weights = inputs + CAM_FUSED_WEIGHTS;
  const char *type = "Conv";
  gboolean packed;
  CamNode *made;
  int tile = 0;

  if (is_depthwise (conv) && conv->group > 1)
    {
      type = "DepthwiseConv";
      packed = (*weights = cam_pack_depthwise (pass, conv->w, error)) != NULL;
    }
  else if (conv->group > 1)
    {
      CamGroups groups = groups_of (conv);

      type = "GroupedConv";
      packed = (*weights = cam_pack_grouped (pass, conv->w, &groups, error))
               != NULL;
    }
  else if ((tile = winograd_tile (layout, node, conv)))
    {
      type = "WinogradConv";
      packed = (*weights = cam_pack_winograd (pass, conv->w, tile, error))
               != NULL;
    }
  else
    {
      type = is_pointwise (&conv->window) ? "Linear" : "Conv";
      packed = pack_product (pass, node, conv->w, TRUE, inputs, error);
    }
  if (!packed)
    return NULL;
  made = add_product (pass, type, node->name, inputs, twin, error);
  if (made && !g_str_equal (type, "Linear"))
    cam_fused_set_window (made, &conv->window);
  if (made && g_str_equal (type, "GroupedConv"))
    {
      cam_node_set_int (made, "group", conv->group);
      cam_node_set_int (made, "channels", conv->n);
    }
  if (made && tile)
    cam_node_set_int (made, "tile", tile);
  return made;
}

static gboolean
convert_conv (CamLayout *layout, CamNode *node, gboolean *done,
              GError **error)
{
  Conv conv;
  CamValue *inputs[CAM_FUSED_N_INPUTS] = { NULL };
  CamNode *made;

  if (!read_conv (node, &conv) || !is_convertible (layout, node, &conv))
    return TRUE;
  inputs[0] = cam_layout_twin (layout, node->inputs[0], error);
  inputs[2] = node->n_inputs > 2 ? node->inputs[2] : NULL;
  made = inputs[0] ? add_conv (layout, node, &conv, inputs, error) : NULL;
  if (!cam_pass_finish (made, error))
    return FALSE;
  cam_pass_release (layout->pass, node, 1);
  *done = TRUE;
  return TRUE;
}

/* Gemm and MatMul by a constant become Linear; no layout is involved, but the
 * logical input has to be there. */
static gboolean
convert_gemm (CamLayout *layout, CamNode *node, gboolean *done,
              GError **error)
{
  const CamTensor *w = cam_pass_constant (node, 1);
  gboolean gemm = cam_pass_is (node, "", "Gemm");
  gboolean transposed = gemm && cam_node_int (node, "transB", 0);
  const CamTensor *bias = gemm ? cam_pass_constant (node, 2) : NULL;
  CamValue *inputs[CAM_FUSED_N_INPUTS] = { node->inputs[0] };
  CamNode *made;
  gint64 n;

  if (!w || w->shape.n_dims != 2
      || (!gemm && !cam_pass_is (node, "", "MatMul"))
      || node->inputs[0]->dtype != CAM_DTYPE_FLOAT32
      || node->inputs[0]->shape.n_dims < 2)
    return TRUE;
  n = w->shape.dims[transposed ? 0 : 1];
  if (gemm && (cam_node_int (node, "transA", 0)
               || cam_node_float (node, "alpha", 1) != 1
               || cam_node_float (node, "beta", 1) != 1
               || (node->n_inputs > 2 && node->inputs[2]
                   && (!bias || bias->n_elements != (gsize) n))))
    return TRUE;
  inputs[CAM_FUSED_BIAS] = bias ? node->inputs[2] : NULL;
  if (!pack_product (layout->pass, node, w, transposed, inputs, error)
      || !cam_layout_logical (layout, inputs[0], error))
    return FALSE;
  made = add_product (layout->pass, "Linear", node->name, inputs,
                      node->outputs[0], error);
  if (!cam_pass_finish (made, error))
    return FALSE;
  cam_pass_release (layout->pass, node, 1);
  *done = TRUE;
  return TRUE;
}

gboolean
cam_layout_products (CamLayout *layout, CamNode *node, gboolean *done,
                     GError **error)
{
  if (!convert_conv (layout, node, done, error))
    return FALSE;
  return *done || convert_gemm (layout, node, done, error);
}
