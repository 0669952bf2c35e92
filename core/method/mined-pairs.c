/* mined-pairs.c -- the pairs of one anchor that are inside the hinge */
#include "core/method/mined-pairs.h"

#include <stdlib.h>

#define BIN_SHARE 4 /* negatives for each bin, were they spread evenly */
#define MAX_BINS (1 << 16)
#define SCANNED 64 /* a bin of more members is sorted to be searched */

typedef struct
{
  int picture;
  double near;      /* d(a,p) */
  int hard, inside; /* negatives up to near; below near + margin too */
} Positive;

typedef struct
{
  double value;
  int picture;
} Member;

struct _CamMinedPairs
{
  const float *cosines;
  Positive *positives;
  guint64 *ends; /* [n_positives] running count of pairs of the kind */
  int n_positives;
  gboolean semi_hard; /* the kind */

  int *far;       /* negatives inside the widest positive's hinge, by bin */
  int *starts;    /* [n_bins + 1] where a bin begins in far */
  guint8 *sorted; /* [n_bins] */
  int n_far, n_bins;
  double limit, scale; /* distances are below limit; bins to a distance */
};

void
cam_mined_pairs_free (CamMinedPairs *pairs)
{
  if (pairs == NULL)
    return;
  g_free (pairs->positives);
  g_free (pairs->ends);
  g_free (pairs->far);
  g_free (pairs->starts);
  g_free (pairs->sorted);
  g_free (pairs);
}

static inline double
distance (const float *cosines, int picture)
{
  return 2 - 2 * (double) cosines[picture];
}

/* Never falls as the distance grows, so that bins are in order. */
static inline int
bin_of (const CamMinedPairs *pairs, double value)
{
  double place = value * pairs->scale;

  return place > 0 ? (int) MIN (place, pairs->n_bins - 1) : 0;
}

static void
read_positives (CamMinedPairs *pairs, double margin,
                const CamPictureSpan spans[2])
{
  double widest = 0;
  int n = 0;

  pairs->n_positives = spans[0].n + spans[1].n;
  pairs->positives = g_new (Positive, pairs->n_positives);
  pairs->ends = g_new (guint64, pairs->n_positives);
  for (int s = 0; s < 2; s++)
    for (int i = 0; i < spans[s].n; i++)
      {
        int picture = spans[s].pictures[i];
        double near = distance (pairs->cosines, picture);

        pairs->positives[n++] = (Positive) { picture, near };
        widest = MAX (widest, near);
      }
  pairs->limit = widest + margin;
}

/* Appends those of the span below the limit, and their bins. */
static void
pick (CamMinedPairs *pairs, const CamPictureSpan *span, int *picked, int *bins)
{
  int n = pairs->n_far;

  for (int i = 0; i < span->n; i++)
    {
      int picture = span->pictures[i];
      double value = distance (pairs->cosines, picture);

      picked[n] = picture;
      bins[n] = bin_of (pairs, value);
      n += value < pairs->limit;
    }
  pairs->n_far = n;
}

/* A counting sort by bin. */
static void
deal (CamMinedPairs *pairs, const int *picked, const int *bins)
{
  int *starts = pairs->starts, n_bins = pairs->n_bins;

  for (int i = 0; i < pairs->n_far; i++)
    starts[bins[i] + 1]++;
  for (int b = 0; b < n_bins; b++)
    starts[b + 1] += starts[b];
  for (int i = 0; i < pairs->n_far; i++)
    pairs->far[starts[bins[i]]++] = picked[i];
  for (int b = n_bins; b > 0; b--)
    starts[b] = starts[b - 1];
  starts[0] = 0;
}

static void
read_negatives (CamMinedPairs *pairs, const CamPictureSpan spans[2])
{
  int n = spans[0].n + spans[1].n;
  g_autofree int *picked = g_new (int, n + 1), *bins = g_new (int, n + 1);

  pairs->n_bins = CLAMP (n / BIN_SHARE, 1, MAX_BINS);
  pairs->scale = pairs->limit > 0 ? pairs->n_bins / pairs->limit : 0;
  for (int s = 0; s < 2; s++)
    pick (pairs, &spans[s], picked, bins);
  pairs->far = g_new (int, pairs->n_far);
  pairs->starts = g_new0 (int, pairs->n_bins + 1);
  pairs->sorted = g_new0 (guint8, pairs->n_bins);
  deal (pairs, picked, bins);
}

