/* test-kmeans.c -- spherical k-means: right, repeatable, and unmoved by odd
 * input
 */
#include <math.h>
#include <string.h>

#include "core/method/kmeans.h"
#include "core/method/random.h"

#define DIM 19

/* @n unit rows in @groups well apart (transfer full) */
static float *
make_points (gsize n, int groups, double spread)
{
  float *points = g_new (float, n * DIM);
  CamRandom random = cam_random_at (7, 99, 0);

  for (gsize i = 0; i < n; i++)
    {
      double square = 0;

      for (int d = 0; d < DIM; d++)
        {
          double v = spread * (cam_random_unit (&random) - 0.5)
                     + (d == (int) (i % groups));

          points[i * DIM + d] = (float) v;
          square += v * v;
        }
      for (int d = 0; d < DIM; d++)
        points[i * DIM + d] /= (float) sqrt (square);
    }
  return points;
}

static CamKMeans *
cluster (const float *points, gsize n, int k, int n_threads)
{
  g_autoptr (CamThreads) threads = n_threads > 1 ? cam_threads_new (n_threads)
                                                 : NULL;
  CamKMeansOptions options = { .n_clusters = k,
                               .restarts = 4,
                               .max_iterations = 100,
                               .seed = 5,
                               .threads = threads };
  g_autoptr (GError) error = NULL;
  CamKMeans *result = cam_kmeans_new (points, n, DIM, &options, NULL, &error);

  g_assert_no_error (error);
  return result;
}

/* What every result must be, told naively. */
static void
check (const CamKMeans *r, const float *points, gsize n)
{
  g_autofree int *sizes = g_new0 (int, r->n_clusters);

  for (gsize i = 0; i < n; i++)
    {
      double best = -2, own = 0;

      for (int c = 0; c < r->n_clusters; c++)
        {
          double cosine = 0;

          for (int d = 0; d < DIM; d++)
            cosine += (double) points[i * DIM + d] * r->centroids[c * DIM + d];
          best = MAX (best, cosine);
          if (c == r->assignment[i])
            own = cosine;
        }
      g_assert_cmpfloat (own, >=, best - 1e-5);
      g_assert_cmpfloat_with_epsilon (own, r->similarity[i], 1e-5);
      sizes[r->assignment[i]]++;
    }
  g_assert_cmpmem (sizes, r->n_clusters * sizeof (int), r->sizes,
                   r->n_clusters * sizeof (int));
  for (int c = 0; c < r->n_clusters; c++)
    {
      double sum[DIM] = { 0 }, square = 0;

      g_assert_cmpint (r->sizes[c], >, 0);
      for (gsize i = 0; i < n; i++)
        for (int d = 0; r->assignment[i] == c && d < DIM; d++)
          sum[d] += points[i * DIM + d];
      for (int d = 0; d < DIM; d++)
        square += sum[d] * sum[d];
      for (int d = 0; square > 0 && d < DIM; d++)
        g_assert_cmpfloat_with_epsilon (r->centroids[c * DIM + d],
                                        sum[d] / sqrt (square), 1e-5);
    }
}

static void
test_groups (void)
{
  g_autofree float *points = make_points (1000, 7, 0.2);
  g_autoptr (CamKMeans) r = cluster (points, 1000, 7, 1);

  g_assert_cmpint (r->n_clusters, ==, 7);
  check (r, points, 1000);
  for (int i = 7; i < 1000; i++)
    g_assert_cmpint (r->assignment[i], ==, r->assignment[i % 7]);
}

static void
test_overlapping (void)
{
  g_autofree float *points = make_points (3000, 5, 1.5);
  g_autoptr (CamKMeans) r = cluster (points, 3000, 20, 1);

  g_assert_cmpint (r->n_clusters, ==, 20);
  g_assert_cmpint (r->iterations, <, 100);
  check (r, points, 3000);
}

