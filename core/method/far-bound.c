/* far-bound.c -- from which distance on a picture is far from a database */
#include "core/method/far-bound.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/blas.h"
#include "core/method/random.h"

#define SHARE 0.01     /* of pictures like the database's that are far */
#define FOLDS_FROM 200 /* pictures */
#define FINE_BELOW 500 /* pictures: folds of a tenth, else of a fifth */
#define ENOUGH 2000    /* distances: the share is then 1 +- 0.22 % */
#define TAIL 5         /* excesses that tell how the tail falls off */
#define TILE 256       /* pictures that are held against centroids at once */
#define STREAM_FOLDS 3

const char *
cam_far_way_name (CamFarWay way)
{
  return way == CAM_FAR_FOLDS           ? "folds"
         : way == CAM_FAR_LEAVE_ONE_OUT ? "leave-one-out"
                                        : NULL;
}

static gboolean
short_of_memory (GError **error)
{
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                       _ ("not enough memory to cluster the embeddings"));
  return FALSE;
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* The distance that a further one exceeds with a chance of SHARE. */
static double
quantile (double *distances, gsize n)
{
  gsize rank = (gsize) ceil ((1 - SHARE) * ((double) n + 1) - 1e-9);
  double excess = 0;

  qsort (distances, n, sizeof *distances, compare_doubles);
  if (rank <= n)
    return distances[rank - 1];
  for (gsize i = n - TAIL; i < n; i++)
    excess += (distances[i] - distances[n - TAIL - 1]) / TAIL;
  return distances[n - 1] - excess * log (SHARE * ((double) n + 1));
}

static double
dot (const double *a, const float *b, int n)
{
  double sum = 0;

  for (int i = 0; i < n; i++)
    sum += a[i] * b[i];
  return sum;
}

/* The cosine of @point to the sum of its cluster without it; -1 where it is
 * alone there. */
static double
cosine_without (const double *sum, const float *point, int dim)
{
  double product = 0, square = 0;

  for (int d = 0; d < dim; d++)
    {
      double rest = sum[d] - point[d];

      product += rest * point[d];
      square += rest * rest;
    }
  return square > 1e-12 ? product / sqrt (square) : -1;
}

/* [n_clusters, dim] of the points (transfer full); NULL: no memory */
static double *
sums_of (const float *points, const CamKMeans *k)
{
  double *sums = g_try_new0 (double, (gsize) k->n_clusters * k->dim);

  for (gsize i = 0; sums != NULL && i < k->n_points; i++)
    for (int d = 0; d < k->dim; d++)
      sums[(gsize) k->assignment[i] * k->dim + d] += points[i * k->dim + d];
  return sums;
}

static double
nearest_without (const double *sums, const double *lengths, const float *points,
                 const CamKMeans *k, gsize i)
{
  const float *point = points + i * k->dim;
  double best = -1;

  for (int c = 0; c < k->n_clusters; c++)
    {
      const double *sum = sums + (gsize) c * k->dim;
      double cosine;

      if (c == k->assignment[i])
        cosine = k->sizes[c] > 1 ? cosine_without (sum, point, k->dim) : -1;
      else
        cosine = lengths[c] > 0 ? dot (sum, point, k->dim) / lengths[c] : -1;
      best = MAX (best, cosine);
    }
  return best;
}

static gboolean
leave_one_out (const float *points, const CamKMeans *k, CamFarBound *bound,
               GError **error)
{
  gsize n = k->n_points;
  g_autofree double *sums = sums_of (points, k);
  g_autofree double *lengths = g_try_new0 (double, k->n_clusters);
  g_autofree double *distances = g_try_new (double, n);

  if (! sums || ! lengths || ! distances)
    return short_of_memory (error);
  for (int c = 0; c < k->n_clusters; c++)
    {
      const double *sum = sums + (gsize) c * k->dim;

      for (int d = 0; d < k->dim; d++)
        lengths[c] += sum[d] * sum[d];
      lengths[c] = sqrt (lengths[c]);
    }
  for (gsize i = 0; i < n; i++)
    distances[i] = 1 - nearest_without (sums, lengths, points, k, i);
  *bound = (CamFarBound) { CAM_FAR_LEAVE_ONE_OUT, quantile (distances, n) };
  return TRUE;
}

