/* build-log.c -- see build-log.h */
#include "plugin/build-log.h"
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define BEGINNING "build-"
#define ENDING ".log"

static char *
cache_folder (void)
{
  return g_build_filename (g_get_user_cache_dir (), "camlens", NULL);
}

char *
cam_build_log_path (const char *database)
{
  g_autofree char *whole = g_canonicalize_filename (database, NULL);
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256,
                                                        whole, -1);
  g_autofree char *name = g_strdup_printf (BEGINNING "%.16s" ENDING, sum);
  g_autofree char *folder = cache_folder ();

  g_mkdir_with_parents (folder, 0700);
  return g_build_filename (folder, name, NULL);
}

CamFileLock *
cam_build_log_begin (const char *path, const char *text)
{
  g_autoptr (CamFileLock) lock = cam_file_lock_new (path, NULL);
  gsize size = strlen (text);

  if (! lock || ! cam_file_lock_clear (lock, NULL)
      || fchmod (cam_file_lock_fd (lock), 0600)
      || write (cam_file_lock_fd (lock), text, size) != (ssize_t) size)
    return NULL;
  return g_steal_pointer (&lock);
}

/* By hand: what prints may not be called here. */
void
cam_build_log_write_pid (int fd)
{
  char text[] = "pid 0000000000\n";
  pid_t pid = getpid ();
  ssize_t written;

  for (gsize i = sizeof text - 3; text[i] != ' '; i--, pid /= 10)
    text[i] = '0' + pid % 10;
  written = write (fd, text, sizeof text - 1);
  (void) written;
}

gboolean
cam_build_log_is_locked (const char *path)
{
  int fd = open (path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  gboolean locked = fd >= 0 && cam_file_is_locked (fd);

  if (fd >= 0)
    close (fd);
  return locked;
}

char *
cam_build_log_running (void)
{
  g_autofree char *folder = cache_folder ();
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;
  char *found = NULL;
  time_t newest = 0;

  while (dir && (name = g_dir_read_name (dir)))
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);
      GStatBuf st;

      if (! g_str_has_prefix (name, BEGINNING)
          || ! g_str_has_suffix (name, ENDING) || g_lstat (path, &st)
          || ! S_ISREG (st.st_mode) || (found && st.st_mtime <= newest)
          || ! cam_build_log_is_locked (path))
        continue;
      newest = st.st_mtime;
      g_free (found);
      found = g_steal_pointer (&path);
    }
  return found;
}

void
cam_build_log_remove (const char *path)
{
  g_autoptr (CamFileLock) lock = cam_file_lock_new (path, NULL);

  if (lock)
    g_unlink (path);
}
