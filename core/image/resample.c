/* resample.c -- weights of a separable resize, and their sums in fixed point */
#include "core/image/resample.h"

#include <math.h>

#define PRECISION 22

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

      weights[i] = (gint32) ((w < 0.0 ? -0.5 : 0.5) + w * (1 << PRECISION));
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

static inline guint8
to_byte (gint32 sum)
{
  return (guint8) CLAMP (sum >> PRECISION, 0, 255);
}

void
cam_resample_row (const CamResampleTable *table, int n_channels,
                  const guint8 *in, guint8 *out)
{
  for (int i = 0; i < table->n; i++)
    {
      const gint32 *weights = table->weights + (gsize) i * table->capacity;
      const guint8 *p = in + (gsize) table->start[i] * n_channels;
      gint32 sum[3] = { 1 << (PRECISION - 1), 1 << (PRECISION - 1),
                        1 << (PRECISION - 1) };

      if (n_channels == 3)
        for (int j = 0; j < table->count[i]; j++, p += 3)
          {
            sum[0] += p[0] * weights[j];
            sum[1] += p[1] * weights[j];
            sum[2] += p[2] * weights[j];
          }
      else
        for (int j = 0; j < table->count[i]; j++)
          sum[0] += p[j] * weights[j];
      for (int c = 0; c < n_channels; c++)
        *out++ = to_byte (sum[c]);
    }
}

void
cam_resample_column (const CamResampleTable *table, int index,
                     const guint8 *const *rows, int length, guint8 *out)
{
  const gint32 *weights = table->weights + (gsize) index * table->capacity;
  enum
  {
    BLOCK = 512
  };

  for (int x = 0; x < length; x += BLOCK)
    {
      gint32 sum[BLOCK];
      int n = MIN (BLOCK, length - x);

      for (int i = 0; i < n; i++)
        sum[i] = 1 << (PRECISION - 1);
      for (int j = 0; j < table->count[index]; j++)
        for (int i = 0; i < n; i++)
          sum[i] += rows[j][x + i] * weights[j];
      for (int i = 0; i < n; i++)
        out[x + i] = to_byte (sum[i]);
    }
}
