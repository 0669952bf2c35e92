/* storage.c -- which tensors share memory, and for how long each lives */
#include "core/engine/plan-private.h"

typedef struct
{
  CamPlan *plan;
  const gboolean *keep;
  int *last_use; /* [n_values] last step that reads the value */
  GArray *intervals;
} Assignment;

static int
n_steps (const CamPlan *plan)
{
  return (int) plan->graph->nodes->len;
}

static void
find_last_uses (Assignment *a)
{
  CamGraph *graph = a->plan->graph;

  for (guint i = 0; i < graph->values->len; i++)
    a->last_use[i] = a->keep[i] ? n_steps (a->plan) : -1;
  for (guint step = 0; step < graph->nodes->len; step++)
    {
      CamNode *node = graph->nodes->pdata[step];

      for (guint i = 0; i < node->n_inputs; i++)
        if (node->inputs[i])
          a->last_use[node->inputs[i]->index]
            = MAX (a->last_use[node->inputs[i]->index], (int) step);
    }
}

static guint
add_interval (Assignment *a, CamValue *value, int first)
{
  CamInterval interval = { 0 };
  gsize size = cam_dtype_size (value->dtype), n_elements = 0;

  interval.size = cam_shape_count (&value->shape, size, &n_elements)
                    ? n_elements * size : G_MAXSIZE;
  interval.first = first;
  interval.last = MAX (first, a->last_use[value->index]);
  g_array_append_val (a->intervals, interval);
  return a->intervals->len - 1;
}

/* May @node write its output over its first input?  The storage must end
 * here, so that no other alias of it is read later. */
static gboolean
can_overwrite (const Assignment *a, const CamNode *node, int step)
{
  const CamValue *in = node->n_inputs ? node->inputs[0] : NULL;
  const CamValue *out = node->outputs[0];
  guint storage = in ? a->plan->storage[in->index] : CAM_NO_STORAGE;

  if (!(node->op->flags & CAM_OP_IN_PLACE) || storage == CAM_NO_STORAGE
      || in->dtype != out->dtype || !cam_shape_equal (&in->shape, &out->shape)
      || g_array_index (a->intervals, CamInterval, storage).last != step)
    return FALSE;
  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i]
        && a->plan->storage[node->inputs[i]->index] == storage)
      return FALSE;
  return TRUE;
}

static void
assign_output (Assignment *a, CamNode *node, guint i, int step)
{
  CamValue *out = node->outputs[i];
  CamValue *in = node->n_inputs ? node->inputs[0] : NULL;
  guint *storage = a->plan->storage;
  gboolean view = i == 0 && (node->op->flags & CAM_OP_VIEW) && in
                  && storage[in->index] != CAM_NO_STORAGE;

  if (view || (i == 0 && can_overwrite (a, node, step)))
    {
      CamInterval *interval = &g_array_index (a->intervals, CamInterval,
                                              storage[in->index]);

      storage[out->index] = storage[in->index];
      interval->last = MAX (interval->last, a->last_use[out->index]);
    }
  else
    storage[out->index] = add_interval (a, out, step);
}

/* The inputs live on from run to run, whoever reads them.  So does what no node
 * of this graph makes: the fetches of a plan that works picture by picture. */
static void
assign_lasting (Assignment *a)
{
  CamPlan *plan = a->plan;
  GPtrArray *values = plan->graph->values;

  for (guint i = 0; i < plan->inputs->len; i++)
    {
      CamValue *value = plan->inputs->pdata[i];

      a->last_use[value->index] = n_steps (plan);
      plan->storage[value->index] = add_interval (a, value, -1);
    }
  for (guint i = 0; plan->single && i < values->len; i++)
    if (plan->storage[i] == CAM_NO_STORAGE)
      plan->storage[i] = add_interval (a, values->pdata[i], -1);
}

void
cam_plan_assign_storage (CamPlan *plan, const gboolean *keep)
{
  guint n_values = plan->graph->values->len;
  g_autofree int *last_use = g_new (int, n_values);
  Assignment a = { plan, keep, last_use,
                   g_array_new (FALSE, FALSE, sizeof (CamInterval)) };

  find_last_uses (&a);
  plan->storage = g_new (guint, n_values);
  for (guint i = 0; i < n_values; i++)
    plan->storage[i] = CAM_NO_STORAGE;
  assign_lasting (&a);
  for (guint step = 0; step < plan->graph->nodes->len; step++)
    {
      CamNode *node = plan->graph->nodes->pdata[step];

      for (guint i = 0; i < node->n_outputs; i++)
        if (node->outputs[i])
          assign_output (&a, node, i, step);
    }
  plan->n_intervals = a.intervals->len;
  plan->intervals = (CamInterval *) g_array_free (a.intervals, FALSE);
  plan->arena_bytes = cam_memory_pack (plan->intervals, plan->n_intervals);
}
