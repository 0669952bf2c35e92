/* sql.c -- the little of SQLite that the database's parts share */
#include "core/database/sql.h"
#include "core/base/whole-file.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* A row larger than this is none of ours: 2^20 floats in each of two blobs. */
#define MAX_ROW_BYTES (32 << 20)

G_DEFINE_QUARK (cam - cluster - db - error - quark, cam_cluster_db_error)

static CamClusterDbError
code_of (int status)
{
  switch (status & 0xff)
    {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return CAM_CLUSTER_DB_ERROR_BUSY;
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM: return CAM_CLUSTER_DB_ERROR_WRITE;
    default: return CAM_CLUSTER_DB_ERROR_MALFORMED;
    }
}

static const char *
file_of (CamSql *sql)
{
  const char *name = sqlite3_db_filename (sql, "main");

  return name != NULL && *name != '\0' ? name : _ ("database");
}

/* SQLite's own words are English: what people meet has words of ours. */
static const char *
words_of (CamSql *sql, int status)
{
  if (sqlite3_extended_errcode (sql) == SQLITE_IOERR_WRITE
      && cam_whole_file_is_full (file_of (sql)))
    status = SQLITE_FULL;
  switch (status)
    {
    case SQLITE_FULL: return _ ("the disk is full");
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return _ ("another program is at work on this file");
    case SQLITE_NOTADB: return _ ("the file is no SQLite database");
    case SQLITE_CORRUPT: return _ ("the file is damaged");
    case SQLITE_READONLY:
    case SQLITE_PERM: return _ ("the file may not be written");
    case SQLITE_CANTOPEN: return _ ("the file cannot be opened");
    case SQLITE_IOERR: return _ ("the file cannot be read or written");
    case SQLITE_NOMEM: return _ ("there is not enough memory");
    default: return sqlite3_errmsg (sql);
    }
}

/* Where there was not even the memory for a connection, @sql is NULL. */
static void
open_error (CamSql *sql, const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  if (sql != NULL)
    cam_sql_error (sql, error);
  else
    g_set_error (error, CAM_CLUSTER_DB_ERROR, code_of (SQLITE_NOMEM), "%s: %s",
                 name, _ ("there is not enough memory"));
}

void
cam_sql_error (CamSql *sql, GError **error)
{
  int status = sqlite3_errcode (sql) & 0xff;
  g_autofree char *name = g_filename_display_name (file_of (sql));

  g_set_error (error, CAM_CLUSTER_DB_ERROR, code_of (status), "%s: %s", name,
               words_of (sql, status));
}

void
cam_sql_malformed (CamSql *sql, GError **error, const char *format, ...)
{
  g_autofree char *name = g_filename_display_name (file_of (sql));
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_MALFORMED,
               "%s: %s", name, message);
}

static void
distrust (CamSql *sql)
{
  sqlite3_db_config (sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
  sqlite3_db_config (sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
  sqlite3_db_config (sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
  sqlite3_db_config (sql, SQLITE_DBCONFIG_ENABLE_VIEW, 0, NULL);
  sqlite3_limit (sql, SQLITE_LIMIT_LENGTH, MAX_ROW_BYTES);
  sqlite3_limit (sql, SQLITE_LIMIT_COLUMN, 100);
  sqlite3_limit (sql, SQLITE_LIMIT_ATTACHED, 0);
}

/* Readable, and a file: SQLite's own message says neither, and it would wait
 * for a pipe. */
static gboolean
check_readable (const char *path, GError **error)
{
  g_autofree char *name = g_filename_display_name (path);

  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY,
                   _ ("%s is a folder, not a cluster database"), name);
      return FALSE;
    }
  if (g_file_test (path, G_FILE_TEST_EXISTS)
      && ! g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                   _ ("'%s' is not a file"), name);
      return FALSE;
    }
  if (g_access (path, R_OK) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s: %s", name,
               g_strerror (errno));
  return FALSE;
}

