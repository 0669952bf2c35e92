/* input-settings.c -- how pictures go into one network: given, or guessed
 *
 * What the graph fixes (its input's shape) is not a guess; size, resize and
 * normalisation are, where neither model.ini nor the file says them.
 */
#include "core/model/input-settings.h"

#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "core/model/input-range.h"

static const double imagenet_mean[3] = { 0.485, 0.456, 0.406 };
static const double imagenet_std[3] = { 0.229, 0.224, 0.225 };

static void
guess (GPtrArray *guesses, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_ptr_array_add (guesses, g_strdup_vprintf (format, args));
  va_end (args);
}

/* Whether the input is [N, H, W, C], and its sizes (-1: free) */
static void
read_shape (const CamValue *input, CamInputSettings *s, int *height, int *width,
            int *n_channels)
{
  const gint64 *d = input->shape.dims;
  gboolean last = d[3] == 1 || d[3] == 3;

  s->nhwc = last && d[1] != 1 && d[1] != 3;
  *n_channels = (int) CLAMP (s->nhwc ? d[3] : d[1], -1, G_MAXINT);
  *height = (int) CLAMP (s->nhwc ? d[1] : d[2], -1, G_MAXINT);
  *width = (int) CLAMP (s->nhwc ? d[2] : d[3], -1, G_MAXINT);
}

static gboolean
read_size (const CamSettings *settings, CamInputSettings *s, int height,
           int width, GPtrArray *guesses, GError **error)
{
  double size[2]; /* H, W */
  gboolean found;

  if (! cam_settings_numbers (settings, "input.size", 2, size, &found, error))
    return FALSE;
  if (! found)
    {
      size[0] = height > 0 ? height : 224;
      size[1] = width > 0 ? width : 224;
      if (height <= 0 || width <= 0)
        guess (guesses, _ ("input.size: %gx%g (the file leaves it open)"),
               size[1], size[0]);
    }
  for (int i = 0; i < 2; i++)
    {
      g_autofree char *text = g_strdup_printf ("%g, %g", size[0], size[1]);
      g_autofree char *wanted = NULL;
      int fixed = i == 0 ? height : width;

      if (size[i] < 1 || size[i] > 16384 || size[i] != (int) size[i])
        return cam_settings_refuse (settings, "input.size", text,
                                    _ ("whole numbers from 1 to 16384"), error);
      if (fixed <= 0 || fixed == size[i])
        continue;
      wanted = g_strdup_printf (_ ("%d, %d (height, width), as the network's "
                                   "input is"),
                                height, width);
      return cam_settings_refuse (settings, "input.size", text, wanted, error);
    }
  s->height = (int) size[0];
  s->width = (int) size[1];
  return TRUE;
}

static gboolean
read_resize (const CamSettings *settings, CamInputSettings *s,
             GPtrArray *guesses, GPtrArray *customs, GError **error)
{
  static const char *const modes[] = { "stretch", "crop", "pad", NULL };
  static const char *const filters[] = { "bilinear", "bicubic", NULL };
  int mode = CAM_RESIZE_STRETCH, filter = CAM_FILTER_BILINEAR;
  gboolean found;

  s->crop_fraction = 1.0;
  if (! cam_settings_choice (settings, "input.resize", modes, &mode, &found,
                             error))
    return FALSE;
  if (! found)
    guess (guesses, _ ("input.resize: stretch (the whole picture is seen)"));
  if (! cam_settings_choice (settings, "input.filter", filters, &filter, &found,
                             error))
    return FALSE;
  if (! found)
    guess (customs, _ ("input.filter: bilinear"));
  if (! cam_settings_numbers (settings, "input.crop", 1, &s->crop_fraction,
                              &found, error))
    return FALSE;
  if (found && ! (s->crop_fraction > 0.0 && s->crop_fraction <= 1.0))
    {
      g_autofree char *text = g_strdup_printf ("%g", s->crop_fraction);

      return cam_settings_refuse (settings, "input.crop", text,
                                  _ ("a fraction above 0, at most 1 (e.g. "
                                     "0.875 for 224 of 256)"),
                                  error);
    }
  s->resize = (CamResize) mode;
  s->filter = (CamFilter) filter;
  return TRUE;
}

