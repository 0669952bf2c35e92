/* known-keys.c -- settings that nobody reads, because their key is misspelt
 *
 * An unknown key is no error: a later CamLens may know it.  But passed over in
 * silence, input.sise leaves the size to be guessed.
 */
#include "core/model/known-keys.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/model/model-inputs.h"

#define GROUP "camlens"
#define PREFIX GROUP "."
#define LONGEST 63 /* characters of a key that are compared */

static const char *const known[] = {
  "name",         "licence",    "description",  "input.size",
  "input.resize", "input.crop", "input.filter", "input.channels",
  "input.scale",  "input.mean", "input.std",    "input.background",
  "input.pad",    "embedding",  "layer",        "layer.layout",
  NULL,
};

/* How many letters must be put in, taken out or changed (Levenshtein 1966) */
static int
distance (const char *a, const char *b)
{
  int row[LONGEST + 1];
  int n = (int) MIN (strlen (b), LONGEST);

  for (int j = 0; j <= n; j++)
    row[j] = j;
  for (int i = 1; a[i - 1] != '\0'; i++)
    {
      int diagonal = row[0];

      row[0] = i;
      for (int j = 1; j <= n; j++)
        {
          int change = diagonal
                       + (g_ascii_tolower (a[i - 1])
                          != g_ascii_tolower (b[j - 1]));

          diagonal = row[j];
          row[j] = MIN (change, MIN (row[j], row[j - 1]) + 1);
        }
    }
  return row[n];
}

/* NULL where none of @keys is within a third of its letters */
static const char *
nearest (const char *const *keys, const char *key)
{
  const char *best = NULL;
  int least = G_MAXINT;

  for (int i = 0; keys[i] != NULL; i++)
    {
      int d = distance (keys[i], key);

      if (d < least && 3 * d <= (int) strlen (keys[i]))
        {
          least = d;
          best = keys[i];
        }
    }
  return best;
}

gboolean
cam_known_keys_has (const char *key)
{
  return g_strv_contains (known, key);
}

/* Those of every model, and those of the values of @graph's inputs (transfer
 * full, NULL-ended) */
static char **
keys_of (const CamGraph *graph)
{
  GPtrArray *keys = g_ptr_array_new ();

  for (int i = 0; known[i] != NULL; i++)
    g_ptr_array_add (keys, g_strdup (known[i]));
  for (guint i = 0; i < graph->inputs->len; i++)
    g_ptr_array_add (keys,
                     cam_model_input_key (((CamValue *) graph->inputs->pdata[i])
                                              ->name));
  g_ptr_array_add (keys, NULL);
  return (char **) g_ptr_array_free (keys, FALSE);
}

/* @prefix: what stands before the key in @file */
static void
check (const char *const *keys, const char *prefix, const char *key,
       const char *file, GPtrArray *warnings)
{
  g_autofree char *bare = g_strndup (key, strcspn (key, "[")); /* name[de] */
  g_autofree char *valid = g_utf8_make_valid (key, -1);
  const char *meant;

  if (g_strv_contains (keys, bare) || g_strv_contains (keys, key))
    return;
  meant = nearest (keys, bare);
  if (meant != NULL)
    g_ptr_array_add (warnings,
                     g_strdup_printf (_ ("%s: the setting “%s%s” is not known "
                                         "and has no effect: is “%s%s” meant?"),
                                      file, prefix, valid, prefix, meant));
  else
    g_ptr_array_add (warnings,
                     g_strdup_printf (_ ("%s: the setting “%s%s” is not known "
                                         "and has no effect"),
                                      file, prefix, valid));
}

void
cam_known_keys_check (const CamSettings *settings, const char *model_path,
                      GPtrArray *warnings)
{
  g_autofree char *name = g_filename_display_name (model_path);
  g_auto (GStrv) metadata = cam_network_metadata_keys (settings->network);
  g_auto (GStrv) all = keys_of (cam_network_graph (settings->network));

  if (settings->file != NULL)
    {
      g_autofree char *ini = g_filename_display_name (settings->path);
      g_auto (GStrv)
          keys = g_key_file_get_keys (settings->file, GROUP, NULL, NULL);

      for (int i = 0; keys != NULL && keys[i] != NULL; i++)
        check ((const char *const *) all, "", keys[i], ini, warnings);
    }
  for (int i = 0; metadata[i] != NULL; i++)
    if (g_str_has_prefix (metadata[i], PREFIX))
      check ((const char *const *) all, PREFIX, metadata[i] + strlen (PREFIX),
             name, warnings);
}
