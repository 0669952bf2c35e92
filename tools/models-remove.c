/* models-remove.c -- takes a model's folder away, and nothing that is not its
 *
 * All of the folder is looked at before anything goes.  Folders are opened one
 * by one from the one above, never by a path through a link.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/foreign-text.h"
#include "core/base/plain-file.h"
#include "core/model/installed.h"
#include "core/model/model.h"
#include "tools/models.h"

#define NAMED 5 /* of the files that are in the way */

typedef struct
{
  gboolean anything; /* goes                                         */
  GHashTable *added; /* name -> digest; NULL: there is no record     */
  GHashTable *usual; /* then: names of what an earlier version added */
  GPtrArray *names;  /* of all that goes, files before their folder  */
  GPtrArray *others; /* names of what is somebody else's             */
} Look;

static void
look_clear (Look *look)
{
  g_clear_pointer (&look->added, g_hash_table_unref);
  g_clear_pointer (&look->usual, g_hash_table_unref);
  g_clear_pointer (&look->names, g_ptr_array_unref);
  g_clear_pointer (&look->others, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Look, look_clear)

static gboolean
refuse (const char *path, int code, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               _ ("Cannot remove “%s”: %s."), path, g_strerror (code));
  return FALSE;
}

gboolean
models_is_name (const char *name)
{
  g_autofree char *shown = cam_foreign_text (name);

  return *name != '\0' && *name != '.' && strchr (name, '/') == NULL
         && ! g_str_has_suffix (name, ".onnx") && strcmp (shown, name) == 0;
}

/* ---- what may go ---- */

