/* csv.h -- comma-separated files: quoted fields, one header line or none */
#pragma once

#include <gio/gio.h>

/* Rows of fields, blank lines left out; every row has at least @n_fields or
 * the line is named in the error.  (transfer full) array of GStrv */
GPtrArray *csv_read (const char *path, guint n_fields, GError **error);
/* Is there a file @name, seen from the folder of @csv or from the working
 * folder? */
gboolean csv_names_file (const char *csv, const char *name);
/* Says in a note, where @n > 0, how many names in @csv are of no picture. */
void csv_note_unfound (const char *csv, int n, const char *first);
