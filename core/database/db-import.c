/* db-import.c -- databases made elsewhere, from NumPy's arrays */
#include "core/database/db-arrays.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <math.h>

#include "core/base/npy.h"
#include "core/base/plain-file.h"
#include "core/database/db-writer.h"
#include "core/database/schema.h"

#define UNIT_TOLERANCE 1e-3

typedef struct
{
  CamTensor *centroids, *weights, *sizes; /* sizes NULL: not given */
  JsonParser *labels;                     /* NULL: not given       */
} Arrays;

static void
arrays_clear (Arrays *a)
{
  g_clear_pointer (&a->centroids, cam_tensor_unref);
  g_clear_pointer (&a->weights, cam_tensor_unref);
  g_clear_pointer (&a->sizes, cam_tensor_unref);
  g_clear_object (&a->labels);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Arrays, arrays_clear)

static gboolean G_GNUC_PRINTF (4, 5)
    refuse (GError **error, const char *folder, const char *file,
            const char *format, ...)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autofree char *what = NULL;
  va_list args;

  va_start (args, format);
  what = g_strdup_vprintf (format, args);
  va_end (args);
  g_set_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_MALFORMED,
               "%s: %s", path, what);
  return FALSE;
}

/* A matrix as float32 without NaN; NULL with an error. */
static CamTensor *
read_matrix (const char *folder, const char *file, GError **error)
{
  g_autofree char *path = g_build_filename (folder, file, NULL);
  g_autoptr (CamTensor) tensor = cam_npy_read (path, error);
  g_autoptr (CamTensor) floats = NULL;

  if (tensor == NULL)
    return NULL;
  floats = cam_tensor_convert (tensor, CAM_DTYPE_FLOAT32, error);
  if (floats == NULL)
    return NULL;
  if (floats->shape.n_dims != 2 || floats->n_elements == 0
      || floats->shape.dims[0] > CAM_DB_MAX_CLUSTERS
      || floats->shape.dims[1] > CAM_DB_MAX_DIM)
    {
      g_autofree char *shape = cam_shape_to_string (&floats->shape);

      refuse (error, folder, file,
              _ ("is %s and should be [clusters, numbers]"), shape);
      return NULL;
    }
  for (gsize i = 0; i < floats->n_elements; i++)
    if (! isfinite (cam_tensor_f32 (floats)[i]))
      {
        refuse (error, folder, file, _ ("holds a NaN or an infinity in row %d"),
                (int) (i / floats->shape.dims[1]));
        return NULL;
      }
  return g_steal_pointer (&floats);
}

typedef struct /* what lookup.json says */
{
  gboolean has_metric;
  CamMetric metric;
  double far_distance; /* -1: nothing */
} Lookup;

static gboolean
read_lookup_members (JsonObject *object, Lookup *lookup)
{
  JsonNode *metric = json_object_get_member (object, "metric");
  JsonNode *far = json_object_get_member (object, "far_distance");

  if (metric != NULL)
    lookup->has_metric = JSON_NODE_HOLDS_VALUE (metric)
                         && json_node_get_value_type (metric) == G_TYPE_STRING
                         && cam_metric_parse (json_node_get_string (metric),
                                              &lookup->metric);
  if (! lookup->has_metric || far == NULL || JSON_NODE_HOLDS_NULL (far))
    return lookup->has_metric;
  if (! JSON_NODE_HOLDS_VALUE (far)
      || (json_node_get_value_type (far) != G_TYPE_DOUBLE
          && json_node_get_value_type (far) != G_TYPE_INT64))
    return FALSE;
  lookup->far_distance = json_node_get_double (far);
  return lookup->far_distance >= 0
         && lookup->far_distance
                <= (lookup->metric == CAM_METRIC_COSINE ? 2 : 1);
}

static gboolean
read_lookup (const char *folder, Lookup *lookup, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "lookup.json", NULL);
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  JsonNode *root;

  *lookup = (Lookup) { .far_distance = -1 };
  if (! g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  if (! json_parser_load_from_file (parser, path, error))
    return FALSE;
  root = json_parser_get_root (parser);
  if (root != NULL && JSON_NODE_HOLDS_OBJECT (root)
      && read_lookup_members (json_node_get_object (root), lookup))
    return TRUE;
  return refuse (error, folder, "lookup.json",
                 _ ("should be an object with a metric, cosine or euclidean, "
                    "and a far_distance from 0 to 2 or 1, or none"));
}

