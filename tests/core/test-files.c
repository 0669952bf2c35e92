/* test-files.c -- files that are whole and on the disk; files that are none;
 * text that would steer a terminal; numbers in a locale with a comma */
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/foreign-text.h"
#include "core/base/npy.h"
#include "core/base/plain-file.h"
#include "core/base/whole-file.h"
#include "core/builder/build-settings.h"
#include "core/image/input.h"
#include "core/model/installed.h"

static char *folder;

/* ---- what reaches the disk, in which order: these stand for the C library's
 * ---- */

int fsync (int fd);
int rename (const char *from, const char *to);

static GString *calls;
static int fail_with;

int
fsync (int fd)
{
  char link[64], path[PATH_MAX] = "";

  g_snprintf (link, sizeof link, "/proc/self/fd/%d", fd);
  if (calls && readlink (link, path, sizeof path - 1) > 0)
    {
      g_autofree char *base = g_path_get_basename (path);

      g_string_append_printf (calls, "sync %s;",
                              strcmp (path, folder) ? base : "folder");
    }
  if (fail_with)
    {
      errno = fail_with;
      return -1;
    }
  return (int) syscall (SYS_fsync, fd);
}

int
rename (const char *from, const char *to)
{
  g_autofree char *base = g_path_get_basename (to);

  if (calls)
    g_string_append_printf (calls, "name %s;", base);
  return (int) syscall (SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

static char *
in_folder (const char *name)
{
  return g_build_filename (folder, name, NULL);
}

static char *
write_file (const char *name, const char *data, gssize length)
{
  char *path = in_folder (name);

  g_assert_true (g_file_set_contents (path, data, length, NULL));
  return path;
}

static guint
count_files (void)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  guint n = 0;

  while (g_dir_read_name (dir))
    n++;
  return n;
}

static void
test_order (void)
{
  g_autofree char *path = in_folder ("whole");
  g_auto (GStrv) steps = NULL;
  CamFilePiece piece = { "text", 4 };

  calls = g_string_new (NULL);
  g_assert_true (cam_whole_file_write (path, &piece, 1, NULL));
  steps = g_strsplit (calls->str, ";", -1);
  g_string_free (g_steal_pointer (&calls), TRUE);
  g_assert_cmpuint (g_strv_length (steps), ==, 4);
  g_assert_true (g_str_has_prefix (steps[0], "sync whole."));
  g_assert_cmpstr (steps[1], ==, "name whole");
  g_assert_cmpstr (steps[2], ==, "sync folder");
}

static void
test_not_synced (void)
{
  static const int codes[] = { EIO, ENOSPC, EDQUOT };
  g_autofree char *path = write_file ("kept", "before", -1);
  guint n = count_files ();

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      CamFilePiece piece = { "after", 5 };
      g_autoptr (GError) error = NULL;
      g_autofree char *text = NULL;

      fail_with = codes[i];
      g_assert_false (cam_whole_file_write (path, &piece, 1, &error));
      fail_with = 0;
      g_assert_nonnull (strstr (error->message, g_strerror (codes[i])));
      g_assert_cmpint (strstr (error->message, "room") != NULL, ==,
                       codes[i] != EIO);
      g_assert_true (g_file_get_contents (path, &text, NULL, NULL));
      g_assert_cmpstr (text, ==, "before");
      g_assert_cmpuint (count_files (), ==, n);
    }
}

/* Some file systems know no such thing. */
static void
test_cannot_sync (void)
{
  g_autofree char *path = in_folder ("unsynced");
  CamFilePiece piece = { "text", 4 };

  fail_with = EINVAL;
  g_assert_true (cam_whole_file_write (path, &piece, 1, NULL));
  fail_with = 0;
}

/* ---- files that are none ---- */

static char *
make_socket (void)
{
  struct sockaddr_un at = { .sun_family = AF_UNIX };
  char *path = in_folder ("socket");
  int fd = socket (AF_UNIX, SOCK_STREAM, 0);

  g_strlcpy (at.sun_path, path, sizeof at.sun_path);
  g_assert_cmpint (bind (fd, (struct sockaddr *) &at, sizeof at), ==, 0);
  close (fd);
  return path;
}

