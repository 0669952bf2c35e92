/* builder.c -- a folder of pictures into a cluster database */
#include "core/builder/builder.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/base/plain-file.h"
#include "core/builder/build-changed.h"
#include "core/builder/build-settings.h"
#include "core/builder/clustering.h"

const char *
cam_build_stage_name (CamBuildStage stage)
{
  static const char *const names[CAM_N_BUILD_STAGES] = {
    NC_ ("stage", "layer"), NC_ ("stage", "embedding"), NC_ ("stage", "mining"),
    NC_ ("stage", "weighing"), NC_ ("stage", "clustering")
  };

  g_return_val_if_fail (stage < CAM_N_BUILD_STAGES, NULL);
  return names[stage];
}

CamTensor *
cam_build_load (CamBuild *build, int picture, char **digest, GError **error)
{
  const CamBuildOptions *o = build->options;
  const char *path = o->pictures[picture].path;

  *digest = cam_plain_file_digest (path, error);
  return *digest != NULL ? o->load (path, o->data, error) : NULL;
}

void
cam_build_report (CamBuild *build)
{
  const CamBuildOptions *o = build->options;

  if (o->progress != NULL)
    o->progress (build->stage, build->done, build->total, o->data);
}

static void
build_clear (CamBuild *build)
{
  for (int i = 0; build->runs != NULL && i < build->n_jobs; i++)
    cam_split_run_free (build->runs[i]);
  g_free (build->runs);
  g_clear_pointer (&build->split, cam_split_free);
  g_clear_pointer (&build->threads, cam_threads_free);
  g_clear_pointer (&build->work, cam_build_work_free);
  g_clear_pointer (&build->cache, cam_build_cache_free);
  g_clear_pointer (&build->digests, g_hash_table_unref);
  g_clear_pointer (&build->triplets, cam_triplets_free);
  g_free (build->seen);
  g_free (build->weighed);
  g_free (build->ids);
  g_free (build->unit);
  g_free (build->norms);
  g_free (build->drawn);
  g_free (build->counts);
  g_free (build->todo);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CamBuild, build_clear)

static gboolean
split_model (CamBuild *build, const char *layer, GError **error)
{
  build->split = cam_split_new (build->options->model, layer, error);
  if (build->split == NULL)
    return FALSE;
  build->dim = cam_split_embedding_dim (build->split);
  build->n_channels = cam_split_channels (build->split);
  build->runs = g_new0 (CamSplitRun *, build->n_jobs);
  for (int i = 0; i < build->n_jobs; i++)
    if ((build->runs[i] = cam_split_run_new (build->split, error)) == NULL)
      return FALSE;
  return TRUE;
}

/* The disk keeps room for a row of each picture in OUT.partial, twice over (a
 * row takes whole pages), and for what threads put at the same time. */
static CamBuildCache *
make_cache (const CamBuild *build, const char *out)
{
  const CamBuildOptions *o = build->options;
  gsize slot = cam_split_kept (build->split) * sizeof (float);
  guint64 row = (guint64) (build->dim + build->n_channels) * sizeof (float);
  guint64 reserve = 2 * (guint64) o->n_pictures * (row + 1024)
                    + (guint64) build->n_jobs * slot + (1 << 20);

  return cam_build_cache_new (out, slot, o->n_pictures, o->cache_bytes,
                              reserve);
}

/* A layer that is named wrongly leaves no file behind. */
static gboolean
prepare (CamBuild *build, const char *out, GError **error)
{
  const CamBuildOptions *o = build->options;

  build->n_jobs = o->n_jobs > 0 ? o->n_jobs : (int) g_get_num_processors ();
  build->threads = cam_threads_new (build->n_jobs);
  if (o->layer != NULL && ! split_model (build, o->layer, error))
    return FALSE;
  build->work = cam_build_work_new (out, o, error);
  if (build->work == NULL || ! cam_build_forget_changed (build, error)
      || ! cam_build_choose_layer (build, error)
      || (o->layer == NULL
          && ! split_model (build, build->summary->layer, error)))
    return FALSE;
  build->cache = make_cache (build, out);
  build->seen = g_new0 (gboolean, o->n_pictures);
  build->weighed = g_new0 (gboolean, o->n_pictures);
  build->todo = g_new (int, o->n_pictures);
  return cam_build_work_done (build->work, o->n_pictures, build->seen,
                              build->weighed, error);
}

static GBytes *
thumbnail (int id, const char *path, gpointer data)
{
  const CamBuildOptions *o = ((CamBuild *) data)->options;

  if (id < 0 || id >= o->n_pictures)
    return NULL;
  return o->thumbnail (o->pictures[id].path, o->data);
}

typedef struct
{
  CamBuild *build;
  CamBuildSummary *summary;
} Finish;

static GBytes *
thumbnail_of_finish (int id, const char *path, gpointer data)
{
  return thumbnail (id, path, ((Finish *) data)->build);
}

static gboolean
add_skipped (CamDbWriter *writer, gpointer data, GError **error)
{
  const CamBuildSummary *summary = ((Finish *) data)->summary;

  for (guint i = 0; i < summary->skipped->len; i++)
    {
      const CamSkippedPicture *skipped = summary->skipped->pdata[i];

      if (! cam_db_writer_add_skipped (writer, skipped->name, skipped->word,
                                       error))
        return FALSE;
    }
  return TRUE;
}

