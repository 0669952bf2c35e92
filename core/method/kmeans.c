/* kmeans.c -- spherical k-means: which embeddings lie together */
#include "core/method/kmeans.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/base/blas.h"
#include "core/method/random.h"

#define TILE 256   /* points that one thread assigns at once */
#define COLUMNS 64 /* dimensions that one thread sums at once */
#define SAME 1e-6  /* 1 - cosine below which two points are one */
#define STREAM_KMEANS 2

typedef struct
{
  const float *points;
  gsize n;
  int dim;
  CamThreads *threads;
  float *products; /* [threads, TILE, n_clusters] */
  double *sums;    /* [n_clusters, dim] of the points as in summed_as */
  int *summed_as;  /* [n]: cluster; -1: in none yet */
  int *moved;      /* [n_moved] points that are in another cluster now */
  gsize n_moved;
  double *nearest; /* [n]: 1 - cosine to the nearest of the first centroids */
  gboolean *zero;  /* [n]: no direction, so never a centroid */
} Work;

void
cam_kmeans_free (CamKMeans *kmeans)
{
  if (kmeans == NULL)
    return;
  g_free (kmeans->centroids);
  g_free (kmeans->assignment);
  g_free (kmeans->similarity);
  g_free (kmeans->sizes);
  g_free (kmeans);
}

static void
work_clear (Work *work)
{
  g_free (work->products);
  g_free (work->sums);
  g_free (work->summed_as);
  g_free (work->moved);
  g_free (work->nearest);
  g_free (work->zero);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Work, work_clear)

static CamKMeans *
result_new (gsize n, int n_clusters, int dim, GError **error)
{
  g_autoptr (CamKMeans) result = g_new0 (CamKMeans, 1);

  result->n_points = n;
  result->n_clusters = n_clusters;
  result->dim = dim;
  result->centroids = g_try_new0 (float, (gsize) n_clusters * dim);
  result->assignment = g_try_new0 (int, n);
  result->similarity = g_try_new0 (float, n);
  result->sizes = g_try_new0 (int, n_clusters);
  if (result->centroids && result->assignment && result->similarity
      && result->sizes)
    return g_steal_pointer (&result);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               _ ("not enough memory to cluster %zu embeddings"), n);
  return NULL;
}

typedef struct
{
  Work *work;
  CamKMeans *result;
} Pass;

static void
assign_tile (gint64 tile, int thread, gpointer data)
{
  Pass *pass = data;
  Work *work = pass->work;
  CamKMeans *result = pass->result;
  int n_clusters = result->n_clusters;
  gsize first = (gsize) tile * TILE;
  int rows = (int) MIN (TILE, work->n - first);
  float *products = work->products + (gsize) thread * TILE * n_clusters;

  cam_sgemm (FALSE, TRUE, rows, n_clusters, work->dim, 1,
             work->points + first * work->dim, work->dim, result->centroids,
             work->dim, 0, products, n_clusters);
  for (int i = 0; i < rows; i++)
    {
      const float *row = products + (gsize) i * n_clusters;
      int best = 0;

      for (int c = 1; c < n_clusters; c++)
        if (row[c] > row[best])
          best = c;
      result->assignment[first + i] = best;
      result->similarity[first + i] = row[best];
    }
}

/* Every point to its nearest centroid; counts; how many points moved. */
static gsize
assign (Work *work, CamKMeans *result, int *before)
{
  Pass pass = { work, result };
  gsize moved = 0;

  memcpy (before, result->assignment, work->n * sizeof (int));
  cam_threads_run (work->threads, (work->n + TILE - 1) / TILE, assign_tile,
                   &pass);
  memset (result->sizes, 0, result->n_clusters * sizeof (int));
  result->objective = 0;
  for (gsize i = 0; i < work->n; i++)
    {
      moved += result->assignment[i] != before[i];
      result->sizes[result->assignment[i]]++;
      result->objective += result->similarity[i];
    }
  return moved;
}

/* Takes what moved out of its old sum and into its new one. */
static void
sum_columns (gint64 tile, int thread, gpointer data)
{
  Pass *pass = data;
  Work *work = pass->work;
  int first = (int) tile * COLUMNS;
  int last = MIN (first + COLUMNS, work->dim);

  for (gsize m = 0; m < work->n_moved; m++)
    {
      int i = work->moved[m], from = work->summed_as[i];
      double *to = work->sums + (gsize) pass->result->assignment[i] * work->dim;
      const float *point = work->points + (gsize) i * work->dim;

      for (int d = first; d < last; d++)
        to[d] += point[d];
      if (from < 0)
        continue;
      to = work->sums + (gsize) from * work->dim;
      for (int d = first; d < last; d++)
        to[d] -= point[d];
    }
}

