/* db-writer.c -- writes a cluster database that appears only when it is whole
 */
#include "core/database/db-writer.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "core/base/whole-file.h"
#include "core/database/db-verify.h"
#include "core/database/file-lock.h"
#include "core/database/schema.h"

struct _CamDbWriter
{
  char *path;    /* where it will appear */
  char *working; /* where it is written  */
  CamFileLock *lock;
  CamSql *sql;
  CamStatement *add_picture, *add_skipped, *add_cluster, *add_label,
      *add_exemplar, *add_lent;
  int embedding_dim, n_channels;
  int n_pictures, n_clusters;
};

static gboolean
prepare (CamDbWriter *w, GError **error)
{
  const struct
  {
    CamStatement **statement;
    const char *text;
  } all[] = {
    { &w->add_picture, "INSERT INTO picture VALUES"
                       " (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)" },
    { &w->add_skipped, "INSERT INTO skipped VALUES (NULL, ?, ?)" },
    { &w->add_cluster, "INSERT INTO cluster VALUES (?, ?, ?, ?)" },
    { &w->add_label, "INSERT INTO cluster_label VALUES (NULL, ?, ?, ?)" },
    { &w->add_exemplar,
      "INSERT INTO exemplar VALUES (NULL, ?, ?, ?, ?, ?, ?)" },
    { &w->add_lent, "INSERT INTO lent VALUES (?, ?)" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if ((*all[i].statement = cam_sql_prepare (w->sql, all[i].text, error))
        == NULL)
      return FALSE;
  return TRUE;
}

/* No journal: a file that is cut short is never renamed, only cleared. */
static gboolean
begin (CamDbWriter *w, GError **error)
{
  g_autofree char *setup =
      g_strdup_printf ("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                       "PRAGMA application_id = %d; PRAGMA user_version = %d;"
                       "BEGIN; %s",
                       CAM_DB_APPLICATION_ID, CAM_DB_VERSION, cam_db_schema);

  w->sql = cam_sql_open_exclusive (w->working, FALSE, error);
  return w->sql != NULL && cam_sql_exec (w->sql, setup, error)
         && prepare (w, error);
}

/* By SQLite's header: its first words, and the application's number. */
static gboolean
is_ours (const char *path)
{
  guint8 header[72] = { 0 };
  FILE *file = g_fopen (path, "rbe");
  gsize n = file != NULL ? fread (header, 1, sizeof header, file) : 0;
  guint32 id;

  if (file != NULL)
    fclose (file);
  memcpy (&id, header + 68, sizeof id);
  return n == 0
         || (memcmp (header, "SQLite format 3", 16) == 0
             && GUINT32_FROM_BE (id) == CAM_DB_APPLICATION_ID);
}

gboolean
cam_db_may_appear (const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_WRITE,
                 _ ("%s is a folder: give the database a file's name"), name);
  else if (g_file_test (path, G_FILE_TEST_EXISTS)
           && (! g_file_test (path, G_FILE_TEST_IS_REGULAR)
               || ! is_ours (path)))
    g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_WRITE,
                 _ ("%s is there and is no cluster database, so it is not "
                    "written over: choose another name"),
                 name);
  else
    return cam_whole_file_check (path, error);
  return FALSE;
}

CamDbWriter *
cam_db_writer_new (const char *path, int embedding_dim, int n_channels,
                   GError **error)
{
  g_autoptr (CamDbWriter) w = g_new0 (CamDbWriter, 1);

  w->path = g_strdup (path);
  w->working = g_strconcat (path, ".new", NULL);
  w->embedding_dim = embedding_dim;
  w->n_channels = n_channels;
  if (! cam_db_may_appear (path, error))
    return NULL;
  w->lock = cam_file_lock_new (w->working, error);
  if (w->lock == NULL || ! cam_file_lock_clear (w->lock, error)
      || ! begin (w, error))
    return NULL;
  return g_steal_pointer (&w);
}

gboolean
cam_db_writer_add_picture (CamDbWriter *w, const CamDbPicture *p,
                           GError **error)
{
  CamStatement *s = w->add_picture;

  sqlite3_bind_int (s, 1, w->n_pictures++);
  cam_bind_text (s, 2, p->path);
  cam_bind_text (s, 3, p->digest);
  cam_bind_text (s, 4, p->label);
  if (p->has_value)
    sqlite3_bind_double (s, 5, p->value);
  sqlite3_bind_int (s, 6, p->cluster);
  sqlite3_bind_double (s, 7, p->similarity);
  sqlite3_bind_int (s, 8, p->triplets);
  sqlite3_bind_int (s, 9, p->semi_hard);
  sqlite3_bind_int (s, 10, p->active);
  cam_bind_floats (s, 11, p->embedding, w->embedding_dim);
  cam_bind_floats (s, 12, p->weights, w->n_channels);
  return cam_statement_run (s, error);
}

