/* build-settings.c -- what the results of a build depend on */
#include "core/builder/build-settings.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/builder/build-changed.h"
#include "core/database/cluster-db-private.h"

/* As printf ("%.*g"), whatever the locale: what is compared with a file must not
 * depend on who started the program. (transfer full) */
static char *
number_text (double number, int digits)
{
  char format[8], text[G_ASCII_DTOSTR_BUF_SIZE];

  g_snprintf (format, sizeof format, "%%.%dg", digits);
  return g_strdup (g_ascii_formatd (text, sizeof text, format, number));
}

/* Three of them, with blanks between (transfer full) */
static char *
numbers_text (const double numbers[3])
{
  g_autofree char *first = number_text (numbers[0], 9);
  g_autofree char *second = number_text (numbers[1], 9);
  g_autofree char *third = number_text (numbers[2], 9);

  return g_strjoin (" ", first, second, third, NULL);
}

char *
cam_build_preprocessing (const CamInputSettings *in)
{
  static const char *const resizes[] = { "stretch", "crop", "pad" };
  static const char *const channels[] = { "rgb", "bgr", "gray" };

  g_autofree char *crop = number_text (in->crop_fraction, 6);
  g_autofree char *scale = number_text (in->scale, 9);
  g_autofree char *mean = numbers_text (in->mean);
  g_autofree char *std = numbers_text (in->std);

  return g_strdup_printf (
      "%d x %d, %s (%s), %s, %s, scale %s, mean %s, std %s, %s", in->width,
      in->height, resizes[in->resize], crop,
      in->filter == CAM_FILTER_BICUBIC ? "bicubic" : "bilinear",
      channels[in->channels], scale, mean, std, in->nhwc ? "NHWC" : "NCHW");
}

/* Key, value, key, value ... NULL (transfer full) */
static char **
list_settings (const CamBuildOptions *o)
{
  GStrvBuilder *list = g_strv_builder_new ();
  g_autofree char *preprocessing = cam_build_preprocessing (&o->model->input);
  g_autofree char *triplets = g_strdup_printf ("%d", o->n_triplets);
  g_autofree char *margin = number_text (o->margin, 17);
  g_autofree char *eps = number_text (o->eps, 17);
  g_autofree char *seed = g_strdup_printf ("%" G_GUINT64_FORMAT, o->seed);
  char **settings;

  g_strv_builder_add_many (list, "model", cam_model_digest (o->model),
                           "preprocessing", preprocessing, "method",
                           cam_method_name (o->method), "score",
                           cam_score_name (o->score), "mining",
                           cam_mining_name (o->mining), "continuous",
                           o->continuous ? "yes" : "no", "triplets", triplets,
                           "margin", margin, "eps", eps, "seed", seed,
                           "version", o->program_version, NULL);
  settings = g_strv_builder_end (list);
  g_strv_builder_unref (list);
  return settings;
}

static gboolean
write_source (CamStatement *insert, int id, const CamBuildPicture *picture,
              gboolean continuous, GError **error)
{
  sqlite3_bind_int (insert, 1, id);
  cam_bind_text (insert, 2, picture->name);
  cam_bind_text (insert, 3, picture->label);
  if (continuous)
    sqlite3_bind_double (insert, 4, picture->value);
  return cam_statement_run (insert, error);
}

gboolean
cam_build_settings_write (CamSql *sql, const CamBuildOptions *options,
                          GError **error)
{
  g_auto (GStrv) settings = list_settings (options);
  g_autoptr (CamStatement)
      source = cam_sql_prepare (sql, "INSERT INTO source VALUES (?, ?, ?, ?)",
                                error);

  if (source == NULL)
    return FALSE;
  for (char **s = settings; *s != NULL; s += 2)
    if (! cam_build_setting_set (sql, s[0], s[1], error))
      return FALSE;
  for (int i = 0; i < options->n_pictures; i++)
    if (! write_source (source, i, &options->pictures[i], options->continuous,
                        error))
      return FALSE;
  return TRUE;
}

char *
cam_build_setting (CamSql *sql, const char *key)
{
  g_autoptr (CamStatement)
      row = cam_sql_row (sql, NULL, "SELECT value FROM setting WHERE key = ?",
                         "t", key);

  return row != NULL ? cam_column_text (row, 0) : NULL;
}

gboolean
cam_build_setting_set (CamSql *sql, const char *key, const char *value,
                       GError **error)
{
  return cam_sql_run (sql, error,
                      "INSERT OR REPLACE INTO setting VALUES (?, ?)", "tt",
                      key, value);
}

