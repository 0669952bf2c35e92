/* db-arrays.c -- databases out to NumPy's arrays */
#include "core/database/db-arrays.h"

#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <json-glib/json-glib.h>
#include <math.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/base/whole-file.h"
#include "core/database/cluster-db-private.h"

static CamTensor *
matrix_new (CamDType dtype, gint64 rows, gint64 columns, GError **error)
{
  CamShape shape = { columns > 0 ? 2 : 1, { rows, columns } };

  return cam_tensor_new (dtype, &shape, error);
}

static gboolean
write_array (const char *folder, const char *name, const CamTensor *tensor,
             GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);

  return cam_npy_write (path, tensor, error);
}

/* @root (transfer full) */
static gboolean
write_json (const char *folder, const char *name, JsonNode *root,
            GError **error)
{
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autofree char *text = json_to_string (root, TRUE);
  CamFilePiece piece = { text, strlen (text) };

  json_node_unref (root);
  return cam_whole_file_write (path, &piece, 1, error);
}

static gboolean
export_clusters (const CamClusterDb *db, const char *folder, GError **error)
{
  const CamClusterDbInfo *info = &db->info;
  int n = info->n_clusters;
  CamShape centroids_shape = { 2, { n, info->embedding_dim } };
  CamShape weights_shape = { 2, { n, info->n_channels } };
  g_autoptr (CamTensor)
      centroids = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &centroids_shape,
                                       db->centroids, NULL, NULL);
  g_autoptr (CamTensor)
      weights = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &weights_shape,
                                     db->weights, NULL, NULL);
  g_autoptr (CamTensor) sizes = matrix_new (CAM_DTYPE_INT64, n, 0, error);

  if (sizes == NULL)
    return FALSE;
  for (int i = 0; i < n; i++)
    cam_tensor_i64 (sizes)[i] = db->sizes[i];
  return write_array (folder, "centroids.npy", centroids, error)
         && write_array (folder, "weights.npy", weights, error)
         && write_array (folder, "sizes.npy", sizes, error);
}

/* What the arrays alone do not say */
static gboolean
export_lookup (const CamClusterDb *db, const char *folder, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "metric");
  json_builder_add_string_value (builder, cam_metric_name (db->info.metric));
  if (db->info.far_distance >= 0)
    {
      json_builder_set_member_name (builder, "far_distance");
      json_builder_add_double_value (builder, db->info.far_distance);
    }
  json_builder_end_object (builder);
  return write_json (folder, "lookup.json", json_builder_get_root (builder),
                     error);
}

