/* triplets.c -- which pictures an anchor is held against */
#include "core/method/triplets.h"

#include <stdlib.h>

#include "core/method/mined-pairs.h"
#include "core/method/random.h"

#define STREAM_TRIPLETS 1
#define NEAR_SHARE 0.05 /* of the others are positives, by value */
#define FAR_SHARE 0.5   /* are negatives                         */

typedef struct
{
  int first, end; /* places in the order */
} Run;

struct _CamTriplets
{
  int n;
  int *order;     /* place -> picture */
  int *place;     /* picture -> place */
  Run *groups;    /* [n] by picture; NULL for values */
  double *sorted; /* [n] values by place; NULL for labels */
};

const char *
cam_mining_name (CamMining mining)
{
  return mining == CAM_MINING_SEMI_HARD ? "semi-hard" : "random";
}

gboolean
cam_mining_parse (const char *name, CamMining *mining)
{
  if (g_str_equal (name, "random"))
    *mining = CAM_MINING_RANDOM;
  else if (g_str_equal (name, "semi-hard"))
    *mining = CAM_MINING_SEMI_HARD;
  else
    return FALSE;
  return TRUE;
}

typedef struct
{
  double value;
  int picture;
} Sorted;

static int
compare_sorted (gconstpointer a, gconstpointer b)
{
  const Sorted *x = a, *y = b;

  if (x->value != y->value)
    return x->value < y->value ? -1 : 1;
  return x->picture - y->picture;
}

/* @sorted (transfer full) comes in the order of pictures. */
static CamTriplets *
triplets_new (Sorted *sorted, int n)
{
  CamTriplets *t = g_new0 (CamTriplets, 1);

  qsort (sorted, n, sizeof *sorted, compare_sorted);
  t->n = n;
  t->order = g_new (int, n);
  t->place = g_new (int, n);
  t->sorted = g_new (double, n);
  for (int i = 0; i < n; i++)
    {
      t->order[i] = sorted[i].picture;
      t->place[sorted[i].picture] = i;
      t->sorted[i] = sorted[i].value;
    }
  g_free (sorted);
  return t;
}

CamTriplets *
cam_triplets_new_values (const double *values, int n)
{
  Sorted *sorted = g_new (Sorted, n);

  for (int i = 0; i < n; i++)
    sorted[i] = (Sorted) { values[i], i };
  return triplets_new (sorted, n);
}

CamTriplets *
cam_triplets_new_labels (const int *labels, int n)
{
  Sorted *sorted = g_new (Sorted, n);
  CamTriplets *t;

  for (int i = 0; i < n; i++)
    sorted[i] = (Sorted) { labels[i], i };
  t = triplets_new (sorted, n);
  t->groups = g_new (Run, n);
  for (int i = 0, end; i < n; i = end)
    {
      for (end = i + 1; end < n && t->sorted[end] == t->sorted[i];)
        end++;
      for (int j = i; j < end; j++)
        t->groups[t->order[j]] = (Run) { i, end };
    }
  g_clear_pointer (&t->sorted, g_free);
  return t;
}

void
cam_triplets_free (CamTriplets *t)
{
  if (t == NULL)
    return;
  g_free (t->order);
  g_free (t->place);
  g_free (t->groups);
  g_free (t->sorted);
  g_free (t);
}

/* The @n others nearest in value to the one at @place, and itself: the window
 * slides up while what it would gain lies nearer than what it would lose. */
static Run
window (const CamTriplets *t, int place, int n)
{
  const double *v = t->sorted;
  int low = MAX (0, place - n);
  int high = MIN (place, t->n - 1 - n);

  while (low < high)
    {
      int middle = low + (high - low) / 2;

      if (v[place] - v[middle] > v[middle + n + 1] - v[place])
        low = middle + 1;
      else
        high = middle;
    }
  return (Run) { low, low + n + 1 };
}

static Run
positives (const CamTriplets *t, int anchor)
{
  int others = t->n - 1;

  if (t->groups != NULL)
    return t->groups[anchor];
  return window (t, t->place[anchor],
                 MIN (others, MAX (1, (int) (NEAR_SHARE * others + 0.5))));
}

