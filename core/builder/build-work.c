/* build-work.c -- OUT.partial: what a build knows so far */
#include "core/builder/build-work.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <inttypes.h>
#include <string.h>

#include "core/builder/build-settings.h"
#include "core/builder/skip-reason.h"
#include "core/database/db-writer.h"
#include "core/database/file-lock.h"
#include "core/database/schema.h"

#define APPLICATION_ID 0x43614c77 /* "CaLw" */
#define COMMIT_AFTER (2 * G_USEC_PER_SEC)

static const char schema[] =
    "CREATE TABLE setting (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE source (id INTEGER PRIMARY KEY, path TEXT NOT NULL,"
    " label TEXT, value REAL);"
    "CREATE TABLE trial (picture INTEGER, layer TEXT, insertion REAL NOT NULL,"
    " deletion REAL NOT NULL, PRIMARY KEY (picture, layer)) WITHOUT ROWID;"
    "CREATE TABLE seen (id INTEGER PRIMARY KEY, digest TEXT, embedding BLOB,"
    " reason TEXT, size INTEGER, mtime INTEGER, ctime INTEGER);"
    "CREATE TABLE weighed (id INTEGER PRIMARY KEY, triplets INTEGER NOT NULL,"
    " semi_hard INTEGER NOT NULL, active INTEGER NOT NULL,"
    " below INTEGER NOT NULL, weights BLOB);";

struct _CamBuildWork
{
  char *path;
  CamFileLock *lock;
  CamSql *sql;
  CamStatement *add_seen, *add_weighed;
  GHashTable *told; /* picture number -> why this run skipped it */
  gint64 committed; /* monotonic time */
};

/* FALSE where the query fails, which is not to say that there is nothing. */
static gboolean
ask (CamSql *sql, const char *text, gint64 *number, GError **error)
{
  g_autoptr (CamStatement) row = cam_sql_row (sql, error, text, "");

  *number = row != NULL ? sqlite3_column_int64 (row, 0) : 0;
  return row != NULL;
}

/* What is only told: 0 where the query fails. */
static gint64
number (CamSql *sql, const char *text)
{
  gint64 n;

  ask (sql, text, &n, NULL);
  return n;
}

static gboolean
begin (CamBuildWork *work, const CamBuildOptions *options, GError **error)
{
  g_autofree char *setup = g_strdup_printf (
      "PRAGMA synchronous = NORMAL; BEGIN; PRAGMA application_id = %d; %s",
      APPLICATION_ID, schema);

  return cam_sql_exec (work->sql, setup, error)
         && cam_build_settings_write (work->sql, options, error)
         && cam_sql_exec (work->sql, "COMMIT", error);
}

/* How much is there that a new build would throw away? */
static gboolean
count_work (CamSql *sql, gint64 *n, GError **error)
{
  gint64 trials;

  if (! ask (sql, "SELECT count (*) FROM trial", &trials, error)
      || ! ask (sql, "SELECT count (embedding) FROM seen", n, error))
    return FALSE;
  *n += trials;
  return TRUE;
}

static gboolean
refuse_leftover (CamSql *sql, const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("%s holds an interrupted build (%d of %d pictures embedded): "
                  "go on with it with --resume, or begin again with --restart"),
               name, (int) number (sql, "SELECT count (*) FROM seen"),
               (int) number (sql, "SELECT count (*) FROM source"));
  return FALSE;
}

static gboolean
refuse_foreign (CamBuildWork *work, GError **error)
{
  g_autofree char *name = g_filename_display_name (work->path);

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("%s is there and is no interrupted build: move it away, or "
                  "choose another name for the database"),
               name);
  return FALSE;
}

static gboolean
begin_anew (CamBuildWork *work, const CamBuildOptions *options, GError **error)
{
  g_clear_pointer (&work->sql, cam_sql_close);
  if (! cam_file_lock_clear (work->lock, error))
    return FALSE;
  work->sql = cam_sql_open_exclusive (work->path, TRUE, error);
  return work->sql != NULL && begin (work, options, error);
}

/* An empty file, or one whose first commit did not come about, is begun anew;
 * but none that could not be asked. */