/* Lower-case hex of the file @name in @folder, or NULL (transfer full) */
static char *
digest_of (int folder, const char *name)
{
  int fd = openat (folder, name,
                   O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  char *digest = fd != -1 ? cam_plain_file_digest_rest (fd) : NULL;

  if (fd != -1)
    close (fd);
  return digest;
}

static gboolean
may_go (const Look *look, int folder, const char *base, const char *name)
{
  const char *known;
  g_autofree char *now = NULL;

  if (look->anything || strcmp (name, MODELS_RECORD) == 0)
    return TRUE;
  if (look->added == NULL)
    return g_hash_table_contains (look->usual, name);
  known = g_hash_table_lookup (look->added, name);
  now = known != NULL ? digest_of (folder, base) : NULL;
  return now != NULL && strcmp (now, known) == 0;
}

/* Was something put below the folder @name, which ends in "/"? */
static gboolean
has_below (const Look *look, const char *name)
{
  GHashTableIter names;
  gpointer key;

  if (look->anything)
    return TRUE;
  g_hash_table_iter_init (&names,
                          look->added != NULL ? look->added : look->usual);
  while (g_hash_table_iter_next (&names, &key, NULL))
    if (g_str_has_prefix (key, name))
      return TRUE;
  return FALSE;
}

static gboolean look_at (Look *look, int folder, const char *prefix);

static gboolean
look_at_entry (Look *look, int folder, const char *base, const char *prefix)
{
  g_autofree char *name = g_strconcat (prefix, base, NULL);
  g_autofree char *below = g_strconcat (name, "/", NULL);
  struct stat about;
  gboolean good = TRUE;
  int fd;

  if (fstatat (folder, base, &about, AT_SYMLINK_NOFOLLOW) != 0)
    return FALSE;
  if (S_ISDIR (about.st_mode) && has_below (look, below))
    {
      fd = openat (folder, base,
                   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
      good = fd != -1 && look_at (look, fd, below);
      g_ptr_array_add (look->names, g_steal_pointer (&below));
    }
  else if (S_ISDIR (about.st_mode))
    g_ptr_array_add (look->others, g_steal_pointer (&below));
  else if (S_ISLNK (about.st_mode)
           || (S_ISREG (about.st_mode) && may_go (look, folder, base, name)))
    g_ptr_array_add (look->names, g_steal_pointer (&name));
  else
    g_ptr_array_add (look->others, g_steal_pointer (&name));
  return good;
}

/* Sorts what is in @folder, and below it; closes @folder.  FALSE with errno */
static gboolean
look_at (Look *look, int folder, const char *prefix)
{
  DIR *dir = fdopendir (folder);
  const struct dirent *entry;
  gboolean good = TRUE;
  int code;

  if (dir == NULL)
    {
      close (folder);
      return FALSE;
    }
  while (good && (errno = 0, entry = readdir (dir)) != NULL)
    if (strcmp (entry->d_name, ".") != 0 && strcmp (entry->d_name, "..") != 0)
      good = look_at_entry (look, folder, entry->d_name, prefix);
  /* each name goes, or none does */
  good = good && errno == 0 && faccessat (folder, ".", W_OK | X_OK, 0) == 0;
  code = errno;
  closedir (dir);
  errno = code;
  return good;
}

/* ---- what was put there ---- */

/* NULL: there is none (transfer full) */
static GHashTable *
read_record (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, MODELS_RECORD, NULL);
  g_autofree char *text = cam_plain_file_text (path, CAM_PLAIN_SETTINGS, NULL);
  g_auto (GStrv) lines = g_strsplit (text != NULL ? text : "", "\n", -1);
  GHashTable *added = NULL;

  if (text != NULL)
    added = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (char **line = lines; added != NULL && *line != NULL; line++)
    {
      char *gap = strstr (*line, "  ");

      if (gap != NULL)
        g_hash_table_insert (added, g_strdup (gap + 2),
                             g_strndup (*line, gap - *line));
    }
  return added;
}

/* An earlier version wrote nothing down: what it put there under these names
 * is nobody else's.  Empty: it was not such a version. (transfer full) */
static GHashTable *
guess_added (const char *folder)
{
  static const char *const always[] = { "model.ini", "LICENSE", NULL };
  g_autofree char *path = g_build_filename (folder, "model.onnx", NULL);
  g_autoptr (CamNetwork) network = NULL;
  GHashTable *usual = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                             NULL);

  if (! g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return usual;
  g_hash_table_add (usual, g_strdup ("model.onnx"));
  for (int i = 0; always[i] != NULL; i++)
    g_hash_table_add (usual, g_strdup (always[i]));
  network = cam_network_load (path, 0, NULL, NULL);
  for (guint i = 0;
       network != NULL && i < cam_network_external_files (network)->len; i++)
    g_hash_table_add (usual, g_strdup (cam_network_external_files (network)
                                           ->pdata[i]));
  return usual;
}

/* ---- taking away ---- */

/* Opens the folder of @name in @folder, part by part; *@base is the rest. */
static int
open_above (int folder, const char *name, const char **base)
{
  int fd = dup (folder);
  const char *slash;

  while (fd != -1 && (slash = strchr (name, '/')) != NULL && slash[1] != '\0')
    {
      g_autofree char *part = g_strndup (name, slash - name);
      int below = openat (fd, part,
                          O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

      close (fd);
      fd = below;
      name = slash + 1;
    }
  *base = name;
  return fd;
}

static gboolean
unlink_name (int folder, const char *name)
{
  const char *base;
  int above = open_above (folder, name, &base);
  g_autofree char *last = g_strdup (base);
  gboolean is_folder = g_str_has_suffix (base, "/");
  int status = -1, code;

  if (is_folder)
    last[strlen (last) - 1] = '\0';
  if (above != -1)
    status = unlinkat (above, last, is_folder ? AT_REMOVEDIR : 0);
  code = errno;
  if (above != -1)
    close (above);
  errno = code;
  return status == 0;
}

/* The record goes last: what is left by an accident can be removed again. */
static gboolean
take_away (const Look *look, int folder, const char *path, GError **error)
{
  for (guint i = 0; i < look->names->len; i++)
    {
      const char *name = look->names->pdata[i];
      g_autofree char *full = g_build_filename (path, name, NULL);

      if (strcmp (name, MODELS_RECORD) != 0 && ! unlink_name (folder, name))
        return refuse (full, errno, error);
    }
  return unlinkat (folder, MODELS_RECORD, 0) == 0 || errno == ENOENT
         || refuse (path, errno, error);
}

static gboolean
refuse_others (const GPtrArray *others, const char *path, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  for (guint i = 0; i < MIN (others->len, NAMED); i++)
    g_string_append_printf (names, "%s%s", i > 0 ? ", " : "",
                            (char *) others->pdata[i]);
  if (others->len > NAMED)
    g_string_append (names, ", …");
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_EMPTY,
               ngettext ("“%s” is not removed: it holds a file that “camlens "
                         "models add” did not put there, or that was changed "
                         "since: %s. Move it away first.",
                         "“%s” is not removed: it holds files that “camlens "
                         "models add” did not put there, or that were changed "
                         "since: %s. Move them away first.",
                         others->len),
               path, names->str);
  return FALSE;
}

/* @folder stays open. */
static gboolean
clear_folder (int folder, const char *path, gboolean anything, GError **error)
{
  g_auto (Look) look = { .anything = anything };
  int fd = openat (folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

  look.added = anything ? NULL : read_record (path);
  look.usual = look.added == NULL && ! anything ? guess_added (path) : NULL;
  look.names = g_ptr_array_new_with_free_func (g_free);
  look.others = g_ptr_array_new_with_free_func (g_free);
  if (fd == -1 || ! look_at (&look, fd, ""))
    return refuse (path, errno, error);
  if (look.others->len > 0)
    return refuse_others (look.others, path, error);
  return take_away (&look, folder, path, error);
}

gboolean
models_clear (int base, const char *path, const char *name, gboolean anything,
              GError **error)
{
  int folder = openat (base, name,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  gboolean good;

  if (folder == -1)
    return refuse (path, errno, error);
  good = faccessat (base, ".", W_OK | X_OK, 0) == 0
             ? clear_folder (folder, path, anything, error)
             : refuse (path, errno, error);
  close (folder);
  return good
         && (unlinkat (base, name, AT_REMOVEDIR) == 0
             || refuse (path, errno, error));
}

/* ---- by name ---- */

/* Is there a model, or what an accident left of one? */
static gboolean
holds_model (const char *folder)
{
  g_autofree char *file = cam_model_file_in (folder);
  g_autofree char *record = g_build_filename (folder, MODELS_RECORD, NULL);

  return file != NULL || g_file_test (record, G_FILE_TEST_EXISTS);
}

static gboolean
refuse_name (const char *name, const char *models, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               _ ("There is no model “%s” among your own (%s)."), name, models);
  return FALSE;
}

static gboolean
remove_in (int base, const char *models, const char *name, GError **error)
{
  g_autofree char *folder = g_build_filename (models, name, NULL);
  struct stat about = { 0 };
  gboolean there = fstatat (base, name, &about, AT_SYMLINK_NOFOLLOW) == 0;

  if (there && S_ISLNK (about.st_mode))
    return unlinkat (base, name, 0) == 0 || refuse (folder, errno, error);
  if (there && S_ISDIR (about.st_mode) && holds_model (folder))
    return models_clear (base, folder, name, FALSE, error);
  return refuse_name (name, models, error);
}

gboolean
models_remove (const char *wanted, GError **error)
{
  g_autofree char *models = cam_model_user_folder ();
  g_autofree char *name = g_strdup (wanted);
  gboolean good;
  int base;

  for (gsize n = strlen (name); n > 1 && name[n - 1] == '/'; n--)
    name[n - 1] = '\0'; /* behind a link's name it would lead on */
  base = open (models, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (base == -1 || *name == '\0' || *name == '.' || strchr (name, '/') != NULL)
    good = refuse_name (name, models, error);
  else
    good = remove_in (base, models, name, error);
  if (base != -1)
    close (base);
  return good;
}
