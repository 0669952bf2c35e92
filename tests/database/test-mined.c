/* test-mined.c -- mined triplets are those of the plain definition: all pairs
 * listed, numbered by positive, then by distance, and drawn from that list
 */
#include <stdlib.h>

#include "core/method/random.h"
#include "core/method/triplets.h"

#define STREAM_TRIPLETS 1 /* the draw's own, so that ours is the same */
#define T 50

typedef struct
{
  double value;
  int picture;
} Far;

typedef struct
{
  const int *labels; /* NULL: values */
  const double *values;
  const float *cosines;
  int n, anchor;
  double margin;
} Case;

static int
compare_far (gconstpointer a, gconstpointer b)
{
  const Far *x = a, *y = b;

  if (x->value != y->value)
    return x->value < y->value ? -1 : 1;
  return x->picture - y->picture;
}

static double
distance (const Case *c, int picture)
{
  return 2 - 2 * (double) c->cosines[picture];
}

/* Others by how near their value is; positives and negatives are an end of
 * this each.  Values here are all different, and no two equally near. */
static GArray *
by_nearness (const Case *c)
{
  GArray *others = g_array_new (FALSE, FALSE, sizeof (Far));

  for (int i = 0; i < c->n; i++)
    {
      Far far = { ABS (c->values[i] - c->values[c->anchor]), i };

      if (i != c->anchor)
        g_array_append_val (others, far);
    }
  qsort (others->data, others->len, sizeof (Far), compare_far);
  return others;
}

static int
compare_values (gconstpointer a, gconstpointer b, gpointer data)
{
  const double *values = data;
  double x = values[*(const int *) a], y = values[*(const int *) b];

  return x < y ? -1 : x > y;
}

/* Positives in the order of pictures (of values), negatives by distance. */
static void
list_sides (const Case *c, GArray *near, GArray *far)
{
  g_autoptr (GArray) others = c->labels == NULL ? by_nearness (c) : NULL;

  for (int i = 0; c->labels != NULL && i < c->n; i++)
    {
      Far negative = { distance (c, i), i };

      if (c->labels[i] != c->labels[c->anchor])
        g_array_append_val (far, negative);
      else if (i != c->anchor)
        g_array_append_val (near, i);
    }
  for (guint i = 0; others != NULL && i < others->len; i++)
    {
      int picture = g_array_index (others, Far, i).picture;
      Far negative = { distance (c, picture), picture };

      if (i < (guint) (0.05 * others->len + 0.5))
        g_array_append_val (near, picture);
      if (i >= others->len - (guint) (0.5 * others->len))
        g_array_append_val (far, negative);
    }
  if (others != NULL)
    g_array_sort_with_data (near, compare_values, (gpointer) c->values);
  qsort (far->data, far->len, sizeof (Far), compare_far);
}

/* All pairs of a kind, in the order of their numbers. */
static GArray *
list_pairs (const Case *c, GArray *near, GArray *far, gboolean semi_hard)
{
  GArray *pairs = g_array_new (FALSE, FALSE, sizeof (CamTriplet));

  for (guint i = 0; i < near->len; i++)
    for (guint j = 0; j < far->len; j++)
      {
        CamTriplet pair = { g_array_index (near, int, i),
                            g_array_index (far, Far, j).picture };
        double d = distance (c, pair.positive);
        double away = g_array_index (far, Far, j).value;

        if (away < d + c->margin && (away > d) == semi_hard)
          g_array_append_val (pairs, pair);
      }
  return pairs;
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

/* Up to @wanted of the pairs, none twice: Floyd's way, plainly. */
static int
draw_plainly (GArray *pairs, CamRandom *random, int wanted, CamTriplet *out)
{
  int n = MIN ((int) pairs->len, wanted);
  int numbers[T];

  for (int i = 0; i < n; i++)
    {
      int top = (int) pairs->len - n + i;

      numbers[i] = (int) cam_random_below (random, top + 1);
      for (int j = 0; j < i; j++)
        if (numbers[j] == numbers[i])
          {
            numbers[i] = top;
            break;
          }
    }
  qsort (numbers, n, sizeof *numbers, compare_numbers);
  for (int i = 0; i < n; i++)
    out[i] = g_array_index (pairs, CamTriplet, numbers[i]);
  return n;
}

static int
mine_plainly (const Case *c, CamTriplet *out)
{
  CamRandom random = cam_random_at (11, STREAM_TRIPLETS, c->anchor);
  g_autoptr (GArray) near = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GArray) far = g_array_new (FALSE, FALSE, sizeof (Far));
  g_autoptr (GArray) semi = NULL, hard = NULL;
  int n;

  list_sides (c, near, far);
  semi = list_pairs (c, near, far, TRUE);
  hard = list_pairs (c, near, far, FALSE);
  n = draw_plainly (semi, &random, T, out);
  return n + draw_plainly (hard, &random, T - n, out + n);
}

