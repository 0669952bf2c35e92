/* walk.h -- several tensors broadcast to one shape, walked row by row
 *
 * A walk knows a step for every operand and dimension (0 where it is
 * broadcast).  Dimensions that lie together in every operand are merged, so
 * that rows are as long as they can be.
 */
#pragma once

#include "core/ops/ops.h"

#define CAM_WALK_OPERANDS 4

typedef struct
{
  int n_operands;
  int n_dims;   /* 1 at least, but for a walk over nothing */
  gsize n_rows; /* product of all dims but the last */
  gsize n_columns;
  gsize dims[CAM_MAX_DIMS];
  gsize steps[CAM_WALK_OPERANDS][CAM_MAX_DIMS]; /* in elements */
} CamWalk;

/* @shapes broadcast to @whole. */
void cam_walk_init (CamWalk *walk, const CamShape *whole, int n_operands,
                    const CamShape *const *shapes);
/* Where row @row starts in each operand. */
void cam_walk_row (const CamWalk *walk, gsize row, gsize *offsets);

/* One row: @n elements from @offsets on, by @steps, in each operand.  @index
 * is the first one's place in the whole. */
typedef void (*CamWalkFunc) (gsize n, const gsize *offsets, const gsize *steps,
                             gsize index, gpointer data);
/* All rows, shared out over the crew; long rows are cut. */
void cam_walk_run (const CamWalk *walk, CamThreads *threads, CamWalkFunc func,
                   gpointer data);
/* Elements @begin .. @end - 1 of the whole, in the caller's thread. */
void cam_walk_part (const CamWalk *walk, gsize begin, gsize end,
                    CamWalkFunc func, gpointer data);

/* Adds @from ([whole]) up over the dimensions in which @to is broadcast;
 * @sums holds one double for every element of @to. */
void cam_walk_reduce (const CamShape *whole, const float *from,
                      const CamShape *to_shape, float *to, double *sums);
