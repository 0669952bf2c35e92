/* clustering.c -- pictures with embeddings and weights into a database */
#include "core/builder/clustering.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/database/cluster-db-private.h"
#include "core/builder/exemplars.h"
#include "core/method/far-bound.h"
#include "core/method/kmeans.h"

#define MAX_ITERATIONS 100

typedef struct
{
  const CamClustering *c;
  CamDbWriter *writer;
  CamKMeans *kmeans;
  CamExemplars *exemplars;
  double *sums;   /* [n_clusters, n_channels] of weights */
  int *weighted;  /* [n_clusters] members that have weights */
  float *weights; /* [n_clusters, n_channels] */
  int *lent_from; /* [n_clusters]: whose weights they are; -1: its own */
  CamFarBound far;
  int n_lent;
} Job;

static void
job_clear (Job *job)
{
  g_clear_pointer (&job->writer, cam_db_writer_free);
  g_clear_pointer (&job->kmeans, cam_kmeans_free);
  g_clear_pointer (&job->exemplars, cam_exemplars_free);
  g_free (job->sums);
  g_free (job->weighted);
  g_free (job->weights);
  g_free (job->lent_from);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Job, job_clear)

static gboolean
short_of_memory (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                       _ ("not enough memory to cluster the embeddings"));
  return FALSE;
}

/* The next picture; FALSE with an error where there is none. */
static gboolean
next_picture (const CamClustering *c, CamDbPicture *picture, int *id,
              GError **error)
{
  int status = cam_picture_rows_next (c->rows, picture, id, error);

  if (status == 0)
    g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_MALFORMED,
                 ngettext ("there are fewer pictures than the %d it tells of",
                           "there are fewer pictures than the %d it tells of",
                           c->n_rows),
                 c->n_rows);
  return status == 1;
}

/* All embeddings at unit length, [n_rows, dim] (transfer full). */
static float *
read_points (const CamClustering *c, GError **error)
{
  int dim = c->info->embedding_dim;
  g_autofree float *points = g_try_new (float, (gsize) c->n_rows * dim);
  CamDbPicture picture;
  int id;

  if (points == NULL)
    {
      short_of_memory (error);
      return NULL;
    }
  cam_picture_rows_rewind (c->rows);
  for (int i = 0; i < c->n_rows; i++)
    {
      float *row = points + (gsize) i * dim;

      if (! next_picture (c, &picture, &id, error))
        return NULL;
      memcpy (row, picture.embedding, dim * sizeof (float));
      cam_unit_row (row, dim);
    }
  return g_steal_pointer (&points);
}

static gboolean
cluster (Job *job, GCancellable *cancellable, GError **error)
{
  const CamClustering *c = job->c;
  CamKMeansOptions options = { .n_clusters = c->n_clusters,
                               .restarts = c->restarts,
                               .max_iterations = MAX_ITERATIONS,
                               .seed = c->seed,
                               .threads = c->threads };
  g_autofree float *points = read_points (c, error);

  if (points == NULL)
    return FALSE;
  job->kmeans = cam_kmeans_new (points, c->n_rows, c->info->embedding_dim,
                                &options, cancellable, error);
  return job->kmeans != NULL
         && cam_far_bound (points, job->kmeans, &options, &job->far,
                           cancellable, error);
}

static void
add_weights (Job *job, int cluster, const float *weights)
{
  int n = job->c->info->n_channels;
  double *sum = job->sums + (gsize) cluster * n;

  job->weighted[cluster]++;
  for (int k = 0; k < n; k++)
    sum[k] += weights[k];
}

/* Second reading: pictures into the database, sums, labels, exemplars. */
static gboolean
write_pictures (Job *job, GCancellable *cancellable, GError **error)
{
  const CamClustering *c = job->c;
  CamDbPicture picture;
  int id;

  cam_picture_rows_rewind (c->rows);
  for (int i = 0; i < c->n_rows; i++)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error)
          || ! next_picture (c, &picture, &id, error))
        return FALSE;
      picture.cluster = job->kmeans->assignment[i];
      picture.similarity = job->kmeans->similarity[i];
      if (picture.weights != NULL)
        add_weights (job, picture.cluster, picture.weights);
      cam_exemplars_add (job->exemplars, i, id, &picture);
      if (! c->compact
          && ! cam_db_writer_add_picture (job->writer, &picture, error))
        return FALSE;
    }
  return TRUE;
}

