/* fuzz-database.c -- libFuzzer's target: a cluster database that may be
 * anything
 *
 * Opened, verified, asked for everything it can be asked for, and used to
 * explain a picture, of which is all that a map is of: overlay, numbers, JSON
 * that has to be right.  Nothing may crash, hang, read what is not there, or
 * take memory that the size of the file does not warrant.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "core/database/db-verify.h"
#include "tests/fuzz/explain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/reader/model-writer.h"

#define MOST_CHANNELS 65536 /* of those activations that are made here */

static void
ask (CamClusterDb *db)
{
  const CamClusterDbInfo *info = cam_cluster_db_info (db);
  g_autofree float *embedding = g_new0 (float, info->embedding_dim);
  CamClusterMatch match;

  embedding[0] = 1;
  cam_cluster_db_find (db, embedding, &match);
  cam_cluster_db_fits (db, "0123", info->embedding_dim, info->n_channels, NULL);
  cam_cluster_free (cam_cluster_db_cluster (db, match.index, NULL));
  if (cam_cluster_db_find_neighbour (db, embedding, &match, NULL))
    cam_exemplar_free (cam_cluster_db_picture (db, match.index, NULL));
}

static CamTensor *
tensor_of (int n_dims, const gint64 *dims, float factor)
{
  CamShape shape = cam_shape_make (n_dims, dims);
  CamTensor *tensor = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);

  for (gsize i = 0; tensor != NULL && i < tensor->n_elements; i++)
    cam_tensor_f32 (tensor)[i] = factor * (float) ((i * 7 + 3) % 11) - factor;
  return tensor;
}

/* What a network would have seen of a picture, by the database's own word */
static CamObservation *
observation_new (const CamClusterDbInfo *info)
{
  CamObservation *made = g_new0 (CamObservation, 1);

  made->layer = g_strdup (info->layer != NULL ? info->layer : "");
  made->model_digest = g_strdup (info->model_digest);
  made->activations = tensor_of (3, (gint64[]) { info->n_channels, 2, 2 }, 1);
  made->embedding = tensor_of (1, (gint64[]) { info->embedding_dim }, 0.25f);
  made->view = (CamView) { 9, 9, 0, 0, 9, 9, 8, 8 };
  return made;
}

/* The model that the provenance is of; never freed */
static CamModel *
any_model (void)
{
  static CamModel *model;
  g_autofree char *path = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (model != NULL)
    return model;
  path = g_strdup_printf ("%s/camlens-fuzz-%d.onnx", g_get_tmp_dir (),
                          (int) getpid ());
  bytes = small_model ();
  g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes), NULL);
  model = cam_model_open (path, NULL, NULL);
  g_unlink (path);
  g_assert_nonnull (model);
  return model;
}

static void
explain (const CamClusterDb *db)
{
  const CamClusterDbInfo *info = cam_cluster_db_info (db);
  g_autoptr (CamObservation) observation = NULL;
  CamLookup lookup;

  if (info->n_channels > MOST_CHANNELS)
    return;
  observation = observation_new (info);
  for (int transfer = 0; transfer < 2; transfer++)
    if (cam_lookup (db, observation, (CamTransfer) transfer, &lookup, NULL))
      {
        fuzz_explain (observation, lookup.match.weights, info->n_channels);
        fuzz_parse (cam_provenance_json (any_model (), observation->layer, db,
                                         &lookup, 0));
      }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *path = g_strdup_printf ("%s/camlens-fuzz-%d.camdb",
                                           g_get_tmp_dir (), (int) getpid ());
  g_autoptr (CamClusterDb) db = NULL;

  if (! g_file_set_contents_full (path, (const char *) data, (gssize) size,
                                  G_FILE_SET_CONTENTS_NONE, 0600, NULL))
    return 0;
  cam_db_verify (path, NULL, NULL);
  db = cam_cluster_db_open (path, NULL);
  if (db != NULL)
    {
      ask (db);
      explain (db);
    }
  g_unlink (path);
  return 0;
}
