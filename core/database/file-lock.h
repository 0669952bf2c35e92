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
/* Cuts the locked file to nothing, with what SQLite may have left beside it. */
gboolean cam_file_lock_clear (CamFileLock *lock, GError **error);
void cam_file_lock_free (CamFileLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamFileLock, cam_file_lock_free)