static gboolean
begin_or_resume (CamBuildWork *work, const CamBuildOptions *options,
                 GError **error)
{
  g_autoptr (GError) reason = NULL;
  gint64 id, n;
  GStatBuf st;

  if (options->restart)
    return begin_anew (work, options, error);
  if (! ask (work->sql, "PRAGMA application_id", &id, &reason))
    {
      if (sqlite3_errcode (work->sql) == SQLITE_NOTADB)
        return refuse_foreign (work, error);
      g_propagate_error (error, g_steal_pointer (&reason));
      return FALSE;
    }
  if (id == APPLICATION_ID && options->resume)
    return cam_build_settings_check (work->sql, options, error);
  if (id == APPLICATION_ID)
    return count_work (work->sql, &n, error)
           && (n > 0 ? refuse_leftover (work->sql, work->path, error)
                     : begin_anew (work, options, error));
  if (! ask (work->sql, "SELECT count (*) FROM sqlite_schema", &n, error))
    return FALSE;
  if (n > 0 || (g_stat (work->path, &st) == 0 && st.st_size > 4096))
    return refuse_foreign (work, error);
  return begin (work, options, error);
}

static gboolean
prepare (CamBuildWork *work, GError **error)
{
  work->add_seen =
      cam_sql_prepare (work->sql,
                       "INSERT OR REPLACE INTO seen (id, digest, embedding,"
                       " reason, size, mtime, ctime)"
                       " VALUES (?, ?, ?, ?, ?, ?, ?)",
                       error);
  if (work->add_seen == NULL)
    return FALSE;
  work->add_weighed = cam_sql_prepare (work->sql,
                                       "INSERT OR REPLACE INTO weighed VALUES "
                                       "(?, ?, ?, ?, ?, ?)",
                                       error);
  work->committed = g_get_monotonic_time ();
  return work->add_weighed != NULL && cam_sql_exec (work->sql, "BEGIN", error);
}

CamBuildWork *
cam_build_work_new (const char *out, const CamBuildOptions *options,
                    GError **error)
{
  g_autoptr (CamBuildWork) work = g_new0 (CamBuildWork, 1);

  work->path = g_strconcat (out, ".partial", NULL);
  work->told = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  work->lock = cam_file_lock_new (work->path, error);
  if (work->lock == NULL)
    return NULL;
  work->sql = cam_sql_open_exclusive (work->path, TRUE, error);
  if (work->sql == NULL || ! begin_or_resume (work, options, error)
      || ! prepare (work, error))
    return NULL;
  return g_steal_pointer (&work);
}

gboolean
cam_build_may_begin (const char *out, const CamBuildOptions *options,
                     GError **error)
{
  g_autofree char *partial = g_strconcat (out, ".partial", NULL);
  g_autoptr (CamFileLock) lock = NULL;
  g_autoptr (CamSql) sql = NULL;
  gint64 n;

  if (! cam_db_may_appear (out, error))
    return FALSE;
  if (! g_file_test (partial, G_FILE_TEST_EXISTS))
    return TRUE;
  lock = cam_file_lock_new (partial, error);
  if (lock == NULL)
    return FALSE;
  if (options->resume || options->restart)
    return TRUE;
  sql = cam_sql_open_untrusted (partial, NULL);
  return sql == NULL || number (sql, "PRAGMA application_id") != APPLICATION_ID
         || ! count_work (sql, &n, NULL) || n == 0
         || refuse_leftover (sql, partial, error);
}

static void
close_sql (CamBuildWork *work)
{
  g_clear_pointer (&work->add_seen, cam_statement_free);
  g_clear_pointer (&work->add_weighed, cam_statement_free);
  g_clear_pointer (&work->sql, cam_sql_close);
}

void
cam_build_work_free (CamBuildWork *work)
{
  if (work == NULL)
    return;
  if (work->sql != NULL)
    cam_sql_exec (work->sql, "COMMIT", NULL);
  close_sql (work);
  cam_file_lock_free (work->lock);
  g_hash_table_unref (work->told);
  g_free (work->path);
  g_free (work);
}

gboolean
cam_build_work_layer (CamBuildWork *work, char **layer, char **choice)
{
  *layer = cam_build_setting (work->sql, "layer");
  *choice = cam_build_setting (work->sql, "layer_choice");
  return *layer != NULL;
}

gboolean
cam_build_work_set_layer (CamBuildWork *work, const char *layer,
                          const char *choice, GError **error)
{
  return cam_build_setting_set (work->sql, "layer", layer, error)
         && (choice == NULL
             || cam_build_setting_set (work->sql, "layer_choice", choice,
                                       error))
         && cam_build_work_commit (work, TRUE, error);
}

gboolean
cam_build_work_set_sample (CamBuildWork *work, const char *sample,
                           GError **error)
{
  g_autofree char *was = cam_build_setting (work->sql, "sample");

  return g_strcmp0 (was, sample) == 0
         || (cam_sql_exec (work->sql, "DELETE FROM trial", error)
             && cam_build_setting_set (work->sql, "sample", sample, error));
}

