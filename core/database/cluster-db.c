/* cluster-db.c -- opens a database and looks embeddings up in it
 *
 * Whatever the file says is taken for a claim: sizes are held against the size
 * of the file before memory is asked for, rows must be numbered 0, 1, 2 ... so
 * that a damaged or hostile b-tree ends a loop at its first repetition, and
 * every blob must have exactly its length.
 */
#include "core/database/cluster-db-private.h"

#include <float.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <math.h>

/* A network's float32 sums come out a few units in the last place apart, as
 * their terms are added in one order or another. */
#define SAME_UNITS 8
/* a cluster, on average, for an old bound to be corrected */
#define ENOUGH_MEMBERS 20

const char *
cam_metric_name (CamMetric metric)
{
  return metric == CAM_METRIC_EUCLIDEAN ? "euclidean" : "cosine";
}

gboolean
cam_metric_parse (const char *name, CamMetric *metric)
{
  if (g_str_equal (name, "cosine"))
    *metric = CAM_METRIC_COSINE;
  else if (g_str_equal (name, "euclidean"))
    *metric = CAM_METRIC_EUCLIDEAN;
  else
    return FALSE;
  return TRUE;
}

void
cam_unit_row (float *row, int n)
{
  double square = 0;

  for (int i = 0; i < n; i++)
    square += (double) row[i] * row[i];
  if (square <= 0)
    return;
  for (int i = 0; i < n; i++)
    row[i] = (float) (row[i] / sqrt (square));
}

/* n_clusters rows of both arrays lie in the file, so it cannot be smaller. */
static gboolean
check_claims (const CamClusterDb *db, GError **error)
{
  const CamClusterDbInfo *info = &db->info;
  guint64 row = ((guint64) info->embedding_dim + info->n_channels)
                * sizeof (float);
  guint64 pictures = (guint64) info->embedding_dim * sizeof (float);

  if (row > db->file_size / info->n_clusters
      || (info->n_pictures > 0 && pictures > db->file_size / info->n_pictures))
    {
      cam_sql_malformed (db->sql, error,
                         _ ("the file is cut short: %d clusters and %d "
                            "pictures do not fit in it"),
                         info->n_clusters, info->n_pictures);
      return FALSE;
    }
  return TRUE;
}

static gboolean
allocate (CamClusterDb *db, GError **error)
{
  const CamClusterDbInfo *info = &db->info;

  db->centroids = g_try_new (float, (gsize) info->n_clusters
                                        * info->embedding_dim);
  db->weights = g_try_new (float, (gsize) info->n_clusters * info->n_channels);
  db->sizes = g_try_new (int, info->n_clusters);
  db->lent_from = g_try_new (int, info->n_clusters);
  if (db->centroids != NULL && db->weights != NULL && db->sizes != NULL
      && db->lent_from != NULL)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               _ ("%s: not enough memory for %d clusters"), db->path,
               info->n_clusters);
  return FALSE;
}

static gboolean
read_cluster (CamClusterDb *db, CamStatement *select, int i, GError **error)
{
  const CamClusterDbInfo *info = &db->info;
  float *centroid = db->centroids + (gsize) i * info->embedding_dim;
  float *weights = db->weights + (gsize) i * info->n_channels;
  int status = cam_statement_step (select, error);

  if (status == -1)
    return FALSE;
  if (status == SQLITE_DONE || sqlite3_column_int64 (select, 0) != i)
    {
      cam_sql_malformed (db->sql, error, _ ("cluster %d is missing"), i);
      return FALSE;
    }
  db->lent_from[i] = -1;
  if (! cam_column_count (select, 1, 0, G_MAXINT, &db->sizes[i], error)
      || ! cam_column_floats (select, 2, info->embedding_dim, centroid, error)
      || ! cam_column_floats (select, 3, info->n_channels, weights, error))
    return FALSE;
  if (info->metric == CAM_METRIC_COSINE)
    cam_unit_row (centroid, info->embedding_dim);
  return TRUE;
}

