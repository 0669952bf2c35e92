/* layer-choice.c -- candidates try themselves on a sample, the best is taken */
#include "core/method/layer-choice.h"

#include <math.h>
#include <string.h>

#include "core/base/threads.h"
#include "core/method/cam.h"
#include "core/method/faithfulness.h"
#include "core/method/layer-candidates.h"
#include "core/method/layer-sample.h"
#include "core/method/measures.h"
#include "core/method/model-plan.h"

#define N_CANDIDATES 12
#define STEPS 6      /* of the curves */
#define DROP_AFTER 3 /* the weaker half goes after the first third */

typedef struct /* what one picture gave one candidate */
{
  gboolean tried;
  CamHeatMap *map;
  CamFaithfulness areas;
  double energy, iou; /* not-a-number without a mask */
} Result;

typedef struct
{
  const CamLayerChoiceOptions *options;
  CamModel *model;
  CamThreads *threads;
  CamEmbedder *embedder;
  CamLayerSample *sample;
  char **layers;
  CamLayout *layouts; /* [n_layers] */
  int n_layers, n_scores, n_trials;
  const CamScore *scores;
  CamPlan *plan;             /* fetches and differentiates all layers */
  CamWorkspace **workspaces; /* one a thread */
  Result *results;           /* [sample->n, n_trials] */
  gboolean *alive;           /* [n_trials] */
  int first, last;           /* pictures of this round */
  int done, total;           /* trials of pictures, for the progress */
  GMutex lock;
  GError *error; /* the first that any thread met */
} Choice;

static void
keep_error (Choice *choice, GError *error)
{
  g_mutex_lock (&choice->lock);
  if (choice->error == NULL)
    choice->error = g_steal_pointer (&error);
  g_mutex_unlock (&choice->lock);
  g_clear_error (&error);
}

static gboolean
may_go_on (Choice *choice)
{
  gboolean good;

  g_mutex_lock (&choice->lock);
  if (choice->error == NULL)
    g_cancellable_set_error_if_cancelled (choice->options->cancellable,
                                          &choice->error);
  good = choice->error == NULL;
  g_mutex_unlock (&choice->lock);
  return good;
}

static Result *
result_of (const Choice *choice, int picture, int trial)
{
  return &choice->results[(gsize) picture * choice->n_trials + trial];
}

/* The map of one layer, of the picture that @workspace ran last */
static CamHeatMap *
make_map (Choice *choice, CamWorkspace *workspace, const CamTensor *seed,
          int layer, GError **error)
{
  const char *name = choice->layers[layer];
  CamLayout layout = choice->layouts[layer];
  g_autoptr (CamTensor) raw = NULL, gradient = NULL, activations = NULL;
  g_autofree float *alpha = NULL;

  raw = cam_workspace_gradient (workspace, seed, name, NULL, error);
  if (raw == NULL)
    return NULL;
  gradient = cam_activations_chw (raw, layout, error);
  if (gradient == NULL)
    return NULL;
  activations = cam_activations_chw (cam_workspace_get (workspace, name),
                                     layout, error);
  if (activations == NULL)
    return NULL;
  alpha = g_new (float, gradient->shape.dims[0]);
  cam_gradcam_weights (gradient, alpha);
  return cam_heat_map_new (activations, alpha,
                           (int) gradient->shape.dims[0],
                           choice->options->top_k, error);
}

/* Is nothing left to be tried on @picture?  Then it need not be run. */
static gboolean
is_done (const Choice *choice, int picture)
{
  for (int t = 0; t < choice->n_trials; t++)
    if (choice->alive[t] && ! result_of (choice, picture, t)->tried)
      return FALSE;
  return TRUE;
}

