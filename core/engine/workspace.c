/* workspace.c -- the memory of one thread that runs a plan, and the run */
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/blas.h"
#include "core/engine/plan-private.h"

static gsize
forward_scratch (const CamPlan *plan, int n_threads)
{
  gsize bytes = 0;

  for (guint step = 0; step < plan->graph->nodes->len; step++)
    {
      const CamNode *node = plan->graph->nodes->pdata[step];

      if (node->op->scratch)
        bytes = MAX (bytes, node->op->scratch (node, n_threads));
    }
  return bytes;
}

/* Tensors over the arena; constants by reference. */
static void
make_tensors (CamWorkspace *workspace)
{
  const CamPlan *plan = workspace->plan;
  GPtrArray *values = plan->graph->values;

  workspace->tensors = g_new0 (CamTensor *, values->len);
  for (guint i = 0; i < values->len; i++)
    {
      CamValue *value = values->pdata[i];
      guint storage = plan->storage[i];

      if (value->constant)
        workspace->tensors[i] = cam_tensor_ref (value->constant);
      else if (storage != CAM_NO_STORAGE)
        workspace->tensors[i] = cam_tensor_new_over (
          value->dtype, &value->shape,
          (char *) workspace->arena + plan->intervals[storage].offset, NULL,
          NULL);
    }
}

gsize
cam_workspace_own_bytes (const CamPlan *plan, int n_threads)
{
  gsize scratch = forward_scratch (plan, n_threads);

  return scratch > G_MAXSIZE - plan->arena_bytes ? G_MAXSIZE
                                                 : plan->arena_bytes + scratch;
}

static gboolean
allocate (CamWorkspace *workspace, int n_threads, GError **error)
{
  const CamPlan *plan = workspace->plan;
  gsize bytes = cam_workspace_own_bytes (plan, n_threads);
  g_autofree char *needed = NULL;

  if (!cam_plan_check_room (plan, bytes, error))
    return FALSE;
  workspace->scratch_bytes = bytes - plan->arena_bytes;
  workspace->arena = cam_memory_allocate (plan->arena_bytes);
  workspace->scratch = cam_memory_allocate (workspace->scratch_bytes);
  if (workspace->arena && workspace->scratch)
    return TRUE;
  needed = g_format_size (bytes);
  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
               _ ("not enough memory: the activations need %s; try a smaller "
                  "batch"),
               needed);
  return FALSE;
}

static gboolean
calls_blas (const CamPlan *plan)
{
  GPtrArray *nodes = plan->single ? plan->single->graph->nodes
                                  : plan->graph->nodes;

  for (guint step = 0; step < nodes->len; step++)
    {
      const CamNode *node = nodes->pdata[step];

      if (node->op->flags & CAM_OP_BLAS)
        return TRUE;
    }
  return FALSE;
}

/* Most plans multiply with kernels of our own, and OpenBLAS's buffers are many
 * times what those need. */
static gboolean
start_threads (CamWorkspace *workspace, int n_threads, GError **error)
{
  if (calls_blas (workspace->plan) && !cam_blas_check_room (n_threads, error))
    return FALSE;
  if (workspace->plan->single)
    return cam_batch_open_lanes (workspace, n_threads, error);
  workspace->threads = cam_threads_new (n_threads);
  return TRUE;
}

CamWorkspace *
cam_workspace_new (CamPlan *plan, int n_threads, GError **error)
{
  CamWorkspace *workspace = g_new0 (CamWorkspace, 1);

  n_threads = cam_threads_resolve (n_threads);
  workspace->plan = cam_plan_ref (plan);
  if (!allocate (workspace, n_threads, error)
      || !start_threads (workspace, n_threads, error))
    {
      cam_workspace_free (workspace);
      return NULL;
    }
  for (guint i = 0; i < plan->inputs->len; i++)
    {
      const CamValue *value = plan->inputs->pdata[i];
      const CamInterval *interval
        = &plan->intervals[plan->storage[value->index]];

      memset ((char *) workspace->arena + interval->offset, 0, interval->size);
    }
  make_tensors (workspace);
  return workspace;
}

