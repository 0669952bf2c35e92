/* build-changed.c -- has a picture changed since a build looked at it? */
#include "core/builder/build-changed.h"

#include <glib/gstdio.h>
#include <string.h>

#include "core/base/plain-file.h"
#include "core/builder/skip-reason.h"
#include "core/database/cluster-db-private.h"

CamFileStamp
cam_build_stamp (const char *path)
{
  GStatBuf st;

  if (g_stat (path, &st) != 0)
    return (CamFileStamp) { 0 };
  return (CamFileStamp) {
    st.st_size,
    (gint64) st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec,
    (gint64) st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec,
  };
}

typedef struct
{
  int picture;
  CamFileStamp now; /* before it is looked into */
  char *digest;     /* as it was; NULL: it was left out */
  gboolean changed;
} Suspect;

static void
suspect_clear (gpointer data)
{
  g_free (((Suspect *) data)->digest);
}

typedef struct
{
  const CamBuildOptions *options;
  GArray *suspects; /* of Suspect */
} Looking;

/* A file that cannot be read any more has changed, too. */
static void
look (gint64 tile, int thread, gpointer data)
{
  Looking *looking = data;
  Suspect *s = &g_array_index (looking->suspects, Suspect, tile);
  g_autofree char *now = NULL;

  if (s->digest != NULL)
    now = cam_plain_file_digest (looking->options->pictures[s->picture].path,
                                 NULL);
  s->changed = now == NULL || strcmp (now, s->digest) != 0;
}

/* Columns: id, digest, size, mtime, ctime */
static gboolean
is_as_it_was (CamStatement *row, const CamFileStamp *now)
{
  return ! cam_column_is_null (row, 2)
         && sqlite3_column_int64 (row, 2) == now->size
         && sqlite3_column_int64 (row, 3) == now->mtime
         && sqlite3_column_int64 (row, 4) == now->ctime;
}

static gboolean
list_suspects (CamBuild *build, GArray *suspects, GError **error)
{
  const CamBuildOptions *o = build->options;
  g_autoptr (CamStatement) select =
      cam_sql_prepare (cam_build_work_sql (build->work),
                       "SELECT id, digest, size, mtime, ctime FROM seen"
                       " ORDER BY id",
                       error);
  int status;

  if (select == NULL)
    return FALSE;
  while ((status = cam_statement_step (select, error)) == SQLITE_ROW)
    {
      Suspect s = { 0 };

      if (! cam_column_count (select, 0, 0, o->n_pictures - 1, &s.picture,
                              error))
        return FALSE;
      s.now = cam_build_stamp (o->pictures[s.picture].path);
      if (is_as_it_was (select, &s.now))
        continue;
      s.digest = cam_column_text (select, 1);
      g_array_append_val (suspects, s);
    }
  return status == SQLITE_DONE;
}

static gboolean
forget (CamBuild *build, const Suspect *s, GError **error)
{
  CamSql *sql = cam_build_work_sql (build->work);
  CamBuildSummary *summary = build->summary;

  if (s->digest != NULL && summary->n_changed++ == 0)
    summary->changed = g_strdup (build->options->pictures[s->picture].name);
  return cam_sql_run (sql, error,
                      "DELETE FROM setting WHERE key IN ('layer',"
                      " 'layer_choice') AND ? IN (SELECT picture FROM trial)",
                      "i", s->picture)
         && cam_sql_run (sql, error, "DELETE FROM seen WHERE id = ?", "i",
                         s->picture)
         && cam_sql_exec (sql, "DELETE FROM weighed", error);
}

/* The same content: its new times are kept, so that it is not read again. */
static gboolean
note_times (CamBuild *build, const Suspect *s, GError **error)
{
  g_autoptr (CamStatement)
      update = cam_sql_prepare (cam_build_work_sql (build->work),
                                "UPDATE seen SET size = ?, mtime = ?, ctime = ?"
                                " WHERE id = ?",
                                error);

  if (update == NULL)
    return FALSE;
  sqlite3_bind_int64 (update, 1, s->now.size);
  sqlite3_bind_int64 (update, 2, s->now.mtime);
  sqlite3_bind_int64 (update, 3, s->now.ctime);
  sqlite3_bind_int (update, 4, s->picture);
  return cam_statement_run (update, error);
}

gboolean
cam_build_forget_changed (CamBuild *build, GError **error)
{
  g_autoptr (GArray) suspects = g_array_new (FALSE, FALSE, sizeof (Suspect));
  Looking looking = { build->options, suspects };

  g_array_set_clear_func (suspects, suspect_clear);
  if (! list_suspects (build, suspects, error))
    return FALSE;
  cam_threads_run (build->threads, suspects->len, look, &looking);
  for (guint i = 0; i < suspects->len; i++)
    {
      const Suspect *s = &g_array_index (suspects, Suspect, i);

      if (! (s->changed ? forget (build, s, error)
                        : note_times (build, s, error)))
        return FALSE;
    }
  return cam_build_work_commit (build->work, TRUE, error);
}

/* What was left out may be readable now; but not what has an embedding of
 * length 0, however readable it is. */
static gboolean
are_unreadable (const CamClusterDb *db, const CamBuildOptions *o,
                GHashTable *numbers)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (db->sql, "SELECT path, reason FROM skipped",
                                NULL);

  while (select != NULL && cam_statement_step (select, NULL) == SQLITE_ROW)
    {
      g_autofree char *name = cam_column_text (select, 0);
      g_autofree char *reason = cam_column_text (select, 1);
      gpointer number;
      g_autoptr (CamTensor) input = NULL;

      if (g_strcmp0 (reason, CAM_SKIP_ZERO) == 0
          || ! g_hash_table_lookup_extended (numbers, name ? name : "", NULL,
                                             &number))
        continue;
      input = o->load (o->pictures[GPOINTER_TO_INT (number)].path, o->data,
                       NULL);
      if (input != NULL)
        return FALSE;
    }
  return select != NULL;
}

gboolean
cam_build_files_match (const CamClusterDb *db, const CamBuildOptions *o)
{
  g_autoptr (GArray) suspects = g_array_new (FALSE, FALSE, sizeof (Suspect));
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (CamThreads) threads = cam_threads_new (o->n_jobs);
  g_autoptr (CamStatement)
      select = cam_sql_prepare (db->sql, "SELECT path, digest FROM picture",
                                NULL);
  Looking looking = { o, suspects };

  g_array_set_clear_func (suspects, suspect_clear);
  for (int i = 0; i < o->n_pictures; i++)
    g_hash_table_insert (numbers, (gpointer) o->pictures[i].name,
                         GINT_TO_POINTER (i));
  while (select != NULL && cam_statement_step (select, NULL) == SQLITE_ROW)
    {
      g_autofree char *name = cam_column_text (select, 0);
      Suspect s = { .digest = cam_column_text (select, 1) };
      gpointer number;

      if (name == NULL
          || ! g_hash_table_lookup_extended (numbers, name, NULL, &number))
        {
          g_free (s.digest);
          return FALSE;
        }
      s.picture = GPOINTER_TO_INT (number);
      g_array_append_val (suspects, s);
    }
  cam_threads_run (threads, suspects->len, look, &looking);
  for (guint i = 0; i < suspects->len; i++)
    if (g_array_index (suspects, Suspect, i).changed)
      return FALSE;
  return select != NULL && are_unreadable (db, o, numbers);
}
