/* build-log.h -- the file in the cache that a build's words go into
 *
 * There is one for each database; what it says is in build-words.h.  It is the
 * program's standard output, and the program inherits its lock: a log that is
 * locked is that of a build which goes on, whoever began it and however that
 * ended, and the number of its process is nobody else's.  A log that is not
 * locked tells how a build ended that nobody has looked at yet.
 */
#pragma once

#include "core/database/file-lock.h"

/* Of @database (transfer full) */
char *cam_build_log_path (const char *database);
/* Empties and locks it, and writes @text; NULL where it is locked, or cannot be
 * written (transfer full) */
CamFileLock *cam_build_log_begin (const char *path, const char *text);
/* Between fork and exec, in the program to be */
void cam_build_log_write_pid (int fd);
/* Is the file @path locked by anybody? */
gboolean cam_build_log_is_locked (const char *path);
/* The log of a build that goes on, the one that spoke last; NULL: there is none
 * (transfer full) */
char *cam_build_log_running (void);
/* After its end was told, unless it is another build's by now. */
void cam_build_log_remove (const char *path);
