/* test-cluster-db.c -- what goes into a database comes out, and what is no
 * database, or a damaged one, is refused and harms nothing
 */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "core/database/db-verify.h"
#include "core/database/db-writer.h"
#include "core/database/file-lock.h"
#include "core/database/sql.h"

#define DIM 3
#define CHANNELS 2

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static const float centroids[2][DIM] = { { 1, 0, 0 }, { 0, 1, 0 } };
static const float cluster_weights[2][CHANNELS] = { { 1, 2 }, { 5, -6 } };
static const float embeddings[4][DIM] = {
  { 2, 0, 0 }, { 3, 4, 0 }, { 0, .5f, 0 }, { 0, 3, 1 }
};
static const float weights[4][CHANNELS] = {
  { 1, 2 }, { 5, -8 }, { 5, -4 }, { 9, 9 }
};
static const int cluster_of[4] = { 0, 1, 1, 1 };

static const CamClusterDbInfo info = {
  .model_digest = "abc",
  .model_name = "toy",
  .layer = "relu",
  .method = "gradcam",
  .score = "cosine",
  .mining = "random",
  .program_version = "0",
  .metric = CAM_METRIC_COSINE,
  .triplets = 50,
  .restarts = 5,
  .seed = G_MAXUINT64,
  .margin = 0.2,
  .eps = 1e-6,
  .far_distance = 0.25,
};

static void
add_pictures (CamDbWriter *writer)
{
  for (int i = 0; i < 4; i++)
    {
      g_autofree char *path = g_strdup_printf ("a/%d.jpg", i);
      int c = cluster_of[i];
      double norm = 0, dot = 0;
      CamDbPicture picture = { .path = path,
                               .label = c ? "b" : "a",
                               .cluster = c,
                               .triplets = 50,
                               .active = 7,
                               .embedding = embeddings[i],
                               .weights = i == 3 ? NULL : weights[i] };

      for (int d = 0; d < DIM; d++)
        {
          norm += embeddings[i][d] * embeddings[i][d];
          dot += embeddings[i][d] * centroids[c][d];
        }
      picture.similarity = dot / sqrt (norm);
      g_assert_true (cam_db_writer_add_picture (writer, &picture, NULL));
    }
}

static void
add_clusters (CamDbWriter *writer)
{
  g_autoptr (GBytes) jpeg = g_bytes_new_static ("jpeg", 4);
  CamLabelCount labels[2] = { { "a", 1 }, { "b", 3 } };

  for (int i = 0; i < 2; i++)
    {
      CamDbExemplar exemplar = { .picture = i * 2,
                                 .path = "a/x.jpg",
                                 .label = "a",
                                 .similarity = 1,
                                 .thumbnail = i == 0 ? jpeg : NULL };
      CamDbCluster cluster = { .size = i == 0 ? 1 : 3,
                               .centroid = centroids[i],
                               .weights = cluster_weights[i],
                               .labels = &labels[i],
                               .n_labels = 1,
                               .exemplars = &exemplar,
                               .n_exemplars = 1 };

      g_assert_true (cam_db_writer_add_cluster (writer, &cluster, NULL));
    }
}

static void
write_toy (const char *path, gboolean compact)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CamDbWriter)
      writer = cam_db_writer_new (path, DIM, CHANNELS, &error);

  g_assert_no_error (error);
  if (! compact)
    add_pictures (writer);
  g_assert_true (cam_db_writer_add_skipped (writer, "b/0.jpg", "empty", NULL));
  add_clusters (writer);
  cam_db_writer_finish (writer, &info, &error);
  g_assert_no_error (error);
}