static gboolean
are_unit (const CamTensor *centroids)
{
  gsize dim = centroids->shape.dims[1];
  const float *rows = cam_tensor_f32 ((CamTensor *) centroids);

  for (gsize i = 0; i < centroids->n_elements; i += dim)
    {
      double square = 0;

      for (gsize d = 0; d < dim; d++)
        square += (double) rows[i + d] * rows[i + d];
      if (! (fabs (sqrt (square) - 1) < UNIT_TOLERANCE))
        return FALSE;
    }
  return TRUE;
}

gboolean
cam_db_import_metric (const char *folder, CamMetric *metric, gboolean *judged,
                      GError **error)
{
  g_autoptr (CamTensor) centroids = NULL;
  Lookup lookup;

  *judged = FALSE;
  if (! read_lookup (folder, &lookup, error))
    return FALSE;
  *metric = lookup.metric;
  if (lookup.has_metric)
    return TRUE;
  *judged = TRUE;
  centroids = read_matrix (folder, "centroids.npy", error);
  if (centroids == NULL)
    return FALSE;
  *metric = are_unit (centroids) ? CAM_METRIC_COSINE : CAM_METRIC_EUCLIDEAN;
  return TRUE;
}

static gboolean
read_sizes (const char *folder, Arrays *a, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "sizes.npy", NULL);
  g_autoptr (CamTensor) tensor = NULL;

  if (! g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  tensor = cam_npy_read (path, error);
  if (tensor != NULL)
    a->sizes = cam_tensor_convert (tensor, CAM_DTYPE_INT64, error);
  if (a->sizes == NULL)
    return FALSE;
  if (a->sizes->n_elements == (gsize) a->centroids->shape.dims[0])
    return TRUE;
  return refuse (error, folder, "sizes.npy",
                 _ ("should hold one number a cluster"));
}

static gboolean
read_labels (const char *folder, Arrays *a, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "labels.json", NULL);
  g_autofree char *text = NULL;
  JsonNode *root;

  if (! g_file_test (path, G_FILE_TEST_EXISTS))
    return TRUE;
  text = cam_plain_file_text (path, CAM_PLAIN_TABLE, error);
  if (text == NULL)
    return FALSE;
  a->labels = json_parser_new_immutable ();
  if (! json_parser_load_from_data (a->labels, text, -1, error))
    {
      g_prefix_error (error, "%s: ", path);
      return FALSE;
    }
  root = json_parser_get_root (a->labels);
  if (root != NULL && JSON_NODE_HOLDS_ARRAY (root)
      && json_array_get_length (json_node_get_array (root))
             == a->centroids->shape.dims[0])
    return TRUE;
  return refuse (error, folder, "labels.json",
                 _ ("should be an array with one entry a cluster"));
}

static gboolean
read_arrays (const char *folder, Arrays *a, GError **error)
{
  a->centroids = read_matrix (folder, "centroids.npy", error);
  if (a->centroids == NULL)
    return FALSE;
  a->weights = read_matrix (folder, "weights.npy", error);
  if (a->weights == NULL)
    return FALSE;
  if (a->weights->shape.dims[0] != a->centroids->shape.dims[0])
    return refuse (error, folder, "weights.npy",
                   ngettext ("has %d row, and centroids.npy has %d",
                             "has %d rows, and centroids.npy has %d",
                             a->weights->shape.dims[0]),
                   (int) a->weights->shape.dims[0],
                   (int) a->centroids->shape.dims[0]);
  return read_sizes (folder, a, error) && read_labels (folder, a, error);
}

static int
by_count (gconstpointer a, gconstpointer b)
{
  const CamLabelCount *x = a, *y = b;

  return x->count != y->count ? (x->count < y->count ? 1 : -1)
                              : g_strcmp0 (x->label, y->label);
}

