/* fuzz-database.c -- libFuzzer's target: a cluster database that may be
 * anything
 *
 * Opened, verified, asked for everything it can be asked for, and clustered
 * rows read.  Nothing may crash, hang, read what is not there, or take memory
 * that the size of the file does not warrant.
 */
#include <glib/gstdio.h>
#include <unistd.h>

#include "core/database/db-verify.h"
#include "tests/fuzz/fuzz.h"

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
    ask (db);
  g_unlink (path);
  return 0;
}
