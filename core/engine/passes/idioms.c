/* idioms.c -- activations, also those that exporters spell out, become one
 * camlens.Activation each
 *
 * The pieces of an idiom are left for whoever else reads them, and pruned
 * where nobody does.  An idiom with a piece at which a gradient is wanted stays
 * as it is: the gradient has to go through that piece.
 */
#include <float.h>
#include <math.h>

#include "core/engine/passes/pass.h"

static gboolean
close_to (float a, double b)
{
  return fabs (a - b) < 1e-4 * fabs (b);
}

/* Limits of a Clip, from attributes or constant inputs. */
static gboolean
read_clip (const CamNode *node, CamActivation *activation)
{
  activation->kind = CAM_ACTIVATION_CLIP;
  activation->a = (float) cam_node_float (node, "min", -INFINITY);
  activation->b = (float) cam_node_float (node, "max", INFINITY);
  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i]
        && !cam_pass_scalar (node, i, i == 1 ? &activation->a
                                             : &activation->b))
      return FALSE;
  if (activation->a == 0 && activation->b == INFINITY)
    activation->kind = CAM_ACTIVATION_RELU;
  return TRUE;
}

/* Is @node by itself an activation that we have? */
static gboolean
read_activation (const CamNode *node, CamActivation *activation)
{
  static const struct
  {
    const char *type;
    CamActivationKind kind;
    double a, b;
  } simple[] = { { "Relu", CAM_ACTIVATION_RELU, 0, 0 },
                 { "LeakyRelu", CAM_ACTIVATION_LEAKY_RELU, 0.01, 0 },
                 { "Sigmoid", CAM_ACTIVATION_SIGMOID, 0, 0 },
                 { "HardSigmoid", CAM_ACTIVATION_HARD_SIGMOID, 0.2, 0.5 },
                 { "HardSwish", CAM_ACTIVATION_HARD_SWISH, 0, 0 },
                 { "Mish", CAM_ACTIVATION_MISH, 0, 0 },
                 { "Gelu", CAM_ACTIVATION_GELU, 0, 0 } };

  if (*node->domain || !node->n_inputs || !node->inputs[0]
      || node->inputs[0]->dtype != CAM_DTYPE_FLOAT32
      || node->inputs[0]->shape.n_dims < 1)
    return FALSE;
  if (g_str_equal (node->op_type, "Clip"))
    return read_clip (node, activation);
  for (guint i = 0; i < G_N_ELEMENTS (simple); i++)
    if (g_str_equal (node->op_type, simple[i].type))
      {
        activation->kind = simple[i].kind;
        activation->a = (float) cam_node_float (node, "alpha", simple[i].a);
        activation->b = (float) cam_node_float (node, "beta", simple[i].b);
        return activation->kind != CAM_ACTIVATION_GELU
               || g_str_equal (cam_node_string (node, "approximate", "none"),
                               "none");
      }
  return FALSE;
}

/* What multiplies or is added to a constant: TRUE where @node is @op_type with
 * a scalar within 1e-4 of @constant; the other input in @x. */
static gboolean
with_scalar (const CamNode *node, const char *op_type, double constant,
             CamValue **x)
{
  float value;

  if (!cam_pass_is (node, "", op_type) || node->n_inputs != 2)
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (cam_pass_scalar (node, i, &value) && close_to (value, constant)
        && (i == 1 || !g_str_equal (op_type, "Div")))
      {
        *x = node->inputs[1 - i];
        return TRUE;
      }
  return FALSE;
}

static gboolean
scaled (const CamNode *node, double factor, CamValue **x)
{
  return with_scalar (node, "Mul", factor, x)
         || with_scalar (node, "Div", 1 / factor, x);
}

/* x times one function of it: SiLU, HardSwish */
static gboolean
match_gate (const CamNode *mul, CamActivation *activation, CamValue **x)
{
  for (guint i = 0; i < 2; i++)
    {
      const CamNode *gate = mul->inputs[i]->producer;
      CamActivation inner;

      if (!cam_pass_is (gate, CAM_FUSED_DOMAIN, "Activation")
          || gate->inputs[0] != mul->inputs[1 - i])
        continue;
      cam_fused_parse_activation (gate, &inner);
      *x = gate->inputs[0];
      if (inner.kind == CAM_ACTIVATION_SIGMOID)
        activation->kind = CAM_ACTIVATION_SILU;
      else if (inner.kind == CAM_ACTIVATION_HARD_SIGMOID
               && close_to (inner.a, 1 / 6.0) && close_to (inner.b, 0.5))
        activation->kind = CAM_ACTIVATION_HARD_SWISH;
      else
        continue;
      return TRUE;
    }
  return FALSE;
}

