/* colormap.c -- colour maps by formula
 *
 * jet and gray are what they have always been.  turbo (A. Mikhailov, Google
 * 2019), viridis and inferno (N. Smith and S. van der Walt, CC0) are known by
 * tables; ours are polynomials of degree 10 in Chebyshev form that we fitted to
 * them (iteratively reweighted least squares): viridis is met to 1/255,
 * inferno to 3/255 and turbo to 5/255.
 */
#include "core/image/overlay.h"

#include <math.h>

#include "core/image/pixels.h"

#define TERMS 11

static const double turbo[3][TERMS] = {
  { 128.770, 78.924, -30.550, -59.529, -11.685, 24.269, -3.607, -9.546, 6.753,
    -1.380, -4.313 },
  { 111.505, -24.782, -117.682, 17.364, 20.456, 1.039, -3.063, -1.237, -0.650,
    -0.830, 0.603 },
  { 90.332, -91.576, -30.786, 57.498, -37.447, 10.472, 11.519, -6.752, -5.025,
    -2.374, 2.353 },
};

static const double viridis[3][TERMS] = {
  { 104.216, 76.075, 65.025, 20.463, -8.453, -5.019, -0.441, 1.677, 0.599,
    -1.290, -0.265 },
  { 132.274, 115.939, -14.631, -1.236, -2.165, 0.198, 0.536, 0.225, -0.107,
    0.043, 0.250 },
  { 95.850, -37.422, -43.521, 5.385, 3.783, 7.347, 3.761, 1.265, 1.118, 0.447,
    -0.639 },
};

static const double inferno[3][TERMS] = {
  { 150.642, 135.657, -33.749, -12.834, 5.157, 2.215, 3.530, 0.338, 0.876,
    0.817, -0.253 },
  { 96.121, 127.448, 37.173, 1.622, -4.895, -1.657, -1.548, 1.020, -0.262,
    -1.027, 1.451 },
  { 71.538, 27.661, 1.394, 59.198, 12.451, -0.191, -2.994, -5.742, 0.021, 2.151,
    1.586 },
};

static const char *const names[CAM_N_COLORMAPS] = { "turbo", "viridis",
                                                    "inferno", "jet", "gray" };

const char *
cam_colormap_name (CamColormap colormap)
{
  g_return_val_if_fail (colormap < CAM_N_COLORMAPS, NULL);
  return names[colormap];
}

gboolean
cam_colormap_parse (const char *name, CamColormap *colormap)
{
  for (int i = 0; name != NULL && i < CAM_N_COLORMAPS; i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      {
        *colormap = (CamColormap) i;
        return TRUE;
      }
  return FALSE;
}

/* Clenshaw's sum of a Chebyshev series at @x in -1..1 */
static double
chebyshev (const double terms[TERMS], double x)
{
  double b1 = 0.0, b2 = 0.0;

  for (int i = TERMS - 1; i > 0; i--)
    {
      double b = 2.0 * x * b1 - b2 + terms[i];

      b2 = b1;
      b1 = b;
    }
  return x * b1 - b2 + terms[0];
}

static double
colour_at (CamColormap colormap, int channel, double v)
{
  switch (colormap)
    {
    case CAM_COLORMAP_TURBO:
      return chebyshev (turbo[channel], 2.0 * v - 1.0) / 255.0;
    case CAM_COLORMAP_VIRIDIS:
      return chebyshev (viridis[channel], 2.0 * v - 1.0) / 255.0;
    case CAM_COLORMAP_INFERNO:
      return chebyshev (inferno[channel], 2.0 * v - 1.0) / 255.0;
    case CAM_COLORMAP_JET: return 1.5 - fabs (4.0 * v - (3.0 - channel));
    default: return v;
    }
}

typedef guint8 Table[256][3];

static gpointer
make_tables (gpointer unused)
{
  Table *tables = g_new (Table, CAM_N_COLORMAPS);

  for (int m = 0; m < CAM_N_COLORMAPS; m++)
    for (int i = 0; i < 256; i++)
      for (int c = 0; c < 3; c++)
        tables[m][i][c] = cam_unit_to_byte (colour_at ((CamColormap) m, c,
                                                       i / 255.0));
  return tables;
}

const guint8 *
cam_colormap_table (CamColormap colormap)
{
  static GOnce once = G_ONCE_INIT;
  const Table *tables = g_once (&once, make_tables, NULL);

  g_return_val_if_fail (colormap < CAM_N_COLORMAPS, NULL);
  return &tables[colormap][0][0];
}