/* {"cat": 3, "dog": 1}, "cat" or null, as labels with counts, most first */
static gboolean
labels_of_entry (JsonNode *entry, int size, GArray *labels)
{
  JsonObjectIter iter;
  const char *label;
  JsonNode *value;

  if (JSON_NODE_HOLDS_NULL (entry))
    return TRUE;
  if (JSON_NODE_HOLDS_VALUE (entry)
      && json_node_get_value_type (entry) == G_TYPE_STRING)
    {
      CamLabelCount one = { (char *) json_node_get_string (entry), size };

      g_array_append_val (labels, one);
      return TRUE;
    }
  if (! JSON_NODE_HOLDS_OBJECT (entry))
    return FALSE;
  json_object_iter_init (&iter, json_node_get_object (entry));
  while (json_object_iter_next (&iter, &label, &value))
    {
      CamLabelCount one = { (char *) label, 0 };

      if (! JSON_NODE_HOLDS_VALUE (value) || json_node_get_int (value) < 0)
        return FALSE;
      one.count = (int) MIN (json_node_get_int (value), G_MAXINT);
      g_array_append_val (labels, one);
    }
  g_array_sort (labels, by_count);
  return TRUE;
}

/* Without sizes.npy a cluster has as many members as its labels count. */
static int
size_of_cluster (const Arrays *a, int i, const GArray *labels)
{
  gint64 size = 0;

  if (a->sizes != NULL)
    size = cam_tensor_i64 (a->sizes)[i];
  else
    for (guint j = 0; j < labels->len; j++)
      size += g_array_index (labels, CamLabelCount, j).count;
  return (int) CLAMP (size, 0, G_MAXINT);
}

static gboolean
write_cluster (CamDbWriter *writer, const Arrays *a, int i, const char *folder,
               GError **error)
{
  g_autoptr (GArray)
      labels = g_array_new (FALSE, FALSE, sizeof (CamLabelCount));
  CamDbCluster cluster = {
    .centroid = cam_tensor_f32 (a->centroids) + i * a->centroids->shape.dims[1],
    .weights = cam_tensor_f32 (a->weights) + i * a->weights->shape.dims[1],
  };
  int given = a->sizes != NULL ? (int) cam_tensor_i64 (a->sizes)[i] : 1;

  if (a->labels != NULL
      && ! labels_of_entry (
          json_array_get_element (
              json_node_get_array (json_parser_get_root (a->labels)), i),
          given, labels))
    return refuse (error, folder, "labels.json",
                   _ ("entry %d should be an object of label to count, a label "
                      "or null"),
                   i);
  cluster.size = size_of_cluster (a, i, labels);
  cluster.labels = (const CamLabelCount *) (void *) labels->data;
  cluster.n_labels = labels->len;
  return cam_db_writer_add_cluster (writer, &cluster, error);
}

static gboolean
check_columns (const char *folder, const Arrays *a, int embedding_dim,
               int n_channels, GError **error)
{
  int dim = (int) a->centroids->shape.dims[1];
  int channels = (int) a->weights->shape.dims[1];

  if (dim != embedding_dim)
    return refuse (error, folder, "centroids.npy",
                   ngettext ("has rows of %d number, and the network's "
                             "embedding has %d",
                             "has rows of %d numbers, and the network's "
                             "embedding has %d",
                             dim),
                   dim, embedding_dim);
  if (channels != n_channels)
    return refuse (error, folder, "weights.npy",
                   ngettext ("has rows of %d number, and the layer's channels "
                             "are %d",
                             "has rows of %d numbers, and the layer's channels "
                             "are %d",
                             channels),
                   channels, n_channels);
  return TRUE;
}

gboolean
cam_db_import (const char *folder, const CamClusterDbInfo *info,
               int embedding_dim, int n_channels, const char *path,
               GError **error)
{
  g_auto (Arrays) a = { NULL };
  g_autoptr (CamDbWriter) writer = NULL;
  CamClusterDbInfo whole = *info;
  Lookup lookup;

  if (! read_arrays (folder, &a, error)
      || ! read_lookup (folder, &lookup, error)
      || ! check_columns (folder, &a, embedding_dim, n_channels, error))
    return FALSE;
  writer = cam_db_writer_new (path, embedding_dim, n_channels, error);
  if (writer == NULL)
    return FALSE;
  for (int i = 0; i < a.centroids->shape.dims[0]; i++)
    if (! write_cluster (writer, &a, i, folder, error))
      return FALSE;
  /* the bound is a distance in the metric that it was measured in */
  whole.far_distance = lookup.metric == info->metric ? lookup.far_distance : -1;
  return cam_db_writer_finish (writer, &whole, error);
}