gboolean
cam_build_work_find_trial (CamBuildWork *work, int picture, const char *layer,
                           CamFaithfulness *areas)
{
  g_autoptr (CamStatement) row = cam_sql_row (work->sql, NULL,
                                              "SELECT insertion, deletion FROM"
                                              " trial WHERE picture = ? AND"
                                              " layer = ?",
                                              "it", picture, layer);

  if (row == NULL)
    return FALSE;
  areas->insertion = sqlite3_column_double (row, 0);
  areas->deletion = sqlite3_column_double (row, 1);
  return TRUE;
}

gboolean
cam_build_work_add_trial (CamBuildWork *work, int picture, const char *layer,
                          const CamFaithfulness *areas, GError **error)
{
  return cam_sql_run (work->sql, error,
                      "INSERT OR REPLACE INTO trial VALUES (?, ?, ?, ?)",
                      "itdd", picture, layer, areas->insertion,
                      areas->deletion);
}

static gboolean
mark (CamSql *sql, const char *text, int n, gboolean *marks, GError **error)
{
  g_autoptr (CamStatement) select = cam_sql_prepare (sql, text, error);
  int status, id;

  if (select == NULL)
    return FALSE;
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    {
      if (! cam_column_count (select, 0, 0, n - 1, &id, error))
        return FALSE;
      marks[id] = TRUE;
    }
  return status == SQLITE_DONE;
}

gboolean
cam_build_work_done (CamBuildWork *work, int n_pictures, gboolean *seen,
                     gboolean *weighed, GError **error)
{
  return mark (work->sql, "SELECT id FROM seen JOIN source USING (id)",
               n_pictures, seen, error)
         && mark (work->sql, "SELECT id FROM weighed JOIN source USING (id)",
                  n_pictures, weighed, error);
}

CamSql *
cam_build_work_sql (CamBuildWork *work)
{
  return work->sql;
}

static void
bind_stamp (CamStatement *add_seen, const CamFileStamp *stamp)
{
  sqlite3_bind_int64 (add_seen, 5, stamp->size);
  sqlite3_bind_int64 (add_seen, 6, stamp->mtime);
  sqlite3_bind_int64 (add_seen, 7, stamp->ctime);
}

gboolean
cam_build_work_add_seen (CamBuildWork *work, int picture,
                         const CamFileStamp *stamp, const char *digest,
                         const float *embedding, int dim, GError **error)
{
  bind_stamp (work->add_seen, stamp);
  sqlite3_bind_int (work->add_seen, 1, picture);
  cam_bind_text (work->add_seen, 2, digest);
  cam_bind_floats (work->add_seen, 3, embedding, dim);
  return cam_statement_run (work->add_seen, error);
}

gboolean
cam_build_work_add_skipped (CamBuildWork *work, int picture,
                            const CamFileStamp *stamp, const GError *why,
                            GError **error)
{
  bind_stamp (work->add_seen, stamp);
  g_hash_table_insert (work->told, GINT_TO_POINTER (picture),
                       g_strdup (why->message));
  sqlite3_bind_int (work->add_seen, 1, picture);
  cam_bind_text (work->add_seen, 4, cam_skip_reason_word (why));
  return cam_statement_run (work->add_seen, error);
}

gboolean
cam_build_work_add_weighed (CamBuildWork *work, int picture,
                            const CamTripletCounts *counts, gsize n_below,
                            const float *weights, int n_channels,
                            GError **error)
{
  CamStatement *s = work->add_weighed;

  sqlite3_bind_int (s, 1, picture);
  sqlite3_bind_int (s, 2, counts->n);
  sqlite3_bind_int (s, 3, counts->semi_hard);
  sqlite3_bind_int (s, 4, counts->active);
  sqlite3_bind_int64 (s, 5, (gint64) n_below);
  cam_bind_floats (s, 6, weights, n_channels);
  return cam_statement_run (s, error);
}

gboolean
cam_build_work_commit (CamBuildWork *work, gboolean now, GError **error)
{
  gint64 time = g_get_monotonic_time ();

  if (! now && time - work->committed < COMMIT_AFTER)
    return TRUE;
  work->committed = time;
  return cam_sql_exec (work->sql, "COMMIT; BEGIN", error);
}

int
cam_build_work_count (CamBuildWork *work, GError **error)
{
  g_autoptr (CamStatement) row = cam_sql_row (work->sql, error,
                                              "SELECT count (embedding)"
                                              " FROM seen",
                                              "");

  return row != NULL ? sqlite3_column_int (row, 0) : -1;
}

gboolean
cam_build_work_all_zero (CamBuildWork *work)
{
  return number (work->sql, "SELECT count (*) FROM seen") > 0
         && number (work->sql, "SELECT count (*) FROM seen WHERE reason"
                               " IS NOT '" CAM_SKIP_ZERO "'")
                == 0;
}

