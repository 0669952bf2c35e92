/* test-triplets.c -- what is drawn is what the method says, against naive
 * listings of all pairs
 */
#include <math.h>
#include <string.h>

#include "core/method/random.h"
#include "core/method/triplets.h"

#define N 60
#define T 40

static void
make_labels (int *labels)
{
  for (int i = 0; i < N; i++)
    labels[i] = (i * 7) % 5;
  labels[13] = 99; /* alone */
}

static void
make_cosines (float *cosines, int anchor, double spread)
{
  CamRandom random = cam_random_at (3, 98, anchor);

  for (int i = 0; i < N; i++)
    cosines[i] = (float) (1 - spread * cam_random_unit (&random));
  cosines[anchor] = 1;
}

static void
test_random (void)
{
  int labels[N];
  CamTripletOptions options = { T, TRUE, CAM_MINING_RANDOM, 0.2, 11 };
  CamTriplet out[T], again[T];
  g_autoptr (CamTriplets) t = NULL;
  int seen[N] = { 0 }, n_seen = 0;

  make_labels (labels);
  t = cam_triplets_new_labels (labels, N);
  for (int anchor = 0; anchor < N; anchor++)
    {
      CamTripletCounts counts = cam_triplets_draw (t, &options, anchor, anchor,
                                                   NULL, out);

      g_assert_cmpint (counts.n, ==, anchor == 13 ? 0 : T);
      for (int i = 0; i < counts.n; i++)
        {
          g_assert_cmpint (out[i].positive, !=, anchor);
          g_assert_cmpint (labels[out[i].positive], ==, labels[anchor]);
          g_assert_cmpint (labels[out[i].negative], !=, labels[anchor]);
          seen[out[i].negative]++;
        }
      cam_triplets_draw (t, &options, anchor, anchor, NULL, again);
      g_assert_cmpmem (out, counts.n * sizeof *out, again,
                       counts.n * sizeof *again);
    }
  for (int i = 0; i < N; i++)
    n_seen += seen[i] > 0;
  g_assert_cmpint (n_seen, ==, N);
}

/* Even draws: chi-squared over 4 positives, 20,000 draws, 99.9 %: 16.3 */
static void
test_uniform (void)
{
  const int labels[7] = { 0, 0, 0, 0, 0, 1, 1 };
  g_autoptr (CamTriplets) t = cam_triplets_new_labels (labels, 7);
  CamTripletOptions options = { 20000, TRUE, CAM_MINING_RANDOM, 0.2, 1 };
  g_autofree CamTriplet *out = g_new (CamTriplet, 20000);
  double count[7] = { 0 }, chi = 0;

  cam_triplets_draw (t, &options, 2, 2, NULL, out);
  for (int i = 0; i < 20000; i++)
    count[out[i].positive]++;
  g_assert_cmpfloat (count[2], ==, 0);
  for (int i = 0; i < 5; i++)
    if (i != 2)
      chi += (count[i] - 5000) * (count[i] - 5000) / 5000;
  g_assert_cmpfloat (chi, <, 16.3);
}

static int
kind_of (double margin, float cosine_p, float cosine_n)
{
  double near = 2 - 2 * (double) cosine_p, far = 2 - 2 * (double) cosine_n;

  if (far >= near + margin)
    return 2;
  return far > near ? 0 : 1;
}

