/* layout-other.c -- pooling, normalisation, arithmetic, concatenation and the
 * like on pictures whose channels come last */
#include <math.h>
#include <string.h>

#include "core/engine/passes/layout.h"
#include "core/ops/window.h"

/* Place of ONNX's axis in NHWC. */
static const int nhwc_axis[4] = { 0, 3, 1, 2 };

static gboolean
is_rank_4 (const CamValue *value)
{
  return value && value->shape.n_dims == 4
         && value->dtype == CAM_DTYPE_FLOAT32;
}

static gboolean
add_pool (CamLayout *layout, CamNode *node, const char *type,
          const CamFusedWindow *window, GError **error)
{
  CamValue *x = cam_layout_twin (layout, node->inputs[0], error);
  CamNode *made;

  if (!x)
    return FALSE;
  made = cam_pass_add (layout->pass, CAM_FUSED_DOMAIN, type, node->name, 1, &x,
                       cam_layout_new_twin (layout, node->outputs[0]), error);
  if (made && window)
    cam_fused_set_window (made, window);
  if (made && window)
    cam_node_set_int (made, "count_include_pad",
                      cam_node_int (node, "count_include_pad", 0));
  return cam_pass_finish (made, error);
}

/* The window of a pool, with the end pads that its output size comes from. */
static gboolean
read_pool (const CamNode *node, CamFusedWindow *to)
{
  CamWindowAttributes attributes = { 0 };
  CamWindow w;

  if (!cam_window_parse (node, &attributes, TRUE, NULL))
    return FALSE;
  attributes.ceil_mode = cam_node_int (node, "ceil_mode", 0) != 0;
  if (!cam_window_resolve (node, &attributes, &node->inputs[0]->shape, NULL,
                           &w, NULL))
    return FALSE;
  for (int i = 0; i < 2; i++)
    {
      int a = i + 1;
      gint64 reach = (w.kernel[a] - 1) * w.dilation[a] + 1;
      gint64 used = (w.out[a] - 1) * w.stride[a] + reach;

      to->kernel[i] = (int) w.kernel[a];
      to->stride[i] = (int) w.stride[a];
      to->dilation[i] = (int) w.dilation[a];
      to->pad[i] = (int) w.pad[a];
      to->pad[2 + i] = (int) (used - w.in[a] - w.pad[a]);
      /* padding that counts must be all there is: ceil_mode adds some that
       * does not */
      if (attributes.ceil_mode && cam_node_int (node, "count_include_pad", 0))
        return FALSE;
    }
  return to->kernel[0] <= 64;
}

static gboolean
convert_pool (CamLayout *layout, CamNode *node, gboolean *done,
              GError **error)
{
  CamFusedWindow window;

  if (!is_rank_4 (node->inputs[0]) || node->n_outputs != 1)
    return TRUE;
  if (cam_pass_is (node, "", "GlobalAveragePool"))
    {
      *done = TRUE;
      return add_pool (layout, node, "GlobalAveragePool", NULL, error);
    }
  if ((!cam_pass_is (node, "", "MaxPool")
       && !cam_pass_is (node, "", "AveragePool"))
      || !read_pool (node, &window))
    return TRUE;
  *done = TRUE;
  return add_pool (layout, node, node->op_type, &window, error);
}

static gboolean
reduces_area (const CamNode *node)
{
  gsize n;
  const gint64 *axes = cam_pass_axes (node, &n);

  return axes && n == 2
         && ((axes[0] + 4) % 4) + ((axes[1] + 4) % 4) == 5
         && MAX ((axes[0] + 4) % 4, (axes[1] + 4) % 4) == 3;
}

/* ReduceMean over height and width: a global pool, reshaped. */
static gboolean
convert_mean (CamLayout *layout, CamNode *node, gboolean *done,
              GError **error)
{
  CamValue *y = node->outputs[0], *pooled;
  CamNode *made;

  if (!cam_pass_is (node, "", "ReduceMean") || !is_rank_4 (node->inputs[0])
      || !reduces_area (node)
      || !cam_layout_has_twin (layout, node->inputs[0]))
    return TRUE;
  *done = TRUE;
  if (y->shape.n_dims == 4)
    return add_pool (layout, node, "GlobalAveragePool", NULL, error);
  pooled = cam_layout_twin (layout, node->inputs[0], error);
  made = pooled ? cam_pass_add (layout->pass, CAM_FUSED_DOMAIN,
                                "GlobalAveragePool", node->name, 1, &pooled,
                                NULL, error) : NULL;
  return cam_pass_finish (made, error)
         && cam_layout_reshape (layout, made->outputs[0], y, &y->shape,
                                error);
}