static void
test_threads (void)
{
  g_autofree float *points = make_points (3000, 5, 1.5);
  g_autoptr (CamKMeans) one = cluster (points, 3000, 20, 1);

  for (int n_threads = 2; n_threads <= 5; n_threads++)
    {
      g_autoptr (CamKMeans) many = cluster (points, 3000, 20, n_threads);

      g_assert_cmpmem (one->centroids, 20 * DIM * sizeof (float),
                       many->centroids, 20 * DIM * sizeof (float));
      g_assert_cmpmem (one->assignment, 3000 * sizeof (int), many->assignment,
                       3000 * sizeof (int));
    }
}

static void
test_fewer_points (void)
{
  g_autofree float *points = make_points (6, 6, 0.1);
  g_autoptr (CamKMeans) r = cluster (points, 6, 50, 1);

  g_assert_cmpint (r->n_clusters, ==, 6);
  check (r, points, 6);
}

static void
test_identical (void)
{
  g_autofree float *points = make_points (300, 3, 0);
  g_autoptr (CamKMeans) three = cluster (points, 300, 50, 1);
  g_autoptr (CamKMeans) one = NULL;

  g_assert_cmpint (three->n_clusters, ==, 3);
  check (three, points, 300);
  for (int i = 1; i < 300; i++)
    memcpy (points + i * DIM, points, DIM * sizeof (float));
  one = cluster (points, 300, 50, 1);
  g_assert_cmpint (one->n_clusters, ==, 1);
  g_assert_cmpint (one->sizes[0], ==, 300);
}

/* Rows of zeros, and points that cancel each other out. */
static void
test_degenerate (void)
{
  g_autofree float *points = make_points (100, 2, 0);
  g_autoptr (CamKMeans) some = NULL;
  g_autoptr (CamKMeans) none = NULL;

  memset (points, 0, 50 * DIM * sizeof (float));
  for (int i = 50; i < 100; i++)
    points[i * DIM + i % 2] = i % 4 < 2 ? 1 : -1;
  some = cluster (points, 100, 10, 1);
  g_assert_cmpint (some->n_clusters, <=, 5);
  check (some, points, 100);
  memset (points, 0, 100 * DIM * sizeof (float));
  none = cluster (points, 100, 10, 1);
  g_assert_cmpint (none->n_clusters, ==, 1);
}

/* A first centroid that nothing is near to is given a point. */
static void
test_empty_cluster (void)
{
  g_autofree float *points = make_points (500, 4, 0.3);
  float initial[3 * DIM] = { 0 };
  CamKMeansOptions options = { .n_clusters = 3,
                               .max_iterations = 50,
                               .initial = initial };
  g_autoptr (CamKMeans) r = NULL;

  initial[0] = 1;
  initial[DIM + 1] = 1;
  initial[2 * DIM + 18] = -1;
  r = cam_kmeans_new (points, 500, DIM, &options, NULL, NULL);
  g_assert_cmpint (r->n_clusters, ==, 3);
  check (r, points, 500);
}

static void
test_cancel (void)
{
  g_autofree float *points = make_points (500, 4, 0.3);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  CamKMeansOptions options = { .n_clusters = 3,
                               .restarts = 1,
                               .max_iterations = 50 };

  g_cancellable_cancel (cancellable);
  g_assert_null (cam_kmeans_new (points, 500, DIM, &options, cancellable,
                                 &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kmeans/groups", test_groups);
  g_test_add_func ("/kmeans/overlapping", test_overlapping);
  g_test_add_func ("/kmeans/threads", test_threads);
  g_test_add_func ("/kmeans/fewer-points", test_fewer_points);
  g_test_add_func ("/kmeans/identical", test_identical);
  g_test_add_func ("/kmeans/degenerate", test_degenerate);
  g_test_add_func ("/kmeans/empty-cluster", test_empty_cluster);
  g_test_add_func ("/kmeans/cancel", test_cancel);
  return g_test_run ();
}
