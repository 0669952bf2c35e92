/* csv.h -- comma-separated files: quoted fields, one header line or none */
#pragma once

#include <gio/gio.h>

/* Rows of fields, blank lines left out; every row has at least @n_fields or
 * the line is named in the error.  (transfer full) array of GStrv */
GPtrArray *csv_read (const char *path, guint n_fields, GError **error);
