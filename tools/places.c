/* places.c -- see places.h */
#include "tools/places.h"

#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <inttypes.h>

#include "core/base/whole-file.h"

struct _Places
{
  GHashTable *read, *written; /* keys */
};

Places *
places_new (void)
{
  Places *places = g_new (Places, 1);

  places->read = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  places->written = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                           NULL);
  return places;
}

void
places_free (Places *places)
{
  if (places == NULL)
    return;
  g_hash_table_unref (places->read);
  g_hash_table_unref (places->written);
  g_free (places);
}

/* The same for all names of one file (transfer full) */
static char *
key_of (const char *path)
{
  GStatBuf about;

  if (g_stat (path, &about) == 0)
    return g_strdup_printf ("%" PRIu64 ":%" PRIu64, (guint64) about.st_dev,
                            (guint64) about.st_ino);
  return g_canonicalize_filename (path, NULL);
}

void
places_read (Places *places, const char *path)
{
  if (path != NULL)
    g_hash_table_add (places->read, key_of (path));
}

gboolean
places_write (Places *places, const char *path, GError **error)
{
  g_autofree char *place = NULL;
  g_autofree char *key = NULL;

  if (path == NULL)
    return TRUE;
  place = cam_whole_file_place (path, error);
  if (place == NULL)
    return FALSE;
  key = key_of (place);
  if (g_hash_table_contains (places->read, key))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                 _ ("“%s” is read itself and is not written over: choose "
                    "another name."),
                 path);
  else if (g_hash_table_contains (places->written, key))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                 _ ("“%s” would be written twice: choose different names."),
                 path);
  else
    {
      g_hash_table_add (places->written, g_steal_pointer (&key));
      return cam_whole_file_check (path, error);
    }
  return FALSE;
}
