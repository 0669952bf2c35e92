/* mixture.h -- embeddings drawn from kinds of things, for tests of distances */
#pragma once

#include <math.h>

#include "core/method/random.h"

typedef struct
{
  const char *name;
  int dim, kinds;
  double spread;   /* of a picture around its place, as a length */
  int places;      /* within a kind */
  double within;   /* of the places around the kind's middle */
  int axes;        /* along which a picture varies; 0: all alike */
  gboolean uneven; /* kinds of very different sizes and spreads */
} Mixture;

static inline double
normal (CamRandom *random)
{
  double u = 1 - cam_random_unit (random), v = cam_random_unit (random);

  return sqrt (-2 * log (u)) * cos (2 * G_PI * v);
}

static inline void
add_direction (CamRandom *random, double length, int dim, double *row)
{
  for (int d = 0; d < dim; d++)
    row[d] += length * normal (random) / sqrt (dim);
}

/* A unit vector of world @world: the same world has the same kinds. */
static inline void
draw_one (const Mixture *m, guint64 world, CamRandom *random, float *out)
{
  g_autofree double *row = g_new0 (double, m->dim);
  double u = cam_random_unit (random);
  int kind = (int) (m->kinds * (m->uneven ? u * u : u));
  int place = (int) cam_random_below (random, m->places);
  CamRandom middle = cam_random_at (world, 1000, kind);
  CamRandom near_it = cam_random_at (world, 2000 + kind, place);
  double spread = m->spread, square = 0;

  add_direction (&middle, 1, m->dim, row);
  add_direction (&near_it, m->within, m->dim, row);
  if (m->uneven)
    spread *= 0.3 + 1.4 * cam_random_unit (&middle);
  if (m->axes == 0)
    add_direction (random, spread, m->dim, row);
  for (int a = 0; a < m->axes; a++)
    {
      CamRandom axis = cam_random_at (world, 3000 + kind, a);

      add_direction (&axis, spread * normal (random) / sqrt (m->axes), m->dim,
                     row);
    }
  for (int d = 0; d < m->dim; d++)
    square += row[d] * row[d];
  for (int d = 0; d < m->dim; d++)
    out[d] = (float) (row[d] / sqrt (square));
}