void
cam_workspace_free (CamWorkspace *workspace)
{
  if (!workspace)
    return;
  for (guint i = 0; workspace->tensors
                    && i < workspace->plan->graph->values->len; i++)
    g_clear_pointer (&workspace->tensors[i], cam_tensor_unref);
  g_free (workspace->tensors);
  free (workspace->arena);
  free (workspace->scratch);
  free (workspace->gradient_arena);
  cam_batch_close_lanes (workspace);
  cam_threads_free (workspace->threads);
  cam_plan_unref (workspace->plan);
  g_free (workspace);
}

gboolean
cam_workspace_set_input (CamWorkspace *workspace, const char *name,
                         const CamTensor *tensor, GError **error)
{
  const CamPlan *plan = workspace->plan;
  g_autofree char *have = cam_shape_to_string (&tensor->shape);
  g_autofree char *want = NULL;

  for (guint i = 0; i < plan->inputs->len; i++)
    {
      const CamValue *value = plan->inputs->pdata[i];

      if (!g_str_equal (value->name, name))
        continue;
      if (value->dtype == tensor->dtype
          && cam_shape_equal (&value->shape, &tensor->shape))
        {
          memcpy (workspace->tensors[value->index]->data, tensor->data,
                  tensor->n_elements * cam_dtype_size (tensor->dtype));
          workspace->ran = FALSE;
          return TRUE;
        }
      want = cam_shape_to_string (&value->shape);
      g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MISMATCH,
                   _ ("input '%s' wants %s %s, not %s %s"), name,
                   cam_dtype_name (value->dtype), want,
                   cam_dtype_name (tensor->dtype), have);
      return FALSE;
    }
  g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NOT_FOUND,
               _ ("the network has no input '%s'"), name);
  return FALSE;
}

void
cam_workspace_run_node (CamWorkspace *workspace, const CamNode *node)
{
  /* not on the stack: a file says how many inputs a Concat has */
  g_autofree const CamTensor **inputs
    = g_new (const CamTensor *, node->n_inputs + node->n_outputs + 1);
  CamTensor **outputs = (CamTensor **) inputs + node->n_inputs;
  CamForward f = { node, inputs, outputs, workspace->scratch,
                   workspace->threads };

  for (guint i = 0; i < node->n_inputs; i++)
    inputs[i] = node->inputs[i]
                  ? workspace->tensors[node->inputs[i]->index] : NULL;
  for (guint i = 0; i < node->n_outputs; i++)
    outputs[i] = node->outputs[i]
                   ? workspace->tensors[node->outputs[i]->index] : NULL;
  if (!(node->op->flags & CAM_OP_VIEW))
    node->op->forward (&f);
  else if (outputs[0]->data != inputs[0]->data) /* a view of a constant */
    memcpy (outputs[0]->data, inputs[0]->data,
            inputs[0]->n_elements * cam_dtype_size (inputs[0]->dtype));
}

gboolean
cam_workspace_run (CamWorkspace *workspace, GCancellable *cancellable,
                   GError **error)
{
  GPtrArray *nodes = workspace->plan->graph->nodes;

  workspace->ran = FALSE;
  if (workspace->lanes && !cam_batch_run (workspace, cancellable, error))
    return FALSE;
  for (guint step = 0; step < nodes->len; step++)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      cam_workspace_run_node (workspace, nodes->pdata[step]);
    }
  workspace->ran = TRUE;
  return TRUE;
}

gboolean
cam_workspace_has_run (const CamWorkspace *workspace, GError **error)
{
  if (!workspace->ran)
    g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NO_GRADIENT,
                 _ ("a gradient wants a forward run first"));
  return workspace->ran;
}

const CamTensor *
cam_workspace_get (CamWorkspace *workspace, const char *name)
{
  CamValue *value = g_hash_table_lookup (workspace->plan->fetches, name);

  return value ? workspace->tensors[value->index] : NULL;
}
