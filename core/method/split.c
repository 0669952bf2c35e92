/* split.c -- a network cut in two at its target layer */
#include "core/method/split.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/method/model-plan.h"

typedef struct
{
  char *name;
  CamShape shape;
  gsize n;
} Crossing;

struct _CamSplit
{
  CamModel *model;
  char *layer;
  CamLayout layout;
  CamPlan *head, *tail;
  GArray *crossings; /* of Crossing; the first is the layer where it is cut */
  gboolean is_cut;
  gsize kept;
  int embedding_dim, n_channels;
};

struct _CamSplitRun
{
  CamSplit *split;
  CamWorkspace *head, *tail;
};

static const char *const method_names[CAM_N_METHODS] = { "gradcam",
                                                         "gradcam++" };

const char *
cam_method_name (CamMethod method)
{
  g_return_val_if_fail (method < CAM_N_METHODS, NULL);
  return method_names[method];
}

gboolean
cam_method_parse (const char *name, CamMethod *method)
{
  for (int i = 0; i < CAM_N_METHODS; i++)
    if (g_ascii_strcasecmp (name, method_names[i]) == 0)
      {
        *method = (CamMethod) i;
        return TRUE;
      }
  return FALSE;
}

static void
crossing_clear (gpointer crossing)
{
  g_free (((Crossing *) crossing)->name);
}

/* Nodes that @from flows into, by a walk in topological order. */
static GHashTable *
values_behind (const CamGraph *graph, const CamValue *from)
{
  GHashTable *behind = g_hash_table_new (NULL, NULL);

  g_hash_table_add (behind, (gpointer) from);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];
      gboolean reads = FALSE;

      for (guint j = 0; j < node->n_inputs; j++)
        reads |= node->inputs[j] != NULL
                 && g_hash_table_contains (behind, node->inputs[j]);
      for (guint j = 0; reads && j < node->n_outputs; j++)
        if (node->outputs[j] != NULL)
          g_hash_table_add (behind, node->outputs[j]);
    }
  return behind;
}

/* Nodes that @to is made of. */
static GHashTable *
nodes_before (const CamGraph *graph, const CamValue *to)
{
  GHashTable *needed = g_hash_table_new (NULL, NULL);
  g_autoptr (GHashTable) values = g_hash_table_new (NULL, NULL);

  g_hash_table_add (values, (gpointer) to);
  for (guint i = graph->nodes->len; i-- > 0;)
    {
      const CamNode *node = graph->nodes->pdata[i];
      gboolean makes = FALSE;

      for (guint j = 0; j < node->n_outputs; j++)
        makes |= node->outputs[j] != NULL
                 && g_hash_table_contains (values, node->outputs[j]);
      if (! makes)
        continue;
      g_hash_table_add (needed, (gpointer) node);
      for (guint j = 0; j < node->n_inputs; j++)
        if (node->inputs[j] != NULL)
          g_hash_table_add (values, node->inputs[j]);
    }
  return needed;
}

/* The layer, and whatever else the nodes between it and the embedding read
 * from before it. */
static void
find_crossings (CamSplit *split, const CamGraph *graph)
{
  const CamValue *layer = cam_graph_find (graph, split->layer);
  const CamValue *embedding = cam_graph_find (graph, split->model->embedding);
  g_autoptr (GHashTable) behind = values_behind (graph, layer);
  g_autoptr (GHashTable) needed = nodes_before (graph, embedding);
  g_autoptr (GHashTable) known = g_hash_table_new (NULL, NULL);
  Crossing first = { .name = g_strdup (split->layer) };

  g_array_append_val (split->crossings, first);
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];
      gboolean in_tail = FALSE;

      if (! g_hash_table_contains (needed, node))
        continue;
      for (guint j = 0; j < node->n_outputs; j++)
        in_tail |= node->outputs[j] != NULL && node->outputs[j] != layer
                   && g_hash_table_contains (behind, node->outputs[j]);
      for (guint j = 0; in_tail && j < node->n_inputs; j++)
        {
          CamValue *value = node->inputs[j];
          Crossing crossing = { 0 };

          if (value == NULL || value->constant != NULL
              || g_hash_table_contains (behind, value)
              || ! g_hash_table_add (known, value))
            continue;
          crossing.name = g_strdup (value->name);
          g_array_append_val (split->crossings, crossing);
        }
    }
}

