/* db-verify.c -- is a cluster database whole, and does it agree with itself? */
#include "core/database/db-verify.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/database/cluster-db-private.h"

/* Sums of float32 rows in another order and precision than the builder's. */
#define TOLERANCE 1e-4

typedef struct
{
  CamClusterDb *db;
  float *embedding, *weights; /* of the picture at hand */
  double *sums;               /* [n_clusters, n_channels] */
  int *members, *weighted;    /* [n_clusters] */
  float *first;               /* unit embedding of picture 0 */
  char *first_digest;
  gboolean differ, files_differ; /* some picture's, from picture 0's */
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
  g_free (check->first);
  g_free (check->first_digest);
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

/* What holds for every row of a query, whatever its order */
static gboolean
check_rows (const Check *check, const char *text,
            gboolean (*check_row) (const Check *check, CamStatement *row,
                                   GError **error),
            GError **error)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (check->db->sql, text, error);
  int status;

  if (select == NULL)
    return FALSE;
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    if (! check_row (check, select, error))
      return FALSE;
  return status == SQLITE_DONE;
}

/* Columns: far_distance, as it was written, which reading may have changed.  A
 * database that was built has none where it is not known; -1 is what imported
 * ones had. */
static gboolean
check_bound (const Check *check, CamStatement *row, GError **error)
{
  const CamClusterDbInfo *info = &check->db->info;
  g_autofree char *text = cam_column_text (row, 0);
  double bound = g_ascii_strtod (text != NULL ? text : "", NULL);

  if ((bound >= 0 && bound <= (info->metric == CAM_METRIC_COSINE ? 2 : 1))
      || (bound == -1 && info->method == NULL))
    return TRUE;
  cam_sql_malformed (check->db->sql, error,
                     _ ("info \"%s\" cannot be \"%.40s\""), "far_distance",
                     text != NULL ? text : "");
  return FALSE;
}

static gboolean
check_info (const Check *check, GError **error)
{
  const CamClusterDbInfo *info = &check->db->info;
  const struct
  {
    const char *key;
    gboolean good;
    double value;
  } claims[] = {
    { "margin", info->margin >= 0 && info->margin <= 4, info->margin },
    { "eps", info->eps >= 0 && info->eps <= 1, info->eps },
    { "clusters_wanted",
      info->n_wanted == 0 || info->n_wanted >= info->n_clusters,
      info->n_wanted },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (claims); i++)
    if (! claims[i].good)
      {
        char value[G_ASCII_DTOSTR_BUF_SIZE];

        cam_sql_malformed (check->db->sql, error,
                           _ ("info \"%s\" cannot be \"%.40s\""), claims[i].key,
                           g_ascii_dtostr (value, sizeof value,
                                           claims[i].value));
        return FALSE;
      }
  return check_rows (check, "SELECT value FROM info WHERE key = 'far_distance'",
                     check_bound, error);
}

static gboolean
agrees_with_picture (const Check *check, CamStatement *row, GError **error)
{
  if (cam_column_is_null (row, 3)
      || (sqlite3_column_int64 (row, 0) == sqlite3_column_int64 (row, 3)
          && fabs (sqlite3_column_double (row, 2)
                   - sqlite3_column_double (row, 4))
                 < TOLERANCE))
    return TRUE;
  cam_sql_malformed (check->db->sql, error,
                     _ ("picture %d is an exemplar of a cluster, or at a "
                        "distance, that is not its own"),
                     sqlite3_column_int (row, 1));
  return FALSE;
}

/* Columns: cluster, picture, similarity, and the picture's own of the first and
 * the last */
static gboolean
check_exemplar (const Check *check, CamStatement *row, GError **error)
{
  const CamClusterDbInfo *info = &check->db->info;
  int most = info->n_pictures > 0 ? info->n_pictures - 1 : G_MAXINT;
  int number;
  double similarity;

  return cam_column_count (row, 0, 0, info->n_clusters - 1, &number, error)
         && (cam_column_is_null (row, 1)
             || cam_column_count (row, 1, 0, most, &number, error))
         && cam_column_number (row, 2, -1 - TOLERANCE, 1 + TOLERANCE,
                               &similarity, error)
         && agrees_with_picture (check, row, error);
}

/* Columns: cluster, count */
static gboolean
check_label (const Check *check, CamStatement *row, GError **error)
{
  int number;

  return cam_column_count (row, 0, 0, check->db->info.n_clusters - 1, &number,
                           error)
         && cam_column_count (row, 1, 0, G_MAXINT, &number, error);
}