static gboolean
make_maps (Choice *choice, int picture, CamWorkspace *workspace, GError **error)
{
  const CamLayerSample *sample = choice->sample;
  const CamModel *model = choice->model;
  g_autoptr (CamTensor) seed = NULL;
  CamShape shape;
  CamDType dtype;

  if (! cam_workspace_set_input (workspace, model->input_name,
                                 sample->inputs[picture], error)
      || ! cam_workspace_run (workspace, choice->options->cancellable, error))
    return FALSE;
  cam_plan_shape (choice->plan, model->embedding, &dtype, &shape);
  seed = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (seed == NULL)
    return FALSE;
  for (int s = 0; s < choice->n_scores; s++)
    {
      if (! cam_layer_sample_seed (sample, picture, choice->scores[s],
                                   MAX (choice->options->triplets, 1),
                                   choice->options->seed,
                                   cam_tensor_f32 (seed)))
        continue;
      for (int l = 0; l < choice->n_layers; l++)
        {
          int trial = s * choice->n_layers + l;
          Result *result = result_of (choice, picture, trial);

          if (! choice->alive[trial] || result->tried)
            continue;
          result->map = make_map (choice, workspace, seed, l, error);
          if (result->map == NULL)
            return FALSE;
        }
    }
  return TRUE;
}

static void
map_tile (gint64 tile, int thread, gpointer data)
{
  Choice *choice = data;
  GError *error = NULL;

  int picture = choice->first + (int) tile;

  if (! is_done (choice, picture) && may_go_on (choice)
      && ! make_maps (choice, picture, choice->workspaces[thread], &error))
    keep_error (choice, error);
}

