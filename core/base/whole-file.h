/* whole-file.h -- files that are whole, or as they were
 *
 * What is written goes under a temporary name beside its place, and is renamed
 * once all of it is there and on the disk, so that after a power failure, too,
 * the name stands for the whole of one or the other.  A link stays, and the file
 * that it points to is the one that is written; a device, a pipe or a folder is
 * refused.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  gconstpointer data;
  gsize size;
} CamFilePiece;

/* For main (): a file that grows beyond the limit of the process (ulimit -f) is
 * an error like a full disk's, not the end of the process. */
void cam_whole_file_prepare_process (void);
/* Writes @pieces one behind the other.  FALSE with G_IO_ERROR naming @path. */
gboolean cam_whole_file_write (const char *path, const CamFilePiece *pieces,
                               int n_pieces, GError **error);
/* Where a writer of another kind should rename its own file to: the end of the
 * links at @path (transfer full).  NULL with an error where that is no file. */
char *cam_whole_file_place (const char *path, GError **error);
/* A name in the folder of @place that nobody has, for such a writer's file until
 * it is whole (transfer full) */
char *cam_whole_file_part (const char *place);
/* Renames such a file, now whole, to @place: it is synced before and the folder
 * behind it.  0, or an errno, and then @place is as it was and @part still there.
 */
int cam_whole_file_put (const char *part, const char *place);
/* Waits until the file or folder @path is on the disk; 0 or an errno. */
int cam_whole_file_sync (const char *path);
/* Says that writing to @path failed with the errno @code, and what to do;
 * FALSE. */
gboolean cam_whole_file_refuse (const char *path, int code, GError **error);
/* Where writing to @path failed, and what wrote does not tell why: would a file
 * beside it that is as long be refused more, for a full disk, a quota or the
 * limit of the process? */
gboolean cam_whole_file_is_full (const char *path);
/* For before long work: FALSE, with the error that cam_whole_file_write ()
 * would give, where @path is no file or its folder cannot be written to. */
gboolean cam_whole_file_check (const char *path, GError **error);
/* For before long work, too: makes @folder and those above it where they are
 * missing; FALSE with an error where nothing can be written in it. */
gboolean cam_whole_file_folder (const char *folder, GError **error);
