/* models-add.c -- copies a model to the user's own
 *
 * The copy is made in a hidden folder beside its place, opened as a model,
 * synced, and renamed when all of it is there.  That folder is locked while it
 * is written; one that a killed program left is cleared.  What is read is named
 * by the model (its settings, its external data) or looked for beside it; a
 * link that leads out of the model's folder is somebody else's file, and not
 * copied.
 */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/foreign-text.h"
#include "core/base/plain-file.h"
#include "core/base/whole-file.h"
#include "core/database/cluster-db.h"
#include "core/model/installed.h"
#include "core/model/settings.h"
#include "tools/command.h"
#include "tools/models.h"

typedef struct
{
  const CamModel *model;
  char *source;   /* the model's folder, without links */
  gboolean whole; /* that folder was named, not a file in it */
  char *target;   /* where the copy is made */
  GString *record;
} Copy;

static void
copy_clear (Copy *copy)
{
  g_free (copy->source);
  g_string_free (copy->record, TRUE);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Copy, copy_clear)

/* ---- one file ---- */

/* Copies @from to @to, with the digest of what was written at *@digest; 0 or an
 * errno */
static int
copy_bytes (int from, int to, char **digest)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  g_autofree guint8 *piece = g_malloc (1 << 20);
  ssize_t n, done = 0;

  while ((n = read (from, piece, 1 << 20)) > 0)
    {
      for (ssize_t at = 0; at < n; at += done)
        if ((done = write (to, piece + at, n - at)) <= 0)
          return errno;
      g_checksum_update (sum, piece, n);
    }
  if (n < 0 || fsync (to) != 0)
    return errno;
  *digest = g_strdup (g_checksum_get_string (sum));
  return 0;
}

/* Makes the folders above @path that are missing, and syncs what they are in.
 */
static gboolean
make_above (const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  return g_file_test (folder, G_FILE_TEST_IS_DIR)
         || cam_whole_file_folder (folder, error);
}

/* @name: in the copy, may be in folders */
static gboolean
copy_file (Copy *copy, const char *from, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (copy->target, name, NULL);
  g_autofree char *digest = NULL;
  int in = make_above (path, error) ? cam_plain_file_open (from, error) : -1;
  int out, code;

  if (in == -1)
    return FALSE;
  out = g_open (path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                0666);
  code = out != -1 ? copy_bytes (in, out, &digest) : errno;
  if (out != -1 && close (out) != 0 && code == 0)
    code = errno;
  close (in);
  if (code != 0)
    return cam_whole_file_refuse (path, code, error);
  g_string_append_printf (copy->record, "%s  %s\n", digest, name);
  return TRUE;
}

/* ---- which files ---- */

/* Is @path, its links followed, in the model's folder? */
static gboolean
leads_out (const Copy *copy, const char *path)
{
  g_autofree char *real = realpath (path, NULL);
  gsize length = strlen (copy->source);

  return real != NULL && strcmp (copy->source, "/") != 0
         && (strncmp (real, copy->source, length) != 0 || real[length] != '/');
}

static gboolean
refuse_link (const char *path, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               _ ("“%s” is a link that leads out of the model's folder: copy "
                  "the file there."),
               path);
  return FALSE;
}

static gboolean
copy_settings (Copy *copy, GError **error)
{
  g_autofree char *path = cam_settings_find (copy->model->path);

  if (path == NULL)
    return TRUE;
  if (leads_out (copy, path))
    return refuse_link (path, error);
  return copy_file (copy, path, "model.ini", error);
}

/* The reader found each in the model's folder. */
static gboolean
copy_external_data (Copy *copy, GError **error)
{
  const GPtrArray *names = cam_network_external_files (copy->model->network);
  g_autofree char *folder = g_path_get_dirname (copy->model->path);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *rooted = g_canonicalize_filename (names->pdata[i], "/");
      g_autofree char *from = g_build_filename (folder, rooted, NULL);
      g_autofree char *shown = cam_foreign_text (rooted);

      if (strcmp (shown, rooted) != 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
                       _ ("The name of the file “%s” has characters that no "
                          "name should have: rename it."),
                       rooted);
          return FALSE;
        }
      if (! copy_file (copy, from, rooted + 1, error))
        return FALSE;
    }
  return TRUE;
}