static void
check_mined (const int *labels, const CamTriplets *t, int anchor, double spread)
{
  CamTripletOptions options = { T, TRUE, CAM_MINING_SEMI_HARD, 0.2, 11 };
  gboolean taken[N][N] = { 0 };
  int there[3] = { 0 }, got[3] = { 0 }, want_semi, want_hard;
  float cosines[N];
  CamTriplet out[T];
  CamTripletCounts counts;

  make_cosines (cosines, anchor, spread);
  for (int p = 0; p < N; p++)
    for (int n = 0; n < N; n++)
      if (p != anchor && labels[p] == labels[anchor]
          && labels[n] != labels[anchor])
        there[kind_of (0.2, cosines[p], cosines[n])]++;
  counts = cam_triplets_draw (t, &options, anchor, anchor, cosines, out);
  g_assert_cmpint (counts.n, ==, T);
  want_semi = MIN (T, there[0]);
  want_hard = MIN (T - want_semi, there[1]);
  for (int i = 0; i < T; i++)
    {
      CamTriplet x = out[i];

      g_assert_cmpint (labels[x.positive], ==, labels[anchor]);
      g_assert_cmpint (labels[x.negative], !=, labels[anchor]);
      g_assert_cmpint (x.positive, !=, anchor);
      got[kind_of (0.2, cosines[x.positive], cosines[x.negative])]++;
      if (i >= want_semi + want_hard)
        continue;
      g_assert_cmpint (kind_of (0.2, cosines[x.positive], cosines[x.negative]),
                       ==, i < want_semi ? 0 : 1);
      g_assert_false (taken[x.positive][x.negative]);
      taken[x.positive][x.negative] = TRUE;
    }
  g_assert_cmpint (counts.semi_hard, ==, got[0]);
  g_assert_cmpint (counts.active, ==, got[0] + got[1]);
}

static void
test_semi_hard (void)
{
  int labels[N];
  g_autoptr (CamTriplets) t = NULL;

  make_labels (labels);
  t = cam_triplets_new_labels (labels, N);
  for (int anchor = 0; anchor < N; anchor++)
    for (double spread = 0; anchor != 13 && spread < 2.1; spread += 0.25)
      check_mined (labels, t, anchor, spread);
}

/* Nearest 5 %, farthest 50 %, by sorting all others. */
static void
test_values (void)
{
  double values[N];
  CamRandom random = cam_random_at (5, 97, 0);
  g_autoptr (CamTriplets) t = NULL;
  CamTripletOptions options = { T, TRUE, CAM_MINING_RANDOM, 0.2, 11 };

  for (int i = 0; i < N; i++) /* with ties */
    values[i] = floor (30 * cam_random_unit (&random));
  t = cam_triplets_new_values (values, N);
  for (int anchor = 0; anchor < N; anchor++)
    {
      CamTriplet out[T];
      int n_near = 0, n_far = 0;
      double far_limit = -1;

      g_assert_cmpint (cam_triplets_n_positives (t, anchor), ==, 3);
      g_assert_cmpint (cam_triplets_n_negatives (t, anchor), ==, 29);
      for (double limit = 0; far_limit < 0; limit++)
        {
          n_far = 0;
          for (int i = 0; i < N; i++)
            n_far += fabs (values[i] - values[anchor]) > limit;
          if (n_far <= 29)
            far_limit = limit;
        }
      cam_triplets_draw (t, &options, anchor, anchor, NULL, out);
      for (int i = 0; i < T; i++)
        {
          double d = fabs (values[out[i].positive] - values[anchor]);

          n_near = 0;
          for (int j = 0; j < N; j++)
            n_near += j != anchor && fabs (values[j] - values[anchor]) < d;
          g_assert_cmpint (n_near, <, 3);
          g_assert_cmpfloat (fabs (values[out[i].negative] - values[anchor]),
                             >=, far_limit);
        }
    }
}

static void
test_dot (void)
{
  const int labels[3] = { 4, 4, 4 };
  g_autoptr (CamTriplets) t = cam_triplets_new_labels (labels, 3);
  CamTripletOptions options = { T, FALSE, CAM_MINING_SEMI_HARD, 0.2, 11 };
  CamTriplet out[T];

  g_assert_cmpint (cam_triplets_draw (t, &options, 0, 0, NULL, out).n, ==, T);
  g_assert_cmpint (out[0].negative, ==, -1);
  options.with_negative = TRUE;
  g_assert_cmpint (cam_triplets_draw (t, &options, 0, 0, NULL, out).n, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/triplets/random", test_random);
  g_test_add_func ("/triplets/uniform", test_uniform);
  g_test_add_func ("/triplets/semi-hard", test_semi_hard);
  g_test_add_func ("/triplets/values", test_values);
  g_test_add_func ("/triplets/dot", test_dot);
  return g_test_run ();
}
