/* file-lock.h -- one writer a file
 *
 * The lock is the kernel's (flock), on the file itself: it goes with the
 * process that held it, however that ends, and leaves nothing behind.
 */
#pragma once

#include <gio/gio.h>

typedef struct _CamFileLock CamFileLock;

/* Creates @path where it is missing and locks it.  Errors: BUSY where another
 * process holds it, WRITE where the folder or the file cannot be written
 * (CAM_CLUSTER_DB_ERROR).  (transfer full) */
CamFileLock *cam_file_lock_new (const char *path, GError **error);
/* The locked file, to be read and written; borrowed.  A process that inherits
 * it holds the lock, too, as long as it lives. */
int cam_file_lock_fd (const CamFileLock *lock);
/* Does anybody hold the lock of the file that is open as @fd?  Asks by taking
 * it for a moment, so @fd must be none of those that hold it. */
gboolean cam_file_is_locked (int fd);
/* Cuts the locked file to nothing, with what SQLite may have left beside it. */
gboolean cam_file_lock_clear (CamFileLock *lock, GError **error);
void cam_file_lock_free (CamFileLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamFileLock, cam_file_lock_free)