/* Shapes of what crosses; FALSE: something else than float32 does. */
static gboolean
measure_crossings (CamSplit *split, const CamPlan *plan)
{
  split->kept = 0;
  for (guint i = 0; i < split->crossings->len; i++)
    {
      Crossing *c = &g_array_index (split->crossings, Crossing, i);
      CamDType dtype;

      if (! cam_plan_shape (plan, c->name, &dtype, &c->shape)
          || dtype != CAM_DTYPE_FLOAT32
          || ! cam_shape_count (&c->shape, sizeof (float), &c->n))
        return FALSE;
      split->kept += c->n;
    }
  return TRUE;
}

static CamPlan *
make_head (CamSplit *split, GError **error)
{
  CamBinding binding = { split->model->input_name,
                         cam_model_input_shape (split->model) };
  g_autoptr (GPtrArray) fetches = g_ptr_array_new ();
  CamPlanOptions options = { .bindings = &binding, .n_bindings = 1 };

  for (guint i = 0; i < split->crossings->len; i++)
    g_ptr_array_add (fetches,
                     g_array_index (split->crossings, Crossing, i).name);
  g_ptr_array_add (fetches, split->model->embedding);
  g_ptr_array_add (fetches, NULL);
  options.fetches = (const char *const *) fetches->pdata;
  return cam_plan_new (split->model->network, &options, error);
}

static CamPlan *
make_tail (CamSplit *split, GError **error)
{
  guint n = split->crossings->len;
  g_autofree CamBinding *bindings = g_new0 (CamBinding, n);
  const char *fetches[] = { split->model->embedding, split->layer, NULL };
  const char *at[] = { split->layer, NULL };
  CamPlanOptions options = { .bindings = bindings,
                             .n_bindings = n,
                             .fetches = fetches,
                             .gradient_of = split->model->embedding,
                             .gradient_at = at };

  for (guint i = 0; i < n; i++)
    {
      Crossing *c = &g_array_index (split->crossings, Crossing, i);

      bindings[i] = (CamBinding) { c->name, c->shape };
    }
  return cam_plan_new (split->model->network, &options, error);
}

static gboolean
cut (CamSplit *split, GError **error)
{
  find_crossings (split, cam_network_graph (split->model->network));
  split->head = make_head (split, error);
  if (split->head == NULL || ! measure_crossings (split, split->head))
    return FALSE;
  split->tail = make_tail (split, error);
  split->is_cut = split->tail != NULL;
  return split->is_cut;
}

/* Both halves are the whole, and what is kept between them is the input. */
static gboolean
do_not_cut (CamSplit *split, GError **error)
{
  Crossing input = { g_strdup (split->model->input_name),
                     cam_model_input_shape (split->model), 0 };

  g_clear_pointer (&split->head, cam_plan_unref);
  g_array_set_size (split->crossings, 0);
  cam_shape_count (&input.shape, sizeof (float), &input.n);
  split->kept = input.n;
  g_array_append_val (split->crossings, input);
  split->tail = make_tail (split, error);
  if (split->tail == NULL)
    return FALSE;
  split->head = cam_plan_ref (split->tail);
  return TRUE;
}

static gboolean
read_sizes (CamSplit *split, GError **error)
{
  g_autoptr (CamTensor) probe = NULL;
  g_autoptr (CamTensor) chw = NULL;
  CamShape shape;

  if (! cam_model_check_embedding (split->model, split->head,
                                   &split->embedding_dim, error))
    return FALSE;
  cam_plan_shape (split->tail, split->layer, NULL, &shape);
  split->layout = split->model->layout_given
                      ? split->model->layout
                      : cam_layout_guess (&shape, &split->model->input);
  probe = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (probe != NULL)
    chw = cam_activations_chw (probe, split->layout, error);
  if (chw == NULL)
    {
      g_prefix_error (error, _ ("layer \"%s\": "), split->layer);
      return FALSE;
    }
  split->n_channels = (int) chw->shape.dims[0];
  return TRUE;
}

