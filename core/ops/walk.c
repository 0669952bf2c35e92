/* walk.c -- several tensors broadcast to one shape, walked row by row */
#include "config.h"

#include "core/ops/walk.h"

#include <string.h>

/* Row-major steps of @shape inside @whole, 0 where it is broadcast. */
static void
set_steps (gsize *steps, const CamShape *whole, const CamShape *shape)
{
  gsize step = 1;

  for (int i = 1; i <= whole->n_dims; i++)
    {
      gint64 n = i <= shape->n_dims ? shape->dims[shape->n_dims - i] : 1;

      steps[whole->n_dims - i] = n == 1 ? 0 : step;
      step *= (gsize) n;
    }
}

static gboolean
can_merge (const CamWalk *walk, int i, const gsize steps[][CAM_MAX_DIMS],
           gsize n, int d)
{
  for (int k = 0; k < walk->n_operands; k++)
    if (walk->steps[k][i] != steps[k][d] * n)
      return FALSE;
  return TRUE;
}

void
cam_walk_init (CamWalk *walk, const CamShape *whole, int n_operands,
               const CamShape *const *shapes)
{
  gsize steps[CAM_WALK_OPERANDS][CAM_MAX_DIMS];

  memset (walk, 0, sizeof *walk);
  walk->n_operands = n_operands;
  for (int k = 0; k < n_operands; k++)
    set_steps (steps[k], whole, shapes[k]);
  for (int d = 0; d < whole->n_dims; d++)
    {
      gsize n = (gsize) whole->dims[d];
      int last = walk->n_dims - 1;

      if (n == 1)
        continue;
      if (last >= 0 && can_merge (walk, last, steps, n, d))
        walk->dims[last] *= n;
      else
        walk->dims[last = walk->n_dims++] = n;
      for (int k = 0; k < n_operands; k++)
        walk->steps[k][last] = steps[k][d];
    }
  if (walk->n_dims == 0)
    walk->dims[walk->n_dims++] = 1;
  walk->n_columns = walk->dims[walk->n_dims - 1];
  walk->n_rows = 1;
  for (int d = 0; d < walk->n_dims - 1; d++)
    walk->n_rows *= walk->dims[d];
}

void
cam_walk_row (const CamWalk *walk, gsize row, gsize *offsets)
{
  memset (offsets, 0, walk->n_operands * sizeof *offsets);
  for (int d = walk->n_dims - 2; d >= 0; d--)
    {
      gsize place = row % walk->dims[d];

      row /= walk->dims[d];
      for (int k = 0; k < walk->n_operands; k++)
        offsets[k] += place * walk->steps[k][d];
    }
}

void
cam_walk_part (const CamWalk *walk, gsize begin, gsize end, CamWalkFunc func,
               gpointer data)
{
  gsize steps[CAM_WALK_OPERANDS], offsets[CAM_WALK_OPERANDS];

  for (int k = 0; k < walk->n_operands; k++)
    steps[k] = walk->steps[k][walk->n_dims - 1];
  while (begin < end)
    {
      gsize column = begin % walk->n_columns;
      gsize n = MIN (walk->n_columns - column, end - begin);

      cam_walk_row (walk, begin / walk->n_columns, offsets);
      for (int k = 0; k < walk->n_operands; k++)
        offsets[k] += column * steps[k];
      func (n, offsets, steps, begin, data);
      begin += n;
    }
}

typedef struct
{
  const CamWalk *walk;
  CamWalkFunc func;
  gpointer data;
} Run;

static void
run_part (gsize begin, gsize end, int thread, gpointer data)
{
  const Run *run = data;

  cam_walk_part (run->walk, begin, end, run->func, run->data);
}

void
cam_walk_run (const CamWalk *walk, CamThreads *threads, CamWalkFunc func,
              gpointer data)
{
  Run run = { walk, func, data };

  cam_op_ranges (threads, walk->n_rows * walk->n_columns, CAM_OP_GRAIN,
                 run_part, &run);
}

typedef struct
{
  const float *from;
  double *sums;
} Sums;

static void
add_row (gsize n, const gsize *offsets, const gsize *steps, gsize index,
         gpointer data)
{
  const Sums *s = data;
  const float *from = s->from + index;
  double *sums = s->sums + offsets[0], sum = 0;

  if (steps[0] == 0)
    {
      for (gsize i = 0; i < n; i++)
        sum += from[i];
      sums[0] += sum;
    }
  else
    for (gsize i = 0; i < n; i++)
      sums[i * steps[0]] += from[i];
}

void
cam_walk_reduce (const CamShape *whole, const float *from,
                 const CamShape *to_shape, float *to, double *sums)
{
  Sums s = { from, sums };
  gsize n = (gsize) cam_op_count (to_shape, 0, to_shape->n_dims);
  CamWalk walk;

  cam_walk_init (&walk, whole, 1, &to_shape);
  memset (sums, 0, n * sizeof *sums);
  cam_walk_part (&walk, 0, walk.n_rows * walk.n_columns, add_row, &s);
  for (gsize i = 0; i < n; i++)
    to[i] = (float) sums[i];
}
