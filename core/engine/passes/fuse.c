/* fuse.c -- what follows a product becomes its tail
 *
 * Bias, residual and activation are put on while the product's tile is in the
 * cache; a squeeze-excite gate before a Linear is applied as its rows are read.
 */
#include "core/engine/passes/pass.h"

static gboolean
is_fused (const CamNode *node, const char *op_type)
{
  return cam_pass_is (node, CAM_FUSED_DOMAIN, op_type);
}

static gboolean
is_product (const CamNode *node)
{
  return is_fused (node, "Linear") || is_fused (node, "Conv")
         || is_fused (node, "WinogradConv");
}

static gboolean
takes_activation (const CamNode *node)
{
  return is_product (node) || is_fused (node, "DepthwiseConv")
         || is_fused (node, "GroupedConv")
         || is_fused (node, "Affine");
}

static gboolean
has_activation (const CamNode *node)
{
  return cam_node_int (node, "activation", CAM_ACTIVATION_NONE)
         != CAM_ACTIVATION_NONE;
}

static void
set_input (CamNode *node, guint i, CamValue *value)
{
  if (i >= node->n_inputs)
    {
      node->inputs = g_renew (CamValue *, node->inputs, i + 1);
      while (node->n_inputs <= i)
        node->inputs[node->n_inputs++] = NULL;
    }
  node->inputs[i] = value;
}

/* @node makes what @next made. */
static void
take_output (CamPass *pass, CamNode *node, CamNode *next)
{
  node->outputs[0]->producer = NULL;
  node->outputs[0] = next->outputs[0];
  cam_pass_replace (pass, next, node);
}

static gboolean
take_activation (CamPass *pass, CamNode *node, CamNode *next, gboolean *taken,
                 GError **error)
{
  CamActivation activation;

  if (!is_fused (next, "Activation") || has_activation (node))
    return TRUE;
  cam_fused_parse_activation (next, &activation);
  if (cam_pass_needs_gradient (pass, node->outputs[0])
      && !cam_activation_from_output (&activation))
    return TRUE;
  cam_fused_set_activation (node, &activation);
  take_output (pass, node, next);
  *taken = TRUE;
  return cam_node_parse (node, error);
}

/* A constant [n] or [1, ..., n] added to a product is its bias. */
static gboolean
is_bias (const CamNode *node, const CamNode *add, guint i)
{
  const CamTensor *constant = cam_pass_constant (add, i);
  const CamShape *w = &node->inputs[CAM_FUSED_WEIGHTS]->shape;
  gint64 n = w->dims[w->n_dims - 1];

  return constant && constant->n_elements == (gsize) n
         && constant->shape.n_dims >= 1
         && constant->shape.n_dims <= node->outputs[0]->shape.n_dims
         && constant->shape.dims[constant->shape.n_dims - 1] == n;
}

static void
take_addend (CamPass *pass, CamNode *node, CamNode *add, gboolean *taken)
{
  const CamValue *v = node->outputs[0];
  guint other = add->n_inputs == 2 && add->inputs[0] == v ? 1 : 0;
  gboolean residual = node->n_inputs > CAM_FUSED_RESIDUAL
                      && node->inputs[CAM_FUSED_RESIDUAL];
  gboolean bias = node->n_inputs > CAM_FUSED_BIAS
                  && node->inputs[CAM_FUSED_BIAS];
  CamValue *addend;

  if (!cam_pass_is (add, "", "Add") || !is_product (node)
      || has_activation (node))
    return;
  addend = add->inputs[other];
  if (addend == v || addend->dtype != CAM_DTYPE_FLOAT32
      || !cam_shape_equal (&v->shape, &add->outputs[0]->shape))
    return;
  if (!bias && !residual && is_bias (node, add, other))
    set_input (node, CAM_FUSED_BIAS, addend);
  else if (!residual && !addend->constant
           && cam_shape_equal (&addend->shape, &v->shape))
    set_input (node, CAM_FUSED_RESIDUAL, addend);
  else
    return;
  take_output (pass, node, add);
  *taken = TRUE;
}

/* Where a gate's only reader is a Linear. */
static void
take_gate (CamPass *pass, CamNode *node)
{
  CamValue *x = node->inputs[0];
  CamNode *gate = x->producer;

  if (!is_fused (node, "Linear") || !gate || !is_fused (gate, "Gate")
      || cam_pass_only_reader (pass, x) != node
      || cam_pass_needs_gradient (pass, x))
    return;
  set_input (node, CAM_FUSED_GATE, gate->inputs[1]);
  node->inputs[0] = gate->inputs[0];
  cam_pass_replace (pass, gate, node);
  x->producer = NULL;
}

static gboolean
fuse_node (CamPass *pass, CamNode *node, GError **error)
{
  gboolean taken = takes_activation (node);

  while (taken)
    {
      CamNode *next = cam_pass_only_reader (pass, node->outputs[0]);

      taken = FALSE;
      if (!next)
        break;
      if (!take_activation (pass, node, next, &taken, error))
        return FALSE;
      if (!taken)
        take_addend (pass, node, next, &taken);
    }
  take_gate (pass, node);
  return TRUE;
}

gboolean
cam_pass_fuse (CamPass *pass, GError **error)
{
  guint n_nodes = pass->graph->nodes->len;

  for (guint i = 0; i < n_nodes; i++)
    {
      CamNode *node = pass->graph->nodes->pdata[i];

      if (!g_hash_table_contains (pass->dead, node)
          && !fuse_node (pass, node, error))
        return FALSE;
    }
  return TRUE;
}
