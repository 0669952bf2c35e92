/* settings.c -- settings from model.ini, else from the ONNX file itself */
#include "core/model/settings.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/base/plain-file.h"

#define GROUP "camlens"

/* A link that leads nowhere is there, too, and no reason to go without. */
static gboolean
is_there (const char *path)
{
  return g_file_test (path, G_FILE_TEST_EXISTS)
         || g_file_test (path, G_FILE_TEST_IS_SYMLINK);
}

char *
cam_settings_find (const char *model_path)
{
  g_autofree char *folder = g_path_get_dirname (model_path);
  g_autofree char *base = g_path_get_basename (model_path);
  g_autofree char *own = NULL;
  char *dot = strrchr (base, '.'), *path;

  if (dot != NULL)
    *dot = '\0';
  own = g_strconcat (base, ".ini", NULL);
  path = g_build_filename (folder, own, NULL);
  if (is_there (path))
    return path;
  g_free (path);
  path = g_build_filename (folder, "model.ini", NULL);
  if (is_there (path))
    return path;
  g_free (path);
  return NULL;
}

/* GLib reads a value that is not UTF-8 as none at all. */
static gboolean
check_values (GKeyFile *file, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, GROUP, NULL, NULL);

  for (char **key = keys; *key != NULL; key++)
    {
      g_autofree char *value = g_key_file_get_string (file, GROUP, *key, error);

      if (value == NULL)
        return FALSE;
    }
  return TRUE;
}

gboolean
cam_settings_open (CamSettings *settings, const char *model_path,
                   const CamNetwork *network, GError **error)
{
  g_autoptr (GError) local = NULL;

  *settings = (CamSettings) { NULL, NULL, network };
  settings->path = cam_settings_find (model_path);
  if (settings->path == NULL)
    return TRUE;
  settings->file = g_key_file_new ();
  if (! cam_plain_file_keys (settings->file, settings->path, G_KEY_FILE_NONE,
                             &local))
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
                 _ ("Cannot read the model's settings “%s”: %s."),
                 settings->path, local->message);
  else if (! g_key_file_has_group (settings->file, GROUP))
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
                 _ ("The model's settings “%s” have no group [%s]."),
                 settings->path, GROUP);
  else if (! check_values (settings->file, &local))
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
                 _ ("Cannot read the model's settings “%s”: %s."),
                 settings->path, local->message);
  else
    return TRUE;
  cam_settings_clear (settings);
  return FALSE;
}

void
cam_settings_clear (CamSettings *settings)
{
  g_clear_pointer (&settings->file, g_key_file_unref);
  g_clear_pointer (&settings->path, g_free);
}

char *
cam_settings_get (const CamSettings *settings, const char *key)
{
  g_autofree char *full = g_strconcat (GROUP ".", key, NULL);
  char *value = NULL;

  if (settings->file != NULL)
    value = g_key_file_get_string (settings->file, GROUP, key, NULL);
  if (value == NULL)
    value = g_strdup (cam_network_metadata (settings->network, full));
  if (value != NULL && *g_strstrip (value) == '\0')
    g_clear_pointer (&value, g_free);
  return value;
}

gboolean
cam_settings_refuse (const CamSettings *settings, const char *key,
                     const char *value, const char *wanted, GError **error)
{
  gboolean own = settings->file != NULL
                 && g_key_file_has_key (settings->file, GROUP, key, NULL);

  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
               /* the last is what it should be: "a number", "one of rgb, bgr"
                */
               _ ("The model's setting %s = “%s” (%s) should be: %s."), key,
               value,
               own ? settings->path : _ ("the ONNX file's metadata_props"),
               wanted);
  return FALSE;
}

gboolean
cam_settings_numbers (const CamSettings *settings, const char *key, int count,
                      double *numbers, gboolean *found, GError **error)
{
  g_autofree char *text = cam_settings_get (settings, key);
  g_autofree char *wanted = NULL;
  g_auto (GStrv) parts = NULL;
  gboolean good = TRUE;
  guint n;

  *found = text != NULL;
  if (text == NULL)
    return TRUE;
  parts = g_strsplit_set (text, ",;", -1);
  n = g_strv_length (parts);
  if (n > 1 && *g_strstrip (parts[n - 1]) == '\0')
    n--;
  good = n == 1 || n == (guint) count;
  for (guint i = 0; good && i < (guint) count; i++)
    {
      char *part = g_strstrip (parts[n == 1 ? 0 : i]), *end;

      numbers[i] = g_ascii_strtod (part, &end);
      good = end != part && *end == '\0' && isfinite (numbers[i]);
    }
  if (good)
    return TRUE;
  wanted = count == 1
               ? g_strdup (_ ("a number"))
               : g_strdup_printf (_ ("one number or %d, with commas"), count);
  return cam_settings_refuse (settings, key, text, wanted, error);
}

gboolean
cam_settings_choice (const CamSettings *settings, const char *key,
                     const char *const *words, int *choice, gboolean *found,
                     GError **error)
{
  g_autofree char *text = cam_settings_get (settings, key);
  g_autofree char *list = NULL, *wanted = NULL;

  *found = text != NULL;
  if (text == NULL)
    return TRUE;
  for (int i = 0; words[i] != NULL; i++)
    if (g_ascii_strcasecmp (text, words[i]) == 0)
      {
        *choice = i;
        return TRUE;
      }
  list = g_strjoinv (", ", (char **) words);
  wanted = g_strdup_printf (_ ("one of %s"), list);
  return cam_settings_refuse (settings, key, text, wanted, error);
}
