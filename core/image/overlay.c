/* overlay.c -- a map enlarged to the picture, coloured, and blended
 *
 * Where an output pixel falls on the map depends on its column and its row
 * apart; columns are worked out once a call, rows are blended down to one line
 * of the map and then read along.
 */
#include "core/image/overlay.h"

#include <math.h>
#include <string.h>

/* How far above the threshold the overlay is fully opaque, of the maximum */
#define ALPHA_RAMP 0.25f

typedef struct /* the two map cells that one output column or row lies between
                */
{
  int a, b;     /* a -1: the network did not see it */
  float weight; /* of b */
} Tap;

void
cam_heat_map_free (CamHeatMap *map)
{
  if (map == NULL)
    return;
  g_free (map->values);
  g_free (map);
}

/* Whatever @v is, a number from 0 to 1 */
static inline float
unit_of (float v)
{
  return v > 0.0f ? MIN (v, 1.0f) : 0.0f;
}

/* Output pixel @i of @n along a side of @length picture pixels, of which the
 * map's @cells cover @extent from @origin */
static Tap
tap_at (int i, int n, int length, double origin, double extent, int cells)
{
  double picture = (i + 0.5) * length / n;
  double unit = (picture - origin) / extent;
  double cell;
  Tap tap = { -1, 0, 0.0f };

  if (! (unit >= 0.0 && unit < 1.0))
    return tap;
  cell = CLAMP (unit * cells - 0.5, 0.0, cells - 1.0);
  tap.a = (int) cell;
  tap.weight = (float) (cell - tap.a);
  tap.b = MIN (tap.a + 1, cells - 1);
  return tap;
}

typedef struct
{
  const CamHeatMap *map;
  const CamView *view;
  int out_width, out_height;
  Tap *columns; /* [out_width] */
  float *line;  /* [map->width] */
  double scale; /* 1 / maximum, which need not be a float32 */
} Sampler;

static void
sampler_init (Sampler *sampler, const CamHeatMap *map, const CamView *view,
              int out_width, int out_height)
{
  sampler->map = map;
  sampler->view = view;
  sampler->out_width = out_width;
  sampler->out_height = out_height;
  sampler->columns = g_new (Tap, out_width);
  sampler->line = g_new (float, map->width);
  sampler->scale = map->maximum > 0 ? 1.0 / map->maximum : 0.0;
  for (int x = 0; x < out_width; x++)
    sampler->columns[x] = tap_at (x, out_width, view->width, view->x, view->w,
                                  map->width);
}

static void
sampler_clear (Sampler *sampler)
{
  g_free (sampler->columns);
  g_free (sampler->line);
}

/* One row of values over the maximum */
static void
sample_row (const Sampler *sampler, int y, float *out)
{
  const CamHeatMap *map = sampler->map;
  const CamView *view = sampler->view;
  Tap row = tap_at (y, sampler->out_height, view->height, view->y, view->h,
                    map->height);
  const float *above, *below;

  if (row.a < 0 || sampler->scale == 0.0)
    {
      memset (out, 0, sizeof (float) * sampler->out_width);
      return;
    }
  above = map->values + (gsize) row.a * map->width;
  below = map->values + (gsize) row.b * map->width;
  for (int i = 0; i < map->width; i++)
    sampler->line[i] =
        unit_of ((float) ((above[i] + (below[i] - above[i]) * row.weight)
                          * sampler->scale));
  for (int x = 0; x < sampler->out_width; x++)
    {
      Tap tap = sampler->columns[x];

      if (tap.a < 0)
        out[x] = 0.0f;
      else
        out[x] = sampler->line[tap.a]
                 + (sampler->line[tap.b] - sampler->line[tap.a]) * tap.weight;
    }
}

void
cam_overlay_values (const CamHeatMap *map, const CamView *view, int out_width,
                    int out_height, int y0, int n_rows, float *out)
{
  Sampler sampler;

  sampler_init (&sampler, map, view, out_width, out_height);
  for (int i = 0; i < n_rows; i++)
    sample_row (&sampler, y0 + i, out + (gsize) i * out_width);
  sampler_clear (&sampler);
}

/* 0 up to the threshold, 1 from ALPHA_RAMP above it, smooth between */
static inline float
alpha_at (float value, float threshold)
{
  float t = (value - threshold) / ALPHA_RAMP;

  t = CLAMP (t, 0.0f, 1.0f);
  return t * t * (3.0f - 2.0f * t);
}

void
cam_overlay_rgba (const CamHeatMap *map, const CamView *view,
                  CamColormap colormap, double threshold, int out_width,
                  int out_height, int y0, int n_rows, guint8 *out, gsize stride)
{
  const guint8 *table = cam_colormap_table (colormap);
  g_autofree float *values = g_new (float, out_width);
  Sampler sampler;

  sampler_init (&sampler, map, view, out_width, out_height);
  for (int i = 0; i < n_rows; i++)
    {
      guint8 *pixel = out + i * stride;

      sample_row (&sampler, y0 + i, values);
      for (int x = 0; x < out_width; x++, pixel += 4)
        {
          float v = values[x];
          const guint8 *colour = table + 3 * (int) (v * 255.0f + 0.5f);

          pixel[0] = colour[0];
          pixel[1] = colour[1];
          pixel[2] = colour[2];
          pixel[3] = (guint8) (alpha_at (v, (float) threshold) * 255.0f + 0.5f);
        }
    }
  sampler_clear (&sampler);
}

void
cam_overlay_blend (const guint8 *overlay, double opacity, guint8 *base,
                   gsize n_pixels)
{
  float strength = (float) CLAMP (opacity, 0.0, 1.0) / 255.0f;

  for (gsize i = 0; i < n_pixels; i++, overlay += 4, base += 4)
    {
      float a = overlay[3] * strength;
      float under = base[3] / 255.0f * (1.0f - a);
      float alpha = a + under;

      if (a == 0.0f)
        continue;
      for (int c = 0; c < 3; c++)
        base[c] = (guint8) ((overlay[c] * a + base[c] * under) / alpha + 0.5f);
      base[3] = (guint8) (alpha * 255.0f + 0.5f);
    }
}
