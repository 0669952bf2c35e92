/* recluster.c -- the pictures of a database clustered anew */
#include <glib/gi18n.h>
#include "core/database/cluster-db-private.h"
#include "core/builder/clustering.h"
#include "core/database/db-writer.h"

/* The old database's thumbnails are all there are. */
static GBytes *
old_thumbnail (int id, const char *path, gpointer data)
{
  CamExemplar *exemplar = cam_cluster_db_picture (data, id, NULL);
  GBytes *thumbnail = NULL;

  if (exemplar != NULL)
    thumbnail = g_steal_pointer (&exemplar->thumbnail);
  cam_exemplar_free (exemplar);
  return thumbnail;
}

static gboolean
copy_skipped (CamDbWriter *writer, gpointer data, GError **error)
{
  CamClusterDb *db = data;
  g_autoptr (CamStatement)
      select = cam_sql_prepare (db->sql,
                                "SELECT path, reason FROM skipped ORDER BY id",
                                error);
  int status = -1;

  if (select == NULL)
    return FALSE;
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    {
      g_autofree char *path = cam_column_text (select, 0);
      g_autofree char *reason = cam_column_text (select, 1);

      if (! cam_db_writer_add_skipped (writer, path ? path : "",
                                       reason ? reason : "", error))
        return FALSE;
    }
  return status == SQLITE_DONE;
}

gboolean
cam_db_recluster (const char *path, const char *out, int n_clusters,
                  int restarts, CamClusteringResult *result,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (CamClusterDb) db = cam_cluster_db_open (path, error);
  g_autoptr (CamPictureRows) rows = NULL;
  g_autoptr (CamThreads) threads = cam_threads_new (0);
  CamClustering clustering;

  if (db == NULL || ! cam_db_may_appear (out, error))
    return FALSE;
  if (db->info.n_pictures == 0)
    {
      g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_COMPACT,
                   _ ("%s is compact: it holds no pictures to cluster; build "
                      "it again without --compact"),
                   path);
      return FALSE;
    }
  rows = cam_picture_rows_new (db->sql,
                               "SELECT id, path, digest, label, value, "
                               "triplets, semi_hard, active,"
                               " embedding, weights FROM picture ORDER BY id",
                               db->info.embedding_dim, db->info.n_channels,
                               error);
  if (rows == NULL)
    return FALSE;
  clustering = (CamClustering) { .rows = rows,
                                 .n_rows = db->info.n_pictures,
                                 .info = &db->info,
                                 .n_clusters = n_clusters,
                                 .restarts = restarts,
                                 .seed = db->info.seed,
                                 .thumbnail = old_thumbnail,
                                 .data = db,
                                 .finish = copy_skipped,
                                 .threads = threads };
  return cam_clustering_write (&clustering, out, result, cancellable, error);
}