static void
test_no_files (void)
{
  g_autofree char *pipe = in_folder ("pipe");
  g_autofree char *socket_path = make_socket ();
  g_autofree char *missing = in_folder ("missing");
  const char *paths[] = { pipe,       socket_path, missing, "/dev/zero",
                          "/dev/tty", folder,      "" };

  g_assert_cmpint (mkfifo (pipe, 0666), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autoptr (GError) text = NULL, keys = NULL, array = NULL;
      g_autoptr (GKeyFile) file = g_key_file_new ();

      g_assert_null (cam_plain_file_text (paths[i], 100, &text));
      g_assert_error (text, G_IO_ERROR, text->code);
      g_assert_nonnull (strstr (text->message, paths[i]));
      g_assert_false (cam_plain_file_keys (file, paths[i], G_KEY_FILE_NONE,
                                           &keys));
      g_assert_null (cam_npy_read (paths[i], &array));
      g_assert_nonnull (array);
    }
}

static void
test_digest (void)
{
  g_autofree char *file = in_folder ("digest");
  g_autofree char *pipe = in_folder ("digest.pipe");
  g_autofree char *digest = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (file, "abc", 3, NULL));
  digest = cam_plain_file_digest (file, NULL);
  g_assert_cmpstr (digest, ==,
                   "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f2"
                   "0015ad");
  g_assert_cmpint (mkfifo (pipe, 0666), ==, 0);
  g_assert_null (cam_plain_file_digest (pipe, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
}

/* A pipe as model.ini hides a model's title, and keeps nobody waiting. */
static void
test_installed (void)
{
  g_autofree char *model = in_folder ("models/net");
  g_autofree char *onnx = in_folder ("models/net/model.onnx");
  g_autofree char *ini = in_folder ("models/net/model.ini");
  g_autofree char *models = in_folder ("models");
  g_autoptr (GPtrArray) found = NULL;

  g_assert_cmpint (g_mkdir_with_parents (model, 0777), ==, 0);
  g_assert_true (g_file_set_contents (onnx, "", 0, NULL));
  g_assert_cmpint (mkfifo (ini, 0666), ==, 0);
  g_setenv ("CAMLENS_MODEL_PATH", models, TRUE);
  found = cam_models_installed ();
  g_assert_cmpuint (found->len, >=, 1);
  g_assert_cmpstr (((CamInstalledModel *) found->pdata[0])->name, ==, "net");
  g_assert_null (((CamInstalledModel *) found->pdata[0])->title);
}

/* ---- how text is written ---- */

#define WORDS "[a]\r\nk=\303\274\r\n"

static void
test_encodings (void)
{
  static const struct
  {
    const char *text;
    gssize length;
  } good[] = {
    { WORDS, -1 },
    { "\357\273\277" WORDS, -1 },
    { "\377\376[\0a\0]\0\r\0\n\0k\0=\0\374\0\r\0\n\0", 22 },
    { "\376\377\0[\0a\0]\0\r\0\n\0k\0=\0\374\0\r\0\n", 22 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *path = write_file ("good.ini", good[i].text,
                                          good[i].length);
      g_autofree char *text = cam_plain_file_text (path, 100, NULL);
      g_autofree char *value = NULL;
      g_autoptr (GKeyFile) file = g_key_file_new ();

      g_assert_cmpstr (text, ==, WORDS);
      g_assert_true (cam_plain_file_keys (file, path, G_KEY_FILE_NONE, NULL));
      value = g_key_file_get_string (file, "a", "k", NULL);
      g_assert_cmpstr (value, ==, "\303\274");
    }
}

static void
test_no_text (void)
{
  static const struct
  {
    const char *text;
    gssize length;
  } bad[] = {
    { "a\0b", 3 },                   /* a NUL                         */
    { "\377\376a\0b", 5 },           /* half a character of UTF-16    */
    { "\377\376\0\330a\0", 6 },      /* half a surrogate pair         */
    { "\377\376a\0\0\0b\0", 8 },     /* a NUL in UTF-16               */
    { "[\0a\0]\0", 6 },              /* UTF-16 without its mark       */
    { "0123456789012345678901", 22 } /* more than asked for           */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *path = write_file ("bad.txt", bad[i].text,
                                          bad[i].length);
      g_autoptr (GError) error = NULL;

      g_assert_null (cam_plain_file_text (path, 20, &error));
      g_assert_nonnull (strstr (error->message, "bad.txt"));
    }
}

static void
test_bounds (void)
{
  static const gsize lengths[] = { 0, 1, 65535, 65536, 65537, 200000 };

  for (gsize i = 0; i < G_N_ELEMENTS (lengths); i++)
    {
      g_autofree char *data = g_strnfill (lengths[i], 'x');
      g_autofree char *path = write_file ("long", data, lengths[i]);
      g_autofree char *text = cam_plain_file_text (path, lengths[i], NULL);

      g_assert_cmpstr (text, ==, data);
      if (lengths[i] > 0)
        g_assert_null (cam_plain_file_text (path, lengths[i] - 1, NULL));
    }
}

/* ---- a stranger's text ---- */

static void
test_foreign (void)
{
  static const struct
  {
    const char *text, *shown;
  } all[] = {
    { NULL, "" },
    { "plain \\ text, \303\274 \346\227\245 \360\237\221\215", NULL },
    { "\033[2J\033]0;t\007", "\\x1b[2J\\x1b]0;t\\x07" },
    { "a\nb\tc\rd", "a\\nb\\tc\\rd" },
    { "\001\010\177", "\\x01\\x08\\x7f" },
    { "\302\233m \302\205", "\\u009bm \\u0085" },
    { "\342\200\256\342\201\246\342\200\250\357\273\277",
      "\\u202e\\u2066\\u2028\\ufeff" },
    { "\363\240\201\201", "\\U000e0041" },
    { "\233m\377\300\257", "\\x9bm\\xff\\xc0\\xaf" },
    { "\303", "\\xc3" },
    { "\360\237\221\251\342\200\215\360\237\224\254", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    {
      g_autofree char *shown = cam_foreign_text (all[i].text);

      g_assert_cmpstr (shown, ==, all[i].shown ? all[i].shown : all[i].text);
    }
}

static void
test_long (void)
{
  for (gsize length = 1; length < 10 << 20; length = length * 5 + 1)
    {
      g_autoptr (GString) text = g_string_new ("begins");
      g_autofree char *shown = NULL;

      while (text->len < length)
        g_string_append (text, "\303\274");
      g_string_append (text, "ends");
      shown = cam_foreign_text (text->str);
      g_assert_true (g_utf8_validate (shown, -1, NULL));
      g_assert_true (g_str_has_prefix (shown, "begins"));
      g_assert_true (g_str_has_suffix (shown, "ends"));
      g_assert_cmpuint (strlen (shown), <=, CAM_FOREIGN_MOST);
      g_assert_cmpint (strcmp (shown, text->str) == 0, ==,
                       text->len <= CAM_FOREIGN_MOST);
    }
}

static void
test_json (void)
{
  g_autofree char *shown = cam_foreign_json ("{\"\303\274\\n\177\302\233\342"
                                             "\200\256\363\240\201\201\":1}\n");

  g_assert_cmpstr (shown, ==,
                   "{\"\303\274\\n\\u007f\\u009b\\u202e\\udb40\\udc41\":1}\n");
}

/* ---- a decimal comma ---- */

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

static void
test_comma (void)
{
  CamInputSettings input = { .width = 224, .height = 224, .scale = 1 / 255. };
  g_autofree char *before = NULL, *after = NULL, *comma = NULL;

  input.crop_fraction = 0.875;
  for (int i = 0; i < 3; i++)
    {
      input.mean[i] = 0.1 * (i + 1);
      input.std[i] = 0.25;
    }
  before = cam_build_preprocessing (&input);
  if (! take_comma ())
    {
      g_test_skip ("there is no locale with a decimal comma");
      return;
    }
  comma = g_strdup_printf ("%.1f", 0.5);
  g_assert_cmpstr (comma, ==, "0,5");
  after = cam_build_preprocessing (&input);
  setlocale (LC_NUMERIC, "C");
  g_assert_cmpstr (after, ==, before);
  g_assert_nonnull (strstr (before, "(0.875)"));
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
  folder = g_dir_make_tmp ("camlens-files-XXXXXX", NULL);
  g_test_add_func ("/files/written/order", test_order);
  g_test_add_func ("/files/written/not-synced", test_not_synced);
  g_test_add_func ("/files/written/cannot-sync", test_cannot_sync);
  g_test_add_func ("/files/read/none", test_no_files);
  g_test_add_func ("/files/read/digest", test_digest);
  g_test_add_func ("/files/read/installed", test_installed);
  g_test_add_func ("/files/read/encodings", test_encodings);
  g_test_add_func ("/files/read/no-text", test_no_text);
  g_test_add_func ("/files/read/bounds", test_bounds);
  g_test_add_func ("/files/foreign/text", test_foreign);
  g_test_add_func ("/files/foreign/long", test_long);
  g_test_add_func ("/files/foreign/json", test_json);
  g_test_add_func ("/files/comma", test_comma);
  status = g_test_run ();
  remove_all ();
  g_free (folder);
  return status;
}
