/* test-external.c -- weights in other files, and what must not be read */
#include "tests/reader/model-writer.h"
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  char *outside; /* a folder with secret.bin and model/ */
  char *folder;  /* model/ with weights.bin, sub/more.bin and links */
} Fixture;

static const float values[] = { 1, 2, 3, 4, 5, 6, 7, 8 };

static char *
write_file (const char *folder, const char *name, gconstpointer data,
            gsize size)
{
  char *path = g_build_filename (folder, name, NULL);

  g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
  return path;
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *sub = NULL;

  fixture->outside = g_dir_make_tmp ("camlens-external-XXXXXX", NULL);
  fixture->folder = g_build_filename (fixture->outside, "model", NULL);
  sub = g_build_filename (fixture->folder, "sub", NULL);
  g_assert_cmpint (g_mkdir_with_parents (sub, 0700), ==, 0);
  g_free (write_file (fixture->outside, "secret.bin", values, sizeof values));
  g_free (write_file (fixture->folder, "weights.bin", values, sizeof values));
  g_free (write_file (sub, "more.bin", values + 2, 2 * sizeof *values));
}

static void
remove_tree (const char *path)
{
  const char *name;
  g_autoptr (GDir) dir = NULL;

  if (! g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    dir = g_dir_open (path, 0, NULL);
  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *inner = g_build_filename (path, name, NULL);

      remove_tree (inner);
    }
  g_remove (path);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  remove_tree (fixture->outside);
  g_free (fixture->outside);
  g_free (fixture->folder);
}

static void
put_entry (GByteArray *tensor, const char *key, const char *value)
{
  GByteArray *entry = g_byte_array_new ();

  put_text (entry, 1, key);
  put_text (entry, 2, value);
  put_message (tensor, 13, entry);
}

/* A model whose weight "w" of two floats lies at @location; NULL: left out */
static GBytes *
model_of (const char *location, const char *offset, const char *length)
{
  const gint64 dims[] = { 2, -1 };
  GByteArray *tensor = tensor_new ("w", DTYPE_FLOAT, dims);
  Model model = model_new (13);

  if (location)
    put_entry (tensor, "location", location);
  if (offset)
    put_entry (tensor, "offset", offset);
  if (length)
    put_entry (tensor, "length", length);
  put_number (tensor, 14, 1);
  model_add_weight (&model, tensor);
  model_add_output (&model, "w");
  return model_finish (&model);
}

static void
assert_reads (const Fixture *fixture, const char *location, const char *offset,
              float first)
{
  g_autoptr (GBytes) bytes = model_of (location, offset, "8");
  g_autoptr (GError) error = NULL;
  g_autoptr (CamNetwork) network = load (bytes, fixture->folder, &error);
  const CamTensor *tensor;

  g_assert_no_error (error);
  tensor = cam_graph_find (cam_network_graph (network), "w")->constant;
  g_assert_cmpfloat (cam_tensor_f32 (tensor)[0], ==, first);
  g_assert_cmpfloat (cam_tensor_f32 (tensor)[1], ==, first + 1);
}

static void
assert_not_read (const char *folder, const char *location, const char *offset,
                 const char *length, const char *word)
{
  g_autoptr (GBytes) bytes = model_of (location, offset, length);
  g_autoptr (GError) error = NULL;

  g_assert_null (load (bytes, folder, &error));
  g_assert_nonnull (error);
  if (! strstr (error->message, word))
    g_error ("'%s' does not name '%s'", error->message, word);
}

static void
test_inside (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);

  assert_reads (fixture, "weights.bin", NULL, 1);
  assert_reads (fixture, "weights.bin", "8", 3);
  assert_reads (fixture, "weights.bin", "24", 7);
  assert_reads (fixture, "./weights.bin", "4", 2);
  assert_reads (fixture, "sub/more.bin", "0", 3);
  g_assert_cmpint (symlink ("sub/more.bin", link), ==, 0);
  assert_reads (fixture, "link", NULL, 3);
}