static void
swap_rows (float *points, int dim, gsize a, gsize b)
{
  for (int d = 0; a != b && d < dim; d++)
    {
      float kept = points[a * dim + d];

      points[a * dim + d] = points[b * dim + d];
      points[b * dim + d] = kept;
    }
}

static void
shuffle (float *points, gsize n, int dim, guint64 seed)
{
  CamRandom random = cam_random_at (seed, STREAM_FOLDS, 0);

  for (gsize i = n - 1; i > 0; i--)
    swap_rows (points, dim, i, cam_random_below (&random, i + 1));
}

typedef struct
{
  const float *points; /* those held out */
  gsize n;
  const CamKMeans *kmeans;
  float *products;   /* [threads, TILE, n_clusters] */
  double *distances; /* [n] */
} HeldOut;

static void
measure_tile (gint64 tile, int thread, gpointer data)
{
  HeldOut *held = data;
  const CamKMeans *k = held->kmeans;
  gsize first = (gsize) tile * TILE;
  int rows = (int) MIN (TILE, held->n - first);
  float *products = held->products + (gsize) thread * TILE * k->n_clusters;

  cam_sgemm (FALSE, TRUE, rows, k->n_clusters, k->dim, 1,
             held->points + first * k->dim, k->dim, k->centroids, k->dim, 0,
             products, k->n_clusters);
  for (int i = 0; i < rows; i++)
    {
      const float *row = products + (gsize) i * k->n_clusters;
      float best = row[0];

      for (int c = 1; c < k->n_clusters; c++)
        best = MAX (best, row[c]);
      held->distances[first + i] = 1 - (double) best;
    }
}

/* The last @n_out of @points against a clustering of all before them. */
static gboolean
measure_fold (const float *points, gsize n, gsize n_out, int dim,
              const CamKMeansOptions *options, double *distances,
              GCancellable *cancellable, GError **error)
{
  gsize n_in = n - n_out;
  g_autoptr (CamKMeans)
      kmeans = cam_kmeans_new (points, n_in, dim, options, cancellable, error);
  g_autofree float *products = NULL;
  HeldOut held = { points + n_in * dim, n_out, kmeans, NULL, distances };

  if (kmeans == NULL)
    return FALSE;
  products = g_try_new (float, (gsize) cam_threads_count (options->threads)
                                   * TILE * kmeans->n_clusters);
  if (products == NULL)
    return short_of_memory (error);
  held.products = products;
  cam_threads_run (options->threads, (n_out + TILE - 1) / TILE, measure_tile,
                   &held);
  return TRUE;
}

static gboolean
folds (float *points, const CamKMeans *k, const CamKMeansOptions *options,
       CamFarBound *bound, GCancellable *cancellable, GError **error)
{
  gsize n = k->n_points, fold = n / (n < FINE_BELOW ? 10 : 5), done = 0;
  int n_folds = (int) MIN ((ENOUGH + fold - 1) / fold, n / fold);
  g_autofree double *distances = g_try_new (double, n_folds *fold);

  if (distances == NULL)
    return short_of_memory (error);
  shuffle (points, n, k->dim, options->seed);
  for (int f = 0; f < n_folds; f++)
    {
      if (! measure_fold (points, n, fold, k->dim, options, distances + done,
                          cancellable, error))
        return FALSE;
      done += fold;
      /* what was held out goes in again, and others come to the end */
      for (gsize i = 0; i < fold; i++)
        swap_rows (points, k->dim, n - fold + i, f * fold + i);
    }
  *bound = (CamFarBound) { CAM_FAR_FOLDS, quantile (distances, done) };
  return TRUE;
}

gboolean
cam_far_bound (float *points, const CamKMeans *kmeans,
               const CamKMeansOptions *options, CamFarBound *bound,
               GCancellable *cancellable, GError **error)
{
  gboolean good = TRUE;

  *bound = (CamFarBound) { CAM_FAR_UNKNOWN, -1 };
  if (kmeans->n_points >= FOLDS_FROM)
    good = folds (points, kmeans, options, bound, cancellable, error);
  else if (kmeans->n_points >= CAM_FAR_FEWEST)
    good = leave_one_out (points, kmeans, bound, error);
  bound->distance = bound->way == CAM_FAR_UNKNOWN
                        ? -1
                        : CLAMP (bound->distance, 0, 2);
  return good;
}