static CamClusterDbInfo
describe (const CamBuild *build, const char *preprocessing)
{
  static const char *const layouts[] = { "nchw", "nhwc", "tokens",
                                         "tokens+cls" };
  const CamBuildOptions *o = build->options;

  return (CamClusterDbInfo) {
    .model_digest = cam_model_digest (o->model),
    .model_name = o->model->name,
    .preprocessing = preprocessing,
    .layer = build->summary->layer,
    .layout = layouts[cam_split_layout (build->split)],
    .layer_choice = build->summary->layer_choice,
    .method = cam_method_name (o->method),
    .score = cam_score_name (o->score),
    .mining = cam_mining_name (o->mining),
    .metric = CAM_METRIC_COSINE,
    .embedding_dim = build->dim,
    .n_channels = build->n_channels,
    .triplets = o->n_triplets,
    .margin = o->margin,
    .eps = o->eps,
    .program_version = o->program_version,
  };
}

/* Pass 3.  What pass 2 needed is let go of first. */
static gboolean
write_database (CamBuild *build, const char *out, CamBuildSummary *summary,
                GError **error)
{
  const CamBuildOptions *o = build->options;
  g_autofree char *preprocessing = cam_build_preprocessing (&o->model->input);
  CamClusterDbInfo info = describe (build, preprocessing);
  g_autoptr (CamPictureRows) rows = NULL;
  Finish finish = { build, summary };
  CamClusteringResult result = { 0 };
  CamClustering clustering = { .n_rows = build->n_rows,
                               .info = &info,
                               .n_clusters = o->n_clusters,
                               .restarts = o->restarts,
                               .seed = o->seed,
                               .compact = o->compact,
                               .thumbnail = o->thumbnail != NULL
                                                ? thumbnail_of_finish
                                                : NULL,
                               .data = &finish,
                               .finish = add_skipped,
                               .threads = build->threads };

  summary->scratch_was_short = cam_build_cache_is_short (build->cache);
  g_clear_pointer (&build->cache, cam_build_cache_free);
  g_clear_pointer (&build->unit, g_free);
  g_clear_pointer (&build->drawn, g_free);
  build->stage = CAM_BUILD_CLUSTERING;
  build->done = 0;
  build->total = build->n_rows;
  cam_build_report (build);
  clustering.rows = rows = cam_build_work_rows (build->work, build->dim,
                                                build->n_channels, error);
  if (rows == NULL
      || ! cam_clustering_write (&clustering, out, &result, build->cancellable,
                                 error))
    return FALSE;
  summary->n_wanted = o->n_clusters;
  summary->n_clusters = result.n_clusters;
  summary->n_lent = result.n_lent;
  build->done = build->total;
  cam_build_report (build);
  return TRUE;
}

/* Says which was the first that could not be read, where none could. */
static void
name_first_skipped (const CamBuildSummary *summary, gboolean hopeless,
                    GError **error)
{
  if (summary->n_pictures == 0 && ! hopeless && summary->skipped != NULL
      && summary->skipped->len > 0 && error != NULL && *error != NULL)
    {
      const CamSkippedPicture *first = summary->skipped->pdata[0];

      g_prefix_error (error, "%s: %s: ", first->name, first->reason);
    }
}

static gboolean
run_passes (CamBuild *build, const char *out, CamBuildSummary *summary,
            GError **error)
{
  gboolean good;

  summary->n_resumed = cam_build_work_count (build->work, error);
  if (summary->n_resumed < 0 || ! cam_build_embed (build, error))
    return FALSE;
  good = cam_build_mine (build, error);
  if (good)
    good = cam_build_weigh (build, error);
  if (! cam_build_work_summary (build->work, summary, good ? error : NULL))
    return FALSE;
  if (! good)
    {
      name_first_skipped (summary, build->hopeless, error);
      return FALSE;
    }
  return write_database (build, out, summary, error);
}

gboolean
cam_build_database (const CamBuildOptions *options, const char *out,
                    CamBuildSummary *summary, GCancellable *cancellable,
                    GError **error)
{
  g_auto (CamBuild) build = { .options = options,
                              .cancellable = cancellable,
                              .summary = summary };
  g_autofree char *partial = g_strconcat (out, ".partial", NULL);
  g_autoptr (CamTriplets) possible = NULL;

  if (options->resume && ! g_file_test (partial, G_FILE_TEST_EXISTS)
      && cam_build_settings_match (out, options, summary))
    {
      summary->was_complete = TRUE;
      return TRUE;
    }
  possible = cam_build_label (options, NULL, options->n_pictures, error);
  if (possible == NULL || ! cam_build_may_begin (out, options, error)
      || ! prepare (&build, out, error))
    return FALSE;
  if (! run_passes (&build, out, summary, error))
    {
      if (build.hopeless)
        cam_build_work_remove (build.work);
      return FALSE;
    }
  cam_build_work_remove (build.work);
  return TRUE;
}