static gboolean
convert_batch_norm (CamLayout *layout, CamNode *node, gboolean *done,
                    GError **error)
{
  CamValue *inputs[3] = { NULL, NULL, NULL };
  const float *p[4];
  double epsilon = cam_node_float (node, "epsilon", 1e-5);
  gint64 n;

  if (!cam_pass_is (node, "", "BatchNormalization")
      || !is_rank_4 (node->inputs[0]))
    return TRUE;
  n = node->inputs[0]->shape.dims[1];
  for (guint i = 0; i < 4; i++)
    {
      const CamTensor *constant = cam_pass_constant (node, i + 1);

      if (!constant || constant->n_elements != (gsize) n)
        return TRUE;
      p[i] = cam_tensor_f32 (constant);
    }
  for (guint i = 0; i < 3; i++)
    if (!(inputs[i] = i == 0 ? cam_layout_twin (layout, node->inputs[0], error)
                             : cam_pass_new_constant (layout->pass, 1, &n,
                                                      error)))
      return FALSE;
  for (gint64 c = 0; c < n; c++)
    {
      double scale = p[0][c] / sqrt (p[3][c] + epsilon);

      cam_tensor_f32 (inputs[1]->constant)[c] = (float) scale;
      cam_tensor_f32 (inputs[2]->constant)[c]
        = (float) (p[1][c] - p[2][c] * scale);
    }
  *done = TRUE;
  return cam_pass_finish (
    cam_pass_add (layout->pass, CAM_FUSED_DOMAIN, "Affine", node->name, 3,
                  inputs, cam_layout_new_twin (layout, node->outputs[0]),
                  error), error);
}

/* A constant of rank up to 4 that broadcasts against [N, C, H, W], in our
 * order; scalars as they are. */
static CamValue *
twin_constant (CamLayout *layout, CamValue *value, GError **error)
{
  gint64 d[4] = { 1, 1, 1, 1 }, dims[4];
  int rank = value->shape.n_dims;
  const float *from = cam_tensor_f32 (value->constant);
  CamValue *twin;
  gsize at = 0;

  for (int i = 0; i < rank; i++)
    d[4 - rank + i] = value->shape.dims[i];
  for (int i = 0; i < 4; i++)
    dims[nhwc_axis[i]] = d[i];
  twin = cam_pass_new_constant (layout->pass, 4, dims, error);
  for (gint64 n = 0; twin && n < d[0]; n++)
    for (gint64 c = 0; c < d[1]; c++)
      for (gint64 i = 0; i < d[2] * d[3]; i++)
        cam_tensor_f32 (twin->constant)[(n * d[2] * d[3] + i) * d[1] + c]
          = from[at++];
  return twin;
}

static gboolean
is_elementwise (const CamNode *node)
{
  static const char *const types[]
    = { "Add", "Sub", "Mul", "Div", "Min", "Max", "Pow", "Sum", "Mean", "Abs",
        "Neg", "Exp", "Log", "Sqrt", "Tanh", "Elu", "Selu", "Softplus", "Erf",
        "Reciprocal", "Identity", "Dropout", NULL };

  return cam_pass_is (node, CAM_FUSED_DOMAIN, "Activation")
         || (!*node->domain
             && g_strv_contains (types, node->op_type));
}

/* Every input: a picture, or a constant that broadcasts. */
static gboolean
can_be_elementwise (CamLayout *layout, const CamNode *node)
{
  gboolean twin = FALSE;

  for (guint i = 0; i < node->n_inputs; i++)
    {
      const CamValue *in = node->inputs[i];

      if (!in || in->dtype != CAM_DTYPE_FLOAT32
          || (in->shape.n_dims != 4 && !in->constant))
        return FALSE;
      twin |= cam_layout_has_twin (layout, in);
    }
  return twin && is_rank_4 (node->outputs[0]) && node->n_outputs == 1;
}

/* [N, C, H, W] times [N, C, 1, 1]: the number of the picture, or -1 */
static int
gate_input (const CamNode *node)
{
  const gint64 *out = node->outputs[0]->shape.dims;

  if (!cam_pass_is (node, "", "Mul") || node->n_inputs != 2
      || out[2] * out[3] == 1)
    return -1;
  for (int i = 0; i < 2; i++)
    {
      const gint64 *g = node->inputs[1 - i]->shape.dims;

      if (!node->inputs[1 - i]->constant
          && cam_shape_equal (&node->inputs[i]->shape,
                              &node->outputs[0]->shape)
          && g[0] == out[0] && g[1] == out[1] && g[2] == 1 && g[3] == 1)
        return i;
    }
  return -1;
}