static gboolean
check_setting (CamSql *sql, const char *key, const char *value, GError **error)
{
  g_autofree char *was = cam_build_setting (sql, key);

  if (g_strcmp0 (was, value) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("the interrupted build had %s \"%s\", and now it is \"%s\": "
                  "resume with the same settings, or begin again with "
                  "--restart"),
               key, was != NULL ? was : "?", value);
  return FALSE;
}

/* Columns: id, path, label, value; NULL where it is picture @i (transfer full)
 */
static char *
compare_picture (CamStatement *select, const CamBuildOptions *options, int i,
                 GHashTable *names)
{
  g_autofree char *path = cam_column_text (select, 1);
  g_autofree char *label = cam_column_text (select, 2);
  const CamBuildPicture *now = NULL;

  if (path == NULL || ! g_hash_table_contains (names, path))
    return g_strdup_printf (_ ("%s is gone"), path != NULL ? path : "?");
  if (i >= options->n_pictures || strcmp (options->pictures[i].name, path) != 0)
    return g_strdup (""); /* one before it is new */
  now = &options->pictures[i];
  if (g_strcmp0 (label, now->label) != 0
      || (options->continuous
          && sqlite3_column_double (select, 3) != now->value))
    return g_strdup_printf (_ ("%s has another label"), path);
  return sqlite3_column_int64 (select, 0) == i ? NULL : g_strdup (path);
}

/* The first picture that the interrupted build does not have (transfer full) */
static char *
name_new (CamSql *sql, const CamBuildOptions *options)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (sql, "SELECT path FROM source", NULL);
  g_autoptr (GHashTable)
      old = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  while (select != NULL && cam_statement_step (select, NULL) == SQLITE_ROW)
    {
      char *path = cam_column_text (select, 0);

      g_hash_table_add (old, path != NULL ? path : g_strdup (""));
    }
  for (int i = 0; i < options->n_pictures; i++)
    if (! g_hash_table_contains (old, options->pictures[i].name))
      return g_strdup_printf (_ ("%s is new"), options->pictures[i].name);
  return g_strdup ("?");
}

/* NULL where table source is the list of pictures; else the first that is not
 * the same, and how (transfer full). */
static char *
first_difference (CamSql *sql, const CamBuildOptions *options)
{
  g_autoptr (CamStatement) select =
      cam_sql_prepare (sql,
                       "SELECT id, path, label, value FROM source ORDER BY id",
                       NULL);
  g_autoptr (GHashTable) names = g_hash_table_new (g_str_hash, g_str_equal);
  g_autofree char *difference = NULL;
  int n = 0;

  for (int i = 0; i < options->n_pictures; i++)
    g_hash_table_add (names, (gpointer) options->pictures[i].name);
  while (select != NULL && difference == NULL
         && cam_statement_step (select, NULL) == SQLITE_ROW)
    difference = compare_picture (select, options, n++, names);
  if (difference != NULL && *difference != '\0')
    return g_steal_pointer (&difference);
  if (difference == NULL && n == options->n_pictures)
    return NULL;
  return name_new (sql, options);
}

/* What an earlier release began has no sizes and times: then the digests tell
 * whether a picture has changed. */
static gboolean
add_stamps (CamSql *sql, GError **error)
{
  g_autoptr (CamStatement)
      select = cam_sql_prepare (sql, "SELECT size, mtime, ctime FROM seen",
                                NULL);

  return select != NULL
         || cam_sql_exec (sql,
                          "ALTER TABLE seen ADD COLUMN size INTEGER;"
                          "ALTER TABLE seen ADD COLUMN mtime INTEGER;"
                          "ALTER TABLE seen ADD COLUMN ctime INTEGER",
                          error);
}

/* Numbers of pictures index arrays. */
static gboolean
check_numbers (CamSql *sql, int n_pictures, GError **error)
{
  static const char *const queries[] = {
    "SELECT count (*) FROM sqlite_schema WHERE type NOT IN ('table', 'index')"
    " OR 0 = ?",
    "SELECT count (*) FROM source WHERE typeof (id) <> 'integer'"
    " OR id NOT BETWEEN 0 AND ? - 1",
    "SELECT count (*) FROM seen WHERE typeof (id) <> 'integer'"
    " OR id NOT BETWEEN 0 AND ? - 1",
    "SELECT count (*) FROM weighed WHERE typeof (id) <> 'integer'"
    " OR id NOT BETWEEN 0 AND ? - 1",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (queries); i++)
    {
      g_autoptr (CamStatement)
          row = cam_sql_row (sql, NULL, queries[i], "i", n_pictures);

      if (row == NULL || sqlite3_column_int64 (row, 0) != 0)
        {
          cam_sql_malformed (sql, error,
                             _ ("the interrupted build is damaged: begin again "
                                "with --restart"));
          return FALSE;
        }
    }
  return TRUE;
}