static void
test_round_trip (void)
{
  g_autofree char *path = in_folder ("toy.camdb");
  g_autoptr (GError) error = NULL;
  g_autoptr (CamClusterDb) db = NULL;
  g_autoptr (CamCluster) cluster = NULL;
  CamExemplar *picture;
  const CamClusterDbInfo *read;
  CamClusterMatch match;

  write_toy (path, FALSE);
  db = cam_cluster_db_open (path, &error);
  g_assert_no_error (error);
  read = cam_cluster_db_info (db);
  g_assert_cmpint (read->n_clusters, ==, 2);
  g_assert_cmpint (read->n_pictures, ==, 4);
  g_assert_cmpint (read->n_channels, ==, CHANNELS);
  g_assert_cmpuint (read->seed, ==, G_MAXUINT64);
  g_assert_cmpfloat (read->margin, ==, 0.2);
  g_assert_cmpfloat (read->eps, ==, 1e-6);
  g_assert_cmpstr (read->model_name, ==, "toy");
  g_assert_cmpstr (read->layout, ==, NULL);

  cam_cluster_db_find (db, (float[]) { 0.1f, 30, 0 }, &match);
  g_assert_cmpint (match.index, ==, 1);
  g_assert_cmpfloat_with_epsilon (match.similarity, 1, 1e-4);
  g_assert_false (match.far);
  g_assert_cmpfloat (match.weights[1], ==, -6);
  g_assert_cmpint (match.second, ==, 0);
  g_assert_cmpfloat_with_epsilon (match.second_similarity, 0.1 / 30, 1e-4);
  cam_cluster_db_find (db, (float[]) { 0, 1, 5 }, &match);
  g_assert_true (match.far);
  cam_cluster_db_find (db, (float[]) { 1, 1, 0 }, &match);
  g_assert_cmpint (match.index, ==, 0);
  g_assert_cmpint (match.second, ==, 1);
  g_assert_cmpfloat (match.second_similarity, ==, match.similarity);
  cam_cluster_db_find (db, (float[]) { 0, 0, 0 }, &match);
  g_assert_cmpint (match.index, ==, 0);
  g_assert_cmpfloat (match.similarity, ==, 0);

  /* picture 3 is nearest, but has no weights to give */
  g_assert_true (cam_cluster_db_find_neighbour (db, (float[]) { 0, 3, 1 },
                                                &match, NULL));
  g_assert_cmpint (match.index, ==, 2);
  g_assert_cmpfloat (match.weights[1], ==, -4);

  cluster = cam_cluster_db_cluster (db, 0, NULL);
  g_assert_cmpint (cluster->n_members, ==, 1);
  g_assert_cmpstr (g_array_index (cluster->labels, CamLabelCount, 0).label, ==,
                   "a");
  g_assert_cmpint (cluster->exemplars->len, ==, 1);
  picture = cam_cluster_db_picture (db, 0, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (picture->name, ==, "a/0.jpg");
  g_assert_cmpuint (g_bytes_get_size (picture->thumbnail), ==, 4);
  cam_exemplar_free (picture);
  g_assert_null (cam_cluster_db_picture (db, 4, NULL));
  g_assert_cmpint (strlen (cam_cluster_db_digest (db)), ==, 64);
  g_assert_true (cam_db_verify (path, NULL, &error));
  g_assert_no_error (error);
}

static void
test_fits (void)
{
  g_autofree char *path = in_folder ("toy.camdb");
  g_autoptr (GError) error = NULL;
  g_autoptr (CamClusterDb) db = cam_cluster_db_open (path, NULL);

  g_assert_true (cam_cluster_db_fits (db, "abc", DIM, CHANNELS, NULL));
  g_assert_false (cam_cluster_db_fits (db, "abd", DIM, CHANNELS, &error));
  g_assert_error (error, CAM_CLUSTER_DB_ERROR,
                  CAM_CLUSTER_DB_ERROR_OTHER_MODEL);
  g_clear_error (&error);
  g_assert_false (cam_cluster_db_fits (db, "abc", DIM, 7, &error));
  g_assert_error (error, CAM_CLUSTER_DB_ERROR,
                  CAM_CLUSTER_DB_ERROR_OTHER_MODEL);
}

static void
test_same_bytes (void)
{
  g_autofree char *one = in_folder ("one.camdb");
  g_autofree char *two = in_folder ("two.camdb");
  g_autofree char *a = NULL;
  g_autofree char *b = NULL;
  gsize n, m;

  write_toy (one, FALSE);
  write_toy (two, FALSE);
  write_toy (two, FALSE); /* over itself */
  g_assert_true (g_file_get_contents (one, &a, &n, NULL));
  g_assert_true (g_file_get_contents (two, &b, &m, NULL));
  g_assert_cmpmem (a, n, b, m);
}

static void
test_compact (void)
{
  g_autofree char *path = in_folder ("compact.camdb");
  g_autoptr (GError) error = NULL;
  g_autoptr (CamClusterDb) db = NULL;
  CamClusterMatch match;

  write_toy (path, TRUE);
  g_assert_true (cam_db_verify (path, NULL, &error));
  g_assert_no_error (error);
  db = cam_cluster_db_open (path, NULL);
  g_assert_false (cam_cluster_db_find_neighbour (db, centroids[0], &match,
                                                 &error));
  g_assert_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_COMPACT);
}

