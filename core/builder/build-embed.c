/* build-embed.c -- pass 1: every picture forward, to its embedding */
#include <float.h>
#include <math.h>

#include "core/builder/build-changed.h"
#include "core/builder/skip-reason.h"

typedef struct /* of one picture, on its way through the threads */
{
  CamTensor *input;
  CamFileStamp stamp; /* before it was read */
  char *digest;
  float *embedding;
  GError *error; /* why it is skipped */
} Embedding;

static void
embedding_free (gpointer data)
{
  Embedding *e = data;

  g_clear_pointer (&e->input, cam_tensor_unref);
  g_free (e->digest);
  g_free (e->embedding);
  g_clear_error (&e->error);
  g_free (e);
}

static gpointer
load (gint64 item, gpointer data)
{
  CamBuild *build = data;
  Embedding *e = g_new0 (Embedding, 1);

  e->stamp = cam_build_stamp (build->options->pictures[build->todo[item]].path);
  e->input = cam_build_load (build, build->todo[item], &e->digest, &e->error);
  return e;
}

/* An embedding without a length has no direction to compare. */
static void
refuse_zero (const CamBuild *build, Embedding *e)
{
  double square = 0;

  for (int i = 0; i < build->dim; i++)
    square += (double) e->embedding[i] * e->embedding[i];
  if (e->error == NULL && sqrt (square) < FLT_MIN)
    g_set_error_literal (&e->error, CAM_SKIP_ERROR, CAM_SKIP_ERROR_ZERO,
                         cam_skip_reason_text (CAM_SKIP_ZERO));
}

static gpointer
compute (gint64 item, gpointer loaded, int thread, gpointer data)
{
  CamBuild *build = data;
  Embedding *e = loaded;
  g_autofree float *kept = NULL;

  if (e->input == NULL)
    return e;
  kept = g_try_new (float, cam_split_kept (build->split));
  e->embedding = g_new (float, build->dim);
  if (kept == NULL)
    cam_no_memory (&e->error);
  else if (cam_split_forward (build->runs[thread], e->input, e->embedding, kept,
                              build->cancellable, &e->error))
    cam_build_cache_put (build->cache, build->todo[item], kept);
  refuse_zero (build, e);
  g_clear_pointer (&e->input, cam_tensor_unref);
  return e;
}

static gboolean
take (gint64 item, gpointer result, gpointer data, GError **error)
{
  CamBuild *build = data;
  Embedding *e = result;
  int picture = build->todo[item];
  gboolean good;

  /* a network's tensors are as large for any picture */
  if (g_error_matches (e->error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
      || g_error_matches (e->error, CAM_TENSOR_ERROR,
                          CAM_TENSOR_ERROR_TOO_LARGE))
    {
      g_propagate_error (error, g_steal_pointer (&e->error));
      good = FALSE;
    }
  else if (e->error != NULL)
    good = cam_build_work_add_skipped (build->work, picture, &e->stamp,
                                       e->error, error);
  else
    good = cam_build_work_add_seen (build->work, picture, &e->stamp, e->digest,
                                    e->embedding, build->dim, error);
  embedding_free (e);
  build->done++;
  return good && cam_build_work_commit (build->work, FALSE, error);
}

static gboolean
tick (gpointer data, GError **error)
{
  cam_build_report (data);
  return TRUE;
}

gboolean
cam_build_embed (CamBuild *build, GError **error)
{
  CamPipeline pipeline = { .n_threads = build->n_jobs,
                           .load = load,
                           .compute = compute,
                           .take = take,
                           .drop_loaded = embedding_free,
                           .drop_result = embedding_free,
                           .tick = tick,
                           .data = build };
  gboolean good;

  build->stage = CAM_BUILD_EMBEDDING;
  build->total = build->options->n_pictures;
  build->n_todo = 0;
  for (int i = 0; i < build->options->n_pictures; i++)
    if (! build->seen[i])
      build->todo[build->n_todo++] = i;
  build->done = build->total - build->n_todo;
  pipeline.n_items = build->n_todo;
  good = cam_pipeline_run (&pipeline, build->cancellable, error);
  good = cam_build_work_commit (build->work, TRUE, good ? error : NULL) && good;
  cam_build_report (build);
  return good;
}