gboolean
cam_build_settings_check (CamSql *sql, const CamBuildOptions *options,
                          GError **error)
{
  g_auto (GStrv) settings = list_settings (options);
  g_autofree char *layer = cam_build_setting (sql, "layer");
  g_autofree char *other = NULL;

  if (options->layer != NULL && layer != NULL
      && ! check_setting (sql, "layer", options->layer, error))
    return FALSE;
  for (char **s = settings; *s != NULL; s += 2)
    if (! check_setting (sql, s[0], s[1], error))
      return FALSE;
  other = first_difference (sql, options);
  if (other == NULL)
    return check_numbers (sql, options->n_pictures, error)
           && add_stamps (sql, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
               _ ("the pictures are not those of the interrupted build (%s): "
                  "begin again with --restart"),
               other);
  return FALSE;
}

static gboolean
same_info (const CamClusterDbInfo *info, const CamBuildOptions *o)
{
  g_autofree char *preprocessing = cam_build_preprocessing (&o->model->input);

  return g_strcmp0 (info->model_digest, cam_model_digest (o->model)) == 0
         && g_strcmp0 (info->preprocessing, preprocessing) == 0
         && (o->layer == NULL || g_strcmp0 (info->layer, o->layer) == 0)
         && g_strcmp0 (info->method, cam_method_name (o->method)) == 0
         && g_strcmp0 (info->score, cam_score_name (o->score)) == 0
         && g_strcmp0 (info->mining, cam_mining_name (o->mining)) == 0
         && g_strcmp0 (info->program_version, o->program_version) == 0
         && info->triplets == o->n_triplets && info->margin == o->margin
         && info->eps == o->eps && info->seed == o->seed
         && info->n_wanted == o->n_clusters && info->restarts == o->restarts
         && (info->n_pictures == 0) == o->compact;
}

/* Paths and labels of what is in @db, and was skipped (transfer full). */
static GHashTable *
list_pictures (const CamClusterDb *db)
{
  GHashTable *list = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                            g_free);
  g_autoptr (CamStatement)
      select = cam_sql_prepare (db->sql,
                                "SELECT path, label FROM picture UNION ALL "
                                "SELECT path, NULL FROM"
                                " skipped",
                                NULL);

  while (select != NULL && cam_statement_step (select, NULL) == SQLITE_ROW)
    g_hash_table_insert (list, cam_column_text (select, 0),
                         cam_column_text (select, 1));
  return list;
}

/* All that a compact database knows of its pictures */
static guint64
count_members (const CamClusterDb *db)
{
  guint64 n = 0;

  for (int i = 0; i < db->info.n_clusters; i++)
    n += (guint64) db->sizes[i];
  return n;
}

gboolean
cam_build_settings_match (const char *path, const CamBuildOptions *options,
                          CamBuildSummary *summary)
{
  g_autoptr (CamClusterDb) db = cam_cluster_db_open (path, NULL);
  g_autoptr (GHashTable) list = NULL;

  if (db == NULL || ! same_info (&db->info, options))
    return FALSE;
  list = list_pictures (db);
  for (int i = 0; ! options->compact && i < options->n_pictures; i++)
    {
      const CamBuildPicture *picture = &options->pictures[i];
      const char *label = g_hash_table_lookup (list, picture->name);

      if (! g_hash_table_contains (list, picture->name)
          || (label != NULL && g_strcmp0 (label, picture->label) != 0))
        return FALSE;
    }
  if (! options->compact
      && (g_hash_table_size (list) != (guint) options->n_pictures
          || ! cam_build_files_match (db, options)))
    return FALSE;
  if (options->compact
      && count_members (db) + g_hash_table_size (list)
             != (guint64) options->n_pictures)
    return FALSE;
  summary->layer = g_strdup (db->info.layer);
  summary->layer_choice = g_strdup (db->info.layer_choice);
  return TRUE;
}
