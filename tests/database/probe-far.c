/* probe-far.c -- how often pictures like a database's, and others, are far
 *
 *   probe-far [REPEATS [EMBEDDINGS.npy OTHERS.npy]]
 *
 * Draws databases of 20 to 5,000 embeddings from mixtures (or from the rows of
 * a file), clusters them as a build does by itself, and counts how many of
 * 2,000 further ones lie beyond the bound: drawn alike, and drawn of other
 * kinds.  The third column is for comparison: the bound that the pictures' own
 * distances would give.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/method/far-bound.h"
#include "core/method/random.h"
#include "tests/database/mixture.h"

#define N_NEW 2000

static const Mixture mixtures[] = {
  { "10 kinds, wide", 128, 10, 1.0, 1, 0, 0, FALSE },
  { "10 kinds, tight", 128, 10, 0.3, 1, 0, 0, FALSE },
  { "30 kinds of 4 places", 256, 30, 0.5, 4, 0.5, 0, FALSE },
  { "200 kinds", 256, 200, 0.5, 1, 0, 0, FALSE },
  { "10 kinds along 5 axes", 64, 10, 0.7, 1, 0, 5, FALSE },
  { "20 kinds, uneven", 128, 20, 0.5, 2, 0.4, 0, TRUE },
  { "one kind", 32, 1, 1.0, 1, 0, 0, FALSE },
};

typedef struct
{
  const Mixture *mixture; /* NULL: rows of files */
  CamTensor *alike, *others;
  int dim;
  CamThreads *threads;
} Source;

static void
take_unit (const CamTensor *tensor, gint64 i, float *out)
{
  int dim = (int) tensor->shape.dims[1];
  const float *row = cam_tensor_f32 ((CamTensor *) tensor) + i * dim;
  double square = 0;

  for (int d = 0; d < dim; d++)
    square += (double) row[d] * row[d];
  for (int d = 0; d < dim; d++)
    out[d] = (float) (row[d] / sqrt (square));
}

/* @n for the database, then N_NEW alike, then N_NEW others */
static float *
draw (const Source *s, int n, int repeat, int *n_alike, int *n_others)
{
  CamRandom random = cam_random_at (11, n, repeat);
  float *points = g_new (float, (gsize) (n + 2 * N_NEW) * s->dim);
  g_autofree int *order = NULL;
  int rows, more;

  *n_alike = *n_others = N_NEW;
  if (s->mixture != NULL)
    {
      for (int i = 0; i < n + 2 * N_NEW; i++)
        draw_one (s->mixture, 77 * repeat + (i < n + N_NEW ? 1 : 40), &random,
                  points + (gsize) i * s->dim);
      return points;
    }
  rows = (int) s->alike->shape.dims[0];
  more = (int) s->others->shape.dims[0];
  order = g_new (int, rows);
  for (int i = 0; i < rows; i++)
    {
      int j = (int) cam_random_below (&random, i + 1);

      order[i] = order[j];
      order[j] = i;
    }
  *n_alike = MIN (N_NEW, rows - n);
  *n_others = MIN (N_NEW, more);
  for (int i = 0; i < n + *n_alike; i++)
    take_unit (s->alike, order[i], points + (gsize) i * s->dim);
  for (int i = 0; i < *n_others; i++)
    take_unit (s->others, i, points + (gsize) (n + *n_alike + i) * s->dim);
  return points;
}

static double
distance (const CamKMeans *k, const float *point)
{
  double best = -1;

  for (int c = 0; c < k->n_clusters; c++)
    {
      const float *centroid = k->centroids + (gsize) c * k->dim;
      double cosine = 0;

      for (int d = 0; d < k->dim; d++)
        cosine += (double) centroid[d] * point[d];
      best = MAX (best, cosine);
    }
  return 1 - best;
}

