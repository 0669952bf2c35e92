/* db-verify.c -- is a cluster database whole, and does it agree with itself? */
#include "core/database/db-verify.h"

#include <glib/gi18n.h>
#include <math.h>

#include "core/database/cluster-db-private.h"

/* Sums of float32 rows in another order and precision than the builder's. */
#define TOLERANCE 1e-4

typedef struct
{
  CamClusterDb *db;
  float *embedding, *weights; /* of the picture at hand */
  double *sums;               /* [n_clusters, n_channels] */
  int *members, *weighted;    /* [n_clusters] */
} Check;

static void
check_free (Check *check)
{
  g_clear_pointer (&check->db, cam_cluster_db_free);
  g_free (check->embedding);
  g_free (check->weights);
  g_free (check->sums);
  g_free (check->members);
  g_free (check->weighted);
  g_free (check);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Check, check_free)

static gboolean
check_pages (CamSql *sql, GError **error)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (sql, "PRAGMA integrity_check (1)", error);
  g_autofree char *answer = NULL;

  if (select == NULL || cam_statement_step (select, error) == -1)
    return FALSE;
  answer = cam_column_text (select, 0);
  if (g_strcmp0 (answer, "ok") == 0)
    return TRUE;
  cam_sql_malformed (sql, error, "%s", answer != NULL ? answer : _ ("damaged"));
  return FALSE;
}

/* Columns: id, cluster, similarity, embedding, weights */
static gboolean
check_picture (Check *check, CamStatement *select, int i, GError **error)
{
  CamClusterDb *db = check->db;
  int n_channels = db->info.n_channels;
  int cluster = sqlite3_column_int (select, 1);
  double similarity = sqlite3_column_double (select, 2);
  CamClusterMatch best, own;

  if (! cam_column_floats (select, 3, db->info.embedding_dim, check->embedding,
                           error))
    return FALSE;
  if (cluster < 0 || cluster >= db->info.n_clusters)
    {
      cam_sql_malformed (db->sql, error, _ ("picture %d: cluster %d is none"),
                         i, cluster);
      return FALSE;
    }
  cam_cluster_db_find (db, check->embedding, &best);
  cam_cluster_db_nearest (db,
                          db->centroids
                              + (gsize) cluster * db->info.embedding_dim,
                          1, check->embedding, &own);
  if (best.similarity > own.similarity + TOLERANCE
      || ! (fabs (own.similarity - similarity) < TOLERANCE))
    {
      cam_sql_malformed (db->sql, error,
                         _ ("picture %d lies at %g from cluster %d, not at %g "
                            "as recorded, and at %g from cluster %d"),
                         i, own.similarity, cluster, similarity,
                         best.similarity, best.index);
      return FALSE;
    }
  check->members[cluster]++;
  if (cam_column_is_null (select, 4))
    return TRUE;
  if (! cam_column_floats (select, 4, n_channels, check->weights, error))
    return FALSE;
  check->weighted[cluster]++;
  for (int k = 0; k < n_channels; k++)
    check->sums[(gsize) cluster * n_channels + k] += check->weights[k];
  return TRUE;
}

static gboolean
check_pictures (Check *check, GCancellable *cancellable, GError **error)
{
  CamClusterDb *db = check->db;
  g_autoptr (CamStatement)
      select = cam_sql_prepare (db->sql,
                                "SELECT id, cluster, similarity, embedding, "
                                "weights FROM picture"
                                " ORDER BY id",
                                error);
  int status;
  int i = 0;

  if (select == NULL)
    return FALSE;
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      if (i == db->info.n_pictures || sqlite3_column_int64 (select, 0) != i)
        break;
      if (! check_picture (check, select, i++, error))
        return FALSE;
    }
  if (status == -1)
    return FALSE;
  if (status == SQLITE_DONE && i == db->info.n_pictures)
    return TRUE;
  cam_sql_malformed (db->sql, error,
                     ngettext ("it tells of %d picture, and picture %d is "
                               "missing or one too many",
                               "it tells of %d pictures, and picture %d is "
                               "missing or one too many",
                               db->info.n_pictures),
                     db->info.n_pictures, i);
  return FALSE;
}

static gboolean
check_weights (const Check *check, int cluster, GError **error)
{
  const CamClusterDb *db = check->db;
  int n = db->info.n_channels;
  const float *weights = db->weights + (gsize) cluster * n;
  double largest = 0, error_of_mean = 0;

  for (int k = 0; k < n; k++)
    {
      double mean = check->sums[(gsize) cluster * n + k]
                    / check->weighted[cluster];

      largest = MAX (largest, fabs (mean));
      error_of_mean = MAX (error_of_mean, fabs (mean - weights[k]));
    }
  if (error_of_mean <= TOLERANCE * largest)
    return TRUE;
  cam_sql_malformed (db->sql, error,
                     _ ("cluster %d: its weights are not the mean of its "
                        "pictures' (off by %g of %g)"),
                     cluster, error_of_mean, largest);
  return FALSE;
}

static gboolean
check_labels (const Check *check, int cluster, GError **error)
{
  CamClusterDb *db = check->db;
  g_autoptr (CamCluster) read = cam_cluster_db_cluster (db, cluster, error);
  int sum = 0;

  if (read == NULL)
    return FALSE;
  for (guint i = 0; i < read->labels->len; i++)
    sum += g_array_index (read->labels, CamLabelCount, i).count;
  if (sum <= read->n_members)
    return TRUE;
  cam_sql_malformed (db->sql, error,
                     ngettext ("cluster %d: %d labels for %d picture",
                               "cluster %d: %d labels for %d pictures",
                               read->n_members),
                     cluster, sum, read->n_members);
  return FALSE;
}

static gboolean
check_clusters (const Check *check, GError **error)
{
  const CamClusterDb *db = check->db;
  gboolean compact = db->info.n_pictures == 0;

  for (int i = 0; i < db->info.n_clusters; i++)
    {
      if (! check_labels (check, i, error))
        return FALSE;
      if (compact)
        continue;
      if (check->members[i] != db->sizes[i])
        {
          cam_sql_malformed (db->sql, error,
                             ngettext ("cluster %d tells of %d picture and "
                                       "has %d",
                                       "cluster %d tells of %d pictures and "
                                       "has %d",
                                       db->sizes[i]),
                             i, db->sizes[i], check->members[i]);
          return FALSE;
        }
      if (check->weighted[i] > 0 && ! check_weights (check, i, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
cam_db_verify (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (Check) check = g_new0 (Check, 1);
  const CamClusterDbInfo *info;

  check->db = cam_cluster_db_open (path, error);
  if (check->db == NULL || ! check_pages (check->db->sql, error))
    return FALSE;
  info = cam_cluster_db_info (check->db);
  check->embedding = g_new (float, info->embedding_dim);
  check->weights = g_new (float, info->n_channels);
  check->members = g_new0 (int, info->n_clusters);
  check->weighted = g_new0 (int, info->n_clusters);
  check->sums = g_try_new0 (double,
                            (gsize) info->n_clusters * info->n_channels);
  if (check->sums == NULL)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   _ ("%s: not enough memory to verify it"), path);
      return FALSE;
    }
  return check_pictures (check, cancellable, error)
         && check_clusters (check, error);
}