gboolean
cam_build_work_embeddings (CamBuildWork *work, int n, int dim, int n_pictures,
                           int *pictures, float *rows, GError **error)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (work->sql,
                                "SELECT id, embedding FROM seen WHERE "
                                "embedding IS NOT NULL ORDER BY id",
                                error);

  if (select == NULL)
    return FALSE;
  for (int i = 0; i < n; i++)
    {
      int status = cam_statement_step (select, error);

      if (status == SQLITE_DONE)
        cam_sql_malformed (work->sql, error, _ ("picture %d is missing"), i);
      if (status != SQLITE_ROW
          || ! cam_column_floats (select, 1, dim, rows + (gsize) i * dim, error)
          || ! cam_column_count (select, 0, i > 0 ? pictures[i - 1] + 1 : 0,
                                 n_pictures - 1, &pictures[i], error))
        return FALSE;
    }
  return TRUE;
}

GHashTable *
cam_build_work_digests (CamBuildWork *work, GError **error)
{
  g_autoptr (GHashTable)
      digests = g_hash_table_new_full (NULL, NULL, NULL, g_free);
  g_autoptr (CamStatement) select =
      cam_sql_prepare (work->sql,
                       "SELECT id, digest FROM seen WHERE digest IS NOT NULL",
                       error);
  int status = -1;

  if (select == NULL)
    return NULL;
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    g_hash_table_insert (digests,
                         GINT_TO_POINTER (sqlite3_column_int (select, 0)),
                         cam_column_text (select, 1));
  return status == SQLITE_DONE ? g_steal_pointer (&digests) : NULL;
}

CamPictureRows *
cam_build_work_rows (CamBuildWork *work, int dim, int n_channels,
                     GError **error)
{
  return cam_picture_rows_new (
      work->sql,
      "SELECT source.id, path, digest, label, value, triplets, semi_hard,"
      " active, embedding, weights FROM source JOIN seen USING (id)"
      " LEFT JOIN weighed USING (id) WHERE embedding IS NOT NULL"
      " ORDER BY source.id",
      dim, n_channels, error);
}

static void
skipped_free (gpointer data)
{
  CamSkippedPicture *skipped = data;

  g_free (skipped->name);
  g_free (skipped->word);
  g_free (skipped->reason);
  g_free (skipped);
}

void
cam_build_summary_clear (CamBuildSummary *summary)
{
  g_clear_pointer (&summary->skipped, g_ptr_array_unref);
  g_clear_pointer (&summary->layer, g_free);
  g_clear_pointer (&summary->layer_choice, g_free);
  g_clear_pointer (&summary->changed, g_free);
}

gboolean
cam_build_work_summary (CamBuildWork *work, CamBuildSummary *summary,
                        GError **error)
{
  g_autoptr (CamStatement) select =
      cam_sql_prepare (work->sql,
                       "SELECT path, reason, id FROM source JOIN seen USING"
                       " (id)"
                       " WHERE embedding IS NULL ORDER BY id",
                       error);
  int status;

  if (select == NULL)
    return FALSE;
  g_clear_pointer (&summary->skipped, g_ptr_array_unref);
  summary->skipped = g_ptr_array_new_with_free_func (skipped_free);
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    {
      CamSkippedPicture *skipped = g_new (CamSkippedPicture, 1);
      int id = sqlite3_column_int (select, 2);
      const char *told = g_hash_table_lookup (work->told, GINT_TO_POINTER (id));

      skipped->name = cam_column_text (select, 0);
      skipped->word = cam_column_text (select, 1);
      skipped->reason =
          g_strdup (told != NULL ? told : cam_skip_reason_text (skipped->word));
      g_ptr_array_add (summary->skipped, skipped);
    }
  summary->n_pictures = (int) number (work->sql,
                                      "SELECT count (embedding) FROM seen");
  summary->n_alone = (int)
      number (work->sql, "SELECT count (*) FROM weighed WHERE weights IS NULL");
  summary->n_triplets = number (work->sql,
                                "SELECT total (triplets) FROM weighed");
  summary->n_semi_hard = number (work->sql,
                                 "SELECT total (semi_hard) FROM weighed");
  summary->n_active = number (work->sql, "SELECT total (active) FROM weighed");
  summary->n_below = number (work->sql, "SELECT total (below) FROM weighed");
  return status == SQLITE_DONE;
}

void
cam_build_work_remove (CamBuildWork *work)
{
  g_autofree char *journal = g_strconcat (work->path, "-journal", NULL);

  close_sql (work);
  g_unlink (work->path);
  g_unlink (journal);
}