/* A licence, what is to be read; of a folder that was not named itself only
 * what is called like the model */
static gboolean
is_paper (const Copy *copy, const char *name)
{
  static const char *const papers[] = { "licen", "copying", "notice",
                                        "readme" };
  g_autofree char *stem = g_path_get_basename (copy->model->path);
  char *dot = strrchr (stem, '.');
  gboolean text = g_str_has_suffix (name, ".txt")
                  || g_str_has_suffix (name, ".md");

  if (dot != NULL)
    *dot = '\0';
  for (gsize i = 0; i < G_N_ELEMENTS (papers); i++)
    if (g_ascii_strncasecmp (name, papers[i], strlen (papers[i])) == 0)
      return TRUE;
  return text && (copy->whole || g_str_has_prefix (name, stem));
}

static gboolean
is_for_model (const char *path, const CamModel *model, GError **error)
{
  g_autoptr (CamClusterDb) db = cam_cluster_db_open (path, error);

  return db != NULL
         && cam_cluster_db_fits (db, cam_model_digest (model),
                                 cam_cluster_db_info (db)->embedding_dim,
                                 cam_cluster_db_info (db)->n_channels, error);
}

/* Databases and papers; what is not copied is named. */
static gboolean
copy_beside (Copy *copy, const char *name, GError **error)
{
  g_autofree char *path = g_build_filename (copy->source, name, NULL);
  g_autofree char *shown = cam_foreign_text (name);
  gboolean database = g_str_has_suffix (name, ".camdb");
  g_autoptr (GError) reason = NULL;

  if (name[0] == '.' || (! database && ! is_paper (copy, name))
      || g_file_test (path, G_FILE_TEST_IS_DIR))
    return TRUE;
  if (leads_out (copy, path))
    refuse_link (path, &reason);
  else if (strcmp (shown, name) != 0)
    g_set_error (&reason, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
                 _ ("The name of the file “%s” has characters that no name "
                    "should have: rename it."),
                 name);
  else if (! database || is_for_model (path, copy->model, &reason))
    {
      int fd = cam_plain_file_open (path, &reason);

      if (fd != -1)
        {
          close (fd);
          return copy_file (copy, path, name, error);
        }
    }
  command_note (_ ("left out: %s: %s"), path, reason->message);
  return TRUE;
}

static gboolean
copy_all (Copy *copy, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (copy->source, 0, error);
  const char *name;

  if (dir == NULL)
    return FALSE;
  if (copy->whole && leads_out (copy, copy->model->path))
    return refuse_link (copy->model->path, error);
  if (! copy_file (copy, copy->model->path, "model.onnx", error)
      || ! copy_settings (copy, error) || ! copy_external_data (copy, error))
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL)
    if (! copy_beside (copy, name, error))
      return FALSE;
  return TRUE;
}

/* ---- the copy as a whole ---- */

/* Opens the copy: what was copied must be the same and work. */
static gboolean
check_copy (const Copy *copy, GError **error)
{
  g_autofree char *path = g_build_filename (copy->target, "model.onnx", NULL);
  g_autoptr (CamModel) model = cam_model_open (path, NULL, error);

  if (model == NULL)
    return FALSE;
  if (strcmp (cam_model_digest (model), cam_model_digest (copy->model)) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               _ ("The copy of “%s” differs from it."), copy->model->path);
  return FALSE;
}

static gboolean
write_record (const Copy *copy, GError **error)
{
  g_autofree char *path = g_build_filename (copy->target, MODELS_RECORD, NULL);
  CamFilePiece piece = { copy->record->str, copy->record->len };

  return cam_whole_file_write (path, &piece, 1, error);
}

