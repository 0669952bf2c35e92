/* gradient-plan.c -- the part of a graph between a tensor and what is
 * differentiated, and the memory of its gradients
 *
 * Backward step s is node n - 1 - s.  A gradient lives from the first reader of
 * its tensor that the walk meets to the node that makes the tensor.  A second
 * and later reader writes its share into a temporary, which is added.
 */
#include <glib/gi18n.h>
#include "core/engine/plan-private.h"

static gboolean
is_float (const CamValue *value)
{
  return value->dtype == CAM_DTYPE_FLOAT32;
}

/* on_path: reached from @source forward, and from plan->of backward */
static void
find_path (CamPlan *plan, CamGradientPart *part)
{
  CamGraph *graph = plan->graph;
  g_autofree gboolean *after = g_new0 (gboolean, graph->values->len);
  g_autofree gboolean *before = g_new0 (gboolean, graph->values->len);

  after[part->source->index] = before[plan->of->index] = TRUE;
  for (guint step = 0; step < graph->nodes->len; step++)
    {
      CamNode *node = graph->nodes->pdata[step];
      gboolean reached = FALSE;

      for (guint i = 0; i < node->n_inputs; i++)
        reached |= node->inputs[i] && after[node->inputs[i]->index];
      for (guint i = 0; reached && i < node->n_outputs; i++)
        if (node->outputs[i] && is_float (node->outputs[i]))
          after[node->outputs[i]->index] = TRUE;
    }
  for (guint step = graph->nodes->len; step-- > 0;)
    {
      CamNode *node = graph->nodes->pdata[step];
      gboolean wanted = FALSE;

      for (guint i = 0; i < node->n_outputs; i++)
        wanted |= node->outputs[i] && before[node->outputs[i]->index];
      for (guint i = 0; wanted && i < node->n_inputs; i++)
        if (node->inputs[i])
          before[node->inputs[i]->index] = TRUE;
    }
  for (guint i = 0; i < graph->values->len; i++)
    part->on_path[i] = after[i] && before[i];
}

/* It has an output on the path, and an input on it. */
gboolean
cam_gradient_part_has_node (const CamGradientPart *part, const CamNode *node)
{
  gboolean in = FALSE, out = FALSE;

  for (guint i = 0; i < node->n_inputs; i++)
    in |= node->inputs[i] && part->on_path[node->inputs[i]->index];
  for (guint i = 0; i < node->n_outputs; i++)
    out |= node->outputs[i] && part->on_path[node->outputs[i]->index]
           && node->outputs[i] != part->source;
  return in && out;
}

/* Several seeds make a dimension more. */
static gboolean
check_rank (const CamPlan *plan, const CamGradientPart *part, GError **error)
{
  for (guint i = 0; i < plan->graph->values->len; i++)
    {
      const CamValue *value = plan->graph->values->pdata[i];

      if (!part->on_path[value->index] || value->shape.n_dims < CAM_MAX_DIMS)
        continue;
      g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NO_GRADIENT,
                   _ ("'%s' has %d dimensions, and lies between '%s' and '%s'; "
                      "gradients go through tensors of at most %d"),
                   value->name, value->shape.n_dims, part->name, plan->of->name,
                   CAM_MAX_DIMS - 1);
      return FALSE;
    }
  return TRUE;
}

static gboolean
check_part (CamPlan *plan, CamGradientPart *part, GError **error)
{
  if (part->value->constant)
    {
      g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NO_GRADIENT,
                   _ ("'%s' is a constant of the network; gradients are taken "
                      "at tensors that depend on the input"),
                   part->name);
      return FALSE;
    }
  if (!part->on_path[plan->of->index] || !part->on_path[part->source->index])
    {
      g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NO_GRADIENT,
                   _ ("'%s' does not depend on '%s', or only by way of what is "
                      "no float32: there is no gradient"),
                   plan->of->name, part->name);
      return FALSE;
    }
  if (!check_rank (plan, part, error))
    return FALSE;
  for (guint step = 0; step < plan->graph->nodes->len; step++)
    {
      CamNode *node = plan->graph->nodes->pdata[step];

      if (!cam_gradient_part_has_node (part, node) || node->op->backward
          || (node->op->flags & CAM_OP_VIEW))
        continue;
      cam_node_error (error, CAM_GRAPH_ERROR_NO_GRADIENT, node,
                      _ ("has no gradient, and lies between '%s' and '%s'"),
                      part->name, plan->of->name);
      return FALSE;
    }
  return TRUE;
}

typedef struct
{
  CamPlan *plan;
  CamGradientPart *part;
  GArray *intervals;
} Lives;

static gsize
gradient_size (const CamValue *value)
{
  gsize n = 0;

  cam_shape_count (&value->shape, sizeof (float), &n);
  return n * sizeof (float);
}