static void
test_outside (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *secret = g_build_filename (fixture->outside, "secret.bin",
                                              NULL);
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);
  g_autofree char *up = g_build_filename (fixture->folder, "up", NULL);

  g_assert_cmpint (symlink ("../secret.bin", link), ==, 0);
  g_assert_cmpint (symlink ("..", up), ==, 0);
  assert_not_read (fixture->folder, secret, NULL, NULL, "own folder");
  assert_not_read (fixture->folder, "../secret.bin", NULL, NULL, "own folder");
  assert_not_read (fixture->folder, "sub/../../secret.bin", NULL, NULL,
                   "own folder");
  assert_not_read (fixture->folder, "..", NULL, NULL, "own folder");
  assert_not_read (fixture->folder, "link", NULL, NULL, "leads out");
  assert_not_read (fixture->folder, "up/secret.bin", NULL, NULL, "leads out");
  assert_not_read (fixture->folder, "", NULL, NULL, "own folder");
  assert_not_read (NULL, "weights.bin", NULL, NULL, "no folder");
}

/* A folder whose name begins with the model's is another one. */
static void
test_neighbour (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *other = g_strconcat (fixture->folder, "-other", NULL);
  g_autofree char *link = g_build_filename (fixture->folder, "link", NULL);

  g_assert_cmpint (g_mkdir (other, 0700), ==, 0);
  g_free (write_file (other, "w.bin", values, sizeof values));
  g_assert_cmpint (symlink ("../model-other/w.bin", link), ==, 0);
  assert_not_read (fixture->folder, "link", NULL, NULL, "leads out");
}

static void
test_places (Fixture *fixture, gconstpointer unused)
{
  const char *folder = fixture->folder;

  assert_not_read (folder, "absent.bin", NULL, NULL, "absent.bin");
  assert_not_read (folder, NULL, NULL, NULL, "location");
  assert_not_read (folder, "weights.bin", "28", NULL, "beyond the end");
  assert_not_read (folder, "weights.bin", "9223372036854775807", NULL,
                   "beyond the end");
  assert_not_read (folder, "weights.bin", "-4", NULL, "offset");
  assert_not_read (folder, "weights.bin", "99999999999999999999", NULL,
                   "offset");
  assert_not_read (folder, "weights.bin", "0", "12", "12 bytes");
  assert_not_read (folder, "sub", NULL, NULL, "not a file");
}

static void
test_digest (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (GBytes) bytes = model_of ("weights.bin", NULL, NULL);
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  g_autofree char *path = write_file (fixture->folder, "m.onnx", data, size);
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autoptr (CamNetwork) network = cam_network_load (path, 0, NULL, NULL);
  g_autoptr (CamNetwork) changed = cam_network_load (path, 0, NULL, NULL);

  g_checksum_update (sum, data, (gssize) size);
  g_checksum_update (sum, (const guchar *) values, sizeof values);
  g_assert_cmpstr (cam_network_digest (network), ==,
                   g_checksum_get_string (sum));
  g_free (write_file (fixture->folder, "weights.bin", "other", 5));
  g_assert_cmpstr (cam_network_digest (network), ==,
                   g_checksum_get_string (sum));
  g_assert_cmpstr (cam_network_digest (changed), ==, "");
}

static void
test_no_file (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *path = g_build_filename (fixture->folder, "no.onnx", NULL);
  g_autoptr (GError) error = NULL;

  g_assert_null (cam_network_load (path, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND);
  g_assert_nonnull (strstr (error->message, path));
  g_clear_error (&error);
  g_assert_null (cam_network_load (fixture->folder, 0, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*test) (Fixture *fixture, gconstpointer unused);
  } tests[] = {
    { "/external/inside", test_inside },
    { "/external/outside", test_outside },
    { "/external/neighbour", test_neighbour },
    { "/external/places", test_places },
    { "/external/digest", test_digest },
    { "/external/no-file", test_no_file },
  };

  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    g_test_add (tests[i].name, Fixture, NULL, set_up, tests[i].test, tear_down);
  return g_test_run ();
}
