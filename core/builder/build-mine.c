/* build-mine.c -- between the passes: which pictures each is held against
 *
 * Random triplets are drawn when they are needed.  Mined ones need every
 * distance once: a tile of anchors at a time against all, one matrix product.
 */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/base/blas.h"
#include "core/builder/build-private.h"
#include "core/database/cluster-db.h"

#define TILE_BYTES (64 << 20) /* cosines of a tile, a thread */
#define LARGEST_TILE 256
#define TILE_STEP 32

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, message);
  return FALSE;
}

static CamTriplets *
label_by_value (const CamBuildOptions *options, const int *ids, int n)
{
  g_autofree double *values = g_new (double, n);

  for (int i = 0; i < n; i++)
    values[i] = options->pictures[ids != NULL ? ids[i] : i].value;
  return cam_triplets_new_values (values, n);
}

/* Equal labels are equal numbers; a picture without one is alone. */
static CamTriplets *
label_by_name (const CamBuildOptions *options, const int *ids, int n)
{
  g_autofree int *labels = g_new (int, n);
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);

  for (int i = 0; i < n; i++)
    {
      const char *label = options->pictures[ids != NULL ? ids[i] : i].label;
      int number = label == NULL
                       ? 0
                       : GPOINTER_TO_INT (g_hash_table_lookup (numbers, label));

      labels[i] = number > 0 ? number - 1 : i;
      if (label != NULL && number == 0)
        g_hash_table_insert (numbers, (gpointer) label,
                             GINT_TO_POINTER (i + 1));
    }
  return cam_triplets_new_labels (labels, n);
}

/* Values that are all the same tell no more than one label does. */
static gboolean
check_values (const CamBuildOptions *options, const int *ids, int n,
              GError **error)
{
  const CamBuildPicture *all = options->pictures;
  const CamBuildPicture *first = &all[ids != NULL ? ids[0] : 0];

  for (int i = 1; i < n; i++)
    if (all[ids != NULL ? ids[i] : i].value != first->value)
      return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("all labels are %g: there is nothing to hold a picture "
                  "against (is it the right column?)"),
               first->value);
  return FALSE;
}

CamTriplets *
cam_build_label (const CamBuildOptions *options, const int *ids, int n,
                 GError **error)
{
  g_autoptr (CamTriplets) triplets = NULL;
  gboolean positives = FALSE, negatives = FALSE;

  if (options->continuous && ! check_values (options, ids, n, error))
    return NULL;
  triplets = options->continuous ? label_by_value (options, ids, n)
                                 : label_by_name (options, ids, n);
  for (int i = 0; i < n; i++)
    {
      positives |= cam_triplets_n_positives (triplets, i) > 0;
      negatives |= cam_triplets_n_negatives (triplets, i) > 0;
    }
  if (! positives)
    refuse (error, _ ("no label has two pictures, so there is nothing to hold "
                      "a picture against: put pictures of a kind in one "
                      "folder, or give --labels"));
  else if (! negatives && options->continuous
           && cam_score_has_negative (options->score))
    refuse (error, _ ("from each value all others are equally far, so there is "
                      "nothing to hold a picture against: "
                      "more pictures or other labels are needed"));
  else if (! negatives && cam_score_has_negative (options->score))
    refuse (error, _ ("all pictures have the same label, and a triplet needs a "
                      "picture of another: sort them into folders, give "
                      "--labels, or use --score dot"));
  else
    return g_steal_pointer (&triplets);
  return NULL;
}

static gboolean
read_rows (CamBuild *build, GError **error)
{
  int dim = build->dim;
  gsize n = build->n_rows;

  build->ids = g_try_new (int, n);
  build->unit = g_try_new (float, n * dim);
  build->norms = g_try_new (float, n);
  if (! build->ids || ! build->unit || ! build->norms)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   _ ("not enough memory for the embeddings of %d pictures"),
                   build->n_rows);
      return FALSE;
    }
  if (! cam_build_work_embeddings (build->work, build->n_rows, dim,
                                   build->options->n_pictures, build->ids,
                                   build->unit, error))
    return FALSE;
  for (gsize i = 0; i < n; i++)
    {
      float *row = build->unit + i * dim;
      double square = 0;

      for (int d = 0; d < dim; d++)
        square += (double) row[d] * row[d];
      build->norms[i] = (float) sqrt (square);
      for (int d = 0; square > 0 && d < dim; d++)
        row[d] = (float) (row[d] / sqrt (square));
    }
  return TRUE;
}

typedef struct
{
  CamBuild *build;
  CamTripletOptions options;
  int tile;       /* anchors */
  float *cosines; /* [n_jobs, tile, n_rows] */
  gint64 first;   /* tile of this round */
} Mining;

/* By the number of pictures alone, so that the products of any number of
 * threads are the same. */
static int
tile_for (gsize n)
{
  gsize most = TILE_BYTES / (n * sizeof (float)) / TILE_STEP * TILE_STEP;

  return (int) CLAMP (most, TILE_STEP, LARGEST_TILE);
}

