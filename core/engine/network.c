/* network.c -- see network.h; what asks for shapes is in network-shapes.c */
#include "config.h"
#include "core/engine/network-private.h"
#include <glib/gi18n.h>
#include <string.h>

#define CHUNK 65536

static CamNetwork *
network_new (CamOnnxModel *model)
{
  CamNetwork *network = g_new0 (CamNetwork, 1);

  g_atomic_ref_count_init (&network->ref_count);
  g_mutex_init (&network->lock);
  network->model = model;
  network->height = network->width = CAM_NETWORK_SIDE;
  return network;
}

CamNetwork *
cam_network_load (const char *path, guint64 memory_limit,
                  GCancellable *cancellable, GError **error)
{
  g_autoptr (CamSource) source = cam_source_open (path, error);
  g_autofree char *folder = g_path_get_dirname (path);
  CamOnnxModel *model;

  if (! source)
    return NULL;
  model = cam_onnx_read (source, folder, memory_limit, cancellable, error);
  if (! model)
    {
      g_prefix_error (error, _ ("'%s': "), path);
      return NULL;
    }
  return network_new (model);
}

CamNetwork *
cam_network_load_bytes (GBytes *bytes, const char *folder, guint64 memory_limit,
                        GError **error)
{
  g_autoptr (CamSource) source = cam_source_new_bytes (bytes);
  CamOnnxModel *model = cam_onnx_read (source, folder, memory_limit, NULL,
                                       error);
  CamNetwork *network;

  if (! model)
    return NULL;
  network = network_new (model);
  network->bytes = g_bytes_ref (bytes);
  return network;
}

CamNetwork *
cam_network_ref (CamNetwork *network)
{
  g_atomic_ref_count_inc (&network->ref_count);
  return network;
}

void
cam_network_unref (CamNetwork *network)
{
  if (! network || ! g_atomic_ref_count_dec (&network->ref_count))
    return;
  cam_onnx_model_free (network->model);
  g_clear_pointer (&network->bytes, g_bytes_unref);
  g_mutex_clear (&network->lock);
  g_free (network->digest);
  g_free (network->embedding);
  g_free (network->picture);
  g_free (network->chosen);
  g_clear_pointer (&network->fallbacks, g_hash_table_unref);
  g_free (network);
}

const CamGraph *
cam_network_graph (const CamNetwork *network)
{
  return network->model->graph;
}

const char *
cam_network_metadata (const CamNetwork *network, const char *key)
{
  return g_hash_table_lookup (network->model->metadata, key);
}

static int
compare_text (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

char **
cam_network_metadata_keys (const CamNetwork *network)
{
  GPtrArray *keys = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer key;

  g_hash_table_iter_init (&iter, network->model->metadata);
  while (g_hash_table_iter_next (&iter, &key, NULL))
    g_ptr_array_add (keys, g_strdup (key));
  g_ptr_array_sort (keys, compare_text);
  g_ptr_array_add (keys, NULL);
  return (char **) g_ptr_array_free (keys, FALSE);
}

guint64
cam_network_parameters (const CamNetwork *network)
{
  return network->model->parameters;
}

/* FALSE where the file is not the one that was read, or cannot be. */
static gboolean
add_file (GChecksum *checksum, const CamModelFile *file)
{
  g_autoptr (CamSource) source = cam_source_open (file->path, NULL);
  g_autofree guint8 *chunk = g_malloc (CHUNK);
  CamModelFile *now;
  gboolean same;

  if (! source)
    return FALSE;
  for (guint64 at = 0; at < source->size; at += CHUNK)
    {
      gsize n = (gsize) MIN (CHUNK, source->size - at);

      if (! cam_source_read (source, at, n, chunk, NULL))
        return FALSE;
      g_checksum_update (checksum, chunk, (gssize) n);
    }
  now = cam_model_file_new (source);
  same = now->device == file->device && now->inode == file->inode
         && now->size == file->size && now->seconds == file->seconds
         && now->nanoseconds == file->nanoseconds;
  cam_model_file_free (now);
  return same;
}

static char *
compute_digest (const CamNetwork *network)
{
  g_autoptr (GChecksum) checksum = g_checksum_new (G_CHECKSUM_SHA256);
  GPtrArray *files = network->model->files;

  if (network->bytes)
    g_checksum_update (checksum, g_bytes_get_data (network->bytes, NULL),
                       (gssize) g_bytes_get_size (network->bytes));
  for (guint i = 0; i < files->len; i++)
    if (! add_file (checksum, files->pdata[i]))
      return g_strdup ("");
  return g_strdup (g_checksum_get_string (checksum));
}

const GPtrArray *
cam_network_external_files (const CamNetwork *network)
{
  return network->model->locations;
}

const char *
cam_network_digest (const CamNetwork *network)
{
  CamNetwork *self = (CamNetwork *) network; /* what it caches is guarded */

  g_mutex_lock (&self->lock);
  if (! self->digest)
    self->digest = compute_digest (network);
  g_mutex_unlock (&self->lock);
  return self->digest;
}
