/* resample.c -- weights of a separable resize, and their sums in fixed point */
#include "core/image/resample.h"

#include <math.h>

#include "core/kernels/kernels.h"

static double
triangle (double x)
{
  return MAX (0.0, 1.0 - fabs (x));
}

/* Keys' cubic convolution with a = -0.5 */
static double
cubic (double x)
{
  const double a = -0.5;

  x = fabs (x);
  if (x < 1.0)
    return ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0;
  if (x < 2.0)
    return (((x - 5.0) * x + 8.0) * x - 4.0) * a;
  return 0.0;
}

/* The weights of one output, normalised, in fixed point. */
static void
fill_weights (CamResampleTable *table, int index, CamFilter filter,
              double centre, double stretch, double *scratch)
{
  gint32 *weights = table->weights + (gsize) index * table->capacity;
  double sum = 0.0;

  for (int i = 0; i < table->count[index]; i++)
    {
      double x = (table->start[index] + i - centre + 0.5) * (1.0 / stretch);

      scratch[i] = filter == CAM_FILTER_BICUBIC ? cubic (x) : triangle (x);
      sum += scratch[i];
    }
  for (int i = 0; i < table->count[index]; i++)
    {
      double w = sum != 0.0 ? scratch[i] / sum : scratch[i];

      weights[i] = (gint32) ((w < 0.0 ? -0.5 : 0.5)
                             + w * (1 << CAM_BYTE_WEIGHT_BITS));
    }
}

CamResampleTable *
cam_resample_table_new (CamFilter filter, int in, int out, int first, int n)
{
  CamResampleTable *table = g_new0 (CamResampleTable, 1);
  double scale = (double) in / out, stretch = MAX (scale, 1.0);
  double support = (filter == CAM_FILTER_BICUBIC ? 2.0 : 1.0) * stretch;
  g_autofree double *scratch = NULL;

  table->n = n;
  table->capacity = (int) ceil (support) * 2 + 1;
  table->start = g_new (int, n);
  table->count = g_new (int, n);
  table->weights = g_new0 (gint32, (gsize) n * table->capacity);
  scratch = g_new (double, table->capacity);
  for (int i = 0; i < n; i++)
    {
      double centre = (first + i + 0.5) * scale;
      int start = MAX (0, (int) (centre - support + 0.5));
      int end = MIN (in, (int) (centre + support + 0.5));

      table->start[i] = start;
      table->count[i] = end - start;
      fill_weights (table, i, filter, centre, stretch, scratch);
    }
  return table;
}

void
cam_resample_table_free (CamResampleTable *table)
{
  if (table == NULL)
    return;
  g_free (table->start);
  g_free (table->count);
  g_free (table->weights);
  g_free (table);
}

void
cam_resample_row (const CamResampleTable *table, int n_channels,
                  const guint8 *in, guint8 *out)
{
  CamByteSums sums = { table->n, table->capacity, table->start, table->count,
                       table->weights };

  if (n_channels == 3)
    {
      cam_kernels ()->resample_rgb (&sums, in, out);
      return;
    }
  for (int i = 0; i < table->n; i++)
    {
      const gint32 *weights = table->weights + (gsize) i * table->capacity;
      const guint8 *p = in + table->start[i];
      gint32 sum = 1 << (CAM_BYTE_WEIGHT_BITS - 1);

      for (int j = 0; j < table->count[i]; j++)
        sum += p[j] * weights[j];
      out[i] = (guint8) CLAMP (sum >> CAM_BYTE_WEIGHT_BITS, 0, 255);
    }
}

void
cam_resample_column (const CamResampleTable *table, int index,
                     const guint8 *const *rows, int length, guint8 *out)
{
  cam_kernels ()->sum_bytes (rows,
                             table->weights + (gsize) index * table->capacity,
                             table->count[index], length, out);
}