/* Columns: 5 triplets, 6 semi_hard, 7 active, 8 value */
static gboolean
check_counts (const Check *check, CamStatement *row, GError **error)
{
  int triplets, active, semi_hard;
  double value;

  return cam_column_count (row, 5, 0, check->db->info.triplets, &triplets,
                           error)
         && cam_column_count (row, 7, 0, triplets, &active, error)
         && cam_column_count (row, 6, 0, active, &semi_hard, error)
         && (cam_column_is_null (row, 8)
             || cam_column_number (row, 8, -G_MAXDOUBLE, G_MAXDOUBLE, &value,
                                   error));
}

/* Do the embeddings differ, and do the files? */
static void
compare_to_first (Check *check, CamStatement *row, int i)
{
  int dim = check->db->info.embedding_dim;
  g_autofree float *unit = g_memdup2 (check->embedding, dim * sizeof (float));
  g_autofree char *digest = cam_column_text (row, 9);

  cam_unit_row (unit, dim);
  if (i == 0)
    {
      check->first = g_steal_pointer (&unit);
      check->first_digest = g_steal_pointer (&digest);
      return;
    }
  check->differ = check->differ || ! cam_rows_same (unit, check->first, dim);
  check->files_differ = check->files_differ || digest == NULL
                        || g_strcmp0 (digest, check->first_digest) != 0;
}

/* Columns: id, cluster, similarity, embedding, weights, and check_counts's */
static gboolean
check_picture (Check *check, CamStatement *select, int i, GError **error)
{
  CamClusterDb *db = check->db;
  int n_channels = db->info.n_channels;
  int cluster;
  double similarity;
  CamClusterMatch best, own;

  if (! cam_column_floats (select, 3, db->info.embedding_dim, check->embedding,
                           error)
      || ! cam_column_count (select, 1, 0, db->info.n_clusters - 1, &cluster,
                             error)
      || ! cam_column_number (select, 2, -2, 2, &similarity, error)
      || ! check_counts (check, select, error))
    return FALSE;
  compare_to_first (check, select, i);
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
                                "weights, triplets, semi_hard, active, value, "
                                "digest FROM picture ORDER BY id",
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
  gint64 sum = 0;

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
                     cluster, (int) MIN (sum, G_MAXINT), read->n_members);
  return FALSE;
}

/* Weights that are lent are the lender's, and the borrower has none. */
static gboolean
check_lent (const Check *check, int cluster, GError **error)
{
  const CamClusterDb *db = check->db;
  gsize n = db->info.n_channels;
  int from = db->lent_from[cluster];

  if (from < 0
      || (from != cluster && db->lent_from[from] < 0
          && check->weighted[cluster] == 0
          && memcmp (db->weights + from * n, db->weights + cluster * n,
                     n * sizeof (float))
                 == 0))
    return TRUE;
  cam_sql_malformed (db->sql, error,
                     _ ("cluster %d is said to use the weights of cluster %d, "
                        "and does not"),
                     cluster, from);
  return FALSE;
}

static gboolean
has_no_weights (const CamClusterDb *db)
{
  gsize n = (gsize) db->info.n_clusters * db->info.n_channels;

  for (gsize i = 0; i < n; i++)
    if (db->weights[i] != 0)
      return FALSE;
  return TRUE;
}

/* A whole database may still be of no use. */
static gboolean
check_use (const Check *check, GError **error)
{
  const CamClusterDb *db = check->db;
  gboolean same = db->info.n_pictures > 0
                      ? db->info.n_pictures > 1 && ! check->differ
                            && check->files_differ
                      : cam_cluster_db_is_alike (db) && has_no_weights (db);

  if (! same)
    return TRUE;
  cam_sql_malformed (db->sql, error,
                     _ ("all embeddings it was built of are the same or of "
                        "length 0, so nothing can be explained with it"));
  return FALSE;
}

static gboolean
check_clusters (const Check *check, GError **error)
{
  const CamClusterDb *db = check->db;
  gboolean compact = db->info.n_pictures == 0;

  for (int i = 0; i < db->info.n_clusters; i++)
    {
      if (! check_labels (check, i, error) || ! check_lent (check, i, error))
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
  return check_info (check, error)
         && check_rows (check, "SELECT cluster, count FROM cluster_label",
                        check_label, error)
         && check_rows (check,
                        "SELECT exemplar.cluster, picture, exemplar.similarity,"
                        " picture.cluster, picture.similarity FROM exemplar"
                        " LEFT JOIN picture ON picture.id = exemplar.picture",
                        check_exemplar, error)
         && check_pictures (check, cancellable, error)
         && check_clusters (check, error) && check_use (check, error);
}
