/* quantize.c -- QuantizeLinear and DequantizeLinear, one scale or one for each
 * place of an axis */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <math.h>

#include "core/ops/scalar.h"

#define KINDS_QUANTIZED                                                        \
  (1u << CAM_DTYPE_INT8 | 1u << CAM_DTYPE_UINT8 | 1u << CAM_DTYPE_INT16        \
   | 1u << CAM_DTYPE_UINT16)

typedef struct
{
  gint64 axis;
} Quantize;

static gboolean
parse (CamNode *node, GError **error)
{
  Quantize *p = g_new0 (Quantize, 1);

  node->params = p;
  p->axis = 1;
  if (node->opset >= 13)
    p->axis = cam_node_int (node, "axis", 1);
  if (node->opset >= 19 && node->op_type[0] == 'Q')
    cam_node_int (node, "saturate", 1); /* float 8 types only */
  return TRUE;
}

/* How the scales repeat: element i takes scale i / inner % n. */
static gboolean
resolve (const CamNode *node, gsize *n, gsize *inner, GError **error)
{
  const Quantize *p = node->params;
  const CamShape *x = &node->inputs[0]->shape, *s = &node->inputs[1]->shape;
  int axis;

  *n = *inner = 1;
  if (s->n_dims == 0 || (s->n_dims == 1 && s->dims[0] == 1))
    return TRUE;
  if (! cam_op_axis (node, p->axis, x->n_dims, &axis, error)
      || ! cam_op_check_vector (node, 1, x->dims[axis], error))
    return FALSE;
  *n = (gsize) x->dims[axis];
  *inner = (gsize) cam_op_count (x, axis + 1, x->n_dims);
  return TRUE;
}

static gboolean
check_zero_point (const CamNode *node, GError **error)
{
  const CamShape *s = &node->inputs[1]->shape;

  if (! cam_op_has_input (node, 2)
      || cam_op_count (s, 0, s->n_dims)
             == cam_op_count (&node->inputs[2]->shape, 0,
                              node->inputs[2]->shape.n_dims))
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("scale and zero point are of different shapes"));
  return FALSE;
}

static gboolean
infer_quantize (CamNode *node, GError **error)
{
  gsize n, inner;
  CamDType dtype = cam_op_has_input (node, 2) ? node->inputs[2]->dtype
                                              : CAM_DTYPE_UINT8;

  return cam_op_check_dtype (node, 0,
                             CAM_OP_KINDS_FLOAT | 1u << CAM_DTYPE_INT32, error)
         && cam_op_check_dtype (node, 1, CAM_OP_KINDS_FLOAT, error)
         && cam_op_check_dtype (node, 2, KINDS_QUANTIZED, error)
         && resolve (node, &n, &inner, error) && check_zero_point (node, error)
         && cam_node_set_output (node, 0, dtype, &node->inputs[0]->shape,
                                 error);
}

static gboolean
infer_dequantize (CamNode *node, GError **error)
{
  gsize n, inner;

  return cam_op_check_dtype (node, 0, KINDS_QUANTIZED | 1u << CAM_DTYPE_INT32,
                             error)
         && cam_op_check_dtype (node, 1, CAM_OP_KINDS_FLOAT, error)
         && cam_op_check_dtype (node, 2,
                                KINDS_QUANTIZED | 1u << CAM_DTYPE_INT32, error)
         && resolve (node, &n, &inner, error) && check_zero_point (node, error)
         && cam_node_set_output (node, 0, node->inputs[1]->dtype,
                                 &node->inputs[0]->shape, error);
}

static void
quantize_range (gsize begin, gsize end, int thread, gpointer data)
{
  const CamForward *f = data;
  CamTensor *y = f->outputs[0];
  gboolean is_signed = y->dtype == CAM_DTYPE_INT8
                       || y->dtype == CAM_DTYPE_INT16;
  double span = cam_dtype_size (y->dtype) == 1 ? 255 : 65535;
  double low = is_signed ? -(span + 1) / 2 : 0, high = low + span;
  gsize n = 1, inner = 1;

  resolve (f->node, &n, &inner, NULL);
  for (gsize i = begin; i < end; i++)
    {
      gsize c = i / inner % n;
      /* Divided in float32 where the scale is: a tie must stay a tie. */
      double x = f->inputs[0]->dtype == CAM_DTYPE_FLOAT64
                     ? cam_scalar_double (f->inputs[0], i)
                           / cam_scalar_double (f->inputs[1], c)
                     : (float) cam_scalar_double (f->inputs[0], i)
                           / (float) cam_scalar_double (f->inputs[1], c);
      double q = rint (x);

      if (cam_op_has_input (f->node, 2))
        q += cam_scalar_double (f->inputs[2], c);
      cam_scalar_set_int (y, i, (gint64) CLAMP (isnan (q) ? 0 : q, low, high));
    }
}

static void
forward_quantize (const CamForward *f)
{
  cam_op_ranges (f->threads, f->inputs[0]->n_elements, CAM_OP_GRAIN,
                 quantize_range, (gpointer) f);
}

static void
dequantize_range (gsize begin, gsize end, int thread, gpointer data)
{
  const CamForward *f = data;
  gsize n = 1, inner = 1;

  resolve (f->node, &n, &inner, NULL);
  for (gsize i = begin; i < end; i++)
    {
      gsize c = i / inner % n;
      gint64 q = cam_scalar_int (f->inputs[0], i);

      if (cam_op_has_input (f->node, 2))
        q -= cam_scalar_int (f->inputs[2], c);
      cam_scalar_set_double (f->outputs[0], i,
                             (double) q * cam_scalar_double (f->inputs[1], c));
    }
}

static void
forward_dequantize (const CamForward *f)
{
  cam_op_ranges (f->threads, f->inputs[0]->n_elements, CAM_OP_GRAIN,
                 dequantize_range, (gpointer) f);
}

const CamOperator cam_ops_quantize[] = { { .domain = "",
                                           .type = "QuantizeLinear",
                                           .since = 10,
                                           .min_inputs = 2,
                                           .max_inputs = 3,
                                           .min_outputs = 1,
                                           .max_outputs = 1,
                                           .parse = parse,
                                           .infer = infer_quantize,
                                           .forward = forward_quantize },
                                         { .domain = "",
                                           .type = "DequantizeLinear",
                                           .since = 10,
                                           .min_inputs = 2,
                                           .max_inputs = 3,
                                           .min_outputs = 1,
                                           .max_outputs = 1,
                                           .parse = parse,
                                           .infer = infer_dequantize,
                                           .forward = forward_dequantize },
                                         { .type = NULL } };
