/* picture-profile.c -- primaries and curves of ICC profiles
 *
 * ICC.1:2022: a head of 128 bytes, a table of tags, and big-endian numbers.
 * Of curves the kinds 'curv' and 'para' are read (10.6 and 10.18).
 */
#include "tools/picture-profile.h"

#include <math.h>
#include <string.h>

#define NEAR_MATRIX 0.006 /* of the identity */
#define NEAR_CURVE 0.004  /* of light */

/* Linear sRGB of X, Y, Z under D50, as profiles have them: the inverse of
 * sRGB's own primaries in IEC 61966-2-1, adapted by Bradford's matrix */
static const double from_xyz[3][3] = {
  { 3.1341359, -1.6173863, -0.4906619 },
  { -0.9787955, 1.9162544, 0.0334421 },
  { 0.0719554, -0.2289769, 1.4053860 },
};

struct _PictureProfile
{
  int n_colours, n_steps;
  float *curves;   /* [n_colours, n_steps] light */
  float matrix[9]; /* to linear sRGB */
  guint16 *words;  /* NULL until it is needed */
};

typedef struct
{
  const guint8 *data;
  gsize length;
} Bytes;

static guint32
word (const guint8 *at)
{
  return (guint32) at[0] << 24 | (guint32) at[1] << 16 | (guint32) at[2] << 8
         | at[3];
}

static double
fixed (const guint8 *at)
{
  return (gint32) word (at) / 65536.0;
}

/* The tag's bytes; FALSE where it is missing or lies outside */
static gboolean
find_tag (const Bytes *profile, const char *name, Bytes *tag)
{
  guint32 n = word (profile->data + 128);

  for (guint32 i = 0; i < n && 132 + 12 * (gsize) (i + 1) <= profile->length;
       i++)
    {
      const guint8 *entry = profile->data + 132 + 12 * (gsize) i;
      guint32 at = word (entry + 4), size = word (entry + 8);

      if (memcmp (entry, name, 4) != 0)
        continue;
      if (at > profile->length || size > profile->length - at || size < 12)
        return FALSE;
      *tag = (Bytes) { profile->data + at, size };
      return TRUE;
    }
  return FALSE;
}

/* The primary's X, Y and Z into column @c of @matrix */
static gboolean
read_primary (const Bytes *profile, const char *name, int c, double *matrix)
{
  Bytes tag;

  if (! find_tag (profile, name, &tag) || tag.length < 20
      || memcmp (tag.data, "XYZ ", 4) != 0)
    return FALSE;
  for (int i = 0; i < 3; i++)
    matrix[3 * i + c] = fixed (tag.data + 8 + 4 * i);
  return TRUE;
}

static double
srgb_light (double v)
{
  return v <= 0.04045 ? v / 12.92 : pow ((v + 0.055) / 1.055, 2.4);
}

/* At @v of 0..1; not-a-number where the curve is of another kind */
static double
table_light (const Bytes *tag, double v)
{
  guint32 n = word (tag->data + 8), at;
  const guint8 *entry = tag->data + 12;
  double place, below, above;

  if (n < 2 || n > (tag->length - 12) / 2)
    return n == 1 && tag->length >= 14
               ? pow (v, (entry[0] * 256 + entry[1]) / 256.0)
           : n == 0 ? v
                    : NAN;
  place = v * (n - 1);
  at = MIN ((guint32) place, n - 2);
  below = entry[2 * at] * 256 + entry[2 * at + 1];
  above = entry[2 * at + 2] * 256 + entry[2 * at + 3];
  return (below + (above - below) * (place - at)) / 65535.0;
}

static double
formula_light (const Bytes *tag, double v)
{
  static const int counts[] = { 1, 3, 4, 5, 7 };
  int kind = tag->data[8] * 256 + tag->data[9];
  double p[7] = { 0 }; /* g a b c d e f */

  if (kind > 4 || tag->length < 12 + 4 * (gsize) counts[kind])
    return NAN;
  p[1] = 1;
  for (int i = 0; i < counts[kind]; i++)
    p[i] = fixed (tag->data + 12 + 4 * i);
  switch (kind)
    {
    case 0: return pow (v, p[0]);
    case 1:
    case 2:
      return v >= -p[2] / p[1] ? pow (p[1] * v + p[2], p[0]) + p[3] : p[3];
    default:
      return v >= p[4] ? pow (p[1] * v + p[2], p[0]) + p[5] : p[3] * v + p[6];
    }
}

