/* schema.c -- the tables of a cluster database */
#include "core/database/schema.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

const char cam_db_schema[] =
    "CREATE TABLE info (key TEXT PRIMARY KEY, value TEXT NOT NULL)"
    " WITHOUT ROWID;"
    "CREATE TABLE cluster (id INTEGER PRIMARY KEY, size INTEGER NOT NULL,"
    " centroid BLOB NOT NULL, weights BLOB NOT NULL);"
    "CREATE TABLE cluster_label (id INTEGER PRIMARY KEY,"
    " cluster INTEGER NOT NULL, label TEXT NOT NULL, count INTEGER NOT NULL);"
    "CREATE INDEX cluster_label_cluster ON cluster_label (cluster);"
    "CREATE TABLE exemplar (id INTEGER PRIMARY KEY,"
    " cluster INTEGER NOT NULL, picture INTEGER, path TEXT NOT NULL,"
    " label TEXT, similarity REAL NOT NULL, thumbnail BLOB);"
    "CREATE INDEX exemplar_cluster ON exemplar (cluster);"
    "CREATE INDEX exemplar_picture ON exemplar (picture);"
    "CREATE TABLE picture (id INTEGER PRIMARY KEY, path TEXT NOT NULL,"
    " digest TEXT, label TEXT, value REAL, cluster INTEGER NOT NULL,"
    " similarity REAL NOT NULL, triplets INTEGER NOT NULL,"
    " semi_hard INTEGER NOT NULL, active INTEGER NOT NULL,"
    " embedding BLOB NOT NULL, weights BLOB);"
    "CREATE TABLE skipped (id INTEGER PRIMARY KEY, path TEXT NOT NULL,"
    " reason TEXT NOT NULL);"
    "CREATE TABLE lent (cluster INTEGER PRIMARY KEY,"
    " source INTEGER NOT NULL);";

/* One number that a query gives; -1 with an error. */
static gint64
query_number (CamSql *sql, const char *text, GError **error)
{
  g_autoptr (CamStatement) statement = cam_sql_prepare (sql, text, error);
  int status;

  if (statement == NULL)
    return -1;
  status = cam_statement_step (statement, error);
  return status == SQLITE_ROW ? sqlite3_column_int64 (statement, 0)
                              : (status == SQLITE_DONE ? 0 : -1);
}

#define LENT 6 /* in tables: first databases have none */

/* Views, triggers, virtual tables and computed columns would run what the file
 * says instead of giving what it holds. */
static gboolean
check_plain_tables (CamSql *sql, GError **error)
{
  static const char *const tables[] = { "info",     "cluster", "cluster_label",
                                        "exemplar", "picture", "skipped",
                                        "lent" };
  gint64 n = query_number (sql,
                           "SELECT count (*) FROM sqlite_schema WHERE type"
                           " NOT IN ('table', 'index') OR rootpage < 2",
                           error);

  if (n > 0)
    cam_sql_malformed (sql, error,
                       _ ("the file holds views, triggers or virtual tables, "
                          "which no cluster database has"));
  if (n != 0)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (tables); i++)
    {
      g_autofree char *text = g_strdup_printf (
          "SELECT (SELECT count (*) FROM pragma_table_xinfo ('%s')"
          " WHERE hidden <> 0) + 1000 * (SELECT count (*) <> 1 FROM"
          " sqlite_schema WHERE type = 'table' AND name = '%s')",
          tables[i], tables[i]);

      n = query_number (sql, text, error);
      if (n == 1000 && i == LENT)
        n = 0;
      if (n > 0)
        cam_sql_malformed (sql, error,
                           _ ("table \"%s\" is missing or computed"),
                           tables[i]);
      if (n != 0)
        return FALSE;
    }
  return TRUE;
}

