/* kmeans.h -- spherical k-means: which embeddings lie together
 *
 * Points are unit vectors, nearness is the cosine, a centroid is the unit
 * vector along the sum of its members (Dhillon and Modha 2001), the first
 * centroids are drawn as k-means++ does (Arthur and Vassilvitskii 2007), with
 * 1 - cosine, which is half the squared distance.  Of several restarts the one
 * with the largest sum of cosines is kept.  A cluster that runs empty, or whose
 * members cancel out, is given the point that lies farthest from its own
 * centroid.
 *
 * Products are made in tiles that the work fixes, sums run in the order of the
 * points: the result does not depend on the number of threads.
 */
#pragma once

#include <gio/gio.h>
#include "core/base/threads.h"

typedef struct
{
  int n_clusters;     /* wanted; fewer come out where fewer points differ */
  int restarts;       /* 1 or more */
  int max_iterations; /* a restart */
  guint64 seed;
  const float *initial; /* NULL, or [n_clusters, dim] unit rows: one run from
                           these, no seeding, no restarts */
  CamThreads *threads;  /* may be NULL */
} CamKMeansOptions;

typedef struct
{
  int n_clusters, dim;
  gsize n_points;
  float *centroids;  /* [n_clusters, dim], unit rows */
  int *assignment;   /* [n_points]; ties go to the lower cluster */
  float *similarity; /* [n_points]: cosine to the own centroid */
  int *sizes;        /* [n_clusters], none is 0 */
  double objective;  /* sum of similarity */
  int iterations;    /* of the restart that was kept */
} CamKMeans;

/* @points: [n_points, dim], unit rows; a row of zeros is nearest to nothing and
 * goes to cluster 0.  Memory: n_points floats and ints besides the points, and
 * a tile a thread.  NULL with an error where memory is short or @cancellable
 * ended it.  (transfer full) */
CamKMeans *cam_kmeans_new (const float *points, gsize n_points, int dim,
                           const CamKMeansOptions *options,
                           GCancellable *cancellable, GError **error);
void cam_kmeans_free (CamKMeans *kmeans);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamKMeans, cam_kmeans_free)
