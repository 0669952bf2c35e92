/* score.c -- what is differentiated where there is no class score */
#include "core/method/score.h"

#include <math.h>

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
    default:
      for (int i = 0; i < dim; i++)
        seed[i] = positive[i];
      if (score == CAM_SCORE_DOT_DIFFERENCE && negative != NULL)
        for (int i = 0; i < dim; i++)
          seed[i] -= negative[i];
    }
}