gboolean
cam_db_check_schema (CamSql *sql, GError **error)
{
  g_autoptr (GError) local = NULL;
  gint64 id = query_number (sql, "PRAGMA application_id", &local);
  gint64 version;

  if (local != NULL || id != CAM_DB_APPLICATION_ID)
    {
      if (local != NULL)
        cam_sql_malformed (sql, error,
                           _ ("this is no cluster database of CamLens: %s"),
                           local->message);
      else
        cam_sql_malformed (sql, error,
                           _ ("this is no cluster database of CamLens"));
      return FALSE;
    }
  version = query_number (sql, "PRAGMA user_version", error);
  if (version > CAM_DB_VERSION)
    {
      g_autofree char *name =
          g_filename_display_name (sqlite3_db_filename (sql, "main"));

      g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_VERSION,
                   _ ("%s: made by a later CamLens (format %d, this one knows "
                      "%d): update CamLens or build the database again"),
                   name, (int) version, CAM_DB_VERSION);
      return FALSE;
    }
  if (version < 1)
    {
      cam_sql_malformed (sql, error, _ ("format %d is not known"),
                         (int) version);
      return FALSE;
    }
  return check_plain_tables (sql, error);
}

typedef enum
{
  TEXT,
  INT,
  UINT64,
  DOUBLE,
  METRIC
} FieldKind;

typedef struct
{
  const char *key;
  FieldKind kind;
  gsize offset;
  double minimum, maximum; /* INT only */
} Field;

#define FIELD(key, kind, name, ...)                                            \
  {                                                                            \
    key, kind, G_STRUCT_OFFSET (CamClusterDbInfo, name), __VA_ARGS__           \
  }

static const Field fields[] = {
  FIELD ("clusters", INT, n_clusters, 1, CAM_DB_MAX_CLUSTERS),
  FIELD ("embedding_dim", INT, embedding_dim, 1, CAM_DB_MAX_DIM),
  FIELD ("channels", INT, n_channels, 1, CAM_DB_MAX_DIM),
  FIELD ("pictures", INT, n_pictures, 0, G_MAXINT),
  FIELD ("metric", METRIC, metric, 0, 0),
  FIELD ("model_digest", TEXT, model_digest, 0, 0),
  FIELD ("model_name", TEXT, model_name, 0, 0),
  FIELD ("preprocessing", TEXT, preprocessing, 0, 0),
  FIELD ("layer", TEXT, layer, 0, 0),
  FIELD ("layout", TEXT, layout, 0, 0),
  FIELD ("layer_choice", TEXT, layer_choice, 0, 0),
  FIELD ("method", TEXT, method, 0, 0),
  FIELD ("score", TEXT, score, 0, 0),
  FIELD ("mining", TEXT, mining, 0, 0),
  FIELD ("margin", DOUBLE, margin, 0, 0),
  FIELD ("triplets", INT, triplets, 0, G_MAXINT),
  FIELD ("eps", DOUBLE, eps, 0, 0),
  FIELD ("clusters_wanted", INT, n_wanted, 0, G_MAXINT),
  FIELD ("restarts", INT, restarts, 0, G_MAXINT),
  FIELD ("seed", UINT64, seed, 0, 0),
  FIELD ("far_distance", DOUBLE, far_distance, 0, 0),
  FIELD ("far_way", TEXT, far_way, 0, 0),
  FIELD ("program_version", TEXT, program_version, 0, 0),
};

/* The shortest of 15 or 17 digits that reads back the same. */
static char *
double_to_text (double value)
{
  char buffer[G_ASCII_DTOSTR_BUF_SIZE];

  g_ascii_formatd (buffer, sizeof buffer, "%.15g", value);
  if (g_ascii_strtod (buffer, NULL) != value)
    g_ascii_dtostr (buffer, sizeof buffer, value);
  return g_strdup (buffer);
}

