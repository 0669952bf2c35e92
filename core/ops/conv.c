/* conv.c -- Conv and ConvTranspose, 1-D to 3-D, any stride, dilation, group */
#include "config.h"

#include "core/ops/conv-core.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

typedef struct
{
  CamWindowAttributes window;
  gint64 groups;
  int n_output_padding, n_output_shape; /* ConvTranspose */
  gint64 output_padding[3], output_shape[3];
} ConvParams;

static gboolean
parse (CamNode *node, GError **error)
{
  ConvParams *p = g_new0 (ConvParams, 1);

  node->params = p;
  p->groups = cam_node_int (node, "group", 1);
  if (p->groups < 1)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute group has the unsupported value %" PRId64),
                      p->groups);
      return FALSE;
    }
  return cam_window_parse (node, &p->window, TRUE, error);
}

/* Attributes of up to three numbers from @low on. */
static gboolean
read_three (CamNode *node, const char *name, gint64 low, gint64 *values,
            int *count, GError **error)
{
  gsize n;
  const gint64 *ints = cam_node_ints (node, name, &n);

  *count = (int) MIN (n, 3);
  for (int i = 0; i < *count; i++)
    values[i] = ints[i];
  for (int i = 0; i < *count; i++)
    if (n > 3 || values[i] < low || values[i] > G_MAXINT32)
      {
        cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                        _ ("attribute %s has an unsupported value"), name);
        return FALSE;
      }
  return TRUE;
}

static gboolean
parse_transpose (CamNode *node, GError **error)
{
  ConvParams *p;

  if (! parse (node, error))
    return FALSE;
  p = node->params;
  return read_three (node, "output_padding", 0, p->output_padding,
                     &p->n_output_padding, error)
         && read_three (node, "output_shape", 1, p->output_shape,
                        &p->n_output_shape, error);
}

/* What both check: float32, ranks, nothing empty, products within int. */
static gboolean
check_inputs (CamNode *node, GError **error)
{
  const CamShape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;

  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
      || ! cam_op_check_same_dtype (node, error)
      || ! cam_op_check_rank (node, 0, 3, 5, error)
      || ! cam_op_check_rank (node, 1, x->n_dims, x->n_dims, error)
      || ! cam_op_check_not_empty (node, 0, error)
      || ! cam_op_check_not_empty (node, 1, error))
    return FALSE;
  if (cam_op_count (x, 2, x->n_dims) > G_MAXINT32
      || cam_op_count (w, 1, w->n_dims) > G_MAXINT32
      || cam_op_count (w, 0, 1) > G_MAXINT32)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_TOO_LARGE, node,
                      _ ("more than 2^31 elements in a matrix"));
      return FALSE;
    }
  return TRUE;
}

static void
channels_error (const CamNode *node, GError **error)
{
  const ConvParams *p = node->params;
  g_autofree char *x = cam_shape_to_string (&node->inputs[0]->shape);
  g_autofree char *w = cam_shape_to_string (&node->inputs[1]->shape);

  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("the input %s does not fit the weights %s in %" PRId64
                     " groups"),
                  x, w, p->groups);
}

static gboolean
resolve (const CamNode *node, CamConv *c, GError **error)
{
  const ConvParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;

  c->groups = p->groups;
  c->batch = x->dims[0];
  c->c_in = x->dims[1];
  c->c_out = w->dims[0];
  if (c->c_in % c->groups || c->c_out % c->groups
      || w->dims[1] != c->c_in / c->groups)
    {
      channels_error (node, error);
      return FALSE;
    }
  return cam_window_resolve (node, &p->window, x, w->dims + 2, &c->window,
                             error);
}

static gboolean
infer (CamNode *node, GError **error)
{
  CamConv c;
  CamShape shape;

  if (! check_inputs (node, error) || ! resolve (node, &c, error)
      || ! cam_op_check_vector (node, 2, c.c_out, error))
    return FALSE;
  shape = cam_window_shape (&c.window, node->inputs[0]->shape.n_dims, c.batch,
                            c.c_out);
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}

static const float *
optional (const CamTensor *const *inputs, const CamNode *node, guint i)
{
  return cam_op_has_input (node, i) ? cam_tensor_f32 (inputs[i]) : NULL;
}

static void
forward (const CamForward *f)
{
  CamConv c;

  if (resolve (f->node, &c, NULL))
    cam_conv_forward (&c, cam_tensor_f32 (f->inputs[0]),
                      cam_tensor_f32 (f->inputs[1]),
                      optional (f->inputs, f->node, 2),
                      cam_tensor_f32 (f->outputs[0]), f->scratch, f->threads);
}

static gsize
scratch (const CamNode *node, int n_threads)
{
  CamConv c;

  return resolve (node, &c, NULL) ? cam_conv_scratch (&c, n_threads) : 0;
}

