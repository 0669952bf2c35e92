/* move.c -- elements from one place to another by steps */
#include "config.h"

#include "core/ops/move.h"

#include <string.h>

#define BLOCK 64 /* of the dimension that is fast in the source */
#define STRIP 16 /* of the one that is fast in the target       */

void
cam_move_add (CamMove *move, gint64 n, gint64 from_step, gint64 to_step)
{
  int last = move->n_dims - 1;

  if (n == 1)
    return;
  if (last >= 0 && move->from_steps[last] == from_step * n
      && move->to_steps[last] == to_step * n)
    move->dims[last] *= n;
  else
    move->dims[last = move->n_dims++] = n;
  move->from_steps[last] = from_step;
  move->to_steps[last] = to_step;
}

void
cam_move_steps (const CamShape *shape, gint64 *steps)
{
  gint64 step = 1;

  for (int i = shape->n_dims - 1; i >= 0; i--)
    {
      steps[i] = step;
      step *= shape->dims[i];
    }
}

CamMove
cam_move_reverse (const CamMove *move)
{
  CamMove r = { 0 };

  for (int i = 0; i < move->n_dims; i++)
    cam_move_add (&r, move->dims[i], move->to_steps[i], move->from_steps[i]);
  return r;
}

typedef struct
{
  const CamMove *move;
  gsize size;
  const char *from;
  char *to;
  int slow;        /* the dimension paired with the last one, or -1 */
  gint64 n_blocks; /* of it */
} Job;

/* A plane of @n times @m elements. */
static inline __attribute__ ((always_inline)) void
move_plane (const char *from, char *to, gint64 n, gint64 m,
            const gint64 from_steps[2], const gint64 to_steps[2], gsize size)
{
  for (gint64 begin = 0; begin < m; begin += STRIP)
    {
      gint64 end = MIN (begin + STRIP, m);

      for (gint64 i = 0; i < n; i++)
        for (gint64 k = begin; k < end; k++)
          memcpy (to + (i * to_steps[0] + k * to_steps[1]) * (gint64) size,
                  from
                      + (i * from_steps[0] + k * from_steps[1]) * (gint64) size,
                  size);
    }
}

static void
move_tile (const Job *j, gint64 from_at, gint64 to_at, gint64 begin)
{
  const CamMove *v = j->move;
  int last = v->n_dims - 1, s = j->slow;
  gint64 n = s < 0 ? 1 : MIN (v->dims[s] - begin, BLOCK);
  gint64 fs[2] = { s < 0 ? 0 : v->from_steps[s], v->from_steps[last] };
  gint64 ts[2] = { s < 0 ? 0 : v->to_steps[s], v->to_steps[last] };
  const char *from = j->from + (from_at + begin * fs[0]) * (gint64) j->size;
  char *to = j->to + (to_at + begin * ts[0]) * (gint64) j->size;

  if (fs[1] == 1 && ts[1] == 1)
    for (gint64 i = 0; i < n; i++)
      memcpy (to + i * ts[0] * (gint64) j->size,
              from + i * fs[0] * (gint64) j->size,
              (gsize) v->dims[last] * j->size);
  else if (j->size == 4)
    move_plane (from, to, n, v->dims[last], fs, ts, 4);
  else if (j->size == 8)
    move_plane (from, to, n, v->dims[last], fs, ts, 8);
  else if (j->size == 2)
    move_plane (from, to, n, v->dims[last], fs, ts, 2);
  else
    move_plane (from, to, n, v->dims[last], fs, ts, 1);
}

static void
move_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;
  const CamMove *v = j->move;

  for (gsize tile = begin; tile < end; tile++)
    {
      gint64 from_at = 0, to_at = 0, rest = (gint64) tile / j->n_blocks;

      for (int d = v->n_dims - 2; d >= 0; d--)
        if (d != j->slow)
          {
            from_at += rest % v->dims[d] * v->from_steps[d];
            to_at += rest % v->dims[d] * v->to_steps[d];
            rest /= v->dims[d];
          }
      move_tile (j, from_at, to_at, (gint64) tile % j->n_blocks * BLOCK);
    }
}

void
cam_move_run (const CamMove *move, gsize size, gconstpointer from, gpointer to,
              CamThreads *threads)
{
  Job job = { move, size, from, to, -1, 1 };
  gint64 n_tiles = 1, each;

  if (move->n_dims == 0)
    {
      memcpy (to, from, size);
      return;
    }
  for (int i = 0; i < move->n_dims; i++)
    if (move->dims[i] == 0)
      return;
  for (int i = 0; i < move->n_dims - 1; i++)
    if (job.slow < 0
        || ABS (move->from_steps[i]) < ABS (move->from_steps[job.slow]))
      job.slow = i;
  for (int i = 0; i < move->n_dims - 1; i++)
    if (i != job.slow)
      n_tiles *= move->dims[i];
  if (job.slow >= 0)
    job.n_blocks = (move->dims[job.slow] - 1) / BLOCK + 1;
  each = move->dims[move->n_dims - 1]
         * (job.slow < 0 ? 1 : MIN (move->dims[job.slow], BLOCK));
  cam_op_ranges (threads, (gsize) (n_tiles * job.n_blocks),
                 (gsize) MAX (CAM_OP_GRAIN / each, 1), move_range, &job);
}
