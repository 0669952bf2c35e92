/* test-options.c -- what the dialogs keep between runs: in any locale, whatever
 * lies at the file's place */
#include <glib/gstdio.h>
#include <locale.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ui/options.h"

static char *folder;

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static gboolean
take_comma (void)
{
  g_autofree char *locale = in_folder ("de_DE.UTF-8");
  const char *const make[] = { "localedef", "-i",   "de_DE", "-f",
                               "UTF-8",     locale, NULL };

  g_spawn_sync (NULL, (char **) make, NULL,
                G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL
                    | G_SPAWN_STDERR_TO_DEV_NULL,
                NULL, NULL, NULL, NULL, NULL, NULL);
  g_setenv ("LOCPATH", folder, TRUE);
  return setlocale (LC_NUMERIC, "de_DE.UTF-8") != NULL;
}

/* Saved in one locale and read in the other, both ways */
static void
test_comma (void)
{
  g_autofree char *path = in_folder ("comma");

  if (! take_comma ())
    {
      g_test_skip ("there is no locale with a decimal comma");
      return;
    }
  for (int comma = 0; comma < 2; comma++)
    {
      g_autoptr (CamOptions) saved = cam_options_new ();
      g_autoptr (CamOptions) read = cam_options_new ();
      g_autofree char *text = NULL;

      saved->opacity = 37.5;
      saved->threshold = 0.125;
      setlocale (LC_NUMERIC, comma ? "de_DE.UTF-8" : "C");
      g_assert_true (cam_options_save (saved, path, "p", NULL));
      setlocale (LC_NUMERIC, comma ? "C" : "de_DE.UTF-8");
      cam_options_load (read, path, "p");
      setlocale (LC_NUMERIC, "C");
      g_assert_cmpfloat (read->opacity, ==, 37.5);
      g_assert_cmpfloat (read->threshold, ==, 0.125);
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_assert_nonnull (strstr (text, "opacity=37.5\n"));
    }
}

/* Presets in a file that somebody damaged are put aside, not written over. */
static void
test_damaged (void)
{
  static const char damaged[] = "[mine]\nopacity=20\nno key\n";
  g_autofree char *path = in_folder ("presets");
  g_autofree char *aside = in_folder ("presets~");
  g_autoptr (CamOptions) options = cam_options_new ();
  g_autofree char *kept = NULL, *text = NULL;

  g_assert_true (g_file_set_contents (path, damaged, -1, NULL));
  g_assert_true (cam_options_save (options, path, "other", NULL));
  g_assert_true (g_file_get_contents (aside, &kept, NULL, NULL));
  g_assert_cmpstr (kept, ==, damaged);
  g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
  g_assert_nonnull (strstr (text, "[other]"));
}

/* Nobody is kept waiting, and a pipe stays one. */
static void
test_pipe (void)
{
  g_autofree char *path = in_folder ("pipe");
  g_autoptr (CamOptions) options = cam_options_new ();
  g_auto (GStrv) groups = NULL;
  g_autoptr (GError) error = NULL;
  GStatBuf about;

  g_assert_cmpint (mkfifo (path, 0666), ==, 0);
  cam_options_load (options, path, "p");
  groups = cam_options_groups (path);
  g_assert_cmpuint (g_strv_length (groups), ==, 0);
  g_assert_false (cam_options_save (options, path, "p", &error));
  g_assert_nonnull (strstr (error->message, path));
  g_assert_cmpint (g_lstat (path, &about), ==, 0);
  g_assert_true (S_ISFIFO (about.st_mode));
}

/* A link to settings that are kept elsewhere stays a link. */
static void
test_link (void)
{
  g_autofree char *path = in_folder ("link"), *real = in_folder ("real");
  g_autoptr (CamOptions) options = cam_options_new ();

  g_assert_cmpint (symlink (real, path), ==, 0);
  g_assert_true (cam_options_save (options, path, "p", NULL));
  g_assert_true (g_file_test (path, G_FILE_TEST_IS_SYMLINK));
  g_assert_true (g_file_test (real, G_FILE_TEST_IS_REGULAR));
}

static void
remove_all (void)
{
  const char *const words[] = { "rm", "-rf", folder, NULL };

  g_spawn_sync (NULL, (char **) words, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL,
                NULL, NULL, NULL, NULL);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  folder = g_dir_make_tmp ("camlens-options-XXXXXX", NULL);
  g_test_add_func ("/options/comma", test_comma);
  g_test_add_func ("/options/damaged", test_damaged);
  g_test_add_func ("/options/pipe", test_pipe);
  g_test_add_func ("/options/link", test_link);
  status = g_test_run ();
  remove_all ();
  g_free (folder);
  return status;
}
