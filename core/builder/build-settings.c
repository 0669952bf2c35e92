/* build-settings.c -- what the results of a build depend on */
#include "core/builder/build-settings.h"

#include <glib/gi18n.h>
#include <string.h>

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

static gboolean
check_picture (CamStatement *select, const CamBuildPicture *picture,
               gboolean continuous)
{
  g_autofree char *path = cam_column_text (select, 0);
  g_autofree char *label = cam_column_text (select, 1);

  return g_strcmp0 (path, picture->name) == 0
         && g_strcmp0 (label, picture->label) == 0
         && (! continuous
             || sqlite3_column_double (select, 2) == picture->value);
}

/* NULL where table source is the list of pictures; else the first that is not
 * the same (transfer full). */
static char *
first_difference (CamSql *sql, const char *text, const CamBuildOptions *options)
{
  g_autoptr (CamStatement) select = cam_sql_prepare (sql, text, NULL);

  for (int i = 0; select != NULL && i < options->n_pictures; i++)
    if (cam_statement_step (select, NULL) != SQLITE_ROW
        || ! check_picture (select, &options->pictures[i], options->continuous))
      return g_strdup (options->pictures[i].name);
  if (select == NULL || cam_statement_step (select, NULL) != SQLITE_DONE)
    return g_strdup (_ ("a picture that is gone"));
  return NULL;
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
  other = first_difference (sql,
                            "SELECT path, label, value FROM source ORDER BY id",
                            options);
  if (other == NULL)
    return TRUE;
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
      && g_hash_table_size (list) != (guint) options->n_pictures)
    return FALSE;
  summary->layer = g_strdup (db->info.layer);
  summary->layer_choice = g_strdup (db->info.layer_choice);
  return TRUE;
}