/* The sums of all clusters, from those of the last time. */
static void
sum_up (Work *work, CamKMeans *result)
{
  Pass pass = { work, result };

  work->n_moved = 0;
  for (gsize i = 0; i < work->n; i++)
    if (work->summed_as[i] != result->assignment[i])
      work->moved[work->n_moved++] = (int) i;
  cam_threads_run (work->threads, (work->dim + COLUMNS - 1) / COLUMNS,
                   sum_columns, &pass);
  memcpy (work->summed_as, result->assignment, work->n * sizeof (int));
}

static void
sum_anew (Work *work, int n_clusters)
{
  memset (work->sums, 0, (gsize) n_clusters * work->dim * sizeof (double));
  for (gsize i = 0; i < work->n; i++)
    work->summed_as[i] = -1;
}

/* @row = @sum / |@sum|; FALSE where there is no direction in it. */
static gboolean
normalise (const double *sum, float *row, int dim)
{
  double square = 0;

  for (int d = 0; d < dim; d++)
    square += sum[d] * sum[d];
  if (square < 1e-12)
    return FALSE;
  for (int d = 0; d < dim; d++)
    row[d] = (float) (sum[d] / sqrt (square));
  return TRUE;
}

/* The point farthest from its centroid takes cluster @c over, unless it is its
 * cluster's only one, or lies on its centroid. */
static void
reseed (Work *work, CamKMeans *result, int c)
{
  gsize farthest = work->n;

  for (gsize i = 0; i < work->n; i++)
    if (! work->zero[i] && result->sizes[result->assignment[i]] > 1
        && result->similarity[i] < 1 - SAME
        && (farthest == work->n
            || result->similarity[i] < result->similarity[farthest]))
      farthest = i;
  if (farthest == work->n)
    return;
  memcpy (result->centroids + (gsize) c * work->dim,
          work->points + farthest * work->dim, work->dim * sizeof (float));
  result->sizes[result->assignment[farthest]]--;
  result->sizes[c]++;
  result->assignment[farthest] = c;
  result->similarity[farthest] = 1;
}

static void
update (Work *work, CamKMeans *result)
{
  sum_up (work, result);
  for (int c = 0; c < result->n_clusters; c++)
    if (! normalise (work->sums + (gsize) c * work->dim,
                     result->centroids + (gsize) c * work->dim, work->dim))
      reseed (work, result, c);
}

/* Single product of point @i with all points; updates work->nearest. */
static void
nearest_tile (gint64 tile, int thread, gpointer data)
{
  Pass *pass = data;
  Work *work = pass->work;
  gsize first = (gsize) tile * TILE;
  int rows = (int) MIN (TILE, work->n - first);
  float products[TILE];

  cam_sgemm (FALSE, TRUE, rows, 1, work->dim, 1,
             work->points + first * work->dim, work->dim,
             pass->result->centroids
                 + (gsize) (pass->result->n_clusters - 1) * work->dim,
             work->dim, 0, products, 1);
  for (int i = 0; i < rows; i++)
    {
      double far = 1 - (double) products[i];

      work->nearest[first + i] = MIN (work->nearest[first + i],
                                      far < SAME ? 0 : far);
    }
}

/* Takes point @i as the next of the first centroids. */
static void
take (Work *work, CamKMeans *result, gsize i)
{
  Pass pass = { work, result };

  memcpy (result->centroids + (gsize) result->n_clusters++ * work->dim,
          work->points + i * work->dim, work->dim * sizeof (float));
  cam_threads_run (work->threads, (work->n + TILE - 1) / TILE, nearest_tile,
                   &pass);
}

/* k-means++: the next is drawn with a chance of 1 - cosine to the nearest that
 * is there.  Ends early where no point differs from all of them. */
static void
draw_first (Work *work, CamKMeans *result, int wanted, CamRandom *random)
{
  gsize first = cam_random_below (random, work->n);

  for (gsize i = 0; i < work->n; i++)
    work->nearest[i] = work->zero[i] ? 0 : G_MAXDOUBLE;
  for (gsize i = 0; i < work->n && work->zero[first]; i++)
    first = (first + 1) % work->n;
  result->n_clusters = 0;
  take (work, result, first);
  while (result->n_clusters < wanted)
    {
      double total = 0, target;
      gsize i = 0, last = work->n;

      for (gsize j = 0; j < work->n; j++)
        total += work->nearest[j];
      if (total <= 0)
        return;
      target = cam_random_unit (random) * total;
      for (; i < work->n; i++)
        {
          if (work->nearest[i] <= 0)
            continue;
          last = i;
          target -= work->nearest[i];
          if (target < 0)
            break;
        }
      take (work, result, last);
    }
}