/* Runs @statements on a copy of the toy database; then it must be refused. */
static void
assert_refused (const char *statements, int code, gboolean by_open)
{
  g_autofree char *path = in_folder ("changed.camdb");
  g_autoptr (GError) error = NULL;
  CamClusterDb *db;
  CamSql *sql;

  g_unlink (path); /* it may be no database any more: then it stays */
  write_toy (path, FALSE);
  sql = cam_sql_open_exclusive (path, TRUE, NULL);
  g_assert_true (cam_sql_exec (sql, statements, &error));
  g_assert_no_error (error);
  cam_sql_close (sql);
  db = cam_cluster_db_open (path, &error);
  if (by_open)
    g_assert_null (db);
  else
    {
      g_assert_no_error (error);
      g_assert_false (cam_db_verify (path, NULL, &error));
    }
  g_assert_error (error, CAM_CLUSTER_DB_ERROR, code);
  g_assert_nonnull (strstr (error->message, "changed.camdb"));
  cam_cluster_db_free (db);
}

static void
test_changed (void)
{
  static const char *const malformed[] = {
    "PRAGMA application_id = 7",
    "PRAGMA user_version = 0",
    "DROP TABLE info; CREATE VIEW info AS SELECT 'clusters' key, 2 value",
    "DROP TABLE skipped",
    "CREATE VIRTUAL TABLE evil USING fts5 (a)",
    "CREATE TRIGGER t AFTER INSERT ON info BEGIN SELECT 1; END",
    "DELETE FROM cluster WHERE id = 1",
    "DELETE FROM cluster WHERE id = 0",
    "INSERT INTO cluster SELECT 2, 0, centroid, weights FROM cluster LIMIT 1",
    "UPDATE cluster SET centroid = x'00'",
    "UPDATE cluster SET weights = 'text'",
    "UPDATE cluster SET centroid = zeroblob (12000000)",
    "UPDATE cluster SET weights = x'0000c07f0000c07f'",
    "UPDATE info SET value = 1000000 WHERE key = 'clusters'",
    "UPDATE info SET value = 1000000 WHERE key = 'channels'",
    "UPDATE info SET value = 1000000 WHERE key = 'pictures'",
    "UPDATE info SET value = -1 WHERE key = 'pictures'",
    "UPDATE info SET value = 0 WHERE key = 'clusters'",
    "UPDATE info SET value = 99999999999 WHERE key = 'embedding_dim'",
    "UPDATE info SET value = 'no' WHERE key = 'metric'",
    "DELETE FROM info WHERE key = 'clusters'",
    "DELETE FROM info WHERE key = 'metric'",
    "ALTER TABLE skipped ADD COLUMN c AS (zeroblob (1000000))",
  };
  static const char *const inconsistent[] = {
    "UPDATE picture SET cluster = 0 WHERE id = 2",
    "UPDATE picture SET cluster = 5 WHERE id = 2",
    "UPDATE picture SET similarity = 0.5 WHERE id = 2",
    "UPDATE picture SET embedding = x'00' WHERE id = 2",
    "UPDATE picture SET weights = x'' WHERE id = 2",
    "UPDATE cluster SET size = 2",
    "UPDATE cluster SET weights = x'0000000000000000'",
    "UPDATE cluster_label SET count = 50",
    "DELETE FROM picture WHERE id = 2",
    "DELETE FROM picture WHERE id = 3",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (malformed); i++)
    {
      g_test_message ("%s", malformed[i]);
      assert_refused (malformed[i], CAM_CLUSTER_DB_ERROR_MALFORMED, TRUE);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (inconsistent); i++)
    {
      g_test_message ("%s", inconsistent[i]);
      assert_refused (inconsistent[i], CAM_CLUSTER_DB_ERROR_MALFORMED, FALSE);
    }
  assert_refused ("PRAGMA user_version = 2", CAM_CLUSTER_DB_ERROR_VERSION,
                  TRUE);
}

/* Cut short at every length, and with bytes changed: an error or an answer,
 * never more. */
static void
test_damaged (void)
{
  g_autofree char *path = in_folder ("toy.camdb");
  g_autofree char *damaged = in_folder ("damaged.camdb");
  g_autofree char *bytes = NULL;
  GRand *random = g_rand_new_with_seed (1);
  gsize n;

  g_assert_true (g_file_get_contents (path, &bytes, &n, NULL));
  for (int i = 0; i < 1500; i++)
    {
      g_autofree char *copy = g_memdup2 (bytes, n);
      g_autoptr (CamClusterDb) db = NULL;
      gsize length = i % 3 == 0 ? (gsize) g_rand_int_range (random, 0, n) : n;
      CamClusterMatch match;

      for (int j = 0; i % 3 != 0 && j < 1 + i % 7; j++)
        copy[g_rand_int_range (random, 0, i % 2 ? 4096 : n)] =
            (char) g_rand_int (random);
      g_assert_true (g_file_set_contents_full (damaged, copy, length,
                                               G_FILE_SET_CONTENTS_NONE, 0600,
                                               NULL));
      cam_db_verify (damaged, NULL, NULL);
      db = cam_cluster_db_open (damaged, NULL);
      if (db == NULL || cam_cluster_db_info (db)->embedding_dim != DIM)
        continue;
      cam_cluster_db_find (db, centroids[1], &match);
      cam_cluster_db_find_neighbour (db, centroids[1], &match, NULL);
      cam_cluster_free (cam_cluster_db_cluster (db, 0, NULL));
      cam_exemplar_free (cam_cluster_db_picture (db, 0, NULL));
    }
  g_rand_free (random);
}

