/* options.c -- see options.h */
#include "config.h"
#include "ui/options.h"
#include "core/base/plain-file.h"
#include "core/base/whole-file.h"
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

G_DEFINE_QUARK (cam - options - error - quark, cam_options_error)

/* "Normal" of old, which blends as the overlay's own modes do. */
#define LEGACY_NORMAL 0

/* GIMP's numbers; the hosts assert that they are right. */
static const CamLayerMode layer_modes[] = {
  { "normal", N_ ("Normal"), 28 },
  { "multiply", N_ ("Multiply"), 30 },
  { "screen", N_ ("Screen"), 31 },
  { "overlay", N_ ("Overlay"), 23 },
  { "soft-light", N_ ("Soft light"), 45 },
  { "hard-light", N_ ("Hard light"), 44 },
  { "addition", N_ ("Addition"), 33 },
};

const CamLayerMode *
cam_layer_modes (int *n_modes)
{
  *n_modes = G_N_ELEMENTS (layer_modes);
  return layer_modes;
}

int
cam_layer_mode_by_name (const char *name)
{
  for (guint i = 0; i < G_N_ELEMENTS (layer_modes); i++)
    if (! strcmp (layer_modes[i].name, name))
      return i;
  return -1;
}

int
cam_layer_mode_by_number (int number)
{
  if (number == LEGACY_NORMAL)
    return 0;
  for (guint i = 0; i < G_N_ELEMENTS (layer_modes); i++)
    if (layer_modes[i].number == number)
      return i;
  return -1;
}

const char *
cam_transfer_name (CamTransfer transfer)
{
  return transfer == CAM_TRANSFER_NEIGHBOUR ? "neighbour" : "cluster";
}

gboolean
cam_transfer_parse (const char *name, CamTransfer *transfer)
{
  for (int i = CAM_TRANSFER_CLUSTER; i <= CAM_TRANSFER_NEIGHBOUR; i++)
    if (! strcmp (name, cam_transfer_name (i)))
      {
        *transfer = i;
        return TRUE;
      }
  return FALSE;
}

CamOptions *
cam_options_new (void)
{
  CamOptions *settings = g_new0 (CamOptions, 1);

  settings->model = g_strdup ("");
  settings->database = g_strdup ("");
  settings->positive = g_strdup ("");
  settings->negative = g_strdup ("");
  settings->top_k = 50;
  settings->opacity = 60;
  settings->colormap = CAM_COLORMAP_TURBO;
  settings->transfer = CAM_TRANSFER_CLUSTER;
  return settings;
}

static void
set_string (char **string, const char *value)
{
  char *copy = g_strdup (value);

  g_free (*string);
  *string = copy;
}

void
cam_options_assign (CamOptions *to, const CamOptions *from)
{
  CamOptions old = *to;

  *to = *from;
  to->model = old.model;
  to->database = old.database;
  to->positive = old.positive;
  to->negative = old.negative;
  set_string (&to->model, from->model);
  set_string (&to->database, from->database);
  set_string (&to->positive, from->positive);
  set_string (&to->negative, from->negative);
}

CamOptions *
cam_options_copy (const CamOptions *settings)
{
  CamOptions *copy = g_new0 (CamOptions, 1);

  cam_options_assign (copy, settings);
  return copy;
}

void
cam_options_free (CamOptions *settings)
{
  g_free (settings->model);
  g_free (settings->database);
  g_free (settings->positive);
  g_free (settings->negative);
  g_free (settings);
}

/* ---- checks ---- */

static gboolean refuse (GError **error, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

static gboolean
refuse (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  if (error)
    *error = g_error_new_valist (CAM_OPTIONS_ERROR, CAM_OPTIONS_ERROR_VALUE,
                                 format, args);
  va_end (args);
  return FALSE;
}

gboolean
cam_options_set_colormap (CamOptions *settings, const char *name,
                          GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);

  if (cam_colormap_parse (name, &settings->colormap))
    return TRUE;
  for (int i = 0; i < CAM_N_COLORMAPS; i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "",
                            cam_colormap_name (i));
  return refuse (error, _ ("There is no colour map '%s': choose one of %s."),
                 name, names->str);
}

gboolean
cam_options_set_layer_mode (CamOptions *settings, const char *name,
                            GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  int mode = cam_layer_mode_by_name (name);

  if (mode >= 0)
    {
      settings->layer_mode = mode;
      return TRUE;
    }
  for (guint i = 0; i < G_N_ELEMENTS (layer_modes); i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "", layer_modes[i].name);
  return refuse (error,
                 _ ("There is no layer mode '%s' for an overlay: "
                    "choose one of %s."),
                 name, names->str);
}

gboolean
cam_options_set_transfer (CamOptions *settings, const char *name,
                          GError **error)
{
  if (cam_transfer_parse (name, &settings->transfer))
    return TRUE;
  return refuse (error,
                 _ ("There is no transfer '%s': choose cluster or "
                    "neighbour."),
                 name);
}