static double
share_beyond (const CamKMeans *k, const float *points, int n, double bound)
{
  int beyond = 0;

  for (int i = 0; i < n; i++)
    beyond += distance (k, points + (gsize) i * k->dim) > bound + 1e-6;
  return 100.0 * beyond / MAX (n, 1);
}

static int
compare_floats (gconstpointer a, gconstpointer b)
{
  float x = *(const float *) a, y = *(const float *) b;

  return x < y ? -1 : x > y;
}

/* What a database of the pictures' own distances would say. */
static double
own_bound (const CamKMeans *k)
{
  g_autofree float *sorted = g_memdup2 (k->similarity,
                                        k->n_points * sizeof (float));

  qsort (sorted, k->n_points, sizeof (float), compare_floats);
  return 1 - (double) sorted[k->n_points / 100];
}

static void
measure (const Source *s, const char *name, int n, int clusters, int repeats)
{
  double alike = 0, square = 0, own = 0, other = 0, corrected = 0;
  double m = MAX (1.001, (double) n / clusters);

  for (int r = 0; r < repeats; r++)
    {
      int n_alike, n_others;
      g_autofree float *points = draw (s, n, r, &n_alike, &n_others);
      float *more = points + (gsize) n * s->dim;
      CamKMeansOptions options = { .n_clusters = clusters,
                                   .restarts = 5,
                                   .max_iterations = 100,
                                   .seed = 1 + r,
                                   .threads = s->threads };
      g_autoptr (CamKMeans)
          k = cam_kmeans_new (points, n, s->dim, &options, NULL, NULL);
      CamFarBound bound;
      double share;

      cam_far_bound (points, k, &options, &bound, NULL, NULL);
      share = share_beyond (k, more, n_alike, bound.distance);
      alike += share / repeats;
      square += share * share / repeats;
      own += share_beyond (k, more, n_alike, own_bound (k)) / repeats;
      corrected += share_beyond (k, more, n_alike,
                                 own_bound (k) * (m + 1) / (m - 1))
                   / repeats;
      other += share_beyond (k, more + (gsize) n_alike * s->dim, n_others,
                             bound.distance)
               / repeats;
    }
  printf ("| %s | %d | %.2f (+- %.2f) | %.1f | %.1f | %.0f |\n", name, n, alike,
          sqrt (MAX (0, square - alike * alike) / repeats), own, corrected,
          other);
  fflush (stdout);
}

int
main (int argc, char **argv)
{
  static const int sizes[] = { 20, 50, 100, 200, 500, 1560, 5000 };
  int repeats = argc > 1 ? atoi (argv[1]) : 50;
  g_autoptr (CamThreads) threads = cam_threads_new (0);
  Source s = { .threads = threads };

  printf ("| embeddings | pictures | alike, %% far | by own distances | old, "
          "corrected "
          "| others, %% far |\n| --- | --- | --- | --- | --- | --- |\n");
  for (gsize i = 0; argc <= 2 && i < G_N_ELEMENTS (mixtures); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (sizes); j++)
      {
        s.mixture = &mixtures[i];
        s.dim = mixtures[i].dim;
        measure (&s, mixtures[i].name, sizes[j], 50,
                 sizes[j] >= 1000 ? MAX (repeats / 10, 1) : repeats);
      }
  if (argc <= 3)
    return 0;
  s.alike = cam_npy_read (argv[2], NULL);
  s.others = cam_npy_read (argv[3], NULL);
  if (s.alike == NULL || s.others == NULL)
    return 1;
  s.dim = (int) s.alike->shape.dims[1];
  for (gsize j = 0; j < G_N_ELEMENTS (sizes); j++)
    if (sizes[j] + 100 < s.alike->shape.dims[0])
      measure (&s, argv[2], sizes[j], 50,
               sizes[j] >= 1000 ? MAX (repeats / 10, 1) : repeats);
  cam_tensor_unref (s.alike);
  cam_tensor_unref (s.others);
  return 0;
}