/* NULL: nothing is written */
static char *
field_to_text (const Field *field, const CamClusterDbInfo *info)
{
  gboolean far = g_str_has_prefix (field->key, "far_");
  gconstpointer at = (const guint8 *) info + field->offset;

  if (far && ! (info->far_distance >= 0))
    return NULL;
  switch (field->kind)
    {
    case TEXT: return g_strdup (*(const char *const *) at);
    case INT: return g_strdup_printf ("%d", *(const int *) at);
    case UINT64:
      return g_strdup_printf ("%" G_GUINT64_FORMAT, *(const guint64 *) at);
    case DOUBLE: return double_to_text (*(const double *) at);
    case METRIC: return g_strdup (cam_metric_name (*(const CamMetric *) at));
    }
  g_return_val_if_reached (NULL);
}

static gboolean
field_from_text (const Field *field, const char *text, GStringChunk *strings,
                 CamClusterDbInfo *info)
{
  gpointer at = (guint8 *) info + field->offset;
  gint64 number;
  char *end;

  switch (field->kind)
    {
    case TEXT:
      *(const char **) at = g_string_chunk_insert (strings, text);
      return TRUE;
    case INT:
      if (! g_ascii_string_to_signed (text, 10, (gint64) field->minimum,
                                      (gint64) field->maximum, &number, NULL))
        return FALSE;
      *(int *) at = (int) number;
      return TRUE;
    case UINT64:
      return g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT64,
                                         (guint64 *) at, NULL);
    case DOUBLE:
      *(double *) at = g_ascii_strtod (text, &end);
      return end != text && *end == '\0' && isfinite (*(double *) at);
    case METRIC: return cam_metric_parse (text, (CamMetric *) at);
    }
  g_return_val_if_reached (FALSE);
}

gboolean
cam_db_write_info (CamSql *sql, const CamClusterDbInfo *info, GError **error)
{
  g_autoptr (CamStatement)
      insert = cam_sql_prepare (sql, "INSERT INTO info VALUES (?, ?)", error);

  if (insert == NULL)
    return FALSE;
  if (info->model_digest != NULL && *info->model_digest == '\0')
    {
      g_set_error_literal (error, CAM_CLUSTER_DB_ERROR,
                           CAM_CLUSTER_DB_ERROR_OTHER_MODEL,
                           _ ("The model's file has been changed meanwhile, or "
                              "cannot be read any more: the database would be "
                              "of no model. Do it again."));
      return FALSE;
    }
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_autofree char *text = field_to_text (&fields[i], info);

      if (text == NULL)
        continue;
      cam_bind_text (insert, 1, fields[i].key);
      cam_bind_text (insert, 2, text);
      if (! cam_statement_run (insert, error))
        return FALSE;
    }
  return TRUE;
}

/* 1 read, 0 absent, -1 with an error */
static int
read_field (CamStatement *select, const Field *field, GStringChunk *strings,
            CamClusterDbInfo *info, GError **error)
{
  g_autofree char *text = NULL;
  int status;

  cam_bind_text (select, 1, field->key);
  status = cam_statement_step (select, error);
  if (status == SQLITE_ROW)
    text = cam_column_text (select, 0);
  sqlite3_reset (select);
  if (status == -1)
    return -1;
  if (text == NULL)
    return 0;
  if (field_from_text (field, text, strings, info))
    return 1;
  cam_sql_malformed (sqlite3_db_handle (select), error,
                     _ ("info \"%s\" cannot be \"%.40s\""), field->key, text);
  return -1;
}

gboolean
cam_db_read_info (CamSql *sql, GStringChunk *strings, CamClusterDbInfo *info,
                  GError **error)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (sql, "SELECT value FROM info WHERE key = ?",
                                error);

  *info = (CamClusterDbInfo) { .far_distance = -1 };
  if (select == NULL)
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      int status = read_field (select, &fields[i], strings, info, error);

      if (status == 0
          && (fields[i].kind == METRIC
              || (fields[i].kind == INT && fields[i].minimum > 0)))
        {
          cam_sql_malformed (sql, error, _ ("info \"%s\" is missing"),
                             fields[i].key);
          return FALSE;
        }
      if (status == -1)
        return FALSE;
    }
  return TRUE;
}
