/* score.c -- what is differentiated where there is no class score */
#include "core/method/score.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const char *const names[CAM_N_SCORES] = { "cosine", "triplet", "dot",
                                                 "dot-difference" };

const char *
cam_score_name (CamScore score)
{
  g_return_val_if_fail (score < CAM_N_SCORES, NULL);
  return names[score];
}

gboolean
cam_score_parse (const char *name, CamScore *score)
{
  for (int i = 0; name != NULL && i < CAM_N_SCORES; i++)
    if (g_ascii_strcasecmp (name, names[i]) == 0)
      {
        *score = (CamScore) i;
        return TRUE;
      }
  return FALSE;
}

gboolean
cam_score_has_negative (CamScore score)
{
  return score != CAM_SCORE_DOT;
}

static double
length (const float *v, int dim)
{
  double sum = 0.0;

  for (int i = 0; i < dim; i++)
    sum += (double) v[i] * v[i];
  return sqrt (sum);
}

/* 1 / |v|, or 0 for a vector without direction */
static double
inverse_length (const float *v, int dim)
{
  double n = v != NULL ? length (v, dim) : 0.0;

  return n > 0.0 ? 1.0 / n : 0.0;
}

/* Each number of an embedding is the float32 result of some last operation, so
 * it may be off by u = 2^-24 of itself, and an embedding by u of its length: two
 * that stand for the same differ by 2 u.  Twice that is granted, for the
 * operation before.  Pictures that really differ lie far above: with the
 * bundled network, one pixel of 90 x 120 that is 1 of 255 lighter makes 6e-5. */
#define ROUNDING (2 * FLT_EPSILON)

/* @seed = 0 where it is shorter than the rounding of what it was made of */
static void
drop_rounding (float *seed, int dim, double size)
{
  if (length (seed, dim) <= ROUNDING * size)
    memset (seed, 0, dim * sizeof *seed);
}

/* d = |a^ - p^|^2 = 2 - 2 cos, so the triplet score is twice the cosine one up
 * to a constant. */
static void
seed_of_cosine (double factor, int dim, const float *anchor,
                const float *positive, const float *negative, float *seed)
{
  double a = inverse_length (anchor, dim), p = inverse_length (positive, dim);
  double n = inverse_length (negative, dim), along = 0.0;

  for (int i = 0; i < dim; i++)
    along += (positive[i] * p - (negative != NULL ? negative[i] * n : 0.0))
             * anchor[i] * a;
  for (int i = 0; i < dim; i++)
    {
      double s = positive[i] * p - (negative != NULL ? negative[i] * n : 0.0);

      seed[i] = (float) (factor * a * (s - along * anchor[i] * a));
    }
  drop_rounding (seed, dim, factor * a * (n > 0.0 ? 2.0 : 1.0));
}

static void
seed_of_dot (int dim, const float *positive, const float *negative, float *seed)
{
  for (int i = 0; i < dim; i++)
    seed[i] = positive[i] - (negative != NULL ? negative[i] : 0.0f);
  if (negative != NULL)
    drop_rounding (seed, dim, length (positive, dim) + length (negative, dim));
}

void
cam_score_seed (CamScore score, int dim, const float *anchor,
                const float *positive, const float *negative, float *seed)
{
  switch (score)
    {
    case CAM_SCORE_COSINE:
      seed_of_cosine (1.0, dim, anchor, positive, negative, seed);
      break;
    case CAM_SCORE_TRIPLET:
      seed_of_cosine (2.0, dim, anchor, positive, negative, seed);
      break;
    case CAM_SCORE_DOT: seed_of_dot (dim, positive, NULL, seed); break;
    default: seed_of_dot (dim, positive, negative, seed);
    }
}

/* Whether both point the same way, but for rounding */
static gboolean
same_direction (const float *a, const float *b, int dim)
{
  double u = inverse_length (a, dim), v = inverse_length (b, dim), square = 0.0;

  for (int i = 0; i < dim; i++)
    square += (a[i] * u - b[i] * v) * (a[i] * u - b[i] * v);
  return u > 0.0 && v > 0.0 && sqrt (square) <= 2.0 * ROUNDING;
}

CamEmpty
cam_score_flat (int dim, const float *anchor, const float *positive,
                const float *negative)
{
  g_autofree float *seed = g_new (float, dim);

  cam_score_seed (CAM_SCORE_COSINE, dim, anchor, positive, negative, seed);
  if (length (seed, dim) > 0.0) /* it is lost on the way to the layer */
    return CAM_EMPTY_NO_GRADIENT;
  if (length (anchor, dim) == 0.0
      || (length (positive, dim) == 0.0
          && (negative == NULL || length (negative, dim) == 0.0)))
    return CAM_EMPTY_NO_DIRECTION;
  if (negative != NULL && same_direction (positive, negative, dim))
    return CAM_EMPTY_SAME_EXAMPLES;
  if (same_direction (anchor, positive, dim))
    return CAM_EMPTY_SAME_POSITIVE;
  return CAM_EMPTY_NO_GRADIENT;
}

double
cam_cosine (const float *a, const float *b, int n)
{
  double ab = 0.0, aa = 0.0, bb = 0.0;

  for (int i = 0; i < n; i++)
    {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
  return aa > 0.0 && bb > 0.0 ? ab / sqrt (aa * bb) : 0.0;
}
