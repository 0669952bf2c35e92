/* fold-affine.c -- BatchNormalization, and products and sums with constants,
 * that follow a convolution or a Gemm become part of its weights
 *
 * y = s (w x + b) + t = (s w) x + (s b + t), by output channel; in double.
 */
#include <math.h>
#include <string.h>

#include "core/engine/passes/pass.h"

typedef struct
{
  gint64 n; /* output channels */
  double *scale, *shift;
} Affine;

static void
affine_clear (Affine *affine)
{
  g_free (affine->scale);
  g_free (affine->shift);
}

/* Constant input @i as one number a channel of an output of @rank. */
static gboolean
read_by_channel (const CamNode *node, guint i, int rank, gint64 n, double *to)
{
  const CamTensor *constant = cam_pass_constant (node, i);
  int axis = constant ? 1 - rank + constant->shape.n_dims : 0;

  if (!constant || (constant->n_elements != 1
                    && (constant->n_elements != (gsize) n || axis < 0
                        || constant->shape.dims[axis] != n)))
    return FALSE;
  for (gint64 c = 0; c < n; c++)
    to[c] = cam_tensor_f32 (constant)[constant->n_elements == 1 ? 0 : c];
  return TRUE;
}

static gboolean
read_batch_norm (const CamNode *node, Affine *affine)
{
  const float *p[4];
  double epsilon = cam_node_float (node, "epsilon", 1e-5);

  for (guint i = 0; i < 4; i++)
    {
      const CamTensor *constant = cam_pass_constant (node, i + 1);

      if (!constant || constant->n_elements != (gsize) affine->n)
        return FALSE;
      p[i] = cam_tensor_f32 (constant);
    }
  for (gint64 c = 0; c < affine->n; c++)
    {
      affine->scale[c] = p[0][c] / sqrt (p[3][c] + epsilon);
      affine->shift[c] = p[1][c] - p[2][c] * affine->scale[c];
    }
  return TRUE;
}

static gboolean
read_arithmetic (const CamNode *node, const CamValue *x, Affine *affine)
{
  guint other = node->inputs[0] == x ? 1 : 0;
  gboolean mul = cam_pass_is (node, "", "Mul");
  gboolean divide = cam_pass_is (node, "", "Div") && other == 1;
  gboolean add = cam_pass_is (node, "", "Add");
  gboolean subtract = cam_pass_is (node, "", "Sub") && other == 1;

  if ((!mul && !divide && !add && !subtract) || node->n_inputs != 2
      || !cam_shape_equal (&x->shape, &node->outputs[0]->shape)
      || !read_by_channel (node, other, x->shape.n_dims, affine->n,
                           mul || divide ? affine->scale : affine->shift))
    return FALSE;
  for (gint64 c = 0; c < affine->n; c++)
    {
      if (divide)
        affine->scale[c] = 1 / affine->scale[c];
      if (subtract)
        affine->shift[c] = -affine->shift[c];
    }
  return TRUE;
}

/* y = scale x + shift by channel, if @node is that */
static gboolean
read_affine (const CamNode *node, const CamValue *x, Affine *affine)
{
  affine->n = x->shape.dims[1];
  affine->scale = g_new (double, affine->n);
  affine->shift = g_new0 (double, affine->n);
  for (gint64 c = 0; c < affine->n; c++)
    affine->scale[c] = 1;
  if (cam_pass_is (node, "", "BatchNormalization"))
    return node->inputs[0] == x && read_batch_norm (node, affine);
  return read_arithmetic (node, x, affine);
}

/* Output channels run over the first axis of the weights (Conv, Gemm with
 * transB), or over the last. */
static CamValue *
scale_weights (CamPass *pass, const CamTensor *w, gboolean first_axis,
               const Affine *affine, GError **error)
{
  CamValue *scaled = cam_pass_new_constant (pass, w->shape.n_dims,
                                            w->shape.dims, error);
  gsize inner = first_axis ? w->n_elements / MAX (affine->n, 1) : 1;
  const float *from = cam_tensor_f32 (w);
  float *to = scaled ? cam_tensor_f32 (scaled->constant) : NULL;

  for (gsize i = 0, c = 0; to && i < w->n_elements;
       c = c + 1 < (gsize) affine->n ? c + 1 : 0)
    for (gsize end = i + inner; i < end; i++)
      to[i] = (float) (from[i] * affine->scale[c]);
  return scaled;
}

static CamValue *
scale_bias (CamPass *pass, const CamTensor *bias, const Affine *affine,
            GError **error)
{
  CamValue *scaled = cam_pass_new_constant (pass, 1, &affine->n, error);

  for (gint64 c = 0; scaled && c < affine->n; c++)
    {
      double b = !bias ? 0
                       : cam_tensor_f32 (bias)[bias->n_elements == 1 ? 0 : c];

      cam_tensor_f32 (scaled->constant)[c]
        = (float) (affine->scale[c] * b + affine->shift[c]);
    }
  return scaled;
}

/* Is @node something that an affine map can be folded into? */
static gboolean
can_take (const CamNode *node)
{
  const CamTensor *w = cam_pass_constant (node, 1);
  gboolean conv = cam_pass_is (node, "", "Conv");
  gboolean gemm = cam_pass_is (node, "", "Gemm")
                  && cam_node_float (node, "alpha", 1) == 1
                  && cam_node_float (node, "beta", 1) == 1
                  && w && w->shape.n_dims == 2;

  if (!w || (!conv && !gemm))
    return FALSE;
  if (node->n_inputs > 2 && node->inputs[2])
    {
      const CamTensor *bias = cam_pass_constant (node, 2);
      gint64 n = node->outputs[0]->shape.dims[1];

      return bias && (bias->n_elements == (gsize) n || bias->n_elements == 1);
    }
  return TRUE;
}

static gboolean
fold (CamPass *pass, CamNode *node, CamNode *next, const Affine *affine,
      GError **error)
{
  gboolean first_axis = cam_pass_is (node, "", "Conv")
                        || cam_node_int (node, "transB", 0);
  const CamTensor *bias = node->n_inputs > 2 ? cam_pass_constant (node, 2)
                                             : NULL;
  CamValue *w = scale_weights (pass, cam_pass_constant (node, 1), first_axis,
                               affine, error);
  CamValue *b = w ? scale_bias (pass, bias, affine, error) : NULL;

  if (!b)
    return FALSE;
  cam_pass_release (pass, node, 1);
  if (node->n_inputs < 3)
    node->inputs = g_renew (CamValue *, node->inputs, 4);
  node->inputs[1] = w;
  node->inputs[2] = b;
  node->n_inputs = 3;
  node->outputs[0]->producer = NULL;
  node->outputs[0] = next->outputs[0];
  cam_pass_replace (pass, next, node);
  return TRUE;
}

gboolean
cam_pass_fold_affine (CamPass *pass, GError **error)
{
  guint n_nodes = pass->graph->nodes->len;

  for (guint i = 0; i < n_nodes; i++)
    {
      CamNode *node = pass->graph->nodes->pdata[i];

      while (!g_hash_table_contains (pass->dead, node) && can_take (node))
        {
          CamNode *next = cam_pass_only_reader (pass, node->outputs[0]);
          Affine affine = { 0 };
          gboolean found = next && read_affine (next, node->outputs[0],
                                                &affine);
          gboolean good = !found || fold (pass, node, next, &affine, error);

          affine_clear (&affine);
          if (!good)
            return FALSE;
          if (!found)
            break;
        }
    }
  return TRUE;
}
