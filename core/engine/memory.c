/* memory.c -- packs the lives of tensors into one arena */
#include <stdlib.h>

#include "core/engine/memory.h"

static int
compare_size (gconstpointer a, gconstpointer b)
{
  const CamInterval *x = *(CamInterval *const *) a;
  const CamInterval *y = *(CamInterval *const *) b;

  if (x->size != y->size)
    return x->size < y->size ? 1 : -1;
  return x->first != y->first ? x->first - y->first : (x > y) - (x < y);
}

static gboolean
overlap (const CamInterval *a, const CamInterval *b)
{
  return a->first <= b->last && b->first <= a->last;
}

/* @placed is in order of offsets. */
static gsize
lowest_offset (GPtrArray *placed, const CamInterval *interval)
{
  gsize offset = 0, size = cam_memory_round (interval->size);

  for (guint i = 0; i < placed->len; i++)
    {
      const CamInterval *other = placed->pdata[i];

      if (!overlap (other, interval))
        continue;
      if (offset + size <= other->offset)
        break;
      offset = MAX (offset, other->offset + cam_memory_round (other->size));
    }
  return offset;
}

static void
place (GPtrArray *placed, CamInterval *interval)
{
  guint at = 0;

  while (at < placed->len
         && ((CamInterval *) placed->pdata[at])->offset <= interval->offset)
    at++;
  g_ptr_array_insert (placed, at, interval);
}

gsize
cam_memory_pack (CamInterval *intervals, guint n_intervals)
{
  g_autoptr (GPtrArray) order = g_ptr_array_new ();
  g_autoptr (GPtrArray) placed = g_ptr_array_new ();
  gsize total = 0;

  for (guint i = 0; i < n_intervals; i++)
    if (intervals[i].size)
      g_ptr_array_add (order, &intervals[i]);
  g_ptr_array_sort (order, compare_size);
  for (guint i = 0; i < order->len; i++)
    {
      CamInterval *interval = order->pdata[i];

      interval->offset = lowest_offset (placed, interval);
      place (placed, interval);
      total = MAX (total, interval->offset + cam_memory_round (interval->size));
    }
  return total;
}

gpointer
cam_memory_allocate (gsize size)
{
  return aligned_alloc (CAM_ALIGNMENT, cam_memory_round (MAX (size, 1)));
}
