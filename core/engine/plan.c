/* plan.c -- from a network and shapes to what runs */
#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "core/base/blas.h"
#include "core/engine/passes/passes.h"
#include "core/engine/plan-private.h"

#define DEFAULT_LIMIT (G_GUINT64_CONSTANT (8) << 30)

/* All names that must survive: fetches, and both ends of the gradients. */
static GPtrArray *
names_to_keep (CamNetwork *network, const CamPlanOptions *options)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  const CamGraph *graph = cam_network_graph (network);

  for (guint i = 0; !options->fetches && i < graph->outputs->len; i++)
    g_ptr_array_add (
      names, g_strdup (((CamValue *) graph->outputs->pdata[i])->name));
  for (guint i = 0; options->fetches && options->fetches[i]; i++)
    g_ptr_array_add (names, g_strdup (options->fetches[i]));
  if (options->gradient_of)
    {
      g_ptr_array_add (names, g_strdup (options->gradient_of));
      for (guint i = 0; options->gradient_at && options->gradient_at[i]; i++)
        g_ptr_array_add (names, g_strdup (options->gradient_at[i]));
    }
  g_ptr_array_add (names, NULL);
  return names;
}

static guint64
count_macs (const CamGraph *graph)
{
  guint64 macs = 0;

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];

      if (node->op->macs)
        macs += node->op->macs (node);
    }
  return macs;
}

static CamValue *
find_value (const CamPlan *plan, const char *name, GError **error)
{
  CamValue *value = cam_graph_find (plan->graph, name);

  if (!value)
    g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NOT_FOUND,
                 _ ("the network has no tensor '%s'"), name);
  return value;
}

static gboolean
find_names (CamPlan *plan, const char *const *names,
            const CamPlanOptions *options, GError **error)
{
  for (guint i = 0; names[i]; i++)
    {
      CamValue *value = find_value (plan, names[i], error);

      if (!value)
        return FALSE;
      g_hash_table_insert (plan->fetches, g_strdup (names[i]), value);
    }
  plan->of = options->gradient_of
               ? cam_graph_find (plan->graph, options->gradient_of) : NULL;
  return TRUE;
}

static gboolean
make_parts (CamPlan *plan, const CamPlanOptions *options, GError **error)
{
  plan->parts = g_ptr_array_new_with_free_func (
    (GDestroyNotify) cam_gradient_part_free);
  for (guint i = 0; options->gradient_of && options->gradient_at
                    && options->gradient_at[i]; i++)
    {
      const char *name = options->gradient_at[i];
      CamValue *value = cam_graph_find (plan->graph, name);
      CamGradientPart *part
        = cam_gradient_part_new (plan, name, value,
                                 cam_pass_layout_source (value), error);

      if (!part)
        return FALSE;
      g_ptr_array_add (plan->parts, part);
    }
  return TRUE;
}

static void
plan_memory (CamPlan *plan)
{
  g_autofree gboolean *keep = g_new0 (gboolean, plan->graph->values->len);
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, plan->fetches);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    keep[((CamValue *) value)->index] = TRUE;
  for (guint i = 0; i < plan->parts->len; i++)
    cam_gradient_part_keep (plan, plan->parts->pdata[i], keep);
  cam_plan_assign_storage (plan, keep);
}

/* The default, or what memory the machine has, where that is less */
static guint64
default_limit (void)
{
  long pages = sysconf (_SC_PHYS_PAGES), size = sysconf (_SC_PAGESIZE);

  if (pages <= 0 || size <= 0)
    return DEFAULT_LIMIT;
  return MIN (DEFAULT_LIMIT, (guint64) pages * (guint64) size);
}

static gboolean
check_limit (CamPlan *plan, guint64 limit, GError **error)
{
  plan->weight_bytes = plan->single ? plan->single->weight_bytes
                                    : cam_graph_constant_bytes (plan->graph);
  plan->memory_limit = limit ? limit : default_limit ();
  return cam_plan_check_room (plan, cam_plan_workspace_bytes (plan), error);
}

gboolean
cam_plan_check_room (const CamPlan *plan, gsize activations, GError **error)
{
  guint64 limit = plan->memory_limit;
  g_autofree char *needed = NULL, *weights = NULL, *most = NULL;

  if (activations <= limit && plan->weight_bytes <= limit - activations)
    return TRUE;
  needed = g_format_size (activations);
  weights = g_format_size (plan->weight_bytes);
  most = g_format_size (limit);
  g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_TOO_LARGE,
               _ ("not enough memory: the activations need %s and the weights "
                  "%s, and the limit is %s; try a smaller batch"),
               needed, weights, most);
  return FALSE;
}

