/* test-pack.c -- no two tensors that live at once share memory
 *
 * Few intervals and many, which are packed in another way; and many take no
 * time that a person would notice.
 */
#include "config.h"

#include "core/engine/memory.h"

/* The seconds that packing took. */
static double
check (guint n, int steps, int longest, gsize largest)
{
  g_autofree CamInterval *intervals = g_new0 (CamInterval, n);
  g_autoptr (GRand) rand = g_rand_new_with_seed (n);
  gint64 begin;
  gsize total, sum = 0;
  double seconds;

  for (guint i = 0; i < n; i++)
    {
      intervals[i].first = g_rand_int_range (rand, -1, steps - 1);
      intervals[i].last = MIN (intervals[i].first
                                   + g_rand_int_range (rand, 0, longest),
                               steps - 1);
      intervals[i].size = (gsize) g_rand_int_range (rand, 0, (int) largest);
      sum += cam_memory_round (intervals[i].size);
    }
  begin = g_get_monotonic_time ();
  total = cam_memory_pack (intervals, n);
  seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
  g_test_message ("%u intervals: %zu of %zu bytes, %.3f s", n, total, sum,
                  seconds);
  g_assert_cmpuint (total, <=, sum);
  for (guint i = 0; i < n; i++)
    g_assert_cmpuint (intervals[i].offset + intervals[i].size, <=, total);
  for (guint i = 0; i < n; i += n / 500 + 1)
    for (guint j = 0; j < n; j++)
      {
        const CamInterval *a = &intervals[i], *b = &intervals[j];

        g_assert_true (i == j || a->size == 0 || b->size == 0
                       || a->first > b->last || b->first > a->last
                       || a->offset + a->size <= b->offset
                       || b->offset + b->size <= a->offset);
      }
  return seconds;
}

static void
test_packing (void)
{
  check (1, 1, 1, 100);
  check (700, 300, 40, 5000);
  check (CAM_MEMORY_MANY, 9000, 20, 5000);
  check (CAM_MEMORY_MANY + 700, 9000, 20, 5000);
  check (30000, 500, 500, 1000);
}

static void
test_time (void)
{
  g_assert_cmpfloat (check (200000, 200000, 200000, 1000), <, 10);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/pack/packing", test_packing);
  g_test_add_func ("/pack/time", test_time);
  return g_test_run ();
}
