/* seeds.h -- from triplets to what is sent backward
 *
 * method.md section 2: the seed of a triplet is dy/de of its anchor.  Grad-CAM
 * needs only their mean, and the projection that the normalisation of the
 * anchor brings, (I - u u') / |e|, is the same for all of them: so the sum is
 * taken first and projected once.  cam_score_seed is the plain form of one.
 */
#pragma once

#include "core/method/score.h"
#include "core/method/triplets.h"

typedef struct /* all embeddings, as the score reads them */
{
  CamScore score;
  int n, dim;
  const float *unit;  /* [n, dim] at unit length (zeros stay zeros) */
  const float *norms; /* [n] lengths as the network gave them */
} CamSeedRows;

/* @mean: their mean, [dim]; else each, [n_triplets, dim]. */
void cam_seeds (const CamSeedRows *rows, int anchor, const CamTriplet *triplets,
                int n_triplets, gboolean mean, float *seeds);
/* Adds to @counts what each triplet's own distances say. */
void cam_seeds_count (const CamSeedRows *rows, int anchor,
                      const CamTriplet *triplets, int n_triplets, double margin,
                      CamTripletCounts *counts);
