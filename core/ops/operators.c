/* operators.c -- the one list of all operators, and errors that name a node */
#include "config.h"

#include "core/ops/families.h"

#include <glib/gi18n.h>
#include <string.h>

static const CamOperator *const families[] = {
  cam_ops_unary,       cam_ops_cast,    cam_ops_binary,     cam_ops_nary,
  cam_ops_compare,     cam_ops_conv,    cam_ops_matmul,     cam_ops_batch_norm,
  cam_ops_global_pool, cam_ops_pool,    cam_ops_group_norm, cam_ops_lp_norm,
  cam_ops_reduce,      cam_ops_softmax, cam_ops_transpose,  cam_ops_join,
  cam_ops_slice,       cam_ops_expand,  cam_ops_gather,     cam_ops_scatter,
  cam_ops_pad,         cam_ops_resize,  cam_ops_reshape,    cam_ops_constant,
  cam_ops_quantize,    cam_ops_einsum,  cam_ops_fused_linear,
  cam_ops_fused_conv,  cam_ops_fused_winograd, cam_ops_fused_depthwise,
  cam_ops_fused_grouped, cam_ops_fused_pool, cam_ops_fused_layout,
  cam_ops_fused_elementwise,
};

static gpointer
build_list (gpointer unused)
{
  GPtrArray *list = g_ptr_array_new ();

  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    for (const CamOperator *op = families[i]; op->type; op++)
      g_ptr_array_add (list, (gpointer) op);
  g_ptr_array_add (list, NULL);
  return g_ptr_array_free (list, FALSE);
}

const CamOperator *const *
cam_operators (void)
{
  static GOnce once = G_ONCE_INIT;

  return g_once (&once, build_list, NULL);
}

const CamOperator *
cam_operator_find (const char *domain, const char *type, int opset)
{
  const CamOperator *best = NULL;

  if (strcmp (domain, "ai.onnx") == 0)
    domain = "";
  for (guint i = 0; i < G_N_ELEMENTS (families); i++)
    for (const CamOperator *op = families[i]; op->type; op++)
      if (strcmp (op->type, type) == 0 && strcmp (op->domain, domain) == 0
          && op->since <= opset && (op->until == 0 || opset <= op->until)
          && (best == NULL || op->since > best->since))
        best = op;
  return best;
}

void
cam_node_error (GError **error, CamGraphError code, const CamNode *node,
                const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, CAM_GRAPH_ERROR, code, _ ("node '%s' (%s, opset %d): %s"),
               node->name ? node->name : "", node->op_type, node->opset, text);
}

gboolean
cam_node_set_output (CamNode *node, guint i, CamDType dtype,
                     const CamShape *shape, GError **error)
{
  gsize n;

  if (i >= node->n_outputs || node->outputs[i] == NULL)
    return TRUE;
  if (shape->n_dims < 0 || shape->n_dims > CAM_MAX_DIMS)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("output '%s' has %d dimensions, at most %d are "
                         "possible"),
                      node->outputs[i]->name, shape->n_dims, CAM_MAX_DIMS);
      return FALSE;
    }
  if (! cam_shape_count (shape, cam_dtype_size (dtype), &n))
    {
      g_autofree char *text = cam_shape_to_string (shape);

      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("output '%s' would have the impossible shape %s"),
                      node->outputs[i]->name, text);
      return FALSE;
    }
  node->outputs[i]->dtype = dtype;
  node->outputs[i]->shape = *shape;
  return TRUE;
}
