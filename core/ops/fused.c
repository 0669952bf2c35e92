/* fused.c -- operators of our own that passes put in ONNX's place */
#include "config.h"

#include <math.h>

#include "core/ops/fused.h"

void
cam_fused_parse_activation (const CamNode *node, CamActivation *activation)
{
  activation->kind = cam_node_int (node, "activation", CAM_ACTIVATION_NONE);
  activation->a = cam_node_float (node, "activation_a", 0);
  activation->b = cam_node_float (node, "activation_b", 0);
}

void
cam_fused_set_activation (CamNode *node, const CamActivation *activation)
{
  cam_node_set_int (node, "activation", activation->kind);
  cam_node_set_float (node, "activation_a", activation->a);
  cam_node_set_float (node, "activation_b", activation->b);
}

gboolean
cam_activation_from_output (const CamActivation *activation)
{
  /* below 0 a slope turns the sign, and y no longer tells x's */
  if (activation->kind == CAM_ACTIVATION_LEAKY_RELU)
    return activation->a >= 0;
  return activation->kind <= CAM_ACTIVATION_HARD_SIGMOID;
}

gboolean
cam_activation_clip (const CamActivation *activation, float *low, float *high)
{
  *low = activation->kind == CAM_ACTIVATION_RELU ? 0 : -INFINITY;
  *high = INFINITY;
  if (activation->kind != CAM_ACTIVATION_CLIP)
    return activation->kind <= CAM_ACTIVATION_RELU;
  *low = activation->a;
  *high = activation->b;
  return TRUE;
}

const float *
cam_fused_data (const CamTensor *const *tensors, const CamNode *node, guint i)
{
  if (!cam_op_has_input (node, i))
    return NULL;
  if (node->inputs[i]->constant)
    return cam_tensor_f32 (node->inputs[i]->constant);
  return tensors && tensors[i] ? cam_tensor_f32 (tensors[i]) : NULL;
}

static void
read_ints (const CamNode *node, const char *name, int n, int fallback,
           int *values)
{
  gsize n_given;
  const gint64 *given = cam_node_ints (node, name, &n_given);

  for (int i = 0; i < n; i++)
    values[i] = i < (int) n_given ? (int) given[i] : fallback;
}

void
cam_fused_parse_window (const CamNode *node, CamFusedWindow *window)
{
  read_ints (node, "kernel_shape", 2, 1, window->kernel);
  read_ints (node, "strides", 2, 1, window->stride);
  read_ints (node, "pads", 4, 0, window->pad);
  read_ints (node, "dilations", 2, 1, window->dilation);
}

static void
write_ints (CamNode *node, const char *name, int n, const int *values)
{
  gint64 wide[4];

  for (int i = 0; i < n; i++)
    wide[i] = values[i];
  cam_node_set_ints (node, name, n, wide);
}

void
cam_fused_set_window (CamNode *node, const CamFusedWindow *window)
{
  write_ints (node, "kernel_shape", 2, window->kernel);
  write_ints (node, "strides", 2, window->stride);
  write_ints (node, "pads", 4, window->pad);
  write_ints (node, "dilations", 2, window->dilation);
}

gboolean
cam_fused_window_shape (CamNode *node, const CamFusedWindow *window,
                        gint64 channels, GError **error)
{
  CamShape shape = node->inputs[0]->shape;

  for (int i = 0; i < 2; i++)
    {
      gint64 reach = (gint64) (window->kernel[i] - 1) * window->dilation[i] + 1;
      gint64 room = shape.dims[1 + i] + window->pad[i] + window->pad[2 + i]
                    - reach;

      shape.dims[1 + i] = room < 0 ? 0 : room / window->stride[i] + 1;
    }
  shape.dims[3] = channels;
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}
