/* build-weigh.c -- pass 2: every picture's channel weights */
#include <glib/gi18n.h>
#include <string.h>

#include "core/builder/build-private.h"

typedef struct /* of one picture, on its way through the threads */
{
  float *kept; /* from the cache; NULL: to be computed from input */
  CamTensor *input;
  float *weights; /* NULL: it has no triplets */
  CamTripletCounts counts;
  gsize n_below;
  GError *error;
} Weighing;

static void
weighing_free (gpointer data)
{
  Weighing *w = data;

  g_free (w->kept);
  g_clear_pointer (&w->input, cam_tensor_unref);
  g_free (w->weights);
  g_clear_error (&w->error);
  g_free (w);
}

static gboolean
has_triplets (const CamBuild *build, int row)
{
  return cam_triplets_n_positives (build->triplets, row) > 0
         && (! cam_score_has_negative (build->options->score)
             || cam_triplets_n_negatives (build->triplets, row) > 0);
}

/* Decodes again what the cache does not hold; it must be the same file. */
static void
load_again (CamBuild *build, int picture, Weighing *w)
{
  g_autofree char *digest = NULL;
  const char *before = g_hash_table_lookup (build->digests,
                                            GINT_TO_POINTER (picture));

  w->input = cam_build_load (build, picture, &digest, &w->error);
  if (w->input != NULL && g_strcmp0 (digest, before) != 0)
    g_set_error (&w->error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("the file was changed while the database was built: begin "
                    "again with --restart"));
  if (w->error != NULL)
    g_prefix_error (&w->error, "%s: ", build->options->pictures[picture].path);
}

static gpointer
load (gint64 item, gpointer data)
{
  CamBuild *build = data;
  Weighing *w = g_new0 (Weighing, 1);
  int row = build->todo[item];
  int picture = build->ids[row];

  if (! has_triplets (build, row))
    return w;
  if (cam_build_cache_has (build->cache, picture))
    {
      w->kept = g_try_new (float, cam_split_kept (build->split));
      if (w->kept != NULL
          && ! cam_build_cache_get (build->cache, picture, w->kept))
        g_clear_pointer (&w->kept, g_free);
    }
  if (w->kept == NULL)
    load_again (build, picture, w);
  return w;
}

/* Triplets of a row: those that were mined, or drawn here into @own. */
static const CamTriplet *
draw (CamBuild *build, int row, CamTriplet *own, CamTripletCounts *counts)
{
  const CamBuildOptions *o = build->options;
  CamTripletOptions options = { o->n_triplets,
                                cam_score_has_negative (o->score),
                                CAM_MINING_RANDOM, o->margin, o->seed };
  CamSeedRows rows = { o->score, build->n_rows, build->dim, build->unit,
                       build->norms };

  if (build->drawn != NULL)
    {
      *counts = build->counts[row];
      return build->drawn + (gsize) row * o->n_triplets;
    }
  *counts = cam_triplets_draw (build->triplets, &options, row, build->ids[row],
                               NULL, own);
  cam_seeds_count (&rows, row, own, counts->n, o->margin, counts);
  return own;
}

static gboolean
weigh (CamBuild *build, int row, CamSplitRun *run, Weighing *w)
{
  const CamBuildOptions *o = build->options;
  gboolean mean = o->method == CAM_METHOD_GRADCAM;
  int n_seeds = mean ? 1 : o->n_triplets;
  g_autofree CamTriplet *own = g_new (CamTriplet, o->n_triplets);
  g_autofree float *seeds = g_new (float, (gsize) n_seeds * build->dim);
  CamSeedRows rows = { o->score, build->n_rows, build->dim, build->unit,
                       build->norms };
  const CamTriplet *triplets = draw (build, row, own, &w->counts);

  cam_seeds (&rows, row, triplets, w->counts.n, mean, seeds);
  w->weights = g_new (float, build->n_channels);
  return cam_split_weights (run, w->kept, o->method, o->eps, seeds, n_seeds,
                            w->weights, &w->n_below, build->cancellable,
                            &w->error);
}

static gboolean
forward_again (CamBuild *build, CamSplitRun *run, Weighing *w)
{
  g_autofree float *embedding = g_new (float, build->dim);

  w->kept = g_new (float, cam_split_kept (build->split));
  return cam_split_forward (run, w->input, embedding, w->kept,
                            build->cancellable, &w->error);
}

static gpointer
compute (gint64 item, gpointer loaded, int thread, gpointer data)
{
  CamBuild *build = data;
  Weighing *w = loaded;
  CamSplitRun *run = build->runs[thread];

  if (w->error == NULL && w->kept == NULL && w->input != NULL
      && ! forward_again (build, run, w))
    return w;
  if (w->error == NULL && w->kept != NULL)
    weigh (build, build->todo[item], run, w);
  g_clear_pointer (&w->kept, g_free);
  g_clear_pointer (&w->input, cam_tensor_unref);
  return w;
}

static gboolean
take (gint64 item, gpointer result, gpointer data, GError **error)
{
  CamBuild *build = data;
  Weighing *w = result;
  int picture = build->ids[build->todo[item]];
  gboolean good;

  if (w->error != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&w->error));
      good = FALSE;
    }
  else
    good = cam_build_work_add_weighed (build->work, picture, &w->counts,
                                       w->n_below, w->weights,
                                       build->n_channels, error);
  weighing_free (w);
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
cam_build_weigh (CamBuild *build, GError **error)
{
  CamPipeline pipeline = { .n_threads = build->n_jobs,
                           .load = load,
                           .compute = compute,
                           .take = take,
                           .drop_loaded = weighing_free,
                           .drop_result = weighing_free,
                           .tick = tick,
                           .data = build };
  gboolean good;

  build->stage = CAM_BUILD_WEIGHING;
  build->total = build->n_rows;
  build->n_todo = 0;
  for (int i = 0; i < build->n_rows; i++)
    if (! build->weighed[build->ids[i]])
      build->todo[build->n_todo++] = i;
  build->done = build->total - build->n_todo;
  pipeline.n_items = build->n_todo;
  good = cam_pipeline_run (&pipeline, build->cancellable, error);
  good = cam_build_work_commit (build->work, TRUE, good ? error : NULL) && good;
  cam_build_report (build);
  return good;
}