gboolean
cam_db_writer_add_skipped (CamDbWriter *w, const char *path, const char *reason,
                           GError **error)
{
  cam_bind_text (w->add_skipped, 1, path);
  cam_bind_text (w->add_skipped, 2, reason);
  return cam_statement_run (w->add_skipped, error);
}

static gboolean
add_label (CamDbWriter *w, int cluster, const CamLabelCount *label,
           GError **error)
{
  sqlite3_bind_int (w->add_label, 1, cluster);
  cam_bind_text (w->add_label, 2, label->label);
  sqlite3_bind_int (w->add_label, 3, label->count);
  return cam_statement_run (w->add_label, error);
}

static gboolean
add_exemplar (CamDbWriter *w, int cluster, const CamDbExemplar *e,
              GError **error)
{
  CamStatement *s = w->add_exemplar;

  sqlite3_bind_int (s, 1, cluster);
  if (e->picture >= 0)
    sqlite3_bind_int (s, 2, e->picture);
  cam_bind_text (s, 3, e->path);
  cam_bind_text (s, 4, e->label);
  sqlite3_bind_double (s, 5, e->similarity);
  if (e->thumbnail != NULL)
    {
      gsize n;
      gconstpointer data = g_bytes_get_data (e->thumbnail, &n);

      sqlite3_bind_blob64 (s, 6, data, n, SQLITE_STATIC);
    }
  return cam_statement_run (s, error);
}

gboolean
cam_db_writer_add_cluster (CamDbWriter *w, const CamDbCluster *c,
                           GError **error)
{
  int id = w->n_clusters++;

  sqlite3_bind_int (w->add_cluster, 1, id);
  sqlite3_bind_int (w->add_cluster, 2, c->size);
  cam_bind_floats (w->add_cluster, 3, c->centroid, w->embedding_dim);
  cam_bind_floats (w->add_cluster, 4, c->weights, w->n_channels);
  if (! cam_statement_run (w->add_cluster, error))
    return FALSE;
  for (guint i = 0; i < c->n_labels; i++)
    if (! add_label (w, id, &c->labels[i], error))
      return FALSE;
  for (guint i = 0; i < c->n_exemplars; i++)
    if (! add_exemplar (w, id, &c->exemplars[i], error))
      return FALSE;
  if (! c->lent)
    return TRUE;
  sqlite3_bind_int (w->add_lent, 1, id);
  sqlite3_bind_int (w->add_lent, 2, c->lent_from);
  return cam_statement_run (w->add_lent, error);
}

static void
close_sql (CamDbWriter *w)
{
  g_clear_pointer (&w->add_picture, cam_statement_free);
  g_clear_pointer (&w->add_skipped, cam_statement_free);
  g_clear_pointer (&w->add_cluster, cam_statement_free);
  g_clear_pointer (&w->add_label, cam_statement_free);
  g_clear_pointer (&w->add_exemplar, cam_statement_free);
  g_clear_pointer (&w->add_lent, cam_statement_free);
  g_clear_pointer (&w->sql, cam_sql_close);
}

static gboolean
refuse_write (const char *path, int code, GError **error)
{
  g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_WRITE,
               "%s: %s", path, g_strerror (code));
  return FALSE;
}

/* What is verified is what is on the disk. */
static gboolean
put_in_place (CamDbWriter *w, GError **error)
{
  int code = cam_whole_file_sync (w->working);

  if (code != 0)
    return refuse_write (w->working, code, error);
  if (! cam_db_verify (w->working, NULL, error))
    return FALSE;
  code = cam_whole_file_put (w->working, w->path);
  if (code != 0)
    return refuse_write (w->path, code, error);
  g_clear_pointer (&w->working, g_free);
  return TRUE;
}

gboolean
cam_db_writer_finish (CamDbWriter *w, const CamClusterDbInfo *info,
                      GError **error)
{
  CamClusterDbInfo whole = *info;

  whole.embedding_dim = w->embedding_dim;
  whole.n_channels = w->n_channels;
  whole.n_pictures = w->n_pictures;
  whole.n_clusters = w->n_clusters;
  if (whole.far_way == NULL)
    whole.far_way = "given";
  if (! cam_db_write_info (w->sql, &whole, error)
      || ! cam_sql_exec (w->sql, "COMMIT", error))
    return FALSE;
  close_sql (w);
  return put_in_place (w, error);
}

void
cam_db_writer_free (CamDbWriter *w)
{
  if (w == NULL)
    return;
  close_sql (w);
  if (w->working != NULL && w->lock != NULL)
    g_unlink (w->working);
  cam_file_lock_free (w->lock);
  g_free (w->working);
  g_free (w->path);
  g_free (w);
}
