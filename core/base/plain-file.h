/* plain-file.h -- reading a file that somebody else put there
 *
 * A path leads to whatever lies at it: a pipe that is waited for, a device
 * without an end, a folder, ten gigabytes under the name of a small text.  Each
 * is an error in words here, at once.
 *
 * Text comes as UTF-8 without a byte order mark; UTF-16 with one (what Windows'
 * Notepad calls "Unicode") is converted.
 */
#pragma once

#include <gio/gio.h>

#define CAM_PLAIN_SETTINGS (1 << 20) /* bytes of a file of settings */
#define CAM_PLAIN_TABLE (256 << 20)  /* of labels, names, tables of numbers  */

/* A descriptor to read from, or -1 with G_IO_ERROR naming @path; links are
 * followed. */
int cam_plain_file_open (const char *path, GError **error);
/* All of the text in @path, with a '\0' behind it and none in it (transfer
 * full).  Text that is not UTF-8 is given as it is.  NULL with G_IO_ERROR
 * naming
 * @path, also where it has more than @most bytes. */
char *cam_plain_file_text (const char *path, gsize most, GError **error);
/* SHA-256 of the file @path (transfer full), or NULL with G_IO_ERROR naming
 * @path */
char *cam_plain_file_digest (const char *path, GError **error);
/* The same of what is left to be read of @fd; NULL with errno (transfer full) */
char *cam_plain_file_digest_rest (int fd);
/* What g_key_file_load_from_file () does, of such a text */
gboolean cam_plain_file_keys (GKeyFile *file, const char *path,
                              GKeyFileFlags flags, GError **error);
