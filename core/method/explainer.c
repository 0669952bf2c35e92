/* explainer.c -- a network bound to one picture, its layer and its embedding */
#include "core/method/explainer.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/method/model-plan.h"
#include "core/method/score.h"

struct _CamExplainer
{
  CamModel *model;
  char *layer;
  gboolean fallback; /* nobody chose the layer */
  CamLayout layout;
  CamPlan *plan;
  CamWorkspace *workspace;
  int embedding_dim, n_channels;
  int map_height, map_width;
};

static gboolean
choose_layer (CamExplainer *explainer, const char *layer, GError **error)
{
  const CamModel *model = explainer->model;
  const CamGraph *graph = cam_network_graph (model->network);
  const char *fallback;

  if (layer == NULL || *layer == '\0')
    layer = model->layer;
  if (layer == NULL)
    {
      fallback = cam_network_fallback_layer (model->network, model->embedding);
      explainer->fallback = TRUE;
      layer = fallback;
    }
  if (layer == NULL)
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_LAYER,
                 _ ("No spatial layer leads to the embedding “%s” of the model "
                    "“%s”; name one as “layer” in model.ini."),
                 model->embedding, model->name);
  else if (cam_graph_find (graph, layer) == NULL)
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_LAYER,
                 _ ("The model “%s” has no layer “%s”."), model->name, layer);
  else
    {
      explainer->layer = g_strdup (layer);
      return TRUE;
    }
  return FALSE;
}

static gboolean
make_plan (CamExplainer *explainer, gboolean gradient, GError **error)
{
  const CamModel *model = explainer->model;
  CamBinding binding = { model->input_name, cam_model_input_shape (model) };
  const char *fetches[] = { explainer->layer, model->embedding, NULL };
  const char *at[] = { explainer->layer, NULL };
  CamPlanOptions options = { 0 };

  options.bindings = &binding;
  options.n_bindings = 1;
  options.fetches = fetches;
  if (gradient)
    {
      options.gradient_of = model->embedding;
      options.gradient_at = at;
    }
  explainer->plan = cam_plan_new (model->network, &options, error);
  return explainer->plan != NULL;
}

/* Sizes of the layer and the embedding, by a look at the plan alone */
static gboolean
read_sizes (CamExplainer *explainer, GError **error)
{
  const CamModel *model = explainer->model;
  g_autoptr (CamTensor) probe = NULL, chw = NULL;
  CamShape shape;
  CamDType dtype;

  if (! cam_model_check_embedding (model, explainer->plan,
                                   &explainer->embedding_dim, error))
    return FALSE;
  if (! cam_plan_shape (explainer->plan, explainer->layer, &dtype, &shape))
    g_return_val_if_reached (FALSE);
  explainer->layout = model->layout_given
                          ? model->layout
                          : cam_layout_guess (&shape, &model->input);
  probe = cam_tensor_new (dtype, &shape, error);
  if (probe != NULL)
    chw = cam_activations_chw (probe, explainer->layout, error);
  if (chw == NULL)
    {
      g_prefix_error (error, _ ("Layer “%s”: "), explainer->layer);
      return FALSE;
    }
  explainer->n_channels = (int) chw->shape.dims[0];
  explainer->map_height = (int) chw->shape.dims[1];
  explainer->map_width = (int) chw->shape.dims[2];
  return TRUE;
}

CamExplainer *
cam_explainer_new (CamModel *model, const char *layer, gboolean gradient,
                   int n_threads, GError **error)
{
  g_autoptr (CamExplainer) explainer = g_new0 (CamExplainer, 1);

  explainer->model = cam_model_ref (model);
  if (! choose_layer (explainer, layer, error)
      || ! make_plan (explainer, gradient, error)
      || ! read_sizes (explainer, error))
    return NULL;
  explainer->workspace = cam_workspace_new (explainer->plan, n_threads, error);
  if (explainer->workspace == NULL)
    return NULL;
  return g_steal_pointer (&explainer);
}

CamExplainer *
cam_explainer_share (const CamExplainer *explainer, int n_threads,
                     GError **error)
{
  g_autoptr (CamExplainer) shared = g_memdup2 (explainer, sizeof *explainer);

  shared->model = cam_model_ref (explainer->model);
  shared->layer = g_strdup (explainer->layer);
  shared->plan = cam_plan_ref (explainer->plan);
  shared->workspace = cam_workspace_new (shared->plan, n_threads, error);
  return shared->workspace != NULL ? g_steal_pointer (&shared) : NULL;
}

void
cam_explainer_free (CamExplainer *explainer)
{
  if (explainer == NULL)
    return;
  g_clear_pointer (&explainer->workspace, cam_workspace_free);
  g_clear_pointer (&explainer->plan, cam_plan_unref);
  g_clear_pointer (&explainer->model, cam_model_unref);
  g_free (explainer->layer);
  g_free (explainer);
}

const char *
cam_explainer_layer (const CamExplainer *explainer)
{
  return explainer->layer;
}

gboolean
cam_explainer_layer_is_fallback (const CamExplainer *explainer)
{
  return explainer->fallback;
}

int
cam_explainer_embedding_dim (const CamExplainer *explainer)
{
  return explainer->embedding_dim;
}

int
cam_explainer_channels (const CamExplainer *explainer)
{
  return explainer->n_channels;
}