static gboolean
copy_attributes (const CamNode *from, CamNode *to)
{
  CamActivation activation;

  if (*from->domain)
    {
      cam_fused_parse_activation (from, &activation);
      cam_fused_set_activation (to, &activation);
      return TRUE;
    }
  for (guint i = 0; i < from->attributes->len; i++)
    cam_node_add_attribute (to,
                            cam_attribute_copy (from->attributes->pdata[i]));
  return TRUE;
}

static gboolean
convert_elementwise (CamLayout *layout, CamNode *node, gboolean *done,
                     GError **error)
{
  g_autofree CamValue **inputs = g_new0 (CamValue *, node->n_inputs + 1);
  int picture;
  CamNode *made;

  if (!is_elementwise (node) || !can_be_elementwise (layout, node))
    return TRUE;
  picture = gate_input (node);
  for (guint i = 0; i < node->n_inputs; i++)
    {
      guint to = picture == 1 ? 1 - i : i;
      CamValue *in = node->inputs[i];

      inputs[to] = in->constant && !cam_layout_has_twin (layout, in)
                     ? (in->constant->n_elements == 1
                          && in->shape.n_dims < 4
                          ? in : twin_constant (layout, in, error))
                     : cam_layout_twin (layout, in, error);
      if (!inputs[to])
        return FALSE;
    }
  made = cam_pass_add (layout->pass,
                       picture >= 0 ? CAM_FUSED_DOMAIN : node->domain,
                       picture >= 0 ? "Gate" : node->op_type, node->name,
                       node->n_inputs, inputs,
                       cam_layout_new_twin (layout, node->outputs[0]), error);
  *done = made && (picture >= 0 || copy_attributes (node, made))
          && cam_pass_finish (made, error);
  return *done;
}

static gboolean
convert_concat (CamLayout *layout, CamNode *node, gboolean *done,
                GError **error)
{
  g_autofree CamValue **inputs = g_new0 (CamValue *, node->n_inputs + 1);
  gboolean twin = FALSE;
  gint64 axis = cam_node_int (node, "axis", 1);
  CamNode *made;

  if (!cam_pass_is (node, "", "Concat") || !is_rank_4 (node->outputs[0]))
    return TRUE;
  for (guint i = 0; i < node->n_inputs; i++)
    twin |= cam_layout_has_twin (layout, node->inputs[i]);
  if (!twin)
    return TRUE;
  for (guint i = 0; i < node->n_inputs; i++)
    if (!(inputs[i] = cam_layout_twin (layout, node->inputs[i], error)))
      return FALSE;
  made = cam_pass_add (layout->pass, "", "Concat", node->name, node->n_inputs,
                       inputs, cam_layout_new_twin (layout, node->outputs[0]),
                       error);
  if (made)
    cam_node_set_int (made, "axis", nhwc_axis[(axis + 4) % 4]);
  *done = cam_pass_finish (made, error);
  return *done;
}

/* Transposes between the layouts that the network spells out are our own. */
static gboolean
convert_transpose (CamLayout *layout, CamNode *node, gboolean *done,
                   GError **error)
{
  static const gint64 to_last[4] = { 0, 2, 3, 1 };
  static const gint64 to_first[4] = { 0, 3, 1, 2 };
  gsize n;
  const gint64 *perm = cam_node_ints (node, "perm", &n);
  CamValue *x = node->inputs[0], *y = node->outputs[0], *twin;

  if (!cam_pass_is (node, "", "Transpose") || !is_rank_4 (x) || n != 4)
    return TRUE;
  if (memcmp (perm, to_first, sizeof to_first) == 0)
    {
      if (!cam_layout_logical (layout, x, error))
        return FALSE;
      g_hash_table_insert (layout->twins, y, x);
      *done = TRUE;
    }
  else if (memcmp (perm, to_last, sizeof to_last) == 0
           && cam_layout_has_twin (layout, x)
           && !cam_pass_is_kept (layout->pass, y))
    {
      twin = cam_layout_twin (layout, x, error);
      *done = TRUE;
      g_hash_table_insert (layout->renamed, y, twin);
    }
  return TRUE;
}

gboolean
cam_layout_others (CamLayout *layout, CamNode *node, gboolean *done,
                   GError **error)
{
  static gboolean (*const converters[]) (CamLayout *, CamNode *, gboolean *,
                                         GError **)
    = { convert_pool, convert_mean, convert_batch_norm, convert_elementwise,
        convert_concat, convert_transpose };

  for (guint i = 0; !*done && node->n_inputs && node->inputs[0]
                    && i < G_N_ELEMENTS (converters); i++)
    if (!converters[i] (layout, node, done, error))
      return FALSE;
  return TRUE;
}
