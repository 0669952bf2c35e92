/* input-range.c -- see input-range.h */
#include "core/model/input-range.h"

#include <glib/gi18n.h>
#include <math.h>

#define NARROW 0.1 /* narrower than anything that was ever trained with */
#define WIDE 600.0 /* bytes are 255 wide */
#define FAR 0.15   /* of the width, between 0 and the nearer end */
#define BYTES                                                                  \
  100.0 /* white is above this where values are not divided by 255 */

typedef struct
{
  float black, white;
} Range;

static Range
range_of (const CamInputSettings *s, int channel)
{
  double mean = s->mean[channel], std = s->std[channel];

  return (Range) { (float) ((0.0 - mean) / std),
                   (float) ((255.0 * s->scale - mean) / std) };
}

static int
n_channels (const CamInputSettings *s)
{
  return s->channels == CAM_CHANNELS_GRAY ? 1 : 3;
}

static gboolean
refuse (const CamSettings *settings, Range range, GError **error)
{
  static const char *const keys[] = { "input.scale", "input.std",
                                      "input.mean" };
  const char *key = "input.scale";
  g_autofree char *value = NULL;
  g_autofree char *wanted = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (keys) && value == NULL; i++)
    {
      key = keys[i];
      value = cam_settings_get (settings, key);
    }
  wanted = g_strdup_printf (_ ("a number with which the network gets finite "
                               "numbers, and others for white than for black "
                               "(with this one, %g and %g)"),
                            range.white, range.black);
  return cam_settings_refuse (settings, key, value != NULL ? value : "", wanted,
                              error);
}

/* All of one sign, and from 0 by a good part of its width */
static gboolean
is_far (Range r)
{
  float nearest = MIN (fabsf (r.black), fabsf (r.white));

  return r.black * r.white > 0 && nearest > FAR * fabsf (r.white - r.black);
}

/* mean and std of values from 0 to 1, beside values from 0 to 255 */
static gboolean
is_of_units (const CamInputSettings *s, int channel)
{
  return fabs (255.0 * s->scale) >= BYTES && s->mean[channel] > 0.0
         && s->mean[channel] < 1.0 && s->std[channel] <= 1.0;
}

static gboolean
is_odd (const CamInputSettings *s, int channel)
{
  Range r = range_of (s, channel);
  float width = fabsf (r.white - r.black);

  return width < NARROW || width > WIDE || is_far (r)
         || is_of_units (s, channel);
}

static void
warn_of_range (const CamInputSettings *s, int channel, GPtrArray *warnings)
{
  Range r = range_of (s, channel);
  double white = fabs (255.0 * s->scale);
  double most = MAX (fabs (s->mean[channel]), s->std[channel]);
  char *text;

  if (white < 2.0 && most > 2.0)
    text = g_strdup_printf (_ ("For black the network gets %.4g, for white "
                               "%.4g, which can hardly be meant: input.mean "
                               "and input.std look like those of values from "
                               "0 to 255, and input.scale makes them 0 to 1. "
                               "Say input.scale=1 in model.ini."),
                            (double) r.black, (double) r.white);
  else if (white >= BYTES && most <= 1.0)
    text = g_strdup_printf (_ ("For black the network gets %.4g, for white "
                               "%.4g, which can hardly be meant: input.mean "
                               "and input.std look like those of values from "
                               "0 to 1, and input.scale leaves them 0 to 255. "
                               "Say input.scale=0.00392157 in model.ini."),
                            (double) r.black, (double) r.white);
  else
    text = g_strdup_printf (_ ("For black the network gets %.4g, for white "
                               "%.4g, which can hardly be meant: look at "
                               "input.scale, input.mean and input.std in "
                               "model.ini."),
                            (double) r.black, (double) r.white);
  g_ptr_array_add (warnings, text);
}

static gboolean
has (const CamSettings *settings, const char *key)
{
  g_autofree char *value = cam_settings_get (settings, key);

  return value != NULL;
}

static void
warn_of_effects (const CamSettings *settings, const CamInputSettings *s,
                 GPtrArray *warnings)
{
  static const char *const normal[] = { "input.mean", "input.std" };

  if (s->resize != CAM_RESIZE_CROP && has (settings, "input.crop"))
    g_ptr_array_add (warnings,
                     g_strdup (_ ("input.crop has no effect: it is for "
                                  "input.resize=crop.")));
  if (s->resize != CAM_RESIZE_PAD && has (settings, "input.pad"))
    g_ptr_array_add (warnings, g_strdup (_ ("input.pad has no effect: it is "
                                            "for input.resize=pad.")));
  for (gsize i = 0; i < G_N_ELEMENTS (normal); i++)
    {
      const double *n = i == 0 ? s->mean : s->std;

      if (s->channels == CAM_CHANNELS_GRAY && has (settings, normal[i])
          && (n[1] != n[0] || n[2] != n[0]))
        g_ptr_array_add (warnings,
                         g_strdup_printf (_ ("Of %s the first number alone has "
                                             "an effect: the picture is gray."),
                                          normal[i]));
    }
}

gboolean
cam_input_range_check (const CamSettings *settings, const CamInputSettings *s,
                       GPtrArray *warnings, GError **error)
{
  for (int c = 0; c < n_channels (s); c++)
    {
      Range r = range_of (s, c);

      if (! isfinite (r.black) || ! isfinite (r.white) || r.black == r.white)
        return refuse (settings, r, error);
    }
  if (s->scale < 0)
    g_ptr_array_add (warnings,
                     g_strdup (_ ("input.scale is below 0: the network sees "
                                  "the negative of every picture.")));
  for (int c = 0; c < n_channels (s); c++)
    if (is_odd (s, c))
      {
        warn_of_range (s, c, warnings);
        break;
      }
  warn_of_effects (settings, s, warnings);
  return TRUE;
}