static void
check_case (const Case *c, const CamTriplets *triplets)
{
  CamTripletOptions options = { T, TRUE, CAM_MINING_SEMI_HARD, c->margin, 11 };
  CamTriplet want[T], got[T];
  int n = mine_plainly (c, want);

  cam_triplets_draw (triplets, &options, c->anchor, c->anchor, c->cosines, got);
  g_assert_cmpmem (want, n * sizeof *want, got, n * sizeof *got);
}

typedef enum
{
  SPREAD,    /* over all distances                       */
  NARROW,    /* a network that puts everything in a place */
  STEPS,     /* many equal distances                     */
  ALL_EQUAL, /* identical embeddings                     */
  ABOVE_ONE, /* cosines that rounding lifts above 1      */
  N_KINDS
} Kind;

static float
draw_cosine (Kind kind, CamRandom *random)
{
  double u = cam_random_unit (random);

  switch (kind)
    {
    case SPREAD: return (float) (2 * u - 1);
    case NARROW: return (float) (1 - 1e-3 * u);
    case STEPS: return (float) (1 - (int) (12 * u) / 16.0);
    case ABOVE_ONE: return (float) (1 + 1e-6 * (u - 0.5));
    default: return 0.25f;
    }
}

static void
check_all (Case *c, const CamTriplets *triplets)
{
  static const double margins[] = { 0.2, 1e-3, 3, 0 };
  g_autofree float *cosines = g_new (float, c->n);

  c->cosines = cosines;
  for (int kind = 0; kind < N_KINDS; kind++)
    for (guint m = 0; m < G_N_ELEMENTS (margins); m++)
      {
        CamRandom random = cam_random_at (3, 96, kind);

        for (int i = 0; i < c->n; i++)
          cosines[i] = draw_cosine (kind, &random);
        c->margin = margins[m];
        for (c->anchor = 0; c->anchor < c->n; c->anchor += c->n / 3)
          check_case (c, triplets);
      }
}

static void
test_labels (void)
{
  static const int sizes[] = { 12, 90, 1500 };

  for (guint s = 0; s < G_N_ELEMENTS (sizes); s++)
    for (int n_labels = 2; n_labels < 9; n_labels += 3)
      {
        g_autofree int *labels = g_new (int, sizes[s]);
        g_autoptr (CamTriplets) triplets = NULL;
        Case c = { .labels = labels, .n = sizes[s] };

        for (int i = 0; i < c.n; i++)
          labels[i] = (i * 7 + i / 5) % n_labels;
        triplets = cam_triplets_new_labels (labels, c.n);
        check_all (&c, triplets);
      }
}

static void
test_values (void)
{
  g_autofree double *values = g_new (double, 400);
  g_autoptr (CamTriplets) triplets = NULL;
  CamRandom random = cam_random_at (3, 95, 0);
  Case c = { .values = values, .n = 400 };

  for (int i = 0; i < c.n; i++)
    values[i] = cam_random_unit (&random);
  triplets = cam_triplets_new_values (values, c.n);
  check_all (&c, triplets);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mined/labels", test_labels);
  g_test_add_func ("/mined/values", test_values);
  return g_test_run ();
}