static gboolean
check_layer (CamSplit *split, GError **error)
{
  const CamGraph *graph = cam_network_graph (split->model->network);

  if (cam_graph_find (graph, split->layer) != NULL
      && cam_graph_find (graph, split->model->embedding) != NULL)
    return TRUE;
  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_LAYER,
               _ ("The model “%s” has no layer “%s”."), split->model->name,
               split->layer);
  return FALSE;
}

CamSplit *
cam_split_new (CamModel *model, const char *layer, GError **error)
{
  g_autoptr (CamSplit) split = g_new0 (CamSplit, 1);

  split->model = cam_model_ref (model);
  split->layer = g_strdup (layer);
  split->crossings = g_array_new (FALSE, FALSE, sizeof (Crossing));
  g_array_set_clear_func (split->crossings, crossing_clear);
  if (! check_layer (split, error)
      || (! cut (split, NULL) && ! do_not_cut (split, error))
      || ! read_sizes (split, error))
    return NULL;
  return g_steal_pointer (&split);
}

void
cam_split_free (CamSplit *split)
{
  if (split == NULL)
    return;
  g_clear_pointer (&split->head, cam_plan_unref);
  g_clear_pointer (&split->tail, cam_plan_unref);
  g_array_unref (split->crossings);
  cam_model_unref (split->model);
  g_free (split->layer);
  g_free (split);
}

int
cam_split_embedding_dim (const CamSplit *split)
{
  return split->embedding_dim;
}

int
cam_split_channels (const CamSplit *split)
{
  return split->n_channels;
}

CamLayout
cam_split_layout (const CamSplit *split)
{
  return split->layout;
}

gsize
cam_split_kept (const CamSplit *split)
{
  return split->kept;
}

CamSplitRun *
cam_split_run_new (CamSplit *split, GError **error)
{
  g_autoptr (CamSplitRun) run = g_new0 (CamSplitRun, 1);

  run->split = split;
  run->head = cam_workspace_new (split->head, 1, error);
  if (run->head == NULL)
    return NULL;
  run->tail = split->is_cut ? cam_workspace_new (split->tail, 1, error)
                            : run->head;
  return run->tail != NULL ? g_steal_pointer (&run) : NULL;
}

void
cam_split_run_free (CamSplitRun *run)
{
  if (run == NULL)
    return;
  if (run->tail != run->head)
    cam_workspace_free (run->tail);
  cam_workspace_free (run->head);
  g_free (run);
}

static void
keep (const CamSplitRun *run, const CamTensor *input, float *kept)
{
  const CamSplit *split = run->split;

  for (guint i = 0; i < split->crossings->len; i++)
    {
      const Crossing *c = &g_array_index (split->crossings, Crossing, i);
      const CamTensor *tensor = split->is_cut
                                    ? cam_workspace_get (run->head, c->name)
                                    : input;

      memcpy (kept, tensor->data, c->n * sizeof (float));
      kept += c->n;
    }
}

gboolean
cam_split_forward (CamSplitRun *run, const CamTensor *input, float *embedding,
                   float *kept, GCancellable *cancellable, GError **error)
{
  const CamModel *model = run->split->model;
  const CamTensor *result;

  if (! cam_workspace_set_input (run->head, model->input_name, input, error)
      || ! cam_workspace_run (run->head, cancellable, error))
    return FALSE;
  result = cam_workspace_get (run->head, model->embedding);
  if (! cam_model_check_finite (result, _ ("the embedding"), error))
    return FALSE;
  memcpy (embedding, result->data, run->split->embedding_dim * sizeof (float));
  if (kept != NULL)
    keep (run, input, kept);
  return TRUE;
}

/* Puts back what crossed the cut, and goes on from there. */
static gboolean
run_tail (CamSplitRun *run, const float *kept, GCancellable *cancellable,
          GError **error)
{
  const CamSplit *split = run->split;

  for (guint i = 0; i < split->crossings->len; i++)
    {
      const Crossing *c = &g_array_index (split->crossings, Crossing, i);
      g_autoptr (CamTensor)
          tensor = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &c->shape,
                                        (gpointer) kept, NULL, NULL);

      if (! cam_workspace_set_input (run->tail, c->name, tensor, error))
        return FALSE;
      kept += c->n;
    }
  return cam_workspace_run (run->tail, cancellable, error);
}

