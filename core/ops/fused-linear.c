/* fused-linear.c -- camlens.Linear: y[..., n] = act (x[..., k] w + bias +
 * residual): 1 x 1 convolutions, Gemm, MatMul by a constant
 *
 * With a gate g [N, 1, 1, k] x is multiplied by g first (squeeze-excite); such
 * a node has no gradient, and the passes make none where one is wanted.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/ops/fused.h"

typedef struct
{
  CamActivation activation;
} Linear;

static gboolean
parse (CamNode *node, GError **error)
{
  Linear *linear = g_new0 (Linear, 1);

  node->params = linear;
  cam_fused_parse_activation (node, &linear->activation);
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;
  const CamShape *w = &node->inputs[CAM_FUSED_WEIGHTS]->shape;

  if (shape.n_dims < 1 || w->n_dims != 2
      || shape.dims[shape.n_dims - 1] != w->dims[0])
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("the weights do not fit the input"));
      return FALSE;
    }
  shape.dims[shape.n_dims - 1] = w->dims[1];
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}

typedef struct
{
  const float *x, *gate;
  gint64 area; /* rows of one picture */
} Gated;

static void
gate_rows (const CamProduct *product, gint64 first, gint64 n, float *to)
{
  const Gated *gated = product->source;
  const CamActivation none = { CAM_ACTIVATION_NONE, 0, 0 };
  int k = product->k;

  while (n > 0)
    {
      gint64 picture = first / gated->area;
      gint64 rows = MIN (n, (picture + 1) * gated->area - first);

      for (gint64 end = first + rows; first < end; first++)
        {
          cam_kernels ()->affine (to, gated->x + first * k, 1, k,
                                  gated->gate + picture * k, NULL, &none);
          to += product->ld_made;
        }
      n -= rows;
    }
}

static CamProduct
describe (const CamNode *node)
{
  const Linear *linear = node->params;
  const CamShape *w = &node->inputs[CAM_FUSED_WEIGHTS]->shape;
  const CamShape *x = &node->inputs[0]->shape;
  CamProduct product = { 0 };

  product.rows = cam_op_count (x, 0, x->n_dims - 1);
  product.k = (int) w->dims[0];
  product.n = (int) w->dims[1];
  product.activation = linear->activation;
  if (cam_op_has_input (node, CAM_FUSED_GATE))
    product.make_rows = gate_rows;
  cam_product_tiles (&product);
  return product;
}

static void
forward (const CamForward *f)
{
  CamProduct product = describe (f->node);
  const CamShape *x = &f->node->inputs[0]->shape;
  Gated gated = { cam_tensor_f32 (f->inputs[0]), NULL, 1 };

  product.x = gated.x;
  product.w = cam_fused_data (f->inputs, f->node, CAM_FUSED_WEIGHTS);
  product.bias = cam_fused_data (f->inputs, f->node, CAM_FUSED_BIAS);
  product.residual = cam_fused_data (f->inputs, f->node, CAM_FUSED_RESIDUAL);
  product.y = cam_tensor_f32 (f->outputs[0]);
  if (product.make_rows)
    {
      gated.gate = cam_fused_data (f->inputs, f->node, CAM_FUSED_GATE);
      gated.area = cam_op_count (x, 1, x->n_dims - 1);
      product.source = &gated;
    }
  cam_product_run (&product, f->threads, f->scratch);
}

static gsize
scratch (const CamNode *node, int n_threads)
{
  CamProduct product = describe (node);

  return cam_product_scratch (&product, n_threads);
}

static CamProductBack
describe_back (const CamNode *node, gint64 n_seeds)
{
  CamProduct product = describe (node);

  return (CamProductBack) { .rows = product.rows,
                            .n_seeds = n_seeds,
                            .k = product.k,
                            .n = product.n,
                            .activation = product.activation };
}

static void
backward (const CamBackward *b)
{
  CamProductBack back = describe_back (b->node, b->n_seeds);
  CamTensor *dx = b->input_gradients[0];
  CamTensor *dresidual = b->node->n_inputs > CAM_FUSED_RESIDUAL
                           ? b->input_gradients[CAM_FUSED_RESIDUAL] : NULL;

  back.w = cam_fused_data (b->inputs, b->node, CAM_FUSED_BACK);
  back.y = cam_tensor_f32 (b->outputs[0]);
  back.dy = cam_tensor_f32 (b->output_gradients[0]);
  back.dx = dx ? cam_tensor_f32 (dx) : NULL;
  back.dresidual = dresidual ? cam_tensor_f32 (dresidual) : NULL;
  cam_product_back (&back, b->threads, b->scratch);
}

static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  CamProductBack back = describe_back (node, n_seeds);

  return cam_product_back_scratch (&back, n_threads);
}

static guint64
macs (const CamNode *node)
{
  CamProduct product = describe (node);

  return (guint64) product.rows * product.k * product.n;
}

const CamOperator cam_ops_fused_linear[] = {
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "Linear",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = CAM_FUSED_N_INPUTS,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_OUTPUTS,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .scratch = scratch,
    .backward_scratch = backward_scratch,
    .macs = macs,
  },
  { .type = NULL },
};