static gboolean
fill (const CamModel *model, gboolean whole, const char *target, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (model->path);
  g_auto (Copy) copy = {
    .model = model,
    .whole = whole,
    .target = (char *) target,
    .source = realpath (folder, NULL),
    .record = g_string_new (NULL),
  };

  if (copy.source == NULL)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   _ ("'%s' cannot be read: %s"), folder, g_strerror (errno));
      return FALSE;
    }
  return copy_all (&copy, error) && check_copy (&copy, error)
         && write_record (&copy, error);
}

static int
open_folder (int base, const char *name)
{
  return openat (base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* By it, a folder that was left is known to be ours. */
static gboolean
mark (int folder)
{
  int fd = openat (folder, MODELS_RECORD,
                   O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

  return fd != -1 && close (fd) == 0;
}

/* Makes the folder @name in @base, or clears one that was left, and locks it;
 * its descriptor, or -1. */
static int
make_part (int base, const char *path, const char *name, GError **error)
{
  struct stat about = { 0 };
  gboolean left = fstatat (base, name, &about, AT_SYMLINK_NOFOLLOW) == 0;
  int fd = left && S_ISDIR (about.st_mode) ? open_folder (base, name) : -1;
  gboolean ours;

  if (fd != -1 && flock (fd, LOCK_EX | LOCK_NB) != 0)
    {
      close (fd);
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_BUSY,
                   _ ("another program is at work on this file"));
      g_prefix_error (error, "%s: ", path);
      return -1;
    }
  ours = fd != -1 && faccessat (fd, MODELS_RECORD, F_OK, 0) == 0;
  if (fd != -1)
    close (fd);
  if (ours && ! models_clear (base, path, name, TRUE, error))
    return -1;
  unlinkat (base, name, AT_REMOVEDIR); /* where it is empty */
  fd = mkdirat (base, name, 0777) == 0 ? open_folder (base, name) : -1;
  if (fd != -1 && flock (fd, LOCK_EX | LOCK_NB) == 0 && mark (fd))
    return fd;
  cam_whole_file_refuse (path, errno, error);
  if (fd != -1)
    close (fd);
  return -1;
}

static gboolean
add_to (const CamModel *model, gboolean whole, const char *folder,
        GError **error)
{
  g_autofree char *models = g_path_get_dirname (folder);
  g_autofree char *name = g_path_get_basename (folder);
  g_autofree char *hidden = g_strdup_printf (".%s.part", name);
  g_autofree char *part = g_build_filename (models, hidden, NULL);
  int base = cam_whole_file_folder (models, error)
                 ? g_open (models, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
                 : -1;
  int lock = base != -1 ? make_part (base, part, hidden, error) : -1;
  gboolean good = lock != -1 && fill (model, whole, part, error);
  int code = good ? cam_whole_file_put (part, folder) : 0;

  if (code != 0)
    good = cam_whole_file_refuse (folder, code, error);
  if (lock != -1 && ! good)
    models_clear (base, part, hidden, TRUE, NULL);
  if (lock != -1)
    close (lock);
  if (base != -1)
    close (base);
  return good;
}

gboolean
models_add (const char *from, const char *wanted, GError **error)
{
  g_autoptr (CamModel) model = command_open_model (from, error);
  g_autofree char *models = cam_model_user_folder ();
  g_autofree char *folder = NULL;
  const char *name;
  GStatBuf about;

  if (model == NULL)
    return FALSE;
  name = wanted != NULL ? wanted : model->name;
  folder = g_build_filename (models, name, NULL);
  if (! models_is_name (name) || g_lstat (folder, &about) == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                   _ ("“%s” is taken or no name for a model: choose one with "
                      "--name."),
                   name);
      return FALSE;
    }
  if (! add_to (model, strcmp (from, model->path) != 0, folder, error))
    return FALSE;
  command_print (stdout, "%s\t%s\n", name, folder);
  return TRUE;
}