/* Clusters that stayed empty (only where points are fewer than they look). */
static void
drop_empty (Work *work, CamKMeans *result)
{
  g_autofree int *to = g_new (int, result->n_clusters);
  int kept = 0;

  for (int c = 0; c < result->n_clusters; c++)
    {
      to[c] = kept;
      if (result->sizes[c] == 0)
        continue;
      result->sizes[kept] = result->sizes[c];
      memmove (result->centroids + (gsize) kept * work->dim,
               result->centroids + (gsize) c * work->dim,
               work->dim * sizeof (float));
      kept++;
    }
  result->n_clusters = kept;
  for (gsize i = 0; i < work->n; i++)
    result->assignment[i] = to[result->assignment[i]];
}

static gboolean
iterate (Work *work, CamKMeans *result, int max_iterations,
         GCancellable *cancellable, GError **error)
{
  g_autofree int *before = g_try_new (int, work->n);
  gsize moved;

  if (before == NULL)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                           _ ("not enough memory to cluster"));
      return FALSE;
    }
  assign (work, result, before);
  for (result->iterations = 1; result->iterations < max_iterations;
       result->iterations++)
    {
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      update (work, result);
      moved = assign (work, result, before);
      if (moved == 0)
        break;
    }
  drop_empty (work, result);
  return TRUE;
}

/* One run from its own first centroids (transfer full). */
static CamKMeans *
run (Work *work, const CamKMeansOptions *options, int wanted, int restart,
     GCancellable *cancellable, GError **error)
{
  g_autoptr (CamKMeans) result = result_new (work->n, wanted, work->dim, error);
  CamRandom random = cam_random_at (options->seed, STREAM_KMEANS, restart);

  if (result == NULL)
    return NULL;
  if (options->initial != NULL)
    memcpy (result->centroids, options->initial,
            (gsize) wanted * work->dim * sizeof (float));
  else
    draw_first (work, result, wanted, &random);
  sum_anew (work, wanted);
  if (! iterate (work, result, options->max_iterations, cancellable, error))
    return NULL;
  return g_steal_pointer (&result);
}

static gboolean
work_init (Work *work, int wanted, GError **error)
{
  gsize n_threads = cam_threads_count (work->threads);

  work->products = g_try_new (float, n_threads * TILE * wanted);
  work->sums = g_try_new (double, (gsize) wanted * work->dim);
  work->summed_as = g_try_new (int, work->n);
  work->moved = g_try_new (int, work->n);
  work->nearest = g_try_new (double, work->n);
  work->zero = g_try_new (gboolean, work->n);
  if (! work->products || ! work->sums || ! work->summed_as || ! work->moved
      || ! work->nearest || ! work->zero)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
                   _ ("not enough memory for %d clusters"), wanted);
      return FALSE;
    }
  for (gsize i = 0; i < work->n; i++)
    {
      const float *point = work->points + i * work->dim;
      int d = 0;

      while (d < work->dim && point[d] == 0)
        d++;
      work->zero[i] = d == work->dim;
    }
  return TRUE;
}

CamKMeans *
cam_kmeans_new (const float *points, gsize n_points, int dim,
                const CamKMeansOptions *options, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (CamKMeans) best = NULL;
  g_auto (Work) work = {
    .points = points, .n = n_points, .dim = dim, .threads = options->threads
  };
  int restarts = options->initial != NULL ? 1 : MAX (options->restarts, 1);
  int wanted = options->n_clusters;

  g_return_val_if_fail (n_points > 0 && dim > 0 && wanted > 0, NULL);
  if (options->initial == NULL)
    wanted = (int) MIN ((gsize) wanted, n_points);
  if (! cam_blas_check_room (cam_threads_count (work.threads), error)
      || ! work_init (&work, wanted, error))
    return NULL;
  for (int i = 0; i < restarts; i++)
    {
      CamKMeans *one = run (&work, options, wanted, i, cancellable, error);

      if (one == NULL)
        return NULL;
      if (best == NULL || one->objective > best->objective)
        {
          cam_kmeans_free (best);
          best = one;
        }
      else
        cam_kmeans_free (one);
    }
  return g_steal_pointer (&best);
}