void
cam_observation_free (CamObservation *observation)
{
  if (observation == NULL)
    return;
  g_clear_pointer (&observation->activations, cam_tensor_unref);
  g_clear_pointer (&observation->embedding, cam_tensor_unref);
  g_free (observation->layer);
  g_free (observation->model_digest);
  g_free (observation);
}

gboolean
cam_observation_is_of (const CamObservation *observation,
                       const CamExplainer *explainer)
{
  return strcmp (observation->layer, explainer->layer) == 0
         && observation->layout == explainer->layout
         && strcmp (observation->model_digest,
                    cam_model_digest (explainer->model))
                == 0;
}

static CamTensor *
copy_flat (const CamTensor *tensor, GError **error)
{
  CamShape shape = cam_shape_make (1, (gint64[]) { tensor->n_elements });
  CamTensor *copy = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);

  if (copy != NULL)
    memcpy (copy->data, tensor->data, tensor->n_elements * sizeof (float));
  return copy;
}

CamObservation *
cam_explainer_observe (CamExplainer *explainer, const CamTensor *input,
                       const CamView *view, GCancellable *cancellable,
                       GError **error)
{
  const CamModel *model = explainer->model;
  g_autoptr (CamObservation) observation = g_new0 (CamObservation, 1);
  const CamTensor *layer, *embedding;

  if (! cam_workspace_set_input (explainer->workspace, model->input_name, input,
                                 error)
      || ! cam_workspace_run (explainer->workspace, cancellable, error))
    return NULL;
  layer = cam_workspace_get (explainer->workspace, explainer->layer);
  embedding = cam_workspace_get (explainer->workspace, model->embedding);
  if (! cam_model_check_finite (embedding, model->embedding, error)
      || ! cam_model_check_finite (layer, explainer->layer, error))
    return NULL;
  if (view != NULL)
    observation->view = *view;
  observation->layer = g_strdup (explainer->layer);
  observation->model_digest = g_strdup (cam_model_digest (model));
  observation->layout = explainer->layout;
  observation->embedding = copy_flat (embedding, error);
  if (observation->embedding == NULL)
    return NULL;
  observation->activations = cam_activations_chw (layer, explainer->layout,
                                                  error);
  if (observation->activations == NULL)
    return NULL;
  return g_steal_pointer (&observation);
}

/* What was observed may have been kept while the database was changed. */
static gboolean
check_observation (const CamClusterDb *db, const CamObservation *observation,
                   GError **error)
{
  const CamClusterDbInfo *info = cam_cluster_db_info (db);

  if (! cam_cluster_db_fits (db, observation->model_digest,
                             (int) observation->embedding->n_elements,
                             (int) observation->activations->shape.dims[0],
                             error))
    return FALSE;
  if (info->layer == NULL || strcmp (info->layer, observation->layer) == 0)
    return TRUE;
  g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_OTHER_MODEL,
               _ ("The database's channel weights are those of the layer “%s”, "
                  "and what was seen of the picture is of “%s”."),
               info->layer, observation->layer);
  return FALSE;
}

gboolean
cam_lookup (const CamClusterDb *db, const CamObservation *observation,
            CamTransfer transfer, CamLookup *lookup, GError **error)
{
  const float *embedding = (const float *) observation->embedding->data;
  CamClusterMatch cluster;

  if (! check_observation (db, observation, error))
    return FALSE;
  cam_cluster_db_find (db, embedding, &cluster);
  *lookup = (CamLookup) { transfer,
                          cluster,
                          cluster.index,
                          cluster.similarity,
                          cluster.far,
                          cluster.second,
                          cluster.second_similarity,
                          cluster.far_unknown };
  return transfer == CAM_TRANSFER_CLUSTER
         || cam_cluster_db_find_neighbour (db, embedding, &lookup->match,
                                           error);
}

CamTensor *
cam_explainer_gradient (CamExplainer *explainer, const CamTensor *seed,
                        GCancellable *cancellable, GError **error)
{
  CamShape shape;
  CamDType dtype;
  g_autoptr (CamTensor) shaped = NULL, raw = NULL;

  cam_plan_shape (explainer->plan, explainer->model->embedding, &dtype, &shape);
  shaped = cam_tensor_reshape ((CamTensor *) seed, &shape);
  raw = cam_workspace_gradient (explainer->workspace, shaped, explainer->layer,
                                cancellable, error);
  if (raw == NULL)
    return NULL;
  return cam_activations_chw (raw, explainer->layout, error);
}

float *
cam_explainer_triplet_weights (CamExplainer *explainer,
                               const CamObservation *anchor,
                               const CamTensor *positive_embedding,
                               const CamTensor *negative_embedding,
                               GCancellable *cancellable, GError **error)
{
  CamShape shape = cam_shape_make (1, (gint64[]) { explainer->embedding_dim });
  g_autoptr (CamTensor) seed = NULL, gradient = NULL;
  const float *negative = NULL;
  float *alpha;

  seed = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (seed == NULL)
    return NULL;
  if (negative_embedding != NULL)
    negative = (const float *) negative_embedding->data;
  cam_score_seed (CAM_SCORE_COSINE, explainer->embedding_dim,
                  (const float *) anchor->embedding->data,
                  (const float *) positive_embedding->data, negative,
                  cam_tensor_f32 (seed));
  gradient = cam_explainer_gradient (explainer, seed, cancellable, error);
  if (gradient == NULL)
    return NULL;
  alpha = g_new (float, explainer->n_channels);
  cam_gradcam_weights (gradient, alpha);
  return alpha;
}