static gboolean
read_clusters (CamClusterDb *db, GError **error)
{
  g_autoptr (CamStatement) select = cam_sql_prepare (
      db->sql, "SELECT id, size, centroid, weights FROM cluster ORDER BY id",
      error);
  int status;

  if (select == NULL)
    return FALSE;
  for (int i = 0; i < db->info.n_clusters; i++)
    if (! read_cluster (db, select, i, error))
      return FALSE;
  status = cam_statement_step (select, error);
  if (status == SQLITE_ROW)
    cam_sql_malformed (db->sql, error,
                       _ ("more clusters than the %d it tells of"),
                       db->info.n_clusters);
  return status == SQLITE_DONE;
}

/* Whose weights the clusters use that have none.  First databases do not say.
 */
static gboolean
read_lent (CamClusterDb *db, GError **error)
{
  g_autoptr (CamStatement) select =
      cam_sql_prepare (db->sql,
                       "SELECT cluster, source FROM lent ORDER BY cluster",
                       NULL);
  int last = db->info.n_clusters - 1, cluster, status;

  if (select == NULL)
    return TRUE;
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    if (! cam_column_count (select, 0, 0, last, &cluster, error)
        || ! cam_column_count (select, 1, 0, last, &db->lent_from[cluster],
                               error))
      return FALSE;
  return status == SQLITE_DONE;
}

/* First databases have the distance that 99 % of their own pictures do not
 * exceed, to centroids made of these pictures.  With m pictures a cluster it is
 * too small by (m + 1) / (m - 1) (the square of a mean's error is added for a
 * picture that is not in it, and taken away for one that is); with few of them
 * by more than that, so it is not used. */
static void
correct_old_bound (CamClusterDb *db)
{
  CamClusterDbInfo *info = &db->info;
  double n = 0, m;

  if (info->far_distance < 0 || info->far_way != NULL)
    return;
  for (int i = 0; i < info->n_clusters; i++)
    n += db->sizes[i];
  m = n / info->n_clusters;
  info->far_distance = m >= ENOUGH_MEMBERS
                           ? info->far_distance * (m + 1) / (m - 1)
                           : -1;
}

static gboolean
read_all (CamClusterDb *db, GError **error)
{
  GStatBuf st;

  db->sql = cam_sql_open_untrusted (db->path, error);
  if (db->sql == NULL)
    return FALSE;
  if (g_stat (db->path, &st) == 0)
    db->file_size = st.st_size;
  return cam_db_check_schema (db->sql, error)
         && cam_db_read_info (db->sql, db->strings, &db->info, error)
         && check_claims (db, error) && allocate (db, error)
         && read_clusters (db, error) && read_lent (db, error);
}

CamClusterDb *
cam_cluster_db_open (const char *path, GError **error)
{
  g_autoptr (CamClusterDb) db = g_new0 (CamClusterDb, 1);

  g_return_val_if_fail (path != NULL, NULL);
  g_mutex_init (&db->mutex);
  db->path = g_strdup (path);
  db->strings = g_string_chunk_new (1024);
  db->picture_weights = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  if (! read_all (db, error))
    return NULL;
  correct_old_bound (db);
  return g_steal_pointer (&db);
}

void
cam_cluster_db_free (CamClusterDb *db)
{
  if (db == NULL)
    return;
  cam_sql_close (db->sql);
  g_hash_table_unref (db->picture_weights);
  g_string_chunk_free (db->strings);
  g_mutex_clear (&db->mutex);
  g_free (db->centroids);
  g_free (db->weights);
  g_free (db->sizes);
  g_free (db->lent_from);
  g_free (db->embeddings);
  g_free (db->ids);
  g_free (db->digest);
  g_free (db->path);
  g_free (db);
}

const CamClusterDbInfo *
cam_cluster_db_info (const CamClusterDb *db)
{
  return &db->info;
}

const char *
cam_cluster_db_path (const CamClusterDb *db)
{
  return db->path;
}

static void
refuse_network (const CamClusterDbInfo *info, const char *name,
                const char *digest, GError **error)
{
  if (info->model_name != NULL)
    g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_OTHER_MODEL,
                 _ ("%s was built for the network \"%s\" (%.12s), not for this "
                    "one (%.12s): choose the network it was built for, or "
                    "build a database for this one"),
                 name, info->model_name, info->model_digest, digest);
  else
    g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_OTHER_MODEL,
                 _ ("%s was built for another network (%.12s), not for this "
                    "one (%.12s): choose the network it was built for, or "
                    "build a database for this one"),
                 name, info->model_digest, digest);
}