/* Begins a gradient's life at backward step @step, or prolongs it. */
static void
touch (Lives *lives, const CamValue *value, int step)
{
  guint *storage = &lives->part->storage[value->index];

  if (*storage == CAM_NO_STORAGE)
    {
      CamInterval interval = { gradient_size (value), step, step, 0 };

      *storage = lives->intervals->len;
      g_array_append_val (lives->intervals, interval);
    }
  g_array_index (lives->intervals, CamInterval, *storage).last = step;
}

/* Room for the second and later shares that @node writes. */
static void
add_temporary (Lives *lives, const CamNode *node, int step,
               gboolean needed)
{
  CamInterval interval = { 0, step, step, 0 };

  for (guint i = 0; needed && i < node->n_inputs; i++)
    if (node->inputs[i] && lives->part->on_path[node->inputs[i]->index])
      interval.size += cam_memory_round (gradient_size (node->inputs[i]));
  g_array_append_val (lives->intervals, interval);
}

static void
live_step (Lives *lives, int step)
{
  CamGraph *graph = lives->plan->graph;
  CamGradientPart *part = lives->part;
  CamNode *node = graph->nodes->pdata[graph->nodes->len - 1 - step];

  if (!cam_gradient_part_has_node (part, node))
    return;
  for (guint i = 0; i < node->n_outputs; i++)
    if (node->outputs[i] && part->on_path[node->outputs[i]->index])
      touch (lives, node->outputs[i], step);
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i] && part->on_path[node->inputs[i]->index])
      touch (lives, node->inputs[i], step);
}

/* Which inputs of @node get a second share; see the walk in gradient.c. */
static gboolean
needs_temporary (const Lives *lives, const CamNode *node, int step)
{
  for (guint i = 0; i < node->n_inputs; i++)
    {
      const CamValue *value = node->inputs[i];

      if (!value || !lives->part->on_path[value->index])
        continue;
      if (g_array_index (lives->intervals, CamInterval,
                         lives->part->storage[value->index]).first < step)
        return TRUE;
      for (guint j = 0; j < i; j++)
        if (node->inputs[j] == value)
          return TRUE;
    }
  return FALSE;
}

static void
plan_lives (CamPlan *plan, CamGradientPart *part)
{
  CamGraph *graph = plan->graph;
  int n_steps = (int) graph->nodes->len;
  Lives lives = { plan, part, g_array_new (FALSE, FALSE,
                                           sizeof (CamInterval)) };

  touch (&lives, plan->of, 0);
  for (int step = 0; step < n_steps; step++)
    live_step (&lives, step);
  touch (&lives, part->source, n_steps);
  part->temporary = lives.intervals->len;
  for (int step = 0; step < n_steps; step++)
    {
      CamNode *node = graph->nodes->pdata[n_steps - 1 - step];
      gboolean needed = cam_gradient_part_has_node (part, node)
                        && needs_temporary (&lives, node, step);

      add_temporary (&lives, node, step, needed);
    }
  part->n_intervals = lives.intervals->len;
  part->intervals = (CamInterval *) g_array_free (lives.intervals, FALSE);
  part->arena_bytes = cam_memory_pack (part->intervals, part->n_intervals);
}

CamGradientPart *
cam_gradient_part_new (CamPlan *plan, const char *name, CamValue *value,
                       CamValue *source, GError **error)
{
  CamGradientPart *part = g_new0 (CamGradientPart, 1);
  guint n_values = plan->graph->values->len;

  part->name = g_strdup (name);
  part->value = value;
  part->source = source;
  part->on_path = g_new0 (gboolean, n_values);
  part->storage = g_new (guint, n_values);
  for (guint i = 0; i < n_values; i++)
    part->storage[i] = CAM_NO_STORAGE;
  find_path (plan, part);
  if (!check_part (plan, part, error))
    {
      cam_gradient_part_free (part);
      return NULL;
    }
  plan_lives (plan, part);
  return part;
}

void
cam_gradient_part_free (CamGradientPart *part)
{
  g_free (part->name);
  g_free (part->on_path);
  g_free (part->storage);
  g_free (part->intervals);
  g_free (part);
}

void
cam_gradient_part_keep (const CamPlan *plan, const CamGradientPart *part,
                        gboolean *keep)
{
  for (guint step = 0; step < plan->graph->nodes->len; step++)
    {
      CamNode *node = plan->graph->nodes->pdata[step];

      if (!cam_gradient_part_has_node (part, node))
        continue;
      for (guint i = 0; i < node->n_inputs; i++)
        if (node->inputs[i]
            && (node->op->flags & CAM_OP_BACKWARD_NEEDS_INPUTS))
          keep[node->inputs[i]->index] = TRUE;
      for (guint i = 0; i < node->n_outputs; i++)
        if (node->outputs[i]
            && (node->op->flags & CAM_OP_BACKWARD_NEEDS_OUTPUTS))
          keep[node->outputs[i]->index] = TRUE;
    }
}
