/* clustering.h -- pictures with embeddings and weights into a database:
 * k-means, mean weights, labels, exemplars
 */
#pragma once

#include "core/database/picture-rows.h"
#include "core/base/threads.h"

typedef struct
{
  CamPictureRows *rows;
  int n_rows;
  const CamClusterDbInfo *info; /* what is not counted here */
  int n_clusters, restarts;
  guint64 seed;
  gboolean compact;
  /* JPEG of picture @id (transfer full); NULL: none.  By any thread; may be
   * NULL. */
  GBytes *(*thumbnail) (int id, const char *path, gpointer data);
  gpointer data;
  /* Called before the database is finished, to add what was skipped. */
  gboolean (*finish) (CamDbWriter *writer, gpointer data, GError **error);
  CamThreads *threads;
} CamClustering;

typedef struct
{
  int n_clusters;
  int n_lent; /* clusters without any weights, which got the nearest's */
} CamClusteringResult;

/* Picture numbers in the database are 0, 1, 2 ... in the order of the rows. */
gboolean cam_clustering_write (const CamClustering *clustering, const char *out,
                               CamClusteringResult *result,
                               GCancellable *cancellable, GError **error);

/* The pictures of database @path clustered anew with its own seed, into @out
 * (which may be the same). */
gboolean cam_db_recluster (const char *path, const char *out, int n_clusters,
                           int restarts, CamClusteringResult *result,
                           GCancellable *cancellable, GError **error);