/* The weights' gradient wants columns of depthwise convolutions too. */
static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  const CamShape *w = &node->inputs[1]->shape;

  return scratch (node, n_threads)
         + (gsize) MAX (262144, 64 * cam_op_count (w, 1, w->n_dims))
               * sizeof (float);
}

static void
bias_gradient (const CamBackward *b, gint64 channels)
{
  const CamTensor *gy = b->output_gradients[0];
  float *gb = cam_tensor_f32 (b->input_gradients[2]);
  gint64 n = b->node->outputs[0]->shape.dims[0];
  gint64 area = (gint64) gy->n_elements / (b->n_seeds * n * channels);

  for (gint64 s = 0; s < b->n_seeds; s++)
    for (gint64 c = 0; c < channels; c++)
      {
        double sum = 0;

        for (gint64 i = 0; i < n; i++)
          for (gint64 k = 0; k < area; k++)
            sum += cam_tensor_f32 (gy)[((s * n + i) * channels + c) * area + k];
        gb[s * channels + c] = (float) sum;
      }
}

static void
weight_gradient (const CamBackward *b, const CamConv *c, gboolean transposed)
{
  const CamTensor *x = cam_op_backward_input (b, 0);
  const CamTensor *gy = b->output_gradients[0];
  CamTensor *gw = b->input_gradients[1];
  gsize n_w = gw->n_elements / (gsize) b->n_seeds;
  gsize n_y = gy->n_elements / (gsize) b->n_seeds;

  for (gint64 s = 0; s < b->n_seeds; s++)
    {
      const float *g = cam_tensor_f32 (gy) + (gsize) s * n_y;
      const float *v = cam_tensor_f32 (x);

      cam_conv_weight_gradient (c, transposed ? g : v, transposed ? v : g,
                                cam_tensor_f32 (gw) + (gsize) s * n_w,
                                b->scratch);
    }
}

static void
backward (const CamBackward *b)
{
  CamConv c;

  if (b->output_gradients[0] == NULL || ! resolve (b->node, &c, NULL))
    {
      cam_op_clear_gradients (b);
      return;
    }
  if (b->input_gradients[1])
    weight_gradient (b, &c, FALSE);
  if (b->node->n_inputs > 2 && b->input_gradients[2])
    bias_gradient (b, c.c_out);
  c.batch *= b->n_seeds;
  if (b->input_gradients[0])
    cam_conv_transpose (&c, cam_tensor_f32 (b->output_gradients[0]),
                        cam_tensor_f32 (cam_op_backward_input (b, 1)), NULL,
                        cam_tensor_f32 (b->input_gradients[0]), b->scratch,
                        b->threads);
}

static guint64
macs (const CamNode *node)
{
  const CamShape *w = &node->inputs[1]->shape;
  const CamShape *y = &node->outputs[0]->shape;

  return (guint64) cam_op_count (y, 0, y->n_dims)
         * (guint64) cam_op_count (w, 1, w->n_dims);
}

/* One axis of a transposed convolution: @w->in is the output's size here,
 * because it is the input of the convolution that is transposed. */
static gboolean
resolve_transposed_axis (const CamNode *node, CamWindow *w, int axis, int k,
                         GError **error)
{
  const ConvParams *p = node->params;
  gboolean same = p->window.auto_pad >= CAM_PAD_SAME_UPPER;
  gint64 extra = p->n_output_padding ? p->output_padding[k] : 0;
  gint64 full = (w->out[axis] - 1) * w->stride[axis]
                + (w->kernel[axis] - 1) * w->dilation[axis] + 1 + extra;

  if (p->n_output_shape || same)
    {
      gint64 wanted = p->n_output_shape ? p->output_shape[k]
                                        : w->out[axis] * w->stride[axis];
      gint64 total = MAX (full - wanted, 0);

      w->in[axis] = wanted;
      w->pad[axis] = p->window.auto_pad == CAM_PAD_SAME_UPPER
                         ? total / 2
                         : total - total / 2;
    }
  else
    {
      if (p->window.auto_pad == CAM_PAD_VALID)
        w->pad[axis] = w->pad_end[axis] = 0;
      w->in[axis] = full - w->pad[axis] - w->pad_end[axis];
    }
  if (w->in[axis] > 0)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("its pads leave nothing of the output"));
  return FALSE;
}

