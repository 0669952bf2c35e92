/* memory.h -- which tensors may share memory because they never live at once
 *
 * Intervals on a time line, packed into one arena: the largest first, each at
 * the lowest offset that no other interval of the same time takes.  More than
 * CAM_MEMORY_MANY of them are packed faster, and less tightly.
 */
#pragma once

#include <glib.h>

#define CAM_ALIGNMENT 64
#define CAM_MEMORY_MANY 8192

typedef struct
{
  gsize size;      /* bytes; 0 takes no memory      */
  int first, last; /* the steps it lives, inclusive */
  gsize offset;    /* set by cam_memory_pack        */
} CamInterval;

/* Rounded up to whole cache lines. */
static inline gsize
cam_memory_round (gsize size)
{
  return (size + CAM_ALIGNMENT - 1) & ~(gsize) (CAM_ALIGNMENT - 1);
}

/* Sets the offsets; returns the size of the arena, G_MAXSIZE where an interval
 * has more than a tebibyte. */
gsize cam_memory_pack (CamInterval *intervals, guint n_intervals);
/* Aligned, not cleared; NULL where memory is short.  Freed with free (). */
gpointer cam_memory_allocate (gsize size);