static void
test_no_database (void)
{
  g_autofree char *path = in_folder ("none.camdb");
  g_autoptr (GError) error = NULL;

  g_assert_null (cam_cluster_db_open (path, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (cam_cluster_db_open (folder, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_IS_DIRECTORY);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "I am a letter.", -1, NULL));
  g_assert_null (cam_cluster_db_open (path, &error));
  g_assert_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_MALFORMED);
  g_clear_error (&error);
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_null (cam_cluster_db_open (path, &error));
  g_assert_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_MALFORMED);
}

/* A name with everything that means something in a URI. */
static void
test_odd_name (void)
{
  g_autofree char *path = in_folder ("100% mine? #1 ü&x=.camdb");
  g_autoptr (GError) error = NULL;
  g_autoptr (CamClusterDb) db = NULL;

  write_toy (path, FALSE);
  db = cam_cluster_db_open (path, &error);
  g_assert_no_error (error);
}

static void
test_two_writers (void)
{
  g_autofree char *path = in_folder ("busy.camdb");
  g_autoptr (GError) error = NULL;
  g_autoptr (CamDbWriter) first = cam_db_writer_new (path, 1, 1, NULL);

  g_assert_nonnull (first);
  g_assert_null (cam_db_writer_new (path, 1, 1, &error));
  g_assert_error (error, CAM_CLUSTER_DB_ERROR, CAM_CLUSTER_DB_ERROR_BUSY);
  g_assert_nonnull (strstr (error->message, "busy.camdb"));
}

/* Given up before the end: what was there stays, and nothing lies about. */
static void
test_abandoned (void)
{
  g_autofree char *path = in_folder ("kept.camdb");
  g_autofree char *working = in_folder ("kept.camdb.new");
  CamDbWriter *writer;

  write_toy (path, FALSE);
  writer = cam_db_writer_new (path, DIM, CHANNELS, NULL);
  add_pictures (writer);
  g_assert_true (g_file_test (working, G_FILE_TEST_EXISTS));
  cam_db_writer_free (writer);
  g_assert_false (g_file_test (working, G_FILE_TEST_EXISTS));
  g_assert_true (cam_db_verify (path, NULL, NULL));
}

static void
test_left_by_the_dead (void)
{
  g_autofree char *path = in_folder ("after.camdb");
  g_autofree char *working = in_folder ("after.camdb.new");
  g_autofree char *journal = in_folder ("after.camdb.new-journal");

  g_assert_true (g_file_set_contents (working, "half a file", -1, NULL));
  g_assert_true (g_file_set_contents (journal, "and its journal", -1, NULL));
  write_toy (path, FALSE);
  g_assert_false (g_file_test (working, G_FILE_TEST_EXISTS));
  g_assert_false (g_file_test (journal, G_FILE_TEST_EXISTS));
}

static void
remove_folder (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = in_folder (name);

      g_remove (path);
    }
  g_rmdir (folder);
  g_free (folder);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("camlens-db-XXXXXX", NULL);
  g_test_add_func ("/cluster-db/round-trip", test_round_trip);
  g_test_add_func ("/cluster-db/fits", test_fits);
  g_test_add_func ("/cluster-db/same-bytes", test_same_bytes);
  g_test_add_func ("/cluster-db/compact", test_compact);
  g_test_add_func ("/cluster-db/changed", test_changed);
  g_test_add_func ("/cluster-db/damaged", test_damaged);
  g_test_add_func ("/cluster-db/no-database", test_no_database);
  g_test_add_func ("/cluster-db/odd-name", test_odd_name);
  g_test_add_func ("/cluster-db/two-writers", test_two_writers);
  g_test_add_func ("/cluster-db/abandoned", test_abandoned);
  g_test_add_func ("/cluster-db/left-by-the-dead", test_left_by_the_dead);
  status = g_test_run ();
  remove_folder ();
  return status;
}
