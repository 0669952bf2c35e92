/* places.h -- what a command reads and where it will write, looked at before
 * its work: nothing is computed for a place that cannot be written to, nothing
 * that is read is written over, and no file is written twice
 */
#pragma once

#include <gio/gio.h>

typedef struct _Places Places;

Places *places_new (void);
void places_free (Places *places);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Places, places_free)

/* @path is read; NULL: nothing is. */
void places_read (Places *places, const char *path);
/* @path will be written; NULL: nothing will.  Say first what is read.  FALSE
 * with an error that says what to do. */
gboolean places_write (Places *places, const char *path, GError **error);
