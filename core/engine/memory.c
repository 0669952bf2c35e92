/* memory.c -- packs the lives of tensors into one arena
 *
 * Comparing every interval with every other finds the tightest packing of a
 * real network.  Of the many thousands that only a strange file has, each takes
 * the smallest block that is free when it begins: n log n instead of n^2.
 */
#include <stdlib.h>

#include "core/engine/memory.h"

/* Of one interval, so that sums of as many as there may be can be counted */
#define MOST ((gsize) 1 << 40)

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

static int
compare_first (gconstpointer a, gconstpointer b)
{
  const CamInterval *x = *(CamInterval *const *) a;
  const CamInterval *y = *(CamInterval *const *) b;

  return x->first != y->first ? (x->first > y->first) - (x->first < y->first)
                              : (x > y) - (x < y);
}

static int
compare_last (gconstpointer a, gconstpointer b)
{
  const CamInterval *x = *(CamInterval *const *) a;
  const CamInterval *y = *(CamInterval *const *) b;

  return x->last != y->last ? (x->last > y->last) - (x->last < y->last)
                            : (x > y) - (x < y);
}

/* A block of the arena; in the tree of free ones by size, then offset */
typedef struct
{
  gsize size, offset;
} Block;

static int
compare_blocks (gconstpointer a, gconstpointer b, gpointer unused)
{
  const Block *x = a, *y = b;

  if (x->size != y->size)
    return x->size < y->size ? -1 : 1;
  return (x->offset > y->offset) - (x->offset < y->offset);
}

/* The block that @interval takes: the smallest free one that holds it, or the
 * next of the arena. */
static Block *
take_block (GTree *unused, const CamInterval *interval, gsize *total)
{
  Block key = { cam_memory_round (interval->size), 0 };
  GTreeNode *found = g_tree_lower_bound (unused, &key);
  Block *block;

  if (found)
    {
      block = g_tree_node_key (found);
      g_tree_steal (unused, block);
      return block;
    }
  block = g_new (Block, 1);
  *block = (Block) { key.size, *total };
  *total += key.size;
  return block;
}

/* @order: the intervals that take memory */
static gsize
pack_many (GPtrArray *order)
{
  g_autoptr (GTree) unused = g_tree_new_full (compare_blocks, NULL, g_free,
                                              NULL);
  g_autoptr (GPtrArray) ends = g_ptr_array_copy (order, NULL, NULL);
  g_autoptr (GHashTable) blocks = g_hash_table_new (NULL, NULL);
  gsize total = 0;
  guint ended = 0;

  g_ptr_array_sort (order, compare_first);
  g_ptr_array_sort (ends, compare_last);
  for (guint i = 0; i < order->len; i++)
    {
      CamInterval *interval = order->pdata[i];
      const CamInterval *over = ends->pdata[ended];
      Block *block;

      for (; over->last < interval->first; over = ends->pdata[++ended])
        {
          block = g_hash_table_lookup (blocks, over);
          g_tree_insert (unused, block, block);
        }
      block = take_block (unused, interval, &total);
      interval->offset = block->offset;
      g_hash_table_insert (blocks, interval, block);
    }
  for (; ended < ends->len; ended++)
    g_free (g_hash_table_lookup (blocks, ends->pdata[ended]));
  return total;
}

gsize
cam_memory_pack (CamInterval *intervals, guint n_intervals)
{
  g_autoptr (GPtrArray) order = g_ptr_array_new ();
  g_autoptr (GPtrArray) placed = g_ptr_array_new ();
  gsize total = 0;

  for (guint i = 0; i < n_intervals; i++)
    if (intervals[i].size > MOST)
      return G_MAXSIZE;
  for (guint i = 0; i < n_intervals; i++)
    if (intervals[i].size)
      g_ptr_array_add (order, &intervals[i]);
  if (order->len > CAM_MEMORY_MANY)
    return pack_many (order);
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
  if (size > G_MAXSSIZE)
    return NULL;
  return aligned_alloc (CAM_ALIGNMENT, cam_memory_round (MAX (size, 1)));
}
