/* random.h -- random numbers that are looked up, not drawn one after another
 *
 * A number is a function of what it is for: a seed, a stream (one for every
 * use), the picture and a counter.  So the triplets of picture 517 are the same
 * whether 516 was done before it, by another thread, or yesterday.  The mixing
 * is that of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom
 * Number Generators", 2014).
 */
#pragma once

#include <glib.h>

typedef struct
{
  guint64 state;
} CamRandom;

static inline guint64
cam_random_mix (guint64 z)
{
  z = (z ^ (z >> 30)) * G_GUINT64_CONSTANT (0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * G_GUINT64_CONSTANT (0x94d049bb133111eb);
  return z ^ (z >> 31);
}

/* The sequence of @index in @stream. */
static inline CamRandom
cam_random_at (guint64 seed, guint64 stream, guint64 index)
{
  const guint64 gamma = G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  guint64 state = cam_random_mix (seed + gamma);

  state = cam_random_mix (state ^ (stream * gamma + 1));
  return (CamRandom) { cam_random_mix (state + index * gamma) };
}

static inline guint64
cam_random_next (CamRandom *random)
{
  random->state += G_GUINT64_CONSTANT (0x9e3779b97f4a7c15);
  return cam_random_mix (random->state);
}

/* Uniform in 0 .. n - 1, n > 0 (the bias is below n / 2^64). */
static inline guint64
cam_random_below (CamRandom *random, guint64 n)
{
  return (guint64) (((unsigned __int128) cam_random_next (random) * n) >> 64);
}

/* Uniform in [0, 1) */
static inline double
cam_random_unit (CamRandom *random)
{
  return (double) (cam_random_next (random) >> 11) * 0x1p-53;
}
