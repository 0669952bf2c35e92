/* whole-file.h -- files that are whole, or as they were
 *
 * What is written goes under a temporary name beside its place, and is renamed
 * once all of it is there.  A link stays, and the file that it points to is the
 * one that is written; a device, a pipe or a folder is refused.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  gconstpointer data;
  gsize size;
} CamFilePiece;

/* Writes @pieces one behind the other.  FALSE with G_IO_ERROR naming @path. */
gboolean cam_whole_file_write (const char *path, const CamFilePiece *pieces,
                               int n_pieces, GError **error);
/* Where a writer of another kind should rename its own file to: the end of the
 * links at @path (transfer full).  NULL with an error where that is no file. */
char *cam_whole_file_place (const char *path, GError **error);
/* A name in the folder of @place that nobody has, for such a writer's file until
 * it is whole (transfer full) */
char *cam_whole_file_part (const char *place);
/* Says that writing to @path failed with the errno @code, and what to do;
 * FALSE. */
gboolean cam_whole_file_refuse (const char *path, int code, GError **error);
/* For before long work: FALSE, with the error that cam_whole_file_write ()
 * would give, where @path is no file or its folder cannot be written to. */
gboolean cam_whole_file_check (const char *path, GError **error);
/* For before long work, too: makes @folder and those above it where they are
 * missing; FALSE with an error where nothing can be written in it. */
gboolean cam_whole_file_folder (const char *folder, GError **error);