gboolean
cam_cluster_db_fits (const CamClusterDb *db, const char *model_digest,
                     int embedding_dim, int n_channels, GError **error)
{
  const CamClusterDbInfo *info = &db->info;
  g_autofree char *name = g_filename_display_name (db->path);

  if (model_digest != NULL && info->model_digest != NULL
      && ! g_str_equal (model_digest, info->model_digest))
    {
      refuse_network (info, name, model_digest, error);
      return FALSE;
    }
  if (embedding_dim == info->embedding_dim && n_channels == info->n_channels)
    return TRUE;
  g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_OTHER_MODEL,
               _ ("%s is for embeddings of %d numbers and a layer \"%s\" of %d "
                  "channels, and this network gives %d and %d: choose the "
                  "layer it was built for, or build it again"),
               name, info->embedding_dim,
               info->layer != NULL ? info->layer : "?", info->n_channels,
               embedding_dim, n_channels);
  return FALSE;
}

gboolean
cam_rows_same (const float *unit, const float *other, int n)
{
  double square = 0;

  for (int i = 0; i < n; i++)
    square += ((double) unit[i] - other[i]) * ((double) unit[i] - other[i]);
  return sqrt (square) <= SAME_UNITS * FLT_EPSILON;
}

/* Eight sums side by side: fast in plain C, and the same on every run. */
static double
dot (const float *a, const float *b, int n)
{
  float sums[8] = { 0 };
  double sum = 0;
  int i = 0;

  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; j++)
      sums[j] += a[i + j] * b[i + j];
  for (; i < n; i++)
    sum += a[i] * b[i];
  for (int j = 0; j < 8; j++)
    sum += sums[j];
  return sum;
}

/* In double: squares of numbers beyond 1e19 or below 1e-19 are no float32. */
static double
length (const float *v, int n)
{
  double square = 0;

  for (int i = 0; i < n; i++)
    square += (double) v[i] * v[i];
  return sqrt (square);
}

static double
distance (const float *a, const float *b, int n)
{
  double square = 0;

  for (int i = 0; i < n; i++)
    square += ((double) a[i] - b[i]) * ((double) a[i] - b[i]);
  return sqrt (square);
}

void
cam_cluster_db_nearest (const CamClusterDb *db, const float *rows, int n,
                        const float *embedding, CamClusterMatch *match)
{
  int dim = db->info.embedding_dim;
  gboolean cosine = db->info.metric == CAM_METRIC_COSINE;
  double norm = cosine ? length (embedding, dim) : 0;
  double best = -INFINITY, second = -INFINITY;

  *match = (CamClusterMatch) { .index = 0, .second = -1 };
  for (int i = 0; i < n; i++)
    {
      const float *row = rows + (gsize) i * dim;
      double similarity;

      if (cosine)
        similarity = norm > 0 ? dot (row, embedding, dim) / norm : 0;
      else
        similarity = 1 / (1 + distance (row, embedding, dim));
      if (similarity > best)
        {
          match->second = i > 0 ? match->index : -1;
          second = best;
          match->index = i;
          best = similarity;
        }
      else if (similarity > second)
        {
          match->second = i;
          second = similarity;
        }
    }
  match->similarity = CLAMP (best, -1, 1);
  match->second_similarity = CLAMP (second, -1, 1);
  match->far_unknown = db->info.far_distance < 0;
  match->far = ! match->far_unknown
               && 1 - match->similarity > db->info.far_distance + 1e-6;
}

void
cam_cluster_db_find (const CamClusterDb *db, const float *embedding,
                     CamClusterMatch *match)
{
  cam_cluster_db_nearest (db, db->centroids, db->info.n_clusters, embedding,
                          match);
  match->weights = db->weights + (gsize) match->index * db->info.n_channels;
}

const float *
cam_cluster_db_weights (const CamClusterDb *db, int cluster, int *n_members)
{
  g_return_val_if_fail (cluster >= 0 && cluster < db->info.n_clusters, NULL);
  if (n_members != NULL)
    *n_members = db->sizes[cluster];
  return db->weights + (gsize) cluster * db->info.n_channels;
}

gboolean
cam_cluster_db_is_alike (const CamClusterDb *db)
{
  const CamClusterDbInfo *info = &db->info;

  return info->method != NULL && info->n_clusters == 1 && info->n_wanted > 1
         && db->sizes[0] > 1;
}