static gboolean
read_curve (const Bytes *profile, const char *name, int n_steps, float *curve)
{
  Bytes tag;

  if (! find_tag (profile, name, &tag))
    return FALSE;
  for (int i = 0; i < n_steps; i++)
    {
      double v = i / (n_steps - 1.0), light = NAN;

      if (memcmp (tag.data, "curv", 4) == 0)
        light = table_light (&tag, v);
      else if (memcmp (tag.data, "para", 4) == 0)
        light = formula_light (&tag, v);
      if (! isfinite (light))
        return FALSE;
      curve[i] = (float) CLAMP (light, 0.0, 1.0);
    }
  return TRUE;
}

static gboolean
read_profile (PictureProfile *p, const Bytes *bytes)
{
  static const char *const primaries[] = { "rXYZ", "gXYZ", "bXYZ" };
  static const char *const curves[] = { "rTRC", "gTRC", "bTRC" };
  gboolean gray = p->n_colours == 1;
  double matrix[9];

  if (memcmp (bytes->data + 16, gray ? "GRAY" : "RGB ", 4) != 0)
    return FALSE;
  for (int c = 0; c < p->n_colours; c++)
    if (! read_curve (bytes, gray ? "kTRC" : curves[c], p->n_steps,
                      p->curves + (gsize) c * p->n_steps)
        || (! gray && ! read_primary (bytes, primaries[c], c, matrix)))
      return FALSE;
  for (int i = 0; ! gray && i < 3; i++)
    for (int c = 0; c < 3; c++)
      for (int k = 0; k < 3; k++)
        p->matrix[3 * i + c] += (float) (from_xyz[i][k] * matrix[3 * k + c]);
  return TRUE;
}

PictureProfile *
picture_profile_new (gconstpointer data, gsize length, int n_colours,
                     int n_steps)
{
  const Bytes bytes = { data, length };
  PictureProfile *p;
  Bytes table;

  if (length < 132 || find_tag (&bytes, "A2B0", &table))
    return NULL;
  p = g_new0 (PictureProfile, 1);
  p->n_colours = n_colours;
  p->n_steps = n_steps;
  p->curves = g_new (float, (gsize) n_colours * n_steps);
  if (read_profile (p, &bytes))
    return p;
  picture_profile_free (p);
  return NULL;
}

void
picture_profile_free (PictureProfile *profile)
{
  g_free (profile->curves);
  g_free (profile->words);
  g_free (profile);
}

gboolean
picture_profile_is_srgb (const PictureProfile *profile)
{
  for (int i = 0; profile->n_colours == 3 && i < 9; i++)
    if (fabsf (profile->matrix[i] - (i % 4 == 0)) > NEAR_MATRIX)
      return FALSE;
  for (int i = 0; i < profile->n_colours * profile->n_steps; i++)
    {
      double v = i % profile->n_steps / (profile->n_steps - 1.0);

      if (fabs (profile->curves[i] - srgb_light (v)) > NEAR_CURVE)
        return FALSE;
    }
  return TRUE;
}

/* Words of sRGB by linear light in words */
void
picture_profile_prepare (PictureProfile *profile)
{
  profile->words = g_new (guint16, 65536);
  for (int i = 0; i < 65536; i++)
    {
      double v = i / 65535.0;

      v = v <= 0.0031308 ? v * 12.92 : 1.055 * pow (v, 1 / 2.4) - 0.055;
      profile->words[i] = (guint16) (v * 65535.0 + 0.5);
    }
}

static guint16
word_of (const PictureProfile *profile, float light)
{
  return profile->words[(int) (CLAMP (light, 0.0f, 1.0f) * 65535.0f + 0.5f)];
}

void
picture_profile_convert (const PictureProfile *profile, gconstpointer pixels,
                         gsize n, guint16 *out)
{
  const guint8 *bytes = pixels;
  const guint16 *words = pixels;
  const float *m = profile->matrix;
  int n_colours = profile->n_colours;

  for (gsize i = 0; i < n; i++, out += 3)
    {
      float light[3];

      for (int c = 0; c < n_colours; c++)
        {
          gsize v = profile->n_steps == 256 ? bytes[i * n_colours + c]
                                            : words[i * n_colours + c];

          light[c] = profile->curves[(gsize) c * profile->n_steps + v];
        }
      for (int c = 0; c < 3; c++)
        out[c] = word_of (profile, n_colours == 1
                                       ? light[0]
                                       : m[3 * c] * light[0]
                                             + m[3 * c + 1] * light[1]
                                             + m[3 * c + 2] * light[2]);
    }
}
