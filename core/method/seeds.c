/* seeds.c -- from triplets to what is sent backward */
#include "core/method/seeds.h"

#include <string.h>

/* @sum += @factor * row, in the length that the score reads. */
static void
add_row (const CamSeedRows *rows, int row, double factor, double *sum)
{
  const float *unit = rows->unit + (gsize) row * rows->dim;

  if (rows->score == CAM_SCORE_DOT || rows->score == CAM_SCORE_DOT_DIFFERENCE)
    factor *= rows->norms[row];
  for (int d = 0; d < rows->dim; d++)
    sum[d] += factor * unit[d];
}

/* dy/de of the anchor from dy/d of what the score reads of it. */
static void
project (const CamSeedRows *rows, int anchor, double factor, const double *sum,
         float *seed)
{
  const float *unit = rows->unit + (gsize) anchor * rows->dim;
  double norm = rows->norms[anchor], along = 0;

  if (rows->score == CAM_SCORE_DOT || rows->score == CAM_SCORE_DOT_DIFFERENCE)
    {
      for (int d = 0; d < rows->dim; d++)
        seed[d] = (float) (factor * sum[d]);
      return;
    }
  factor *= rows->score == CAM_SCORE_TRIPLET ? 2 : 1;
  factor = norm > 0 ? factor / norm : 0;
  for (int d = 0; d < rows->dim; d++)
    along += sum[d] * unit[d];
  for (int d = 0; d < rows->dim; d++)
    seed[d] = (float) (factor * (sum[d] - along * unit[d]));
}

void
cam_seeds (const CamSeedRows *rows, int anchor, const CamTriplet *triplets,
           int n_triplets, gboolean mean, float *seeds)
{
  g_autofree double *sum = g_new0 (double, rows->dim);

  for (int i = 0; i < n_triplets; i++)
    {
      if (! mean)
        memset (sum, 0, rows->dim * sizeof *sum);
      add_row (rows, triplets[i].positive, 1, sum);
      if (triplets[i].negative >= 0)
        add_row (rows, triplets[i].negative, -1, sum);
      if (! mean)
        project (rows, anchor, 1, sum, seeds + (gsize) i * rows->dim);
    }
  if (mean)
    project (rows, anchor, 1.0 / n_triplets, sum, seeds);
}

static double
cosine (const CamSeedRows *rows, int a, int b)
{
  const float *x = rows->unit + (gsize) a * rows->dim;
  const float *y = rows->unit + (gsize) b * rows->dim;
  float sums[8] = { 0 };
  double sum = 0;
  int d = 0;

  for (; d + 8 <= rows->dim; d += 8)
    for (int j = 0; j < 8; j++)
      sums[j] += x[d + j] * y[d + j];
  for (; d < rows->dim; d++)
    sum += x[d] * y[d];
  for (int j = 0; j < 8; j++)
    sum += sums[j];
  return sum;
}

void
cam_seeds_count (const CamSeedRows *rows, int anchor,
                 const CamTriplet *triplets, int n_triplets, double margin,
                 CamTripletCounts *counts)
{
  for (int i = 0; i < n_triplets; i++)
    if (triplets[i].negative >= 0)
      cam_triplets_count (margin, cosine (rows, anchor, triplets[i].positive),
                          cosine (rows, anchor, triplets[i].negative), counts);
}