CamSql *
cam_sql_open_untrusted (const char *path, GError **error)
{
  g_autofree char *full = g_canonicalize_filename (path, NULL);
  g_autofree char *uri = NULL;
  g_autofree char *immutable = NULL;
  CamSql *sql = NULL;

  if (! check_readable (path, error))
    return NULL;
  uri = g_filename_to_uri (full, NULL, error);
  if (uri == NULL)
    return NULL;
  immutable = g_strconcat (uri, "?immutable=1", NULL);
  if (sqlite3_open_v2 (immutable, &sql, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI,
                       NULL)
      != SQLITE_OK)
    {
      open_error (sql, path, error);
      cam_sql_close (sql);
      return NULL;
    }
  distrust (sql);
  if (! cam_sql_exec (sql, "PRAGMA cell_size_check = 1; PRAGMA mmap_size = 0;",
                      error))
    g_clear_pointer (&sql, cam_sql_close);
  return sql;
}

CamSql *
cam_sql_open_exclusive (const char *path, gboolean journal, GError **error)
{
  CamSql *sql = NULL;

  if (sqlite3_open_v2 (path, &sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
                       NULL)
      != SQLITE_OK)
    {
      open_error (sql, path, error);
      g_clear_pointer (&sql, cam_sql_close);
      return NULL;
    }
  if (! cam_sql_exec (sql, "PRAGMA locking_mode = EXCLUSIVE;", error)
      || (! journal
          && ! cam_sql_exec (sql,
                             "PRAGMA journal_mode = OFF;"
                             "PRAGMA synchronous = OFF;",
                             error))
      || ! cam_sql_exec (sql, "BEGIN EXCLUSIVE; COMMIT;", error))
    g_clear_pointer (&sql, cam_sql_close);
  return sql;
}

void
cam_sql_close (CamSql *sql)
{
  if (sql != NULL)
    sqlite3_close_v2 (sql);
}

