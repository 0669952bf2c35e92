/* fold.c -- see fold.h */
#include "config.h"
#include "core/graph/fold.h"
#include <glib/gi18n.h>
#include <string.h>

/* What one node may make of nothing or little; beyond, EXPANSION times what it
 * reads */
#define SMALL ((guint64) 4 << 20)
#define EXPANSION 8
#define MAX_MACS ((guint64) 100 << 20)
/* What all nodes together may make, read and take; see fold.h */
#define LEAST_MADE ((guint64) 64 << 20)
#define LEAST_READ ((guint64) 256 << 20)
#define MADE_FOR_BYTE 8
#define READ_FOR_BYTE 32
#define ALL_MACS ((guint64) 1 << 30)
/* Bytes of numbers that say a shape, and of what they are made of */
#define SHAPE_MADE 1024
#define SHAPE_READ 65536
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

CamFoldBudget
cam_fold_budget (const CamGraph *graph)
{
  guint64 weights = cam_graph_constant_bytes (graph);
  CamFoldBudget budget = { LEAST_MADE + MADE_FOR_BYTE * weights,
                           LEAST_READ + READ_FOR_BYTE * weights, ALL_MACS };

  return budget;
}

static guint64
times (guint64 a, guint64 b)
{
  guint64 product;

  return __builtin_mul_overflow (a, b, &product) ? G_MAXUINT64 : product;
}

/* Multiply-adds, or the taps of windows of which nobody counts those */
static guint64
node_work (const CamNode *node)
{
  gsize n_sizes, n_elements = 0;
  const gint64 *sizes = cam_node_ints (node, "kernel_shape", &n_sizes);
  guint64 work;

  if (node->op->macs)
    return node->op->macs (node);
  if (! node->outputs[0]
      || ! cam_shape_count (&node->outputs[0]->shape, 1, &n_elements))
    return 0;
  work = (guint64) MAX (cam_node_int (node, "size", 0), 0);
  for (gsize i = 0; i < n_sizes; i++)
    work = times (MAX (work, 1), (guint64) MAX (sizes[i], 0));
  return times (work, n_elements);
}

/* FALSE where an input is not constant */
static gboolean
bytes_read (const CamNode *node, guint64 *bytes)
{
  *bytes = 0;
  if (needs_shape_only (node))
    return TRUE;
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] && ! node->inputs[i]->constant)
      return FALSE;
    else if (node->inputs[i])
      *bytes += value_bytes (node->inputs[i]);
  return TRUE;
}

/* G_MAXUINT64 where no size could hold them */
static guint64
bytes_made (const CamNode *node)
{
  guint64 made = 0;

  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i])
      {
        guint64 bytes = value_bytes (node->outputs[i]);

        made = bytes > G_MAXUINT64 - made ? G_MAXUINT64 : made + bytes;
      }
  return made;
}

gboolean
cam_node_is_foldable (const CamNode *node, CamFoldBudget *budget)
{
  guint64 read, made, work;

  if (! bytes_read (node, &read))
    return FALSE;
  made = bytes_made (node);
  work = node_work (node);
  if (made <= SHAPE_MADE && read <= SHAPE_READ && work <= SHAPE_READ)
    return TRUE;
  if (made > MAX (SMALL, EXPANSION * read) || made > budget->made
      || read > budget->read || work > MIN (budget->work, MAX_MACS))
    return FALSE;
  budget->made -= made;
  budget->read -= read;
  budget->work -= work;
  return TRUE;
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