static gboolean
tile_is_done (const CamBuild *build, int first, int rows)
{
  for (int i = first; i < first + rows; i++)
    if (! build->weighed[build->ids[i]])
      return FALSE;
  return TRUE;
}

static void
mine_tile (gint64 tile, int thread, gpointer data)
{
  Mining *m = data;
  CamBuild *build = m->build;
  int n = build->n_rows, dim = build->dim;
  int first = (int) (m->first + tile) * m->tile;
  int rows = MIN (m->tile, n - first);
  float *cosines = m->cosines + (gsize) thread * m->tile * n;

  if (tile_is_done (build, first, rows))
    return;
  cam_sgemm (FALSE, TRUE, rows, n, dim, 1, build->unit + (gsize) first * dim,
             dim, build->unit, dim, 0, cosines, n);
  for (int i = 0; i < rows; i++)
    build->counts[first + i] =
        cam_triplets_draw (build->triplets, &m->options, first + i,
                           build->ids[first + i], cosines + (gsize) i * n,
                           build->drawn
                               + (gsize) (first + i)
                                     * build->options->n_triplets);
}

static gboolean
mine (CamBuild *build, GError **error)
{
  const CamBuildOptions *o = build->options;
  gsize n = build->n_rows;
  int tile = tile_for (n);
  gint64 n_tiles = (build->n_rows + tile - 1) / tile;
  g_autofree float *cosines = g_try_new (float, build->n_jobs * tile * n);
  Mining m = {
    build, { o->n_triplets, TRUE, o->mining, o->margin, o->seed }, tile, cosines
  };

  if (! cam_blas_check_room (build->n_jobs, error))
    return FALSE;
  build->drawn = g_try_new (CamTriplet, n * o->n_triplets);
  build->counts = g_try_new0 (CamTripletCounts, n);
  if (! cosines || ! build->drawn || ! build->counts)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   _ ("not enough memory for %d triplets of %d pictures each"),
                   o->n_triplets, build->n_rows);
      return FALSE;
    }
  build->total = n_tiles;
  for (m.first = 0; m.first < n_tiles; m.first += build->n_jobs)
    {
      build->done = m.first;
      cam_build_report (build);
      if (g_cancellable_set_error_if_cancelled (build->cancellable, error))
        return FALSE;
      cam_threads_run (build->threads, MIN (build->n_jobs, n_tiles - m.first),
                       mine_tile, &m);
    }
  return TRUE;
}

/* Are there two files that differ? */
static gboolean
files_differ (const CamBuild *build)
{
  const char *first = g_hash_table_lookup (build->digests,
                                           GINT_TO_POINTER (build->ids[0]));

  for (int i = 1; i < build->n_rows; i++)
    if (g_strcmp0 (first, g_hash_table_lookup (build->digests,
                                               GINT_TO_POINTER (build->ids[i])))
        != 0)
      return TRUE;
  return FALSE;
}

/* A network that cannot tell pictures apart has nothing to explain. */
static gboolean
check_alike (CamBuild *build, GError **error)
{
  for (gsize i = 1; i < (gsize) build->n_rows; i++)
    if (! cam_rows_same (build->unit, build->unit + i * build->dim, build->dim))
      return TRUE;
  if (build->n_rows == 1 || ! files_differ (build))
    return TRUE;
  build->hopeless = TRUE;
  return refuse (error,
                 _ ("the network gives all pictures the same embedding, so "
                    "there is nothing to explain: it was not trained, or "
                    "collapsed, or another tensor is its embedding "
                    "(\"embedding\" in model.ini), or the pictures go in "
                    "wrongly (\"camlens inspect\" says how)"));
}

static gboolean
refuse_none (CamBuild *build, GError **error)
{
  build->hopeless = cam_build_work_all_zero (build->work);
  if (build->hopeless)
    return refuse (error,
                   _ ("the network gives every picture an embedding of length "
                      "0, so there is nothing to explain: it collapsed, or "
                      "another tensor is its embedding (\"embedding\" in "
                      "model.ini)"));
  return refuse (error, _ ("none of the pictures could be read"));
}

gboolean
cam_build_mine (CamBuild *build, GError **error)
{
  const CamBuildOptions *o = build->options;

  build->stage = CAM_BUILD_MINING;
  build->n_rows = cam_build_work_count (build->work, error);
  if (build->n_rows < 0)
    return FALSE;
  if (build->n_rows == 0)
    return refuse_none (build, error);
  if (! read_rows (build, error))
    return FALSE;
  build->digests = cam_build_work_digests (build->work, error);
  if (build->digests == NULL || ! check_alike (build, error))
    return FALSE;
  build->triplets = cam_build_label (o, build->ids, build->n_rows, error);
  if (build->triplets == NULL)
    return FALSE;
  return o->mining == CAM_MINING_RANDOM || ! cam_score_has_negative (o->score)
         || mine (build, error);
}
