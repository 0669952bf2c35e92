/* list-pictures.c -- folders to lists of pictures
 *
 * A folder is read once, whatever links lead to it: folders by their own names
 * first, then links to folders, in order.  What lies there and is not read is
 * said: a picture that is missing from a database is missed by nobody.
 */
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#include "tools/command.h"

static const char *const pictures[] = { ".jpg",  ".jpeg", ".jpe",   ".jfif",
                                        ".jif",  ".jfi",  ".pjpeg", ".pjp",
                                        ".png",  ".tif",  ".tiff",  ".webp",
                                        ".gif",  ".heic", ".heif",  ".hif",
                                        ".avif", NULL };

/* What lies beside pictures and is none, as anybody can see */
static const char *const others[] = {
  ".txt", ".csv",  ".tsv",  ".json", ".jsonl", ".xml",  ".ini",   ".md",
  ".yml", ".yaml", ".html", ".htm",  ".css",   ".js",   ".log",   ".py",
  ".sh",  ".db",   ".sql",  ".url",  ".lnk",   ".xmp",  ".aae",   ".thm",
  ".mp4", ".mov",  ".avi",  ".mkv",  ".webm",  ".mp3",  ".wav",   ".m4a",
  ".zip", ".tar",  ".gz",   ".tgz",  ".bz2",   ".xz",   ".7z",    ".rar",
  ".npy", ".npz",  ".onnx", ".pt",   ".pth",   ".pkl",  ".h5",    ".mat",
  ".exe", ".dll",  ".doc",  ".docx", ".xls",   ".xlsx", ".camdb", ".partial",
  NULL
};
static const char *const other_names[] = { "readme",  "license",  "licence",
                                           "copying", "makefile", NULL };

/* Small copies of the pictures, and what was thrown away, by the names that
 * systems and servers give such folders, in lower case */
static const char *const machine_folders[] = {
  "@eadir",       "@__thumb",   "@tmp",        "__macosx", "thumbs",
  "_thumbs",      "thumbnails", "_thumbnails", "#recycle", "@recycle",
  "$recycle.bin", "lost+found", NULL
};

typedef struct /* how often something was met, and the first of it */
{
  int n;
  char *first;
} Met;

typedef struct
{
  GPtrArray *found;
  GHashTable *folders; /* "device:inode" -> path */
  GQueue *links;       /* paths of links to folders, to be read */
  GHashTable *endings; /* of what is passed over -> how many */
  Met passed, again, machines, lost;
  char *again_as; /* the name that again.first was read by */
} Walk;

static void
meet (Met *met, const char *path)
{
  if (met->n++ == 0)
    met->first = g_strdup (path);
}

static gboolean
is_among (const char *const *names, const char *name)
{
  g_autofree char *lower = g_ascii_strdown (name, -1);

  return g_strv_contains (names, lower);
}