gboolean
cam_options_check (const CamOptions *settings, GError **error)
{
  if (settings->top_k < 0)
    return refuse (error,
                   _ ("top-k is %d: it must be 0 (all channels) or "
                      "more."),
                   settings->top_k);
  if (! (settings->opacity >= 0 && settings->opacity <= 100))
    return refuse (error, _ ("The opacity is %g: it must be from 0 to 100."),
                   settings->opacity);
  if ((int) settings->colormap < 0 || settings->colormap >= CAM_N_COLORMAPS)
    return refuse (error,
                   _ ("There is no colour map %d: choose one from 0 "
                      "to %d."),
                   settings->colormap, CAM_N_COLORMAPS - 1);
  if (settings->layer_mode < 0
      || settings->layer_mode >= (int) G_N_ELEMENTS (layer_modes))
    return refuse (error, _ ("The layer mode is not one that an overlay may "
                             "have: choose LAYER-MODE-NORMAL, MULTIPLY, "
                             "SCREEN, OVERLAY, SOFTLIGHT, HARDLIGHT or "
                             "ADDITION."));
  if (! (settings->threshold >= 0 && settings->threshold <= 1))
    return refuse (error, _ ("The threshold is %g: it must be from 0 to 1."),
                   settings->threshold);
  if ((int) settings->transfer < CAM_TRANSFER_CLUSTER
      || settings->transfer > CAM_TRANSFER_NEIGHBOUR)
    return refuse (error,
                   _ ("There is no transfer %d: choose 0 (cluster) or "
                      "1 (neighbour)."),
                   settings->transfer);
  return TRUE;
}

/* ---- key files ---- */

void
cam_options_to_group (const CamOptions *settings, GKeyFile *file,
                      const char *group)
{
  g_key_file_set_string (file, group, "model", settings->model);
  g_key_file_set_string (file, group, "database", settings->database);
  g_key_file_set_string (file, group, "positive", settings->positive);
  g_key_file_set_string (file, group, "negative", settings->negative);
  g_key_file_set_integer (file, group, "top-k", settings->top_k);
  g_key_file_set_double (file, group, "opacity", settings->opacity);
  g_key_file_set_string (file, group, "colormap",
                         cam_colormap_name (settings->colormap));
  g_key_file_set_string (file, group, "layer-mode",
                         layer_modes[settings->layer_mode].name);
  g_key_file_set_double (file, group, "threshold", settings->threshold);
  g_key_file_set_string (file, group, "transfer",
                         cam_transfer_name (settings->transfer));
}

static void
take_string (GKeyFile *file, const char *group, const char *key, char **string)
{
  g_autofree char *value = g_key_file_get_string (file, group, key, NULL);

  if (value)
    set_string (string, value);
}

static void
take_double (GKeyFile *file, const char *group, const char *key, double low,
             double high, double *number)
{
  g_autoptr (GError) error = NULL;
  double value = g_key_file_get_double (file, group, key, &error);

  if (! error && value >= low && value <= high)
    *number = value;
}

void
cam_options_from_group (CamOptions *settings, GKeyFile *file, const char *group)
{
  g_autofree char *map = g_key_file_get_string (file, group, "colormap", NULL);
  g_autofree char *mode = g_key_file_get_string (file, group, "layer-mode",
                                                 NULL);
  g_autofree char *transfer = g_key_file_get_string (file, group, "transfer",
                                                     NULL);
  double top_k = settings->top_k;

  take_string (file, group, "model", &settings->model);
  take_string (file, group, "database", &settings->database);
  take_string (file, group, "positive", &settings->positive);
  take_string (file, group, "negative", &settings->negative);
  take_double (file, group, "top-k", 0, G_MAXINT, &top_k);
  take_double (file, group, "opacity", 0, 100, &settings->opacity);
  take_double (file, group, "threshold", 0, 1, &settings->threshold);
  settings->top_k = lrint (top_k);
  if (map)
    cam_options_set_colormap (settings, map, NULL);
  if (mode)
    cam_options_set_layer_mode (settings, mode, NULL);
  if (transfer)
    cam_options_set_transfer (settings, transfer, NULL);
}

GKeyFile *
cam_key_file_read (const char *path)
{
  GKeyFile *file = g_key_file_new ();

  cam_plain_file_keys (file, path, G_KEY_FILE_KEEP_COMMENTS, NULL);
  return file;
}

GKeyFile *
cam_key_file_read_to_change (const char *path)
{
  GKeyFile *file = g_key_file_new ();
  g_autofree char *aside = g_strconcat (path, "~", NULL);

  if (! cam_plain_file_keys (file, path, G_KEY_FILE_KEEP_COMMENTS, NULL)
      && g_file_test (path, G_FILE_TEST_IS_REGULAR))
    g_rename (path, aside);
  return file;
}

gboolean
cam_key_file_write (GKeyFile *file, const char *path, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (path);
  g_autofree char *text = g_key_file_to_data (file, NULL, NULL);
  CamFilePiece piece = { text, strlen (text) };

  g_mkdir_with_parents (folder, 0700);
  return cam_whole_file_write (path, &piece, 1, error);
}

void
cam_options_load (CamOptions *settings, const char *path, const char *group)
{
  g_autoptr (GKeyFile) file = cam_key_file_read (path);

  cam_options_from_group (settings, file, group);
}

gboolean
cam_options_save (const CamOptions *settings, const char *path,
                  const char *group, GError **error)
{
  g_autoptr (GKeyFile) file = cam_key_file_read_to_change (path);

  cam_options_to_group (settings, file, group);
  return cam_key_file_write (file, path, error);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return g_utf8_collate (*(char *const *) a, *(char *const *) b);
}

char **
cam_options_groups (const char *path)
{
  g_autoptr (GKeyFile) file = cam_key_file_read (path);
  gsize n = 0;
  char **groups = g_key_file_get_groups (file, &n);

  qsort (groups, n, sizeof *groups, compare_names);
  return groups;
}

gboolean
cam_options_remove (const char *path, const char *group, GError **error)
{
  g_autoptr (GKeyFile) file = cam_key_file_read (path);

  return g_key_file_remove_group (file, group, error)
         && cam_key_file_write (file, path, error);
}
