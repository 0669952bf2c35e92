/* fold.c -- see fold.h */
#include "config.h"
#include "core/graph/fold.h"
#include <glib/gi18n.h>
#include <string.h>

/* What may be made of nothing or little; beyond, EXPANSION times what is read
 */
#define SMALL ((guint64) 4 << 20)
#define EXPANSION 8
#define MAX_MACS ((guint64) 100 << 20)
#define SCRATCH_ALIGNMENT 64

static gboolean
needs_shape_only (const CamNode *node)
{
  return *node->domain == '\0'
         && (strcmp (node->op_type, "Shape") == 0
             || strcmp (node->op_type, "Size") == 0);
}

static guint64
value_bytes (const CamValue *value)
{
  gsize count = 0;
  gsize size = cam_dtype_size (value->dtype);

  return cam_shape_count (&value->shape, size, &count) ? count * size
                                                       : G_MAXUINT64;
}

gboolean
cam_node_is_foldable (const CamNode *node, guint64 budget)
{
  guint64 in = 0;
  guint64 out = 0;

  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] && node->inputs[i]->constant)
      in += value_bytes (node->inputs[i]);
    else if (node->inputs[i] && ! needs_shape_only (node))
      return FALSE;
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i])
      {
        guint64 bytes = value_bytes (node->outputs[i]);

        if (bytes > budget - out)
          return FALSE;
        out += bytes;
      }
  if (node->op->macs && node->op->macs (node) > MAX_MACS)
    return FALSE;
  return out <= MAX (SMALL, EXPANSION * in);
}

static void
free_all (CamTensor **tensors, guint n)
{
  for (guint i = 0; i < n; i++)
    cam_tensor_unref (tensors[i]);
  g_free (tensors);
}

/* References to the inputs' constants; where there is none, a tensor of the
 * value's type and shape without memory. */
static CamTensor **
input_tensors (const CamNode *node)
{
  CamTensor **tensors = g_new0 (CamTensor *, node->n_inputs + 1);

  for (guint i = 0; i < node->n_inputs; i++)
    {
      CamValue *value = node->inputs[i];

      if (value && value->constant)
        tensors[i] = cam_tensor_ref (value->constant);
      else if (value)
        tensors[i] = cam_tensor_new_over (value->dtype, &value->shape, NULL,
                                          NULL, NULL);
    }
  return tensors;
}

static gboolean
run (const CamNode *node, CamTensor **inputs, CamTensor **outputs,
     GError **error)
{
  gsize bytes = node->op->scratch ? node->op->scratch (node, 1) : 0;
  g_autofree char *block = g_try_malloc (bytes + SCRATCH_ALIGNMENT);
  CamForward forward = {
    .node = node,
    .inputs = (const CamTensor *const *) inputs,
    .outputs = outputs,
  };

  if (! block)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_TOO_LARGE, node,
                      _ ("there is not enough memory to compute it"));
      return FALSE;
    }
  forward.scratch = (gpointer) (((guintptr) block + SCRATCH_ALIGNMENT - 1)
                                & ~(guintptr) (SCRATCH_ALIGNMENT - 1));
  node->op->forward (&forward);
  return TRUE;
}

gboolean
cam_node_fold (CamNode *node, GError **error)
{
  CamTensor **inputs = input_tensors (node);
  CamTensor **outputs = g_new0 (CamTensor *, node->n_outputs + 1);
  gboolean ok = TRUE;

  for (guint i = 0; ok && i < node->n_outputs; i++)
    if (node->outputs[i])
      {
        outputs[i] = cam_tensor_new (node->outputs[i]->dtype,
                                     &node->outputs[i]->shape, error);
        ok = outputs[i] != NULL;
      }
  ok = ok && run (node, inputs, outputs, error);
  for (guint i = 0; ok && i < node->n_outputs; i++)
    if (node->outputs[i])
      {
        node->outputs[i]->constant = g_steal_pointer (&outputs[i]);
        node->outputs[i]->producer = NULL;
      }
  free_all (inputs, node->n_inputs);
  free_all (outputs, node->n_outputs);
  return ok;
}
