/* score.h -- the score of an embedding network and its seed dy/de
 *
 * method.md section 2.  The embedding is as the network gives it; where the
 * score is of normalised embeddings, the gradient of the normalisation,
 * (I - u u') / |e| with u = e / |e|, is in the seed.
 */
#pragma once

#include "core/image/overlay.h"

typedef enum
{
  CAM_SCORE_COSINE,         /* cos (a, p) - cos (a, n)                   */
  CAM_SCORE_TRIPLET,        /* -(d (a, p) - d (a, n) + margin)           */
  CAM_SCORE_DOT,            /* e_a . e_p                                 */
  CAM_SCORE_DOT_DIFFERENCE, /* e_a . e_p - e_a . e_n                    */
  CAM_N_SCORES
} CamScore;

const char *cam_score_name (CamScore score); /* "dot-difference" */
gboolean cam_score_parse (const char *name, CamScore *score);
/* Whether the score has a negative in it: all but dot. */
gboolean cam_score_has_negative (CamScore score);

/* @seed [dim] = dy/de_a of one triplet, @negative NULL: a pair (no negative
 * term).  An embedding of length zero has no direction: the seed is 0; so it is
 * where what remains of the embeddings' difference is their rounding. */
void cam_score_seed (CamScore score, int dim, const float *anchor,
                     const float *positive, const float *negative, float *seed);
/* Why channel weights that are the gradient of the cosine score are all zero */
CamEmpty cam_score_flat (int dim, const float *anchor, const float *positive,
                         const float *negative);

/* Of two embeddings [n]; 0 where one has no length */
double cam_cosine (const float *a, const float *b, int n);