/* The cluster with weights whose centroid is nearest to @cluster's; -1: no
 * cluster has any. */
static int
nearest_with_weights (const Job *job, int cluster)
{
  const CamKMeans *k = job->kmeans;
  const float *own = k->centroids + (gsize) cluster * k->dim;
  double best = -INFINITY;
  int nearest = -1;

  for (int i = 0; i < k->n_clusters; i++)
    {
      const float *other = k->centroids + (gsize) i * k->dim;
      double cosine = 0;

      if (job->weighted[i] == 0)
        continue;
      for (int d = 0; d < k->dim; d++)
        cosine += (double) own[d] * other[d];
      if (cosine <= best)
        continue;
      best = cosine;
      nearest = i;
    }
  return nearest;
}

static void
average_weights (Job *job)
{
  int n = job->c->info->n_channels;

  for (int i = 0; i < job->kmeans->n_clusters; i++)
    {
      int from = job->weighted[i] > 0 ? i : nearest_with_weights (job, i);

      job->n_lent += from != i;
      job->lent_from[i] = from != i ? from : -1;
      for (int k = 0; from >= 0 && k < n; k++)
        job->weights[(gsize) i * n + k] =
            (float) (job->sums[(gsize) from * n + k] / job->weighted[from]);
    }
}

static gboolean
write_clusters (Job *job, GError **error)
{
  const CamKMeans *k = job->kmeans;
  int n_channels = job->c->info->n_channels;

  for (int i = 0; i < k->n_clusters; i++)
    {
      g_autoptr (GArray) labels = cam_exemplars_labels (job->exemplars, i);
      CamDbCluster cluster = {
        .size = k->sizes[i],
        .centroid = k->centroids + (gsize) i * k->dim,
        .weights = job->weights + (gsize) i * n_channels,
        .labels = (const CamLabelCount *) (void *) labels->data,
        .n_labels = labels->len,
        .lent = job->lent_from[i] >= 0,
        .lent_from = job->lent_from[i],
      };

      cluster.exemplars = cam_exemplars_of (job->exemplars, i,
                                            &cluster.n_exemplars);
      if (! cam_db_writer_add_cluster (job->writer, &cluster, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
allocate (Job *job, GError **error)
{
  gsize n = job->kmeans->n_clusters;
  gsize n_channels = job->c->info->n_channels;

  job->sums = g_try_new0 (double, n * n_channels);
  job->weights = g_try_new0 (float, n * n_channels);
  job->weighted = g_try_new0 (int, n);
  job->lent_from = g_try_new0 (int, n);
  job->exemplars = cam_exemplars_new ((int) n);
  return (job->sums && job->weights && job->weighted && job->lent_from)
         || short_of_memory (error);
}

gboolean
cam_clustering_write (const CamClustering *c, const char *out,
                      CamClusteringResult *result, GCancellable *cancellable,
                      GError **error)
{
  g_auto (Job) job = { .c = c };
  CamClusterDbInfo info = *c->info;

  if (! cluster (&job, cancellable, error) || ! allocate (&job, error))
    return FALSE;
  job.writer = cam_db_writer_new (out, info.embedding_dim, info.n_channels,
                                  error);
  if (job.writer == NULL || ! write_pictures (&job, cancellable, error))
    return FALSE;
  average_weights (&job);
  if (c->thumbnail != NULL)
    cam_exemplars_load (job.exemplars, c->thumbnail, c->data, c->threads);
  info.far_distance = job.far.distance;
  info.far_way = cam_far_way_name (job.far.way);
  info.n_wanted = c->n_clusters;
  info.restarts = c->restarts;
  info.seed = c->seed;
  *result = (CamClusteringResult) { job.kmeans->n_clusters, job.n_lent };
  return write_clusters (&job, error)
         && (c->finish == NULL || c->finish (job.writer, c->data, error))
         && cam_db_writer_finish (job.writer, &info, error);
}