/* clip (x + 3, 0, 6) */
static gboolean
match_relu6_of_x_plus_3 (const CamNode *node, CamValue **x)
{
  CamActivation inner;

  if (!cam_pass_is (node, CAM_FUSED_DOMAIN, "Activation"))
    return FALSE;
  cam_fused_parse_activation (node, &inner);
  return inner.kind == CAM_ACTIVATION_CLIP && inner.a == 0 && inner.b == 6
         && node->inputs[0]->producer
         && with_scalar (node->inputs[0]->producer, "Add", 3, x);
}

/* x clip (x + 3, 0, 6) / 6, or clip (x + 3, 0, 6) / 6 alone */
static gboolean
match_hard (const CamNode *node, CamActivation *activation, CamValue **x)
{
  CamValue *inner;
  const CamNode *mul;

  if (!scaled (node, 1 / 6.0, &inner) || !inner->producer)
    return FALSE;
  if (match_relu6_of_x_plus_3 (inner->producer, x))
    {
      activation->kind = CAM_ACTIVATION_HARD_SIGMOID;
      activation->a = 1 / 6.0f;
      activation->b = 0.5f;
      return TRUE;
    }
  mul = inner->producer;
  activation->kind = CAM_ACTIVATION_HARD_SWISH;
  if (!cam_pass_is (mul, "", "Mul"))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    if (mul->inputs[i]->producer
        && match_relu6_of_x_plus_3 (mul->inputs[i]->producer, x)
        && *x == mul->inputs[1 - i])
      return TRUE;
  return FALSE;
}

/* 1 + erf (x / sqrt 2) */
static gboolean
match_erf (const CamNode *add, CamValue **x)
{
  CamValue *erf_output;
  const CamNode *erf_node;

  if (!with_scalar (add, "Add", 1, &erf_output))
    return FALSE;
  erf_node = erf_output->producer;
  return cam_pass_is (erf_node, "", "Erf") && erf_node->inputs[0]->producer
         && scaled (erf_node->inputs[0]->producer, G_SQRT2 / 2, x);
}

/* Product of @a and @b where one is 1 + erf (y / sqrt 2), the other @factor y */
static gboolean
match_gelu_product (CamValue *const *inputs, double factor, CamValue **x)
{
  for (guint i = 0; i < 2; i++)
    {
      CamValue *other = inputs[1 - i];

      if (!inputs[i]->producer || !match_erf (inputs[i]->producer, x))
        continue;
      if (factor == 1 ? other == *x
                      : other->producer && scaled (other->producer, factor,
                                                   &other) && other == *x)
        return TRUE;
    }
  return FALSE;
}

/* 0.5 x (1 + erf (x / sqrt 2)), however it is bracketed */
static gboolean
match_gelu (const CamNode *node, CamActivation *activation, CamValue **x)
{
  CamValue *inner;

  activation->kind = CAM_ACTIVATION_GELU;
  if (scaled (node, 0.5, &inner))
    return cam_pass_is (inner->producer, "", "Mul")
           && match_gelu_product (inner->producer->inputs, 1, x);
  return cam_pass_is (node, "", "Mul")
         && match_gelu_product (node->inputs, 0.5, x);
}

static gboolean
match_idiom (const CamPass *pass, const CamNode *node,
             CamActivation *activation, CamValue **x)
{
  if (node->n_outputs != 1
      || (!cam_pass_is (node, "", "Mul") && !cam_pass_is (node, "", "Div"))
      || (!match_gate (node, activation, x)
          && !match_hard (node, activation, x)
          && !match_gelu (node, activation, x)))
    return FALSE;
  for (guint i = 0; i < node->n_inputs; i++)
    if (cam_pass_has_target (pass, node->inputs[i], *x))
      return FALSE;
  return TRUE;
}

static gboolean
put_activation (CamPass *pass, CamNode *node, CamValue *x,
                const CamActivation *activation, GError **error)
{
  CamNode *made = cam_pass_add (pass, CAM_FUSED_DOMAIN, "Activation",
                                node->name, 1, &x, node->outputs[0], error);

  if (!made)
    return FALSE;
  cam_fused_set_activation (made, activation);
  cam_pass_replace (pass, node, made);
  return cam_pass_finish (made, error);
}

gboolean
cam_pass_idioms (CamPass *pass, GError **error)
{
  guint n_nodes = pass->graph->nodes->len;

  for (guint i = 0; i < n_nodes; i++)
    {
      CamNode *node = pass->graph->nodes->pdata[i];
      CamActivation activation = { 0 };
      CamValue *x = node->n_inputs ? node->inputs[0] : NULL;
      gboolean found = read_activation (node, &activation)
                       || match_idiom (pass, node, &activation, &x);

      if (found && !put_activation (pass, node, x, &activation, error))
        return FALSE;
    }
  return TRUE;
}
