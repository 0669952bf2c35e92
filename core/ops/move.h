/* move.h -- elements from one place to another by steps; private to core/ops
 *
 * Transposing, slicing, joining and splitting are all this: for every index
 * within dims, to[index * to_steps] = from[index * from_steps].  Steps may be
 * 0 (repeat) or negative (backwards) and count elements.
 */
#pragma once

#include "core/ops/ops.h"

#define CAM_MOVE_DIMS (2 * CAM_MAX_DIMS + 1)

typedef struct
{
  int n_dims;
  gint64 dims[CAM_MOVE_DIMS];
  gint64 from_steps[CAM_MOVE_DIMS];
  gint64 to_steps[CAM_MOVE_DIMS];
} CamMove;

/* One more dimension, inside of those that are there. */
void cam_move_add (CamMove *move, gint64 n, gint64 from_step, gint64 to_step);
/* Row-major steps of @shape. */
void cam_move_steps (const CamShape *shape, gint64 *steps);
/* @size: bytes of an element (1, 2, 4 or 8). */
void cam_move_run (const CamMove *move, gsize size, gconstpointer from,
                   gpointer to, CamThreads *threads);
/* The other way round: from_steps and to_steps change places. */
CamMove cam_move_reverse (const CamMove *move);