/* A plan of @graph (transfer full) that nothing is decided about yet. */
static CamPlan *
plan_over (CamGraph *graph)
{
  CamPlan *plan = g_new0 (CamPlan, 1);

  g_atomic_ref_count_init (&plan->ref_count);
  plan->fetches = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         NULL);
  plan->graph = graph;
  plan->inputs = g_ptr_array_new ();
  for (guint i = 0; i < graph->inputs->len; i++)
    g_ptr_array_add (plan->inputs, graph->inputs->pdata[i]);
  return plan;
}

static gboolean
build (CamPlan *plan, const char *const *names, const CamPlanOptions *options,
       GError **error)
{
  if (!find_names (plan, names, options, error)
      || !make_parts (plan, options, error))
    return FALSE;
  plan_memory (plan);
  return check_limit (plan, options->memory_limit, error);
}

CamPlan *
cam_plan_new_bound (CamGraph *graph, const char *const *names,
                    const CamPlanOptions *options, GError **error)
{
  g_autoptr (CamPlan) plan = plan_over (graph);

  plan->macs = count_macs (graph);
  if (!options->reference
      && !cam_passes_run (graph,
                          options->gradient_of ? options->gradient_at : NULL,
                          error))
    return NULL;
  return build (plan, names, options, error) ? g_steal_pointer (&plan) : NULL;
}

/* @single does for each picture what @many does for all (both transfer full).
 * @many goes first, so that its weights can be freed as they are repacked. */
static CamPlan *
plan_batch (CamGraph *many, CamGraph *single, const char *const *names,
            const CamPlanOptions *options, GError **error)
{
  g_autoptr (CamPlan) plan = plan_over (cam_batch_shell (many, names));

  plan->macs = count_macs (many);
  cam_graph_free (many);
  plan->single = cam_plan_new_bound (single, names, options, error);
  return plan->single && build (plan, names, options, error)
           ? g_steal_pointer (&plan) : NULL;
}

CamPlan *
cam_plan_new (CamNetwork *network, const CamPlanOptions *options,
              GError **error)
{
  g_autoptr (GPtrArray) kept = names_to_keep (network, options);
  const char *const *names = (const char *const *) kept->pdata;
  CamGraph *graph = cam_graph_bind (cam_network_graph (network),
                                    options->bindings, options->n_bindings,
                                    names, error);
  CamGraph *single = graph ? cam_batch_bind_single (graph, network, names,
                                                    options) : NULL;

  if (options->consume)
    cam_network_unref (network);
  if (single)
    return plan_batch (graph, single, names, options, error);
  return graph ? cam_plan_new_bound (graph, names, options, error) : NULL;
}

CamPlan *
cam_plan_ref (CamPlan *plan)
{
  g_atomic_ref_count_inc (&plan->ref_count);
  return plan;
}

void
cam_plan_unref (CamPlan *plan)
{
  if (!plan || !g_atomic_ref_count_dec (&plan->ref_count))
    return;
  g_clear_pointer (&plan->single, cam_plan_unref);
  g_clear_pointer (&plan->parts, g_ptr_array_unref);
  g_clear_pointer (&plan->inputs, g_ptr_array_unref);
  g_clear_pointer (&plan->graph, cam_graph_free);
  g_hash_table_unref (plan->fetches);
  g_free (plan->storage);
  g_free (plan->intervals);
  g_free (plan);
}

gboolean
cam_plan_shape (const CamPlan *plan, const char *name, CamDType *dtype,
                CamShape *shape)
{
  const CamValue *value = g_hash_table_lookup (plan->fetches, name);

  for (guint i = 0; !value && i < plan->inputs->len; i++)
    if (g_str_equal (((CamValue *) plan->inputs->pdata[i])->name, name))
      value = plan->inputs->pdata[i];
  if (!value)
    return FALSE;
  if (dtype)
    *dtype = value->dtype;
  if (shape)
    *shape = value->shape;
  return TRUE;
}

guint64
cam_plan_macs (const CamPlan *plan)
{
  return plan->macs;
}

gsize
cam_plan_weight_bytes (const CamPlan *plan)
{
  return plan->weight_bytes;
}

gsize
cam_plan_workspace_bytes (const CamPlan *plan)
{
  gsize own = cam_workspace_own_bytes (plan, 1);
  gsize lane = plan->single ? cam_workspace_own_bytes (plan->single, 1) : 0;

  return lane > G_MAXSIZE - own ? G_MAXSIZE : own + lane;
}