/* The first place whose value is @value or more, or, with @above, more. */
static int
first_of (const CamTriplets *t, double value, gboolean above)
{
  int low = 0, high = t->n;

  while (low < high)
    {
      int middle = low + (high - low) / 2;

      if (above ? t->sorted[middle] <= value : t->sorted[middle] < value)
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

/* All outside of this run are negatives: it holds the nearer half, and where
 * many values are equal all that lie no farther than a positive does. */
static Run
not_negatives (const CamTriplets *t, int anchor)
{
  int others = t->n - 1, place = t->place[anchor];
  const double *v = t->sorted;
  Run near, run;
  double reach;

  if (t->groups != NULL)
    return t->groups[anchor];
  near = positives (t, anchor);
  reach = MAX (v[place] - v[near.first], v[near.end - 1] - v[place]);
  run = window (t, place, others - (int) (FAR_SHARE * others));
  return (Run) { MIN (run.first, first_of (t, v[place] - reach, FALSE)),
                 MAX (run.end, first_of (t, v[place] + reach, TRUE)) };
}

int
cam_triplets_n_positives (const CamTriplets *t, int anchor)
{
  Run run = positives (t, anchor);

  return run.end - run.first - 1;
}

int
cam_triplets_n_negatives (const CamTriplets *t, int anchor)
{
  Run run = not_negatives (t, anchor);

  return t->n - (run.end - run.first);
}

static int
positive_at (const CamTriplets *t, int anchor, Run run, guint64 i)
{
  int place = run.first + (int) i;

  return t->order[place < t->place[anchor] ? place : place + 1];
}

static int
negative_at (const CamTriplets *t, Run run, guint64 i)
{
  int place = (int) i;

  return t->order[place < run.first ? place : place + run.end - run.first];
}

void
cam_triplets_count (double margin, double cosine_positive,
                    double cosine_negative, CamTripletCounts *counts)
{
  double near = 2 - 2 * cosine_positive;
  double far = 2 - 2 * cosine_negative;

  if (far >= near + margin)
    return;
  counts->active++;
  counts->semi_hard += far > near;
}

static void
draw_random (const CamTriplets *t, const CamTripletOptions *options, int anchor,
             CamRandom *random, int n, CamTriplet *out)
{
  Run near = positives (t, anchor);
  Run own = not_negatives (t, anchor);
  int n_positives = near.end - near.first - 1;
  int n_negatives = t->n - (own.end - own.first);

  for (int i = 0; i < n; i++)
    {
      out[i].positive = positive_at (t, anchor, near,
                                     cam_random_below (random, n_positives));
      out[i].negative = -1;
      if (options->with_negative)
        out[i].negative = negative_at (t, own,
                                       cam_random_below (random, n_negatives));
    }
}

/* The run's pictures without those from @first to before @end. */
static void
spans_around (const CamTriplets *t, Run run, int first, int end,
              CamPictureSpan spans[2])
{
  spans[0] = (CamPictureSpan) { t->order + run.first, first - run.first };
  spans[1] = (CamPictureSpan) { t->order + end, run.end - end };
}

static CamMinedPairs *
pairs_of (const CamTriplets *t, int anchor, double margin, const float *cosines)
{
  Run own = not_negatives (t, anchor);
  int place = t->place[anchor];
  CamPictureSpan near[2], far[2];

  spans_around (t, positives (t, anchor), place, place + 1, near);
  spans_around (t, (Run) { 0, t->n }, own.first, own.end, far);
  return cam_mined_pairs_new (cosines, margin, near, far);
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  guint64 x = *(const guint64 *) a, y = *(const guint64 *) b;

  return x < y ? -1 : x > y;
}

/* @n different numbers below @total, ascending (Floyd's way). */
static void
draw_different (CamRandom *random, guint64 total, int n, guint64 *out)
{
  g_autoptr (GHashTable) taken = g_hash_table_new (g_int64_hash, g_int64_equal);

  for (int i = 0; i < n; i++)
    {
      guint64 top = total - n + i;

      out[i] = cam_random_below (random, top + 1);
      if (g_hash_table_contains (taken, &out[i]))
        out[i] = top;
      g_hash_table_add (taken, &out[i]);
    }
  if (n > 0)
    qsort (out, n, sizeof *out, compare_numbers);
}

/* Up to @wanted different pairs of one kind; how many there were to be had. */
static int
draw_pairs (CamMinedPairs *pairs, gboolean semi_hard, CamRandom *random,
            int wanted, CamTriplet *out)
{
  guint64 total = cam_mined_pairs_count (pairs, semi_hard);
  int n = (int) MIN (total, (guint64) wanted);
  g_autofree guint64 *numbers = g_new (guint64, n);

  draw_different (random, total, n, numbers);
  for (int i = 0; i < n; i++)
    cam_mined_pairs_get (pairs, numbers[i], &out[i].positive, &out[i].negative);
  return n;
}

static int
draw_mined (const CamTriplets *t, const CamTripletOptions *options, int anchor,
            const float *cosines, CamRandom *random, CamTriplet *out)
{
  g_autoptr (CamMinedPairs)
      pairs = pairs_of (t, anchor, options->margin, cosines);
  int n = draw_pairs (pairs, TRUE, random, options->n_triplets, out);

  if (n < options->n_triplets)
    n += draw_pairs (pairs, FALSE, random, options->n_triplets - n, out + n);
  return n;
}

CamTripletCounts
cam_triplets_draw (const CamTriplets *t, const CamTripletOptions *options,
                   int anchor, guint64 key, const float *cosines,
                   CamTriplet *out)
{
  CamRandom random = cam_random_at (options->seed, STREAM_TRIPLETS, key);
  CamTripletCounts counts = { 0 };
  int n = 0;

  if (cam_triplets_n_positives (t, anchor) == 0
      || (options->with_negative && cam_triplets_n_negatives (t, anchor) == 0))
    return counts;
  if (options->with_negative && options->mining == CAM_MINING_SEMI_HARD)
    n = draw_mined (t, options, anchor, cosines, &random, out);
  draw_random (t, options, anchor, &random, options->n_triplets - n, out + n);
  counts.n = options->n_triplets;
  for (int i = 0; options->with_negative && cosines && i < counts.n; i++)
    cam_triplets_count (options->margin, cosines[out[i].positive],
                        cosines[out[i].negative], &counts);
  return counts;
}
