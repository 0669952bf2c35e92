/* cast.c -- what hands its input on: Cast, Identity, Dropout (inference) */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

#include "core/ops/scalar.h"

/* TensorProto.DataType of the ONNX format, by its number */
static const CamDType onnx_types[] = {
  CAM_DTYPE_NONE,     CAM_DTYPE_FLOAT32, CAM_DTYPE_UINT8,   CAM_DTYPE_INT8,
  CAM_DTYPE_UINT16,   CAM_DTYPE_INT16,   CAM_DTYPE_INT32,   CAM_DTYPE_INT64,
  CAM_DTYPE_NONE,     CAM_DTYPE_BOOL,    CAM_DTYPE_FLOAT16, CAM_DTYPE_FLOAT64,
  CAM_DTYPE_UINT32,   CAM_DTYPE_UINT64,  CAM_DTYPE_NONE,    CAM_DTYPE_NONE,
  CAM_DTYPE_BFLOAT16,
};

typedef struct
{
  CamDType to;
} Cast;

static gboolean
parse_cast (CamNode *node, GError **error)
{
  Cast *cast = g_new0 (Cast, 1);
  gint64 to = cam_node_int (node, "to", 0);

  node->params = cast;
  cam_node_int (node, "saturate", 1); /* float 8 types only */
  if (to > 0 && to < (gint64) G_N_ELEMENTS (onnx_types))
    cast->to = onnx_types[to];
  if (cast->to != CAM_DTYPE_NONE)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute to has the unsupported type %" PRId64), to);
  return FALSE;
}

static gboolean
infer_cast (CamNode *node, GError **error)
{
  const Cast *cast = node->params;

  return cam_node_set_output (node, 0, cast->to, &node->inputs[0]->shape,
                              error);
}

static void
cast_range (gsize begin, gsize end, int thread, gpointer data)
{
  const CamForward *f = data;
  const CamTensor *x = f->inputs[0];
  CamTensor *y = f->outputs[0];

  if (cam_op_dtype_is (x->dtype, CAM_OP_KINDS_FLOAT))
    for (gsize i = begin; i < end; i++)
      cam_scalar_set_double (y, i, cam_scalar_double (x, i));
  else
    for (gsize i = begin; i < end; i++)
      cam_scalar_set_int (y, i, cam_scalar_int (x, i));
}

static void
forward_cast (const CamForward *f)
{
  if (f->inputs[0]->dtype == f->outputs[0]->dtype)
    cam_op_copy (f->outputs[0], f->inputs[0]);
  else
    cam_op_ranges (f->threads, f->inputs[0]->n_elements, CAM_OP_GRAIN,
                   cast_range, (gpointer) f);
}

static void
backward_copy (const CamBackward *b)
{
  if (b->input_gradients[0] && b->output_gradients[0]
      && b->input_gradients[0]->dtype == b->output_gradients[0]->dtype)
    cam_op_copy (b->input_gradients[0], b->output_gradients[0]);
  else
    cam_op_clear_gradients (b);
}

static void
forward_copy (const CamForward *f)
{
  cam_op_copy (f->outputs[0], f->inputs[0]);
}

static gboolean
parse_dropout (CamNode *node, GError **error)
{
  if (node->opset < 12)
    cam_node_float (node, "ratio", 0.5);
  else
    cam_node_int (node, "seed", 0);
  return TRUE;
}

/* Training with the ratio 0 is what inference is: exporters write that for
 * networks that call dropout whether they train or not. */
static gboolean
infer_dropout (CamNode *node, GError **error)
{
  double ratio = 0.5, training = 0;

  if (cam_op_has_input (node, 2)
      && (! cam_op_constant_scalar (node, 2, 0, &training, error)
          || (training != 0
              && ! cam_op_constant_scalar (node, 1, 0.5, &ratio, error))))
    return FALSE;
  if (training != 0 && ratio != 0)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("training_mode is on; only inference is possible"));
      return FALSE;
    }
  return cam_op_infer_same (node, error)
         && cam_node_set_output (node, 1, CAM_DTYPE_BOOL,
                                 &node->inputs[0]->shape, error);
}

static void
forward_dropout (const CamForward *f)
{
  cam_op_copy (f->outputs[0], f->inputs[0]);
  if (f->node->n_outputs > 1 && f->outputs[1])
    memset (f->outputs[1]->data, 1, f->outputs[1]->n_elements);
}

const CamOperator cam_ops_cast[] = { { .domain = "",
                                       .type = "Cast",
                                       .since = 6,
                                       .min_inputs = 1,
                                       .max_inputs = 1,
                                       .min_outputs = 1,
                                       .max_outputs = 1,
                                       .parse = parse_cast,
                                       .infer = infer_cast,
                                       .forward = forward_cast,
                                       .backward = backward_copy },
                                     { .domain = "",
                                       .type = "Identity",
                                       .since = 1,
                                       .min_inputs = 1,
                                       .max_inputs = 1,
                                       .min_outputs = 1,
                                       .max_outputs = 1,
                                       .flags = CAM_OP_VIEW,
                                       .infer = cam_op_infer_same,
                                       .forward = forward_copy,
                                       .backward = backward_copy },
                                     { .domain = "",
                                       .type = "Dropout",
                                       .since = 7,
                                       .min_inputs = 1,
                                       .max_inputs = 3,
                                       .min_outputs = 1,
                                       .max_outputs = 2,
                                       .flags = CAM_OP_IN_PLACE,
                                       .parse = parse_dropout,
                                       .infer = infer_dropout,
                                       .forward = forward_dropout,
                                       .backward = backward_copy },
                                     { .type = NULL } };
