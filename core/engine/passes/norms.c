/* norms.c -- Softmax and LayerNormalization of consecutive elements, also the
 * latter as exporters before opset 17 spell it out, become operators with fast
 * kernels
 */
#include "core/engine/passes/pass.h"

/* The mean over the last axis, which stays as 1: of what? Else NULL. */
static CamValue *
mean_of (const CamValue *value)
{
  const CamNode *node = value->producer;
  const gint64 *axes;
  gsize n_axes;
  int last;

  if (! node || ! cam_pass_is (node, "", "ReduceMean")
      || ! cam_node_int (node, "keepdims", 1))
    return NULL;
  last = node->inputs[0]->shape.n_dims - 1;
  axes = cam_pass_axes (node, &n_axes);
  return axes && n_axes == 1 && (*axes == -1 || *axes == last) ? node->inputs[0]
                                                               : NULL;
}

/* The input of @node, an @op_type of two, that is no constant of one number for
 * each element of the last axis; that constant in @vector. */
static CamValue *
with_vector (const CamNode *node, const char *op_type, CamValue **vector)
{
  for (guint i = 0; node && cam_pass_is (node, "", op_type) && i < 2; i++)
    {
      const CamTensor *constant = cam_pass_constant (node, i);
      const CamShape *x = &node->inputs[1 - i]->shape;

      *vector = node->inputs[i];
      if (constant && constant->shape.n_dims == 1 && x->n_dims > 0
          && constant->shape.dims[0] == x->dims[x->n_dims - 1])
        return node->inputs[1 - i];
    }
  return NULL;
}

/* d d, of a @d */
static gboolean
is_square (const CamValue *value, const CamValue *d)
{
  const CamNode *node = value->producer;
  float power = 0;

  if (! node || node->n_inputs != 2 || node->inputs[0] != d)
    return FALSE;
  return (cam_pass_is (node, "", "Mul") && node->inputs[1] == d)
         || (cam_pass_is (node, "", "Pow") && cam_pass_scalar (node, 1, &power)
             && power == 2);
}

/* sqrt (mean (d d) + epsilon) */
static gboolean
is_deviation (const CamValue *value, const CamValue *d, float *epsilon)
{
  const CamNode *root = value->producer, *add;
  const CamValue *square = NULL;

  if (! root || ! cam_pass_is (root, "", "Sqrt"))
    return FALSE;
  add = root->inputs[0]->producer;
  for (guint i = 0; add && cam_pass_is (add, "", "Add") && i < 2; i++)
    if (cam_pass_scalar (add, i, epsilon))
      square = mean_of (add->inputs[1 - i]);
  return square && is_square (square, d);
}

typedef struct
{
  CamValue *inputs[3]; /* x, scale, shift */
  float epsilon;
} LayerNorm;

/* (x - mean (x)) / deviation (x) scale + shift */
static gboolean
match_layer_norm (const CamPass *pass, const CamNode *node, LayerNorm *norm)
{
  CamValue *scaled = with_vector (node, "Add", &norm->inputs[2]);
  CamValue *quotient = scaled ? with_vector (scaled->producer, "Mul",
                                             &norm->inputs[1])
                              : NULL;
  const CamNode *divide = quotient ? quotient->producer : NULL;
  const CamNode *subtract;

  if (! divide || ! cam_pass_is (divide, "", "Div"))
    return FALSE;
  subtract = divide->inputs[0]->producer;
  if (! subtract || ! cam_pass_is (subtract, "", "Sub")
      || mean_of (subtract->inputs[1]) != subtract->inputs[0]
      || ! is_deviation (divide->inputs[1], divide->inputs[0], &norm->epsilon))
    return FALSE;
  norm->inputs[0] = subtract->inputs[0];
  return norm->inputs[0]->dtype == CAM_DTYPE_FLOAT32
         && ! cam_pass_has_target (pass, scaled, norm->inputs[0]);
}

static gboolean
only_first_output (const CamNode *node)
{
  for (guint i = 1; i < node->n_outputs; i++)
    if (node->outputs[i])
      return FALSE;
  return TRUE;
}

/* Where rows are consecutive elements: the last axis, or all from an axis on.
 */
static CamNode *
replace_softmax (CamPass *pass, CamNode *node, GError **error)
{
  int last = node->inputs[0]->shape.n_dims - 1;
  gint64 axis = cam_node_int (node, "axis", node->opset < 13 ? 1 : -1);
  CamNode *made;

  if (node->opset >= 13 && axis != -1 && axis != last)
    return NULL;
  made = cam_pass_add (pass, CAM_FUSED_DOMAIN, "Softmax", node->name, 1,
                       node->inputs, node->outputs[0], error);
  if (made)
    cam_node_set_int (made, "axis", (int) axis);
  return made;
}

static CamNode *
add_layer_norm (CamPass *pass, const CamNode *node, CamValue **inputs,
                guint n_inputs, gint64 axis, float epsilon, GError **error)
{
  CamNode *made = cam_pass_add (pass, CAM_FUSED_DOMAIN, "LayerNorm", node->name,
                                n_inputs, inputs, node->outputs[0], error);

  if (made)
    {
      cam_node_set_int (made, "axis", (int) axis);
      cam_node_set_float (made, "epsilon", epsilon);
    }
  return made;
}

gboolean
cam_pass_norms (CamPass *pass, GError **error)
{
  guint n_nodes = pass->graph->nodes->len;
  GError *failed = NULL;

  for (guint i = 0; i < n_nodes; i++)
    {
      CamNode *node = pass->graph->nodes->pdata[i], *made = NULL;
      LayerNorm norm = { { NULL } };

      if (cam_pass_is (node, "", "Softmax") && node->inputs[0]->shape.n_dims)
        made = replace_softmax (pass, node, &failed);
      else if (cam_pass_is (node, "", "LayerNormalization")
               && only_first_output (node))
        made = add_layer_norm (pass, node, node->inputs, node->n_inputs,
                               cam_node_int (node, "axis", -1),
                               cam_node_float (node, "epsilon", 1e-5f),
                               &failed);
      else if (match_layer_norm (pass, node, &norm))
        made = add_layer_norm (pass, node, norm.inputs, 3, -1, norm.epsilon,
                               &failed);
      if (failed)
        {
          g_propagate_error (error, failed);
          return FALSE;
        }
      if (! made)
        continue;
      cam_pass_replace (pass, node, made);
      if (! cam_pass_finish (made, error))
        return FALSE;
    }
  return TRUE;
}
