/* file-lock.c -- one writer a file */
#include "core/database/file-lock.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/database/cluster-db.h"

struct _CamFileLock
{
  char *path;
  int fd;
};

/* Was the file renamed or removed between our open and our lock? */
static gboolean
still_there (const char *path, int fd)
{
  struct stat ours, theirs;

  return fstat (fd, &ours) == 0 && stat (path, &theirs) == 0
         && ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

static void
set_error (GError **error, CamClusterDbError code, const char *path,
           const char *what)
{
  g_autofree char *name = g_filename_display_name (path);

  g_set_error (error, CAM_CLUSTER_DB_ERROR, code, "%s: %s", name, what);
}

static void
set_write_error (GError **error, const char *path, int number)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *what = NULL;

  if (number == ENOENT)
    what = g_strdup_printf (_ ("the folder %s does not exist"), folder);
  else if (number == EACCES || number == EROFS || number == EPERM)
    what = g_strdup_printf (_ ("cannot write in the folder %s (%s): choose "
                               "another place for the database"),
                            folder, g_strerror (number));
  else
    what = g_strdup (g_strerror (number));
  set_error (error, CAM_CLUSTER_DB_ERROR_WRITE, path, what);
}

/* Who only asks whether a file is locked holds it for a moment. */
static gboolean
take_lock (int fd)
{
  for (int attempt = 0; attempt < 5; attempt++)
    {
      if (flock (fd, LOCK_EX | LOCK_NB) == 0)
        return TRUE;
      g_usleep (G_USEC_PER_SEC / 100);
    }
  return FALSE;
}

int
cam_file_lock_fd (const CamFileLock *lock)
{
  return lock->fd;
}

gboolean
cam_file_is_locked (int fd)
{
  if (flock (fd, LOCK_SH | LOCK_NB) == -1)
    return errno == EWOULDBLOCK;
  flock (fd, LOCK_UN);
  return FALSE;
}

CamFileLock *
cam_file_lock_new (const char *path, GError **error)
{
  for (int attempt = 0; attempt < 10; attempt++)
    {
      int fd = g_open (path,
                       O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                       0666);
      CamFileLock *lock;

      if (fd == -1)
        {
          set_write_error (error, path, errno);
          return NULL;
        }
      if (! g_file_test (path, G_FILE_TEST_IS_REGULAR)) /* a pipe, a device */
        {
          close (fd);
          set_error (error, CAM_CLUSTER_DB_ERROR_WRITE, path,
                     _ ("it is there already and is no file: choose another "
                        "name"));
          return NULL;
        }
      if (! take_lock (fd))
        {
          close (fd);
          set_error (error, CAM_CLUSTER_DB_ERROR_BUSY, path,
                     _ ("another program is writing this database: wait for "
                        "it, or choose another name"));
          return NULL;
        }
      if (! still_there (path, fd))
        {
          close (fd);
          continue;
        }
      lock = g_new (CamFileLock, 1);
      lock->path = g_strdup (path);
      lock->fd = fd;
      return lock;
    }
  set_error (error, CAM_CLUSTER_DB_ERROR_BUSY, path,
             _ ("another program keeps replacing this file"));
  return NULL;
}

gboolean
cam_file_lock_clear (CamFileLock *lock, GError **error)
{
  static const char *const besides[] = { "-journal", "-wal", "-shm" };

  for (gsize i = 0; i < G_N_ELEMENTS (besides); i++)
    {
      g_autofree char *path = g_strconcat (lock->path, besides[i], NULL);

      g_unlink (path);
    }
  if (ftruncate (lock->fd, 0) == 0)
    return TRUE;
  set_write_error (error, lock->path, errno);
  return FALSE;
}

void
cam_file_lock_free (CamFileLock *lock)
{
  if (lock == NULL)
    return;
  close (lock->fd);
  g_free (lock->path);
  g_free (lock);
}
