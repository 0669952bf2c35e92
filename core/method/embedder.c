/* embedder.c -- a plan that fetches the embedding alone */
#include "core/method/embedder.h"

#include <string.h>

#include "core/method/model-plan.h"

struct _CamEmbedder
{
  CamModel *model;
  CamPlan *plan;
  CamWorkspace **workspaces; /* [n_workers] */
  int n_workers, dim;
};

CamEmbedder *
cam_embedder_new (CamModel *model, int n_workers, GError **error)
{
  g_autoptr (CamEmbedder) embedder = g_new0 (CamEmbedder, 1);
  CamBinding binding = { model->input_name, cam_model_input_shape (model) };
  const char *fetches[] = { model->embedding, NULL };
  CamPlanOptions options = { 0 };

  options.bindings = &binding;
  options.n_bindings = 1;
  options.fetches = fetches;
  embedder->model = cam_model_ref (model);
  embedder->plan = cam_plan_new (model->network, &options, error);
  if (embedder->plan == NULL
      || ! cam_model_check_embedding (model, embedder->plan, &embedder->dim,
                                      error))
    return NULL;
  embedder->workspaces = g_new0 (CamWorkspace *, n_workers);
  embedder->n_workers = n_workers;
  for (int i = 0; i < n_workers; i++)
    {
      embedder->workspaces[i] = cam_workspace_new (embedder->plan, 1, error);
      if (embedder->workspaces[i] == NULL)
        return NULL;
    }
  return g_steal_pointer (&embedder);
}

void
cam_embedder_free (CamEmbedder *embedder)
{
  if (embedder == NULL)
    return;
  for (int i = 0; i < embedder->n_workers; i++)
    g_clear_pointer (&embedder->workspaces[i], cam_workspace_free);
  g_free (embedder->workspaces);
  g_clear_pointer (&embedder->plan, cam_plan_unref);
  g_clear_pointer (&embedder->model, cam_model_unref);
  g_free (embedder);
}

int
cam_embedder_dim (const CamEmbedder *embedder)
{
  return embedder->dim;
}

CamModel *
cam_embedder_model (const CamEmbedder *embedder)
{
  return embedder->model;
}

gboolean
cam_embedder_run (CamEmbedder *embedder, int worker, const CamTensor *input,
                  float *out, GError **error)
{
  CamWorkspace *workspace = embedder->workspaces[worker];
  const char *name = embedder->model->embedding;
  const CamTensor *embedding;

  if (! cam_workspace_set_input (workspace, embedder->model->input_name, input,
                                 error)
      || ! cam_workspace_run (workspace, NULL, error))
    return FALSE;
  embedding = cam_workspace_get (workspace, name);
  if (! cam_model_check_finite (embedding, name, error))
    return FALSE;
  memcpy (out, embedding->data, embedder->dim * sizeof (float));
  return TRUE;
}
