/* models.h -- a model's folder among the user's own: made by "camlens models
 * add", taken away by "camlens models remove"
 *
 * What was added is written down in the folder, with digests, so that nothing
 * else is ever taken away: neither a database that was built there later, nor
 * settings that were edited, nor a folder that somebody put there by hand.
 */
#pragma once

#include <gio/gio.h>

/* In the folder; a line a file, as sha256sum writes and checks them */
#define MODELS_RECORD ".camlens-added"

/* Checks the model @from (a file, a folder or an installed name) and copies it
 * to @wanted, or a name of its own, with its settings, external data, licence
 * and the databases that are made for it.  Where it fails, there is nothing of
 * it.  Writes "NAME\tFOLDER" on standard output. */
gboolean models_add (const char *from, const char *wanted, GError **error);
/* Takes away what models_add () put there, and links, which are never followed.
 * Where there is anything else, that is an error which names it, and nothing is
 * taken away. */
gboolean models_remove (const char *name, GError **error);
/* May a model be called so?  As a folder's name, and on a terminal. */
gboolean models_is_name (const char *name);

/* Takes away the folder @name in @base (an open folder, called @path in errors)
 * with all its files but for those of others: with @anything, nobody's are
 * others'. */
gboolean models_clear (int base, const char *path, const char *name,
                       gboolean anything, GError **error);
