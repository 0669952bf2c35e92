/* sql.h -- the little of SQLite that the database's parts share
 *
 * Every failure of SQLite becomes a GError of CAM_CLUSTER_DB_ERROR with the
 * file's name in it.  Blobs of float32 are little-endian in the file.
 */
#pragma once

#include <sqlite3.h>
#include "core/database/cluster-db.h"

typedef sqlite3 CamSql;
typedef sqlite3_stmt CamStatement;

/* For reading, from a file that nobody trusts: as it lies there (no journal is
 * looked for, nothing is locked or written), no views, triggers, functions of
 * the schema or memory map.  (transfer full) */
CamSql *cam_sql_open_untrusted (const char *path, GError **error);
/* For reading and writing, locked against all others until it is closed.
 * @journal FALSE: a file that is thrown away where its writing is cut short.
 * (transfer full) */
CamSql *cam_sql_open_exclusive (const char *path, gboolean journal,
                                GError **error);
/* Closes; NULL is fine. */
void cam_sql_close (CamSql *sql);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamSql, cam_sql_close)

/* Turns the last failure of @sql into an error: "FILE: what SQLite said". */
void cam_sql_error (CamSql *sql, GError **error);
/* For a file that holds what it must not: "FILE: message". */
void cam_sql_malformed (CamSql *sql, GError **error, const char *format, ...)
    G_GNUC_PRINTF (3, 4);
gboolean cam_sql_exec (CamSql *sql, const char *text, GError **error);
/* (transfer full) */
CamStatement *cam_sql_prepare (CamSql *sql, const char *text, GError **error);
void cam_statement_free (CamStatement *statement);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamStatement, cam_statement_free)
/* Runs a statement that returns no row, and makes it ready for new values. */
gboolean cam_statement_run (CamStatement *statement, GError **error);
/* SQLITE_ROW or SQLITE_DONE; -1 with an error. */
int cam_statement_step (CamStatement *statement, GError **error);

/* Both take the values of the "?" in @text, one behind the other; @kinds has a
 * letter for each: 'i' an int, 'd' a double, 't' a text (NULL binds NULL). */
gboolean cam_sql_run (CamSql *sql, GError **error, const char *text,
                      const char *kinds, ...);
/* A statement that stands at the first row (transfer full); NULL where there is
 * no row, or with an error. */
CamStatement *cam_sql_row (CamSql *sql, GError **error, const char *text,
                           const char *kinds, ...);

/* @text NULL binds NULL; borrowed until the statement has run.  Nothing is
 * copied, so that nothing can be missing for want of memory. */
void cam_bind_text (CamStatement *statement, int column, const char *text);
/* @values NULL binds NULL; borrowed in the same way. */
void cam_bind_floats (CamStatement *statement, int column, const float *values,
                      int n);
/* A column of @n float32; FALSE (MALFORMED) where it is of another size or
 * holds a NaN or an infinity. */
gboolean cam_column_floats (CamStatement *statement, int column, int n,
                            float *values, GError **error);
/* A whole number from @minimum to @maximum; FALSE (MALFORMED) where the column
 * holds anything else, of whatever type. */
gboolean cam_column_count (CamStatement *statement, int column, int minimum,
                           int maximum, int *value, GError **error);
/* A number from @minimum to @maximum, likewise. */
gboolean cam_column_number (CamStatement *statement, int column, double minimum,
                            double maximum, double *value, GError **error);
gboolean cam_column_is_null (CamStatement *statement, int column);
/* Valid UTF-8; NULL stays NULL. (transfer full) */
char *cam_column_text (CamStatement *statement, int column);
