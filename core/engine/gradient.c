/* gradient.c -- the walk back over one part of a graph, for several seeds */
#include <glib/gi18n.h>
#include <stdlib.h>
#include <string.h>

#include "core/engine/plan-private.h"
#include "core/ops/fused.h"

typedef struct
{
  CamWorkspace *workspace;
  const CamGradientPart *part;
  gint64 n_seeds;
  CamTensor **gradients; /* [n_values]; owned; NULL: not reached yet */
} Walk;

static CamTensor *
tensor_at (const Walk *walk, const CamValue *value, gsize offset)
{
  CamShape shape = { value->shape.n_dims + 1, { walk->n_seeds } };

  memcpy (shape.dims + 1, value->shape.dims,
          value->shape.n_dims * sizeof *shape.dims);
  return cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                              (char *) walk->workspace->gradient_arena
                                + offset * walk->n_seeds, NULL, NULL);
}

static CamTensor *
gradient_tensor (const Walk *walk, const CamValue *value)
{
  guint storage = walk->part->storage[value->index];

  return tensor_at (walk, value, walk->part->intervals[storage].offset);
}

#define CHUNK 65536

typedef struct
{
  float *to;
  const float *from;
  gsize n;
} Sum;

static void
add_chunk (gint64 tile, int thread, gpointer data)
{
  const Sum *sum = data;
  gsize begin = tile * CHUNK, end = MIN (begin + CHUNK, sum->n);

  for (gsize i = begin; i < end; i++)
    sum->to[i] += sum->from[i];
}

static void
add_to (CamTensor *to, const CamTensor *from, CamThreads *threads)
{
  Sum sum = { cam_tensor_f32 (to), cam_tensor_f32 (from), to->n_elements };

  cam_threads_run (threads, (sum.n + CHUNK - 1) / CHUNK, add_chunk, &sum);
}

/* The tensors that the backward of one node writes: the gradients themselves
 * for first shares, temporaries for the others. */
static void
collect_targets (Walk *walk, const CamNode *node, guint step,
                 CamTensor **targets, gboolean *added)
{
  const CamGradientPart *part = walk->part;
  gsize offset = part->intervals[part->temporary + step].offset;

  for (guint i = 0; i < node->n_inputs; i++)
    {
      CamValue *value = node->inputs[i];

      targets[i] = NULL;
      added[i] = FALSE;
      if (!value || !part->on_path[value->index])
        continue;
      added[i] = walk->gradients[value->index] != NULL;
      if (added[i])
        {
          targets[i] = tensor_at (walk, value, offset);
          offset += cam_memory_round (targets[i]->n_elements
                                      / walk->n_seeds * sizeof (float));
        }
      else
        targets[i] = cam_tensor_ref (walk->gradients[value->index]
                                     = gradient_tensor (walk, value));
    }
}

static void
run_backward (Walk *walk, const CamNode *node, CamTensor *const *targets)
{
  CamWorkspace *workspace = walk->workspace;
  g_autofree const CamTensor **values
    = g_new (const CamTensor *, node->n_inputs + 2 * node->n_outputs + 1);
  const CamTensor **outputs = values + node->n_inputs;
  const CamTensor **gradients = outputs + node->n_outputs;
  CamBackward b = { node, values, outputs, gradients, targets, walk->n_seeds,
                    workspace->scratch, workspace->threads };

  for (guint i = 0; i < node->n_inputs; i++)
    values[i] = node->inputs[i]
                  ? workspace->tensors[node->inputs[i]->index] : NULL;
  for (guint i = 0; i < node->n_outputs; i++)
    {
      outputs[i] = node->outputs[i]
                     ? workspace->tensors[node->outputs[i]->index] : NULL;
      gradients[i] = node->outputs[i]
                       ? walk->gradients[node->outputs[i]->index] : NULL;
    }
  if (node->op->flags & CAM_OP_VIEW)
    memcpy (targets[0]->data, gradients[0]->data,
            targets[0]->n_elements * sizeof (float));
  else
    node->op->backward (&b);
}

static void
step_back (Walk *walk, const CamNode *node, guint step)
{
  g_autofree CamTensor **targets = g_new (CamTensor *, node->n_inputs + 1);
  g_autofree gboolean *added = g_new (gboolean, node->n_inputs + 1);

  collect_targets (walk, node, step, targets, added);
  run_backward (walk, node, targets);
  for (guint i = 0; i < node->n_inputs; i++)
    if (targets[i])
      {
        if (added[i])
          add_to (walk->gradients[node->inputs[i]->index], targets[i],
                  walk->workspace->threads);
        cam_tensor_unref (targets[i]);
      }
}

static gboolean
any_reached (const Walk *walk, const CamNode *node)
{
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] && walk->gradients[node->outputs[i]->index])
      return TRUE;
  return FALSE;
}

static gboolean
walk_back (Walk *walk, GCancellable *cancellable, GError **error)
{
  CamGraph *graph = walk->workspace->plan->graph;

  for (guint step = 0; step < graph->nodes->len; step++)
    {
      CamNode *node = graph->nodes->pdata[graph->nodes->len - 1 - step];

      if (!cam_gradient_part_has_node (walk->part, node)
          || !any_reached (walk, node))
        continue;
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      step_back (walk, node, step);
    }
  return TRUE;
}