static void
keep_result (Choice *choice, int picture, int trial)
{
  const CamLayerChoiceOptions *o = choice->options;
  Result *result = result_of (choice, picture, trial);

  result->tried = TRUE;
  if (o->keep == NULL)
    return;
  g_mutex_lock (&choice->lock);
  if (choice->error == NULL
      || g_error_matches (choice->error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    o->keep (choice->sample->pictures[picture],
             choice->layers[trial % choice->n_layers],
             choice->scores[trial / choice->n_layers], &result->areas, o->data,
             choice->error == NULL ? &choice->error : NULL);
  g_mutex_unlock (&choice->lock);
}

static gboolean
recall_results (Choice *choice, GError **error)
{
  const CamLayerChoiceOptions *o = choice->options;

  if (o->begin != NULL && ! o->begin (o->data, error))
    return FALSE;
  for (int i = 0; o->recall != NULL && i < choice->sample->n; i++)
    for (int t = 0; t < choice->n_trials; t++)
      {
        Result *result = result_of (choice, i, t);

        result->energy = result->iou = NAN;
        result->tried = o->recall (choice->sample->pictures[i],
                                   choice->layers[t % choice->n_layers],
                                   choice->scores[t / choice->n_layers],
                                   &result->areas, o->data);
      }
  return TRUE;
}

static void
measure_masks (Result *result, const float *values, const float *mask, gsize n)
{
  result->energy = cam_measure_energy (values, mask, n);
  result->iou = cam_measure_iou (values, mask, n, 0.4);
}

static void
measure_tile (gint64 tile, int thread, gpointer data)
{
  Choice *choice = data;
  int picture = choice->first + (int) (tile / choice->n_trials);
  int trial = (int) (tile % choice->n_trials);
  Result *result = result_of (choice, picture, trial);
  const CamInputSettings *in = &choice->model->input;
  CamView whole = { in->width, in->height, 0,         0,
                    in->width, in->height, in->width, in->height };
  gsize n = (gsize) in->width * in->height;
  g_autofree float *values = NULL;
  GError *error = NULL;

  if (result->map == NULL || ! may_go_on (choice))
    return;
  values = g_try_new (float, n);
  if (values == NULL)
    {
      cam_no_memory (&error);
      keep_error (choice, error);
      return;
    }
  cam_overlay_values (result->map, &whole, in->width, in->height, 0, in->height,
                      values);
  result->energy = result->iou = NAN;
  if (choice->sample->masks[picture] != NULL)
    measure_masks (result, values, choice->sample->masks[picture], n);
  if (cam_faithfulness (choice->embedder, thread,
                        choice->sample->inputs[picture], values, STEPS,
                        &result->areas, NULL, &error))
    keep_result (choice, picture, trial);
  else
    keep_error (choice, error);
}

static int
count_alive (const Choice *choice)
{
  int n = 0;

  for (int t = 0; t < choice->n_trials; t++)
    n += choice->alive[t];
  return n;
}

static gboolean
all_done (const Choice *choice, int first, int last)
{
  for (int i = first; i < last; i++)
    if (! is_done (choice, i))
      return FALSE;
  return TRUE;
}

/* Pictures @first .. @last - 1, a few at a time so that progress shows; what
 * was recalled is passed over in silence, since it says nothing of the rate */
static gboolean
run_pictures (Choice *choice, int first, int last)
{
  const CamLayerChoiceOptions *o = choice->options;
  int chunk = 2 * cam_threads_count (choice->threads);

  for (int i = first; i < last && choice->error == NULL; i += chunk)
    {
      choice->first = i;
      choice->last = MIN (i + chunk, last);
      choice->done += (choice->last - i) * count_alive (choice);
      if (all_done (choice, i, choice->last))
        continue;
      cam_threads_run (choice->threads, choice->last - i, map_tile, choice);
      cam_threads_run (choice->threads,
                       (gint64) (choice->last - i) * choice->n_trials,
                       measure_tile, choice);
      if (o->progress != NULL)
        o->progress (MIN (choice->done, choice->total), choice->total, o->data);
    }
  return choice->error == NULL;
}

static CamLayerTrial *
sum_up (const Choice *choice, int trial)
{
  CamLayerTrial *t = g_new0 (CamLayerTrial, 1);
  int n_masks = 0;

  t->layer = g_strdup (choice->layers[trial % choice->n_layers]);
  t->score = choice->scores[trial / choice->n_layers];
  for (int i = 0; i < choice->sample->n; i++)
    {
      const Result *r = result_of (choice, i, trial);

      if (! r->tried)
        continue;
      t->n_pictures++;
      t->insertion += r->areas.insertion;
      t->deletion += r->areas.deletion;
      if (isnan (r->energy))
        continue;
      n_masks++;
      t->energy += r->energy;
      t->iou += r->iou;
    }
  t->insertion /= MAX (t->n_pictures, 1);
  t->deletion /= MAX (t->n_pictures, 1);
  t->faithfulness = t->insertion - t->deletion;
  t->energy = n_masks > 0 ? t->energy / n_masks : NAN;
  t->iou = n_masks > 0 ? t->iou / n_masks : NAN;
  return t;
}

/* Those that saw more pictures first, then by energy or faithfulness */
static int
compare_trials (gconstpointer a, gconstpointer b)
{
  const CamLayerTrial *x = *(CamLayerTrial *const *) a;
  const CamLayerTrial *y = *(CamLayerTrial *const *) b;
  gboolean masks = ! isnan (x->energy) && ! isnan (y->energy);
  double u = masks ? x->energy : x->faithfulness;
  double v = masks ? y->energy : y->faithfulness;

  if (x->n_pictures != y->n_pictures)
    return y->n_pictures - x->n_pictures;
  if (u != v)
    return u > v ? -1 : 1;
  return x->score != y->score ? (int) x->score - (int) y->score
                              : strcmp (x->layer, y->layer);
}

static GPtrArray *
rank_trials (const Choice *choice)
{
  GPtrArray *trials =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_layer_trial_free);

  for (int t = 0; t < choice->n_trials; t++)
    g_ptr_array_add (trials, sum_up (choice, t));
  g_ptr_array_sort (trials, compare_trials);
  return trials;
}

static void
drop_weak (Choice *choice)
{
  g_autoptr (GPtrArray) trials = rank_trials (choice);

  for (guint i = (trials->len + 1) / 2; i < trials->len; i++)
    {
      const CamLayerTrial *weak = g_ptr_array_index (trials, i);

      for (int t = 0; t < choice->n_trials; t++)
        if (strcmp (choice->layers[t % choice->n_layers], weak->layer) == 0
            && choice->scores[t / choice->n_layers] == weak->score)
          choice->alive[t] = FALSE;
    }
}

static gboolean
make_plan (Choice *choice, GError **error)
{
  const CamModel *model = choice->model;
  CamBinding binding = { model->input_name, cam_model_input_shape (model) };
  CamPlanOptions options = { 0 };
  g_autofree const char **fetches = g_new0 (const char *, choice->n_layers + 2);
  int n_threads = cam_threads_count (choice->threads);

  for (int l = 0; l < choice->n_layers; l++)
    fetches[l] = choice->layers[l];
  fetches[choice->n_layers] = model->embedding;
  options.bindings = &binding;
  options.n_bindings = 1;
  options.fetches = fetches;
  options.gradient_of = model->embedding;
  options.gradient_at = (const char *const *) choice->layers;
  choice->plan = cam_plan_new (model->network, &options, error);
  choice->workspaces = g_new0 (CamWorkspace *, n_threads);
  for (int i = 0; choice->plan != NULL && i < n_threads; i++)
    {
      choice->workspaces[i] = cam_workspace_new (choice->plan, 1, error);
      if (choice->workspaces[i] == NULL)
        return FALSE;
    }
  return choice->plan != NULL;
}

static void
read_layouts (Choice *choice)
{
  const CamModel *model = choice->model;

  choice->layouts = g_new (CamLayout, choice->n_layers);
  for (int l = 0; l < choice->n_layers; l++)
    {
      CamShape shape;
      CamDType dtype;

      cam_plan_shape (choice->plan, choice->layers[l], &dtype, &shape);
      choice->layouts[l] =
          model->layout_given
                  && g_strcmp0 (choice->layers[l], model->layer) == 0
              ? model->layout
              : cam_layout_guess (&shape, &model->input);
    }
}

static gboolean
prepare (Choice *choice, GError **error)
{
  static const CamScore cosine = CAM_SCORE_COSINE;
  const CamLayerChoiceOptions *o = choice->options;

  choice->scores = o->scores != NULL ? o->scores : &cosine;
  choice->n_scores = o->scores != NULL ? o->n_scores : 1;
  choice->layers = o->layers != NULL
                       ? g_strdupv ((char **) o->layers)
                       : cam_layer_candidates (choice->model, N_CANDIDATES,
                                               error);
  if (choice->layers == NULL)
    return FALSE;
  choice->n_layers = (int) g_strv_length (choice->layers);
  choice->n_trials = choice->n_layers * choice->n_scores;
  choice->threads = cam_threads_new (o->n_threads);
  choice->embedder = cam_embedder_new (choice->model,
                                       cam_threads_count (choice->threads),
                                       error);
  if (choice->embedder == NULL)
    return FALSE;
  choice->sample = cam_layer_sample_new (o, choice->embedder, choice->threads,
                                         error);
  if (choice->sample == NULL || ! make_plan (choice, error))
    return FALSE;
  read_layouts (choice);
  choice->results = g_new0 (Result, (gsize) choice->sample->n * choice->n_trials);
  choice->alive = g_new (gboolean, choice->n_trials);
  for (int t = 0; t < choice->n_trials; t++)
    choice->alive[t] = TRUE;
  return recall_results (choice, error);
}

static void
choice_clear (Choice *choice)
{
  int n_threads = cam_threads_count (choice->threads);

  for (int i = 0;
       choice->results != NULL && i < choice->sample->n * choice->n_trials; i++)
    g_clear_pointer (&choice->results[i].map, cam_heat_map_free);
  for (int i = 0; choice->workspaces != NULL && i < n_threads; i++)
    g_clear_pointer (&choice->workspaces[i], cam_workspace_free);
  g_free (choice->results);
  g_free (choice->workspaces);
  g_free (choice->alive);
  g_free (choice->layouts);
  g_strfreev (choice->layers);
  g_clear_pointer (&choice->plan, cam_plan_unref);
  g_clear_pointer (&choice->sample, cam_layer_sample_free);
  g_clear_pointer (&choice->embedder, cam_embedder_free);
  g_clear_pointer (&choice->threads, cam_threads_free);
  g_clear_error (&choice->error);
  g_mutex_clear (&choice->lock);
}

void
cam_layer_trial_free (CamLayerTrial *trial)
{
  g_free (trial->layer);
  g_free (trial);
}

GPtrArray *
cam_layer_choose (CamModel *model, const CamLayerChoiceOptions *options,
                  GError **error)
{
  Choice choice = { .options = options, .model = model };
  GPtrArray *trials = NULL;

  g_return_val_if_fail (options->mask == NULL || options->recall == NULL, NULL);
  g_mutex_init (&choice.lock);
  if (prepare (&choice, error))
    {
      int n = choice.sample->n, third = MAX (n / DROP_AFTER, 2);
      int half = (choice.n_trials + 1) / 2;

      choice.total = third * choice.n_trials + (n - third) * half;
      if (run_pictures (&choice, 0, third))
        {
          drop_weak (&choice);
          run_pictures (&choice, third, n);
        }
      if (choice.error == NULL)
        trials = rank_trials (&choice);
      else
        g_propagate_error (error, g_steal_pointer (&choice.error));
    }
  choice_clear (&choice);
  return trials;
}