static gboolean
read_channels (const CamSettings *settings, CamInputSettings *s, int n_channels,
               GPtrArray *customs, GError **error)
{
  static const char *const orders[] = { "rgb", "bgr", "gray", NULL };
  int order = n_channels == 1 ? CAM_CHANNELS_GRAY : CAM_CHANNELS_RGB;
  gboolean found;

  if (! cam_settings_choice (settings, "input.channels", orders, &order, &found,
                             error))
    return FALSE;
  s->channels = (CamChannels) order;
  if (! found && order == CAM_CHANNELS_RGB)
    guess (customs, _ ("input.channels: rgb (red first)"));
  if (n_channels <= 0 || n_channels == (order == CAM_CHANNELS_GRAY ? 1 : 3))
    return TRUE;
  if (found)
    return cam_settings_refuse (settings, "input.channels", orders[order],
                                n_channels == 1
                                    ? _ ("gray: the input has one channel")
                                    : _ ("rgb or bgr"),
                                error);
  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
               _ ("The network's input has %d channels; a picture gives 3 (or "
                  "1, gray)."),
               n_channels);
  return FALSE;
}

static gboolean
check_std (const CamSettings *settings, const double std[3], GError **error)
{
  for (int c = 0; c < 3; c++)
    if (! (std[c] > 0.0))
      {
        g_autofree char *text = cam_settings_get (settings, "input.std");

        return cam_settings_refuse (settings, "input.std", text, _ ("above 0"),
                                    error);
      }
  return TRUE;
}

static gboolean
read_normal (const CamSettings *settings, CamInputSettings *s,
             GPtrArray *guesses, GError **error)
{
  gboolean scale, mean, std;

  s->scale = 1.0 / 255.0;
  for (int c = 0; c < 3; c++)
    {
      s->mean[c] = 0.0;
      s->std[c] = 1.0;
    }
  if (! cam_settings_numbers (settings, "input.scale", 1, &s->scale, &scale,
                              error)
      || ! cam_settings_numbers (settings, "input.mean", 3, s->mean, &mean,
                                 error)
      || ! cam_settings_numbers (settings, "input.std", 3, s->std, &std, error))
    return FALSE;
  if (std && ! check_std (settings, s->std, error))
    return FALSE;
  if (scale || mean || std)
    return TRUE;
  for (int c = 0; c < 3; c++)
    {
      int at = s->channels == CAM_CHANNELS_BGR ? 2 - c : c;

      s->mean[c] = imagenet_mean[at];
      s->std[c] = imagenet_std[at];
    }
  guess (guesses,
         _ ("input.mean, input.std: ImageNet's, of values from 0 to 1"));
  return TRUE;
}

/* "white", "black", "gray", "#rrggbb", or a number or three from 0 to 1 */
static gboolean
read_colour (const CamSettings *settings, const char *key, double colour[3],
             GError **error)
{
  g_autofree char *text = cam_settings_get (settings, key);
  guint r, g, b;
  gboolean found;
  char end;

  if (text == NULL)
    return TRUE;
  if (strcmp (text, "white") == 0)
    colour[0] = colour[1] = colour[2] = 1.0;
  else if (strcmp (text, "black") == 0)
    colour[0] = colour[1] = colour[2] = 0.0;
  else if (strcmp (text, "gray") == 0)
    colour[0] = colour[1] = colour[2] = 0.5;
  else if (sscanf (text, "#%2x%2x%2x%c", &r, &g, &b, &end) == 3)
    {
      colour[0] = r / 255.0;
      colour[1] = g / 255.0;
      colour[2] = b / 255.0;
    }
  else if (! cam_settings_numbers (settings, key, 3, colour, &found, NULL)
           || MIN (MIN (colour[0], colour[1]), colour[2]) < 0.0
           || MAX (MAX (colour[0], colour[1]), colour[2]) > 1.0)
    return cam_settings_refuse (settings, key, text,
                                _ ("white, black, gray, #rrggbb or numbers "
                                   "from 0 to 1"),
                                error);
  return TRUE;
}

gboolean
cam_input_settings_read (const CamSettings *settings, const CamValue *picture,
                         CamInputSettings *s, GPtrArray *guesses,
                         GPtrArray *customs, GPtrArray *warnings,
                         GError **error)
{
  int height, width, n_channels;

  memset (s, 0, sizeof *s);
  read_shape (picture, s, &height, &width, &n_channels);
  for (int c = 0; c < 3; c++)
    s->background[c] = 1.0; /* transparent pixels: white; padding: black */
  return read_size (settings, s, height, width, guesses, error)
         && read_resize (settings, s, guesses, customs, error)
         && read_channels (settings, s, n_channels, customs, error)
         && read_normal (settings, s, guesses, error)
         && read_colour (settings, "input.background", s->background, error)
         && read_colour (settings, "input.pad", s->pad_value, error)
         && cam_input_range_check (settings, s, warnings, error);
}