/* [n_seeds, ...] seeds in the shape of the embedding (transfer full). */
static CamTensor *
seed_tensor (const CamSplit *split, const float *seeds, int n_seeds)
{
  CamShape shape;

  cam_plan_shape (split->tail, split->model->embedding, NULL, &shape);
  memmove (shape.dims + 1, shape.dims, shape.n_dims * sizeof *shape.dims);
  shape.dims[0] = n_seeds;
  shape.n_dims++;
  return cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape, (gpointer) seeds, NULL,
                              NULL);
}

/* Row @i of gradients [n_seeds, shape of the layer] as K x h x w. */
static CamTensor *
gradient_row (const CamSplit *split, const CamTensor *gradients, int i,
              GError **error)
{
  CamShape shape = { gradients->shape.n_dims - 1, { 0 } };
  gsize n = gradients->n_elements / gradients->shape.dims[0];
  g_autoptr (CamTensor) row = NULL;

  memcpy (shape.dims, gradients->shape.dims + 1,
          shape.n_dims * sizeof *shape.dims);
  row = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                             cam_tensor_f32 (gradients) + i * n, NULL, NULL);
  return cam_activations_chw (row, split->layout, error);
}

static gboolean
mean_weights (CamSplitRun *run, const CamTensor *gradients, CamMethod method,
              double eps, float *alpha, gsize *n_below, GError **error)
{
  const CamSplit *split = run->split;
  int n = split->n_channels, n_seeds = (int) gradients->shape.dims[0];
  g_autofree float *one = g_new (float, n);
  g_autofree double *sum = g_new0 (double, n);
  g_autoptr (CamTensor) activations =
      cam_activations_chw (cam_workspace_get (run->tail, split->layer),
                           split->layout, error);

  if (activations == NULL)
    return FALSE;
  for (int i = 0; i < n_seeds; i++)
    {
      g_autoptr (CamTensor)
          gradient = gradient_row (split, gradients, i, error);

      if (gradient == NULL)
        return FALSE;
      if (method == CAM_METHOD_GRADCAMPP)
        *n_below += cam_gradcampp_weights (gradient, activations, eps, one);
      else
        cam_gradcam_weights (gradient, one);
      for (int k = 0; k < n; k++)
        sum[k] += one[k];
    }
  for (int k = 0; k < n; k++)
    alpha[k] = (float) (sum[k] / n_seeds);
  return TRUE;
}

static gboolean
check_weights (const CamSplit *split, const float *alpha, GError **error)
{
  for (int k = 0; k < split->n_channels; k++)
    if (! isfinite (alpha[k]))
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                     _ ("the gradient at layer \"%s\" is not finite"),
                     split->layer);
        return FALSE;
      }
  return TRUE;
}

gboolean
cam_split_weights (CamSplitRun *run, const float *kept, CamMethod method,
                   double eps, const float *seeds, int n_seeds, float *alpha,
                   gsize *n_below, GCancellable *cancellable, GError **error)
{
  const CamSplit *split = run->split;
  int dim = split->embedding_dim;
  g_autofree float *mean = NULL;
  g_autoptr (CamTensor) seed = NULL;
  g_autoptr (CamTensor) gradients = NULL;

  if (method == CAM_METHOD_GRADCAM && n_seeds > 1)
    {
      mean = g_new (float, dim);
      for (int d = 0; d < dim; d++)
        {
          double sum = 0;

          for (int i = 0; i < n_seeds; i++)
            sum += seeds[(gsize) i * dim + d];
          mean[d] = (float) (sum / n_seeds);
        }
      seeds = mean;
      n_seeds = 1;
    }
  seed = seed_tensor (split, seeds, n_seeds);
  if (! run_tail (run, kept, cancellable, error))
    return FALSE;
  gradients = cam_workspace_gradient (run->tail, seed, split->layer,
                                      cancellable, error);
  return gradients != NULL
         && mean_weights (run, gradients, method, eps, alpha, n_below, error)
         && check_weights (split, alpha, error);
}
