/* whole-file.c -- see whole-file.h */
#include "config.h"
#include "core/base/whole-file.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_LINKS 40

/* Where the links at @path end, be there a file or not (transfer full) */
static char *
follow_links (const char *path)
{
  char *place = g_strdup (path);

  for (int i = 0; i < MAX_LINKS; i++)
    {
      g_autofree char *target = g_file_read_link (place, NULL);
      g_autofree char *folder = g_path_get_dirname (place);

      if (! target)
        break;
      g_free (place);
      place = g_path_is_absolute (target)
                  ? g_strdup (target)
                  : g_build_filename (folder, target, NULL);
    }
  return place;
}

void
cam_whole_file_prepare_process (void)
{
  signal (SIGXFSZ, SIG_IGN);
}

static gboolean
is_full (int code)
{
  return code == ENOSPC || code == EDQUOT || code == EFBIG;
}

gboolean
cam_whole_file_is_full (const char *path)
{
  static const char block[1 << 16];
  g_autofree char *other = g_strconcat (path, ".XXXXXX", NULL);
  GStatBuf about = { 0 };
  off_t end = g_stat (path, &about) == 0 ? about.st_size : 0;
  int fd = g_mkstemp_full (other, O_WRONLY | O_CLOEXEC, 0600);
  gboolean written = fd != -1
                     && pwrite (fd, block, sizeof block, end) == sizeof block;
  int code = written ? 0 : errno;

  if (fd != -1)
    {
      g_unlink (other);
      /* a part may have fitted */
      if (! written && ! is_full (code))
        code = pwrite (fd, block, sizeof block, end + (off_t) sizeof block)
                       == -1
                   ? errno
                   : 0;
      close (fd);
    }
  return is_full (code);
}

gboolean
cam_whole_file_refuse (const char *path, int code, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);

  if (code == ENOENT || code == ENOTDIR)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
                 _ ("'%s' cannot be written: there is no folder '%s'. Make it, "
                    "or choose another place."),
                 path, folder);
  else if (is_full (code))
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
                 _ ("'%s' cannot be written: %s. Make room, or choose another "
                    "place."),
                 path, g_strerror (code));
  else
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
                 _ ("'%s' cannot be written: %s. Choose another place."), path,
                 g_strerror (code));
  return FALSE;
}

char *
cam_whole_file_place (const char *path, GError **error)
{
  if (! g_file_test (path, G_FILE_TEST_EXISTS)
      || g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return follow_links (path);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
               _ ("'%s' is there already and is no file: choose another name."),
               path);
  return NULL;
}

char *
cam_whole_file_part (const char *place)
{
  g_autofree char *folder = g_path_get_dirname (place);
  g_autofree char *base = g_path_get_basename (place);
  g_autofree char *name = g_strdup_printf (".%s.%08x.part", base,
                                           g_random_int ());

  return g_build_filename (folder, name, NULL);
}

gboolean
cam_whole_file_check (const char *path, GError **error)
{
  g_autofree char *place = cam_whole_file_place (path, error);
  g_autofree char *folder = place ? g_path_get_dirname (place) : NULL;

  if (! folder)
    return FALSE;
  if (! g_file_test (folder, G_FILE_TEST_IS_DIR))
    return cam_whole_file_refuse (path, ENOTDIR, error);
  return g_access (folder, W_OK | X_OK) == 0
         || cam_whole_file_refuse (path, errno, error);
}

gboolean
cam_whole_file_folder (const char *folder, GError **error)
{
  int code;

  if (g_mkdir_with_parents (folder, 0777) == 0
      && g_access (folder, W_OK | X_OK) == 0)
    return TRUE;
  code = errno;
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               g_file_test (folder, G_FILE_TEST_IS_DIR)
                   ? _ ("Nothing can be written in the folder “%s”: %s. Choose "
                        "another place.")
                   : _ ("Cannot make the folder “%s”: %s. Choose another "
                        "place."),
               folder, g_strerror (code));
  return FALSE;
}

/* 0 or an errno.  Where a file system knows no such thing, all was done that
 * can be. */
static int
sync_descriptor (int fd)
{
  return fsync (fd) == 0 || errno == EINVAL || errno == ENOSYS
                 || errno == ENOTSUP
             ? 0
             : errno;
}

int
cam_whole_file_sync (const char *path)
{
  int fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  int code = fd >= 0 ? sync_descriptor (fd) : errno;

  if (fd >= 0)
    close (fd);
  return code;
}

int
cam_whole_file_put (const char *part, const char *place)
{
  g_autofree char *folder = g_path_get_dirname (place);
  int code = cam_whole_file_sync (part);

  if (code == 0 && g_rename (part, place) != 0)
    code = errno;
  if (code == 0)
    cam_whole_file_sync (folder);
  return code;
}

/* 0 or an errno; closes @fd */
static int
write_pieces (int fd, const CamFilePiece *pieces, int n_pieces)
{
  FILE *file = fdopen (fd, "wb");
  int code = 0;

  if (! file)
    {
      code = errno;
      close (fd);
      return code;
    }
  for (int i = 0; i < n_pieces && code == 0; i++)
    if (fwrite (pieces[i].data, 1, pieces[i].size, file) != pieces[i].size)
      code = errno;
  if (fclose (file) != 0 && code == 0)
    code = errno;
  return code;
}

gboolean
cam_whole_file_write (const char *path, const CamFilePiece *pieces,
                      int n_pieces, GError **error)
{
  g_autofree char *place = cam_whole_file_place (path, error);
  g_autofree char *temporary = g_strconcat (place ? place : "", ".XXXXXX",
                                            NULL);
  int fd, code;

  if (! place)
    return FALSE;
  fd = g_mkstemp_full (temporary, O_WRONLY | O_CLOEXEC, 0666);
  if (fd < 0)
    return cam_whole_file_refuse (path, errno, error);
  code = write_pieces (fd, pieces, n_pieces);
  if (code == 0)
    code = cam_whole_file_put (temporary, place);
  if (code == 0)
    return TRUE;
  g_unlink (temporary);
  return cam_whole_file_refuse (path, code, error);
}
