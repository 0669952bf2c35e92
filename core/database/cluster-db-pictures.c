/* cluster-db-pictures.c -- what a database is asked for seldom: its pictures,
 * the exemplars of a cluster, its digest
 *
 * Read when asked for, under the database's mutex, and kept where the answer
 * is lent out.
 */
#include "core/database/cluster-db-private.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/base/plain-file.h"

/* The database is constant to its users; what it reads late is under a lock. */
static CamClusterDb *
lock (const CamClusterDb *db)
{
  CamClusterDb *writable = (CamClusterDb *) db;

  g_mutex_lock (&writable->mutex);
  return writable;
}

const char *
cam_cluster_db_digest (const CamClusterDb *constant)
{
  CamClusterDb *db = lock (constant);

  if (db->digest == NULL)
    db->digest = cam_plain_file_digest (db->path, NULL);
  if (db->digest == NULL)
    db->digest = g_strdup ("");
  g_mutex_unlock (&db->mutex);
  return db->digest;
}

static gboolean
read_embedding_rows (CamClusterDb *db, CamStatement *select, GError **error)
{
  int dim = db->info.embedding_dim;
  int status;

  for (int i = 0; i < db->info.n_pictures; i++)
    {
      float *row = db->embeddings + (gsize) db->n_with_weights * dim;

      status = cam_statement_step (select, error);
      if (status == -1)
        return FALSE;
      if (status == SQLITE_DONE || sqlite3_column_int64 (select, 0) != i)
        {
          cam_sql_malformed (db->sql, error, _ ("picture %d is missing"), i);
          return FALSE;
        }
      if (sqlite3_column_int (select, 2))
        continue;
      if (! cam_column_floats (select, 1, dim, row, error))
        return FALSE;
      if (db->info.metric == CAM_METRIC_COSINE)
        cam_unit_row (row, dim);
      db->ids[db->n_with_weights++] = i;
    }
  return TRUE;
}

static gboolean
read_embeddings (CamClusterDb *db, GError **error)
{
  g_autoptr (CamStatement) select = cam_sql_prepare (
      db->sql, "SELECT id, embedding, weights IS NULL FROM picture ORDER BY id",
      error);
  gsize n = db->info.n_pictures;

  if (select == NULL)
    return FALSE;
  db->n_with_weights = 0;
  db->embeddings = g_try_new (float, n * db->info.embedding_dim);
  db->ids = g_try_new (int, n);
  if (db->embeddings != NULL && db->ids != NULL
      && read_embedding_rows (db, select, error))
    return TRUE;
  if (error != NULL && *error == NULL)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                 _ ("%s: not enough memory for the embeddings of %d pictures"),
                 db->path, db->info.n_pictures);
  g_clear_pointer (&db->embeddings, g_free);
  g_clear_pointer (&db->ids, g_free);
  return FALSE;
}

/* Row @id of picture as a statement at it; NULL with an error. */
static CamStatement *
select_row (CamClusterDb *db, const char *text, int id, GError **error)
{
  g_autoptr (CamStatement) select = cam_sql_prepare (db->sql, text, error);
  int status;

  if (select == NULL)
    return NULL;
  sqlite3_bind_int (select, 1, id);
  status = cam_statement_step (select, error);
  if (status == SQLITE_ROW)
    return g_steal_pointer (&select);
  if (status == SQLITE_DONE)
    cam_sql_malformed (db->sql, error, _ ("picture %d is missing"), id);
  return NULL;
}

static const float *
weights_of_picture (CamClusterDb *db, int id, GError **error)
{
  float *weights = g_hash_table_lookup (db->picture_weights,
                                        GINT_TO_POINTER (id));
  g_autoptr (CamStatement) select = NULL;

  if (weights != NULL)
    return weights;
  select = select_row (db, "SELECT weights FROM picture WHERE id = ?", id,
                       error);
  if (select == NULL)
    return NULL;
  weights = g_new (float, db->info.n_channels);
  if (! cam_column_floats (select, 0, db->info.n_channels, weights, error))
    {
      g_free (weights);
      return NULL;
    }
  g_hash_table_insert (db->picture_weights, GINT_TO_POINTER (id), weights);
  return weights;
}

static gboolean
find_neighbour (CamClusterDb *db, const float *embedding,
                CamClusterMatch *match, GError **error)
{
  if (db->embeddings == NULL && ! read_embeddings (db, error))
    return FALSE;
  if (db->n_with_weights == 0)
    {
      cam_sql_malformed (db->sql, error,
                         _ ("no picture of it has channel weights"));
      return FALSE;
    }
  cam_cluster_db_nearest (db, db->embeddings, db->n_with_weights, embedding,
                          match);
  match->index = db->ids[match->index];
  match->weights = weights_of_picture (db, match->index, error);
  return match->weights != NULL;
}