static gsize
scratch_bytes (const Walk *walk)
{
  CamGraph *graph = walk->workspace->plan->graph;
  int n_threads = cam_threads_count (walk->workspace->threads);
  gsize bytes = 0;

  for (guint step = 0; step < graph->nodes->len; step++)
    {
      CamNode *node = graph->nodes->pdata[step];

      if (node->op->backward_scratch
          && cam_gradient_part_has_node (walk->part, node))
        bytes = MAX (bytes, node->op->backward_scratch (node, n_threads,
                                                        walk->n_seeds));
    }
  return bytes;
}

/* Where there is no more, what was there stays: forward runs use it. */
static gboolean
grow (gpointer *memory, gsize *size, gsize wanted, guint64 limit,
      GError **error)
{
  gpointer larger;
  g_autofree char *needed = NULL;

  if (*size >= wanted)
    return TRUE;
  larger = wanted <= limit ? cam_memory_allocate (wanted) : NULL;
  if (larger)
    {
      free (*memory);
      *memory = larger;
      *size = wanted;
      return TRUE;
    }
  needed = g_format_size (wanted);
  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
               _ ("not enough memory: the gradients need %s; try fewer seeds "
                  "or a smaller batch"),
               needed);
  return FALSE;
}

static gboolean
reserve (const Walk *walk, GError **error)
{
  CamWorkspace *workspace = walk->workspace;
  guint64 limit = workspace->plan->memory_limit;
  gsize bytes;

  if (!g_size_checked_mul (&bytes, walk->part->arena_bytes, walk->n_seeds))
    bytes = G_MAXSIZE / 2;
  return grow (&workspace->gradient_arena, &workspace->gradient_bytes, bytes,
               limit, error)
         && grow (&workspace->scratch, &workspace->scratch_bytes,
                  scratch_bytes (walk), limit, error);
}

static const CamGradientPart *
find_part (CamPlan *plan, const char *at, GError **error)
{
  for (guint i = 0; plan->parts && i < plan->parts->len; i++)
    {
      CamGradientPart *part = plan->parts->pdata[i];

      if (g_str_equal (part->name, at))
        return part;
    }
  g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NOT_FOUND,
               _ ("the plan was not made for a gradient at '%s'"), at);
  return NULL;
}

/* 0: the seed does not fit */
static gint64
count_seeds (const CamPlan *plan, const CamTensor *seed, GError **error)
{
  const CamShape *shape = &plan->of->shape;
  CamShape rest = seed->shape;
  g_autofree char *have = cam_shape_to_string (&seed->shape);
  g_autofree char *want = cam_shape_to_string (shape);

  if (seed->dtype == CAM_DTYPE_FLOAT32)
    {
      if (cam_shape_equal (&seed->shape, shape))
        return 1;
      if (rest.n_dims == shape->n_dims + 1 && rest.dims[0] > 0)
        {
          rest.n_dims--;
          memmove (rest.dims, rest.dims + 1, rest.n_dims * sizeof *rest.dims);
          if (cam_shape_equal (&rest, shape))
            return seed->shape.dims[0];
        }
    }
  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MISMATCH,
               _ ("the seed is %s %s; '%s' wants float32 %s, or several of "
                  "them behind one more leading dimension"),
               cam_dtype_name (seed->dtype), have, plan->of->name, want);
  return 0;
}

/* The gathered gradient, in the shape and layout of the tensor it is of. */
static CamTensor *
take_result (const Walk *walk, gboolean leading, GError **error)
{
  const CamGradientPart *part = walk->part;
  CamTensor *gathered = walk->gradients[part->source->index];
  CamShape shape = { part->value->shape.n_dims + 1, { walk->n_seeds } };
  CamTensor *result, *flat;

  memcpy (shape.dims + 1, part->value->shape.dims,
          part->value->shape.n_dims * sizeof *shape.dims);
  result = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (!result)
    return NULL;
  if (gathered && part->source != part->value)
    cam_fused_nhwc_to_nchw (gathered, result,
                            walk->n_seeds * part->value->shape.dims[0],
                            walk->workspace->threads);
  else if (gathered)
    memcpy (result->data, gathered->data,
            result->n_elements * sizeof (float));
  if (leading)
    return result;
  flat = cam_tensor_reshape (result, &part->value->shape);
  cam_tensor_unref (result);
  return flat;
}

CamTensor *
cam_workspace_gradient (CamWorkspace *workspace, const CamTensor *seed,
                        const char *at, GCancellable *cancellable,
                        GError **error)
{
  CamPlan *plan = workspace->plan;
  const CamGradientPart *part = find_part (plan, at, error);
  gint64 n_seeds = part ? count_seeds (plan, seed, error) : 0;
  Walk walk = { workspace, part, n_seeds, NULL };
  CamTensor *result = NULL, *first;

  if (!n_seeds || !cam_workspace_has_run (workspace, error)
      || !reserve (&walk, error))
    return NULL;
  walk.gradients = g_new0 (CamTensor *, plan->graph->values->len);
  first = walk.gradients[plan->of->index] = gradient_tensor (&walk, plan->of);
  memcpy (first->data, seed->data, seed->n_elements * sizeof (float));
  if (walk_back (&walk, cancellable, error))
    result = take_result (&walk, seed->shape.n_dims > plan->of->shape.n_dims,
                          error);
  for (guint i = 0; i < plan->graph->values->len; i++)
    g_clear_pointer (&walk.gradients[i], cam_tensor_unref);
  g_free (walk.gradients);
  return result;
}