gboolean
cam_sql_exec (CamSql *sql, const char *text, GError **error)
{
  if (sqlite3_exec (sql, text, NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  cam_sql_error (sql, error);
  return FALSE;
}

CamStatement *
cam_sql_prepare (CamSql *sql, const char *text, GError **error)
{
  CamStatement *statement = NULL;

  if (sqlite3_prepare_v2 (sql, text, -1, &statement, NULL) == SQLITE_OK)
    return statement;
  cam_sql_error (sql, error);
  return NULL;
}

void
cam_statement_free (CamStatement *statement)
{
  sqlite3_finalize (statement);
}

int
cam_statement_step (CamStatement *statement, GError **error)
{
  int status = sqlite3_step (statement);

  if (status == SQLITE_ROW || status == SQLITE_DONE)
    return status;
  cam_sql_error (sqlite3_db_handle (statement), error);
  return -1;
}

gboolean
cam_statement_run (CamStatement *statement, GError **error)
{
  int status = cam_statement_step (statement, error);

  sqlite3_reset (statement);
  sqlite3_clear_bindings (statement);
  return status != -1;
}

void
cam_bind_text (CamStatement *statement, int column, const char *text)
{
  sqlite3_bind_text (statement, column, text, -1, SQLITE_STATIC);
}

/* cam_sql_prepare (), with values bound */
static CamStatement *
prepare_with (CamSql *sql, GError **error, const char *text, const char *kinds,
              va_list values)
{
  CamStatement *statement = cam_sql_prepare (sql, text, error);

  for (int i = 0; statement != NULL && kinds[i] != '\0'; i++)
    switch (kinds[i])
      {
      case 'i':
        sqlite3_bind_int (statement, i + 1, va_arg (values, int));
        break;
      case 'd':
        sqlite3_bind_double (statement, i + 1, va_arg (values, double));
        break;
      case 't':
        cam_bind_text (statement, i + 1, va_arg (values, const char *));
        break;
      default: g_assert_not_reached ();
      }
  return statement;
}

gboolean
cam_sql_run (CamSql *sql, GError **error, const char *text, const char *kinds,
             ...)
{
  g_autoptr (CamStatement) statement = NULL;
  va_list values;

  va_start (values, kinds);
  statement = prepare_with (sql, error, text, kinds, values);
  va_end (values);
  return statement != NULL && cam_statement_run (statement, error);
}

CamStatement *
cam_sql_row (CamSql *sql, GError **error, const char *text, const char *kinds,
             ...)
{
  g_autoptr (CamStatement) statement = NULL;
  va_list values;

  va_start (values, kinds);
  statement = prepare_with (sql, error, text, kinds, values);
  va_end (values);
  if (statement == NULL || cam_statement_step (statement, error) != SQLITE_ROW)
    return NULL;
  return g_steal_pointer (&statement);
}

/* In place: the file's order of bytes to the machine's. */
static void
swap_floats (float *values, int n)
{
#if G_BYTE_ORDER != G_LITTLE_ENDIAN
  guint32 *words = (guint32 *) values;

  for (int i = 0; i < n; i++)
    words[i] = GUINT32_SWAP_LE_BE (words[i]);
#endif
}

void
cam_bind_floats (CamStatement *statement, int column, const float *values,
                 int n)
{
  gsize bytes = (gsize) n * sizeof (float);

  if (values == NULL)
    {
      sqlite3_bind_null (statement, column);
      return;
    }
#if G_BYTE_ORDER == G_LITTLE_ENDIAN
  sqlite3_bind_blob64 (statement, column, values, bytes, SQLITE_STATIC);
#else
  float *copy = g_memdup2 (values, bytes);

  swap_floats (copy, n);
  sqlite3_bind_blob64 (statement, column, copy, bytes, g_free);
#endif
}

gboolean
cam_column_floats (CamStatement *statement, int column, int n, float *values,
                   GError **error)
{
  CamSql *sql = sqlite3_db_handle (statement);
  gconstpointer blob = sqlite3_column_blob (statement, column);
  int bytes = sqlite3_column_bytes (statement, column);

  if (sqlite3_column_type (statement, column) != SQLITE_BLOB || blob == NULL
      || (gsize) bytes != (gsize) n * sizeof (float))
    {
      cam_sql_malformed (sql, error,
                         ngettext ("column \"%s\" should hold %d float32 (%zu "
                                   "bytes) and holds %d byte",
                                   "column \"%s\" should hold %d float32 (%zu "
                                   "bytes) and holds %d bytes",
                                   bytes),
                         sqlite3_column_name (statement, column), n,
                         (gsize) n * sizeof (float), bytes);
      return FALSE;
    }
  memcpy (values, blob, bytes);
  swap_floats (values, n);
  for (int i = 0; i < n; i++)
    if (! isfinite (values[i]))
      {
        cam_sql_malformed (sql, error,
                           _ ("column \"%s\" holds no finite number"),
                           sqlite3_column_name (statement, column));
        return FALSE;
      }
  return TRUE;
}

gboolean
cam_column_count (CamStatement *statement, int column, int minimum, int maximum,
                  int *value, GError **error)
{
  gint64 number = sqlite3_column_int64 (statement, column);

  *value = (int) CLAMP (number, minimum, maximum);
  if (sqlite3_column_type (statement, column) == SQLITE_INTEGER
      && *value == number)
    return TRUE;
  cam_sql_malformed (sqlite3_db_handle (statement), error,
                     _ ("column \"%s\" should hold a whole number from %d to "
                        "%d"),
                     sqlite3_column_name (statement, column), minimum, maximum);
  return FALSE;
}

gboolean
cam_column_number (CamStatement *statement, int column, double minimum,
                   double maximum, double *value, GError **error)
{
  int type = sqlite3_column_type (statement, column);

  *value = sqlite3_column_double (statement, column);
  if ((type == SQLITE_INTEGER || type == SQLITE_FLOAT) && *value >= minimum
      && *value <= maximum)
    return TRUE;
  cam_sql_malformed (sqlite3_db_handle (statement), error,
                     _ ("column \"%s\" should hold a number from %g to %g"),
                     sqlite3_column_name (statement, column), minimum, maximum);
  return FALSE;
}

gboolean
cam_column_is_null (CamStatement *statement, int column)
{
  return sqlite3_column_type (statement, column) == SQLITE_NULL;
}

char *
cam_column_text (CamStatement *statement, int column)
{
  const char *text = (const char *) sqlite3_column_text (statement, column);
  int n = sqlite3_column_bytes (statement, column);

  return text != NULL ? g_utf8_make_valid (text, n) : NULL;
}