static int
compare_members (gconstpointer a, gconstpointer b)
{
  const Member *x = a, *y = b;

  if (x->value != y->value)
    return x->value < y->value ? -1 : 1;
  return x->picture - y->picture;
}

static void
sort_bin (CamMinedPairs *pairs, int bin)
{
  int *far = pairs->far + pairs->starts[bin];
  int n = pairs->starts[bin + 1] - pairs->starts[bin];
  g_autofree Member *members = NULL;

  if (pairs->sorted[bin])
    return;
  pairs->sorted[bin] = TRUE;
  members = g_new (Member, n);
  for (int i = 0; i < n; i++)
    members[i] = (Member) { distance (pairs->cosines, far[i]), far[i] };
  if (n > 1)
    qsort (members, n, sizeof *members, compare_members);
  for (int i = 0; i < n; i++)
    far[i] = members[i].picture;
}

/* Does what stands at @place come before what is sought? */
typedef gboolean (*Precedes) (const CamMinedPairs *pairs, int place,
                              gconstpointer sought);

/* The first of @low to @high - 1 that does not precede @sought, in an order
 * where those that do come first; @high where all do. */
static inline int
search (const CamMinedPairs *pairs, int low, int high, Precedes precedes,
        gconstpointer sought)
{
  while (low < high)
    {
      int middle = low + (high - low) / 2;

      if (precedes (pairs, middle, sought))
        low = middle + 1;
      else
        high = middle;
    }
  return low;
}

typedef struct
{
  double value;
  gboolean with_equal;
} Bound;

static inline gboolean
is_below (const CamMinedPairs *pairs, int place, gconstpointer bound)
{
  const Bound *b = bound;
  double d = distance (pairs->cosines, pairs->far[place]);

  return d < b->value || (b->with_equal && d == b->value);
}

/* How many negatives lie below @value (or, @with_equal, at it too). */
static int
count_below (CamMinedPairs *pairs, double value, gboolean with_equal)
{
  const Bound bound = { value, with_equal };
  int bin = bin_of (pairs, value);
  int first = pairs->starts[bin], end = pairs->starts[bin + 1], n = first;

  if (end - first > SCANNED)
    {
      sort_bin (pairs, bin);
      return search (pairs, first, end, is_below, &bound);
    }
  for (int i = first; i < end; i++)
    n += is_below (pairs, i, &bound);
  return n;
}

CamMinedPairs *
cam_mined_pairs_new (const float *cosines, double margin,
                     const CamPictureSpan positives[2],
                     const CamPictureSpan negatives[2])
{
  CamMinedPairs *pairs = g_new0 (CamMinedPairs, 1);

  pairs->cosines = cosines;
  read_positives (pairs, margin, positives);
  read_negatives (pairs, negatives);
  for (int i = 0; i < pairs->n_positives; i++)
    {
      Positive *p = &pairs->positives[i];

      p->inside = count_below (pairs, p->near + margin, FALSE);
      p->hard = MIN (p->inside, count_below (pairs, p->near, TRUE));
    }
  return pairs;
}

guint64
cam_mined_pairs_count (CamMinedPairs *pairs, gboolean semi_hard)
{
  guint64 n = 0;

  pairs->semi_hard = semi_hard;
  for (int i = 0; i < pairs->n_positives; i++)
    {
      const Positive *p = &pairs->positives[i];

      n += semi_hard ? p->inside - p->hard : p->hard;
      pairs->ends[i] = n;
    }
  return n;
}

static inline gboolean
bin_ends_by (const CamMinedPairs *pairs, int bin, gconstpointer place)
{
  return pairs->starts[bin + 1] <= *(const int *) place;
}

static inline gboolean
positive_ends_by (const CamMinedPairs *pairs, int positive,
                  gconstpointer number)
{
  return pairs->ends[positive] <= *(const guint64 *) number;
}

void
cam_mined_pairs_get (CamMinedPairs *pairs, guint64 number, int *positive,
                     int *negative)
{
  int p = search (pairs, 0, pairs->n_positives - 1, positive_ends_by, &number);
  int place = (int) (number - (p > 0 ? pairs->ends[p - 1] : 0));

  if (pairs->semi_hard)
    place += pairs->positives[p].hard;
  sort_bin (pairs,
            search (pairs, 0, pairs->n_bins - 1, bin_ends_by, &place));
  *positive = pairs->positives[p].picture;
  *negative = pairs->far[place];
}