static gboolean
export_labels (const CamClusterDb *db, const char *folder, GError **error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  json_builder_begin_array (builder);
  for (int i = 0; i < db->info.n_clusters; i++)
    {
      g_autoptr (CamCluster) cluster = cam_cluster_db_cluster (db, i, error);

      if (cluster == NULL)
        return FALSE;
      json_builder_begin_object (builder);
      for (guint j = 0; j < cluster->labels->len; j++)
        {
          CamLabelCount *l = &g_array_index (cluster->labels, CamLabelCount, j);

          json_builder_set_member_name (builder, l->label);
          json_builder_add_int_value (builder, l->count);
        }
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  return write_json (folder, "labels.json", json_builder_get_root (builder),
                     error);
}

typedef struct
{
  CamTensor *embeddings, *weights, *clusters, *triplets;
  JsonBuilder *json;
} PictureArrays;

static void
picture_arrays_clear (PictureArrays *a)
{
  g_clear_pointer (&a->embeddings, cam_tensor_unref);
  g_clear_pointer (&a->weights, cam_tensor_unref);
  g_clear_pointer (&a->clusters, cam_tensor_unref);
  g_clear_pointer (&a->triplets, cam_tensor_unref);
  g_clear_object (&a->json);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (PictureArrays, picture_arrays_clear)

static void
add_member (JsonBuilder *json, const char *name, CamStatement *select,
            int column)
{
  g_autofree char *text = cam_column_text (select, column);

  if (text == NULL)
    return;
  json_builder_set_member_name (json, name);
  json_builder_add_string_value (json, text);
}

/* Columns: id, path, digest, label, value, cluster, triplets, semi_hard,
 * active, embedding, weights */
static gboolean
take_picture (const CamClusterDb *db, PictureArrays *a, CamStatement *select,
              int i, GError **error)
{
  int n_channels = db->info.n_channels;
  int dim = db->info.embedding_dim;
  float *weights = cam_tensor_f32 (a->weights) + (gsize) i * n_channels;

  json_builder_begin_object (a->json);
  add_member (a->json, "path", select, 1);
  add_member (a->json, "digest", select, 2);
  add_member (a->json, "label", select, 3);
  if (! cam_column_is_null (select, 4))
    {
      json_builder_set_member_name (a->json, "value");
      json_builder_add_double_value (a->json,
                                     sqlite3_column_double (select, 4));
    }
  json_builder_end_object (a->json);
  cam_tensor_i64 (a->clusters)[i] = sqlite3_column_int64 (select, 5);
  for (int j = 0; j < 3; j++)
    cam_tensor_i64 (a->triplets)[i * 3 + j] = sqlite3_column_int64 (select,
                                                                    6 + j);
  if (cam_column_is_null (select, 10))
    for (int k = 0; k < n_channels; k++)
      weights[k] = NAN;
  else if (! cam_column_floats (select, 10, n_channels, weights, error))
    return FALSE;
  return cam_column_floats (select, 9, dim,
                            cam_tensor_f32 (a->embeddings) + (gsize) i * dim,
                            error);
}

static gboolean
write_pictures (PictureArrays *a, const char *folder, GError **error)
{
  return write_array (folder, "embeddings.npy", a->embeddings, error)
         && write_array (folder, "picture_weights.npy", a->weights, error)
         && write_array (folder, "clusters.npy", a->clusters, error)
         && write_array (folder, "triplets.npy", a->triplets, error)
         && write_json (folder, "pictures.json",
                        json_builder_get_root (a->json), error);
}

static gboolean
export_pictures (const CamClusterDb *db, const char *folder, GError **error)
{
  int n = db->info.n_pictures;
  g_auto (PictureArrays)
      a = { matrix_new (CAM_DTYPE_FLOAT32, n, db->info.embedding_dim, error),
            NULL, NULL, NULL, json_builder_new () };
  g_autoptr (CamStatement) select = cam_sql_prepare (
      db->sql,
      "SELECT id, path, digest, label, value, cluster, triplets, semi_hard,"
      " active, embedding, weights FROM picture ORDER BY id",
      error);

  if (select == NULL || a.embeddings == NULL
      || (a.weights = matrix_new (CAM_DTYPE_FLOAT32, n, db->info.n_channels,
                                  error))
             == NULL
      || (a.clusters = matrix_new (CAM_DTYPE_INT64, n, 0, error)) == NULL
      || (a.triplets = matrix_new (CAM_DTYPE_INT64, n, 3, error)) == NULL)
    return FALSE;
  json_builder_begin_array (a.json);
  for (int i = 0; i < n; i++)
    {
      int status = cam_statement_step (select, error);

      if (status == SQLITE_DONE)
        cam_sql_malformed (db->sql, error, _ ("picture %d is missing"), i);
      if (status != SQLITE_ROW || ! take_picture (db, &a, select, i, error))
        return FALSE;
    }
  json_builder_end_array (a.json);
  return write_pictures (&a, folder, error);
}

gboolean
cam_db_export (const char *path, const char *folder, GError **error)
{
  g_autoptr (CamClusterDb) db = cam_cluster_db_open (path, error);

  if (db == NULL)
    return FALSE;
  return cam_whole_file_folder (folder, error)
         && export_clusters (db, folder, error)
         && export_labels (db, folder, error)
         && export_lookup (db, folder, error)
         && (db->info.n_pictures == 0 || export_pictures (db, folder, error));
}