static const char *
ending_of (const char *name)
{
  const char *dot = strrchr (name, '.');

  return dot != NULL ? dot : "";
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
pass_over (Walk *walk, const char *path, const char *name)
{
  char *ending = g_ascii_strdown (ending_of (name), -1);
  int n = GPOINTER_TO_INT (g_hash_table_lookup (walk->endings, ending));

  if (is_among (others, ending) || is_among (other_names, name))
    {
      g_free (ending);
      return;
    }
  meet (&walk->passed, path);
  g_hash_table_insert (walk->endings, ending, GINT_TO_POINTER (n + 1));
}

/* A link to nothing that is named like a picture is listed, and found
 * unreadable; a pipe or a device would be waited for. */
static void
add_file (Walk *walk, const char *path, const char *name)
{
  if (is_among (pictures, ending_of (name))
      && (! g_file_test (path, G_FILE_TEST_EXISTS)
          || g_file_test (path, G_FILE_TEST_IS_REGULAR)))
    g_ptr_array_add (walk->found, g_strdup (path));
  else if (! g_file_test (path, G_FILE_TEST_EXISTS))
    meet (&walk->lost, path);
  else
    pass_over (walk, path, name);
}

/* FALSE where the folder was read before, by whatever name */
static gboolean
enter_folder (Walk *walk, const char *folder)
{
  g_autofree char *place = g_canonicalize_filename (folder, NULL);
  g_autofree char *key = NULL;
  const char *known;
  GStatBuf about;

  if (g_stat (folder, &about) != 0)
    return TRUE; /* opening it says why */
  key = g_strdup_printf ("%" G_GUINT64_FORMAT ":%" G_GUINT64_FORMAT,
                         (guint64) about.st_dev, (guint64) about.st_ino);
  known = g_hash_table_lookup (walk->folders, key);
  if (known == NULL)
    {
      g_hash_table_insert (walk->folders, g_steal_pointer (&key),
                           g_steal_pointer (&place));
      return TRUE;
    }
  if (strcmp (known, place) != 0)
    {
      if (walk->again.n == 0)
        walk->again_as = g_strdup (known);
      meet (&walk->again, folder);
    }
  return FALSE;
}

static GPtrArray *
read_names (const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  GPtrArray *names;
  const char *name;

  if (dir == NULL)
    return NULL;
  names = g_ptr_array_new_with_free_func (g_free);
  while ((name = g_dir_read_name (dir)) != NULL)
    if (name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

static gboolean
add_folder (Walk *walk, const char *folder, GError **error)
{
  g_autoptr (GPtrArray) names = NULL;

  if (! enter_folder (walk, folder))
    return TRUE;
  names = read_names (folder, error);
  if (names == NULL)
    return FALSE;
  for (guint i = 0; i < names->len; i++)
    {
      const char *name = names->pdata[i];
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (! g_file_test (path, G_FILE_TEST_IS_DIR))
        add_file (walk, path, name);
      else if (is_among (machine_folders, name))
        meet (&walk->machines, path);
      else if (g_file_test (path, G_FILE_TEST_IS_SYMLINK))
        g_queue_push_tail (walk->links, g_steal_pointer (&path));
      else if (! add_folder (walk, path, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
add_tree (Walk *walk, const char *folder, GError **error)
{
  gboolean good = add_folder (walk, folder, error);

  while (good && ! g_queue_is_empty (walk->links))
    {
      g_autofree char *link = g_queue_pop_head (walk->links);

      good = add_folder (walk, link, error);
    }
  return good;
}

static gboolean
add_path (Walk *walk, const char *path, GError **error)
{
  if (g_file_test (path, G_FILE_TEST_IS_DIR))
    return add_tree (walk, path, error);
  if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
    {
      g_ptr_array_add (walk->found, g_strdup (path));
      return TRUE;
    }
  if (g_file_test (path, G_FILE_TEST_EXISTS))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                 _ ("'%s' is not a file"), path);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 is_among (pictures, ending_of (path))
                     ? _ ("There is no picture “%s”.")
                     : _ ("There is no file or folder “%s”."),
                 path);
  return FALSE;
}

/* ".bmp 2, .ppm 1" (transfer full) */
static char *
count_endings (const Walk *walk)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  GString *text = g_string_new (NULL);
  GHashTableIter iter;
  gpointer ending;

  g_hash_table_iter_init (&iter, walk->endings);
  while (g_hash_table_iter_next (&iter, &ending, NULL))
    g_ptr_array_add (names, ending);
  g_ptr_array_sort (names, compare_names);
  for (guint i = 0; i < names->len; i++)
    g_string_append_printf (text, "%s%s %d", i > 0 ? ", " : "",
                            *(char *) names->pdata[i] != '\0'
                                ? (char *) names->pdata[i]
                                : "-",
                            GPOINTER_TO_INT (g_hash_table_lookup (walk->endings,
                                                                  names->pdata
                                                                      [i])));
  return g_string_free (text, FALSE);
}

static void
say_what_is_left (const Walk *walk)
{
  if (walk->passed.n > 0)
    {
      g_autofree char *counts = count_endings (walk);
      g_autofree char *known = g_strjoinv (" ", (char **) pictures);

      command_note (ngettext ("%d file was passed over, as its name ends in "
                              "none of %s: %s (%s)",
                              "%d files were passed over, as their names end "
                              "in none of %s: %s and others (%s)",
                              walk->passed.n),
                    walk->passed.n, known, walk->passed.first, counts);
    }
  if (walk->lost.n > 0)
    command_note (ngettext ("%d link leads nowhere and was passed over: %s",
                            "%d links lead nowhere and were passed over: %s "
                            "and others",
                            walk->lost.n),
                  walk->lost.n, walk->lost.first);
  if (walk->machines.n > 0)
    command_note (ngettext ("%d thumbnail or system folder was passed over: %s",
                            "%d thumbnail or system folders were passed over: "
                            "%s and others",
                            walk->machines.n),
                  walk->machines.n, walk->machines.first);
  if (walk->again.n > 0)
    command_note (ngettext ("%d further name of a folder was passed over: %s "
                            "is %s, which is read already",
                            "%d further names of folders were passed over, "
                            "the first: %s is %s, which is read already",
                            walk->again.n),
                  walk->again.n, walk->again.first, walk->again_as);
}

static void
walk_init (Walk *walk)
{
  *walk = (Walk) { 0 };
  walk->folders = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                         g_free);
  walk->endings = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  walk->links = g_queue_new ();
}

static void
walk_clear (Walk *walk)
{
  g_hash_table_unref (walk->folders);
  g_hash_table_unref (walk->endings);
  g_queue_free_full (walk->links, g_free);
  g_free (walk->passed.first);
  g_free (walk->machines.first);
  g_free (walk->lost.first);
  g_free (walk->again.first);
  g_free (walk->again_as);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Walk, walk_clear)

GPtrArray *
command_list_pictures (char *const *paths, int n_paths, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GHashTable)
      seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_auto (Walk) walk;

  walk_init (&walk);
  for (int i = 0; i < n_paths; i++)
    {
      g_autoptr (GPtrArray) found = g_ptr_array_new_with_free_func (g_free);

      walk.found = found;
      if (! add_path (&walk, paths[i], error))
        return NULL;
      g_ptr_array_sort (found, compare_names);
      for (guint j = 0; j < found->len; j++)
        if (g_hash_table_add (seen,
                              g_canonicalize_filename (found->pdata[j], NULL)))
          g_ptr_array_add (all, g_strdup (found->pdata[j]));
    }
  say_what_is_left (&walk);
  return g_steal_pointer (&all);
}