gboolean
cam_cluster_db_find_neighbour (const CamClusterDb *constant,
                               const float *embedding, CamClusterMatch *match,
                               GError **error)
{
  g_autofree char *name = g_filename_display_name (constant->path);
  CamClusterDb *db;
  gboolean found;

  if (constant->info.n_pictures == 0)
    {
      g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_COMPACT,
                   _ ("%s is compact: it holds clusters and no pictures, so "
                      "there is no nearest picture; use cluster transfer, or "
                      "build it without --compact"),
                   name);
      return FALSE;
    }
  db = lock (constant);
  found = find_neighbour (db, embedding, match, error);
  g_mutex_unlock (&db->mutex);
  return found;
}

/* Columns 0 path, 1 label, 2 thumbnail */
static CamExemplar *
exemplar_of_row (CamStatement *select)
{
  CamExemplar *exemplar = g_new0 (CamExemplar, 1);
  int n;

  exemplar->name = cam_column_text (select, 0);
  exemplar->label = cam_column_text (select, 1);
  n = sqlite3_column_bytes (select, 2);
  if (sqlite3_column_type (select, 2) == SQLITE_BLOB && n > 0)
    exemplar->thumbnail = g_bytes_new (sqlite3_column_blob (select, 2), n);
  return exemplar;
}

void
cam_exemplar_free (CamExemplar *exemplar)
{
  if (exemplar == NULL)
    return;
  g_free (exemplar->name);
  g_free (exemplar->label);
  g_clear_pointer (&exemplar->thumbnail, g_bytes_unref);
  g_free (exemplar);
}

CamExemplar *
cam_cluster_db_picture (const CamClusterDb *constant, int index, GError **error)
{
  CamClusterDb *db = lock (constant);
  g_autoptr (CamStatement) select =
      select_row (db,
                  "SELECT path, label, (SELECT thumbnail FROM exemplar WHERE"
                  " exemplar.picture = picture.id) FROM picture WHERE id = ?",
                  index, error);
  CamExemplar *exemplar = select != NULL ? exemplar_of_row (select) : NULL;

  g_clear_pointer (&select, cam_statement_free);
  g_mutex_unlock (&db->mutex);
  return exemplar;
}

static void
clear_label (gpointer label)
{
  g_free (((CamLabelCount *) label)->label);
}

void
cam_cluster_free (CamCluster *cluster)
{
  if (cluster == NULL)
    return;
  g_array_unref (cluster->labels);
  g_ptr_array_unref (cluster->exemplars);
  g_free (cluster);
}

static gboolean
read_labels (CamClusterDb *db, int id, GArray *labels, GError **error)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (db->sql,
                                "SELECT label, count FROM cluster_label WHERE "
                                "cluster = ?"
                                " ORDER BY count DESC, id LIMIT 100000",
                                error);
  int status = -1;

  if (select == NULL)
    return FALSE;
  sqlite3_bind_int (select, 1, id);
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    {
      CamLabelCount label;

      if (! cam_column_count (select, 1, 0, G_MAXINT, &label.count, error))
        return FALSE;
      label.label = cam_column_text (select, 0);
      if (label.label == NULL)
        label.label = g_strdup ("");
      g_array_append_val (labels, label);
    }
  return status == SQLITE_DONE;
}

static gboolean
read_exemplars (CamClusterDb *db, int id, GPtrArray *exemplars, GError **error)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (db->sql,
                                "SELECT path, label, thumbnail FROM exemplar "
                                "WHERE cluster = ?"
                                " ORDER BY id LIMIT 1000",
                                error);
  int status = -1;

  if (select == NULL)
    return FALSE;
  sqlite3_bind_int (select, 1, id);
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    g_ptr_array_add (exemplars, exemplar_of_row (select));
  return status == SQLITE_DONE;
}

CamCluster *
cam_cluster_db_cluster (const CamClusterDb *constant, int id, GError **error)
{
  g_autoptr (CamCluster) cluster = g_new0 (CamCluster, 1);
  CamClusterDb *db;
  gboolean good;

  cluster->labels = g_array_new (FALSE, FALSE, sizeof (CamLabelCount));
  g_array_set_clear_func (cluster->labels, clear_label);
  cluster->exemplars =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_exemplar_free);
  g_return_val_if_fail (id >= 0 && id < constant->info.n_clusters, NULL);
  db = lock (constant);
  cluster->n_members = db->sizes[id];
  cluster->lent_from = db->lent_from[id];
  good = read_labels (db, id, cluster->labels, error)
         && read_exemplars (db, id, cluster->exemplars, error);
  g_mutex_unlock (&db->mutex);
  return good ? g_steal_pointer (&cluster) : NULL;
}