/* The convolution whose transpose this node is. */
static gboolean
resolve_transposed (const CamNode *node, CamConv *c, GError **error)
{
  const ConvParams *p = node->params;
  const CamWindowAttributes *a = &p->window;
  const CamShape *x = &node->inputs[0]->shape, *w = &node->inputs[1]->shape;
  int n = x->n_dims - 2;

  c->groups = p->groups;
  c->batch = x->dims[0];
  c->c_out = x->dims[1];
  c->c_in = w->dims[1] * c->groups;
  if (c->c_out % c->groups || w->dims[0] != c->c_out)
    {
      channels_error (node, error);
      return FALSE;
    }
  if ((a->n_strides && a->n_strides != n) || (a->n_pads && a->n_pads != 2 * n)
      || (a->n_dilations && a->n_dilations != n)
      || (p->n_output_padding && p->n_output_padding != n)
      || (p->n_output_shape && p->n_output_shape != n))
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      ngettext ("attributes do not fit %d spatial dimension",
                                "attributes do not fit %d spatial dimensions",
                                n),
                      n);
      return FALSE;
    }
  for (int i = 0; i < 3; i++)
    {
      int k = i - (3 - n);
      CamWindow *v = &c->window;

      v->in[i] = v->out[i] = v->kernel[i] = v->stride[i] = v->dilation[i] = 1;
      v->pad[i] = v->pad_end[i] = 0;
      if (k < 0)
        continue;
      v->out[i] = x->dims[2 + k];
      v->kernel[i] = w->dims[2 + k];
      v->stride[i] = a->n_strides ? a->strides[k] : 1;
      v->dilation[i] = a->n_dilations ? a->dilations[k] : 1;
      v->pad[i] = a->n_pads ? a->pads[k] : 0;
      v->pad_end[i] = a->n_pads ? a->pads[n + k] : 0;
      if (! resolve_transposed_axis (node, v, i, k, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
infer_transpose (CamNode *node, GError **error)
{
  CamConv c;
  CamShape shape = { .n_dims = node->inputs[0]->shape.n_dims };

  if (! check_inputs (node, error) || ! resolve_transposed (node, &c, error)
      || ! cam_op_check_vector (node, 2, c.c_in, error))
    return FALSE;
  shape.dims[0] = c.batch;
  shape.dims[1] = c.c_in;
  for (int i = 2; i < shape.n_dims; i++)
    shape.dims[i] = c.window.in[i + 3 - shape.n_dims];
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}

static void
forward_transpose (const CamForward *f)
{
  CamConv c;

  if (resolve_transposed (f->node, &c, NULL))
    cam_conv_transpose (&c, cam_tensor_f32 (f->inputs[0]),
                        cam_tensor_f32 (f->inputs[1]),
                        optional (f->inputs, f->node, 2),
                        cam_tensor_f32 (f->outputs[0]), f->scratch, f->threads);
}

static gsize
scratch_transpose (const CamNode *node, int n_threads)
{
  CamConv c;

  return resolve_transposed (node, &c, NULL) ? cam_conv_scratch (&c, n_threads)
                                             : 0;
}

static gsize
backward_scratch_transpose (const CamNode *node, int n_threads, gint64 n_seeds)
{
  const CamShape *w = &node->inputs[1]->shape;

  return scratch_transpose (node, n_threads)
         + (gsize) MAX (262144, 64 * cam_op_count (w, 1, w->n_dims))
               * sizeof (float);
}

static void
backward_transpose (const CamBackward *b)
{
  CamConv c;

  if (b->output_gradients[0] == NULL
      || ! resolve_transposed (b->node, &c, NULL))
    {
      cam_op_clear_gradients (b);
      return;
    }
  if (b->input_gradients[1])
    weight_gradient (b, &c, TRUE);
  if (b->node->n_inputs > 2 && b->input_gradients[2])
    bias_gradient (b, c.c_in);
  c.batch *= b->n_seeds;
  if (b->input_gradients[0])
    cam_conv_forward (&c, cam_tensor_f32 (b->output_gradients[0]),
                      cam_tensor_f32 (cam_op_backward_input (b, 1)), NULL,
                      cam_tensor_f32 (b->input_gradients[0]), b->scratch,
                      b->threads);
}

static guint64
macs_transpose (const CamNode *node)
{
  const CamShape *w = &node->inputs[1]->shape;
  const CamShape *x = &node->inputs[0]->shape;

  return (guint64) cam_op_count (x, 0, x->n_dims)
         * (guint64) cam_op_count (w, 1, w->n_dims);
}

const CamOperator cam_ops_conv[] = {
  { .domain = "",
    .type = "Conv",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BLAS,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .scratch = scratch,
    .backward_scratch = backward_scratch,
    .macs = macs },
  { .domain = "",
    .type = "ConvTranspose",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BLAS,
    .parse = parse_transpose,
    .infer = infer_transpose,
    .forward = forward_transpose,
    .backward = backward_transpose,
    .scratch = scratch_transpose,
    .backward_scratch = backward_scratch_transpose,
    .macs = macs_transpose },
  { .type = NULL }
};
