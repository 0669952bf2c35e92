/* replay.c -- gives every file of a folder to a fuzz target, as a test
 *
 * The corpus holds small valid models and what fuzzing once found.
 */
#include "tests/fuzz/fuzz.h"

#define SECONDS_EACH 5

/* A size that cannot be had must give NULL under AddressSanitizer, too. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "allocator_may_return_null=1";
}

static void
test_file (gconstpointer path)
{
  g_autofree char *data = NULL;
  g_autoptr (GError) error = NULL;
  gint64 start = g_get_monotonic_time ();
  gsize size;

  g_file_get_contents (path, &data, &size, &error);
  g_assert_no_error (error);
  g_assert_cmpint (LLVMFuzzerTestOneInput ((const guint8 *) data, size), ==, 0);
  g_assert_cmpint (g_get_monotonic_time () - start, <,
                   SECONDS_EACH * G_USEC_PER_SEC);
}

int
main (int argc, char **argv)
{
  g_autoptr (GDir) folder = NULL;
  const char *name;
  int n = 0;

  g_test_init (&argc, &argv, NULL);
  folder = argc > 1 ? g_dir_open (argv[1], 0, NULL) : NULL;
  while (folder && (name = g_dir_read_name (folder)))
    {
      g_autofree char *test = g_strconcat ("/corpus/", name, NULL);

      g_test_add_data_func_full (test, g_build_filename (argv[1], name, NULL),
                                 test_file, g_free);
      n++;
    }
  if (n == 0)
    g_error ("there is no corpus in '%s'", argc > 1 ? argv[1] : "");
  return g_test_run ();
}
