/* triplets.h -- which pictures an anchor is held against
 *
 * method.md section 2.  Pictures are sorted by label (or by value); an anchor's
 * positives are then one run of that order without itself, and its negatives
 * all that lie outside of another run, so that nothing is listed pair by pair.
 *
 *   labels  both runs are the anchor's label
 *   values  positives: the nearest 5 % of the others (at least one), negatives:
 *           the farthest 50 % of those farther than any positive; ties keep
 *           the lower numbers near
 *
 * What is drawn for a picture depends on the seed and its key alone.
 */
#pragma once

#include <glib.h>

typedef enum
{
  CAM_MINING_RANDOM,
  CAM_MINING_SEMI_HARD
} CamMining;

const char *cam_mining_name (CamMining mining); /* "semi-hard" (static) */
gboolean cam_mining_parse (const char *name, CamMining *mining);

typedef struct
{
  int positive, negative; /* negative -1: none (score dot) */
} CamTriplet;

typedef struct _CamTriplets CamTriplets;

/* @labels: [n], equal numbers are equal labels (transfer full) */
CamTriplets *cam_triplets_new_labels (const int *labels, int n);
/* @values: [n], finite (transfer full) */
CamTriplets *cam_triplets_new_values (const double *values, int n);
void cam_triplets_free (CamTriplets *triplets);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamTriplets, cam_triplets_free)

int cam_triplets_n_positives (const CamTriplets *triplets, int anchor);
int cam_triplets_n_negatives (const CamTriplets *triplets, int anchor);

typedef struct
{
  int n_triplets;         /* wanted for each anchor */
  gboolean with_negative; /* FALSE: the score has none, so nothing is mined */
  CamMining mining;
  double margin;
  guint64 seed;
} CamTripletOptions;

typedef struct /* what was drawn, by its distances */
{
  int n;         /* n_triplets, or 0: no positive or no negative */
  int semi_hard; /* d(a,p) < d(a,n) < d(a,p) + margin            */
  int active;    /* d(a,n) < d(a,p) + margin, semi-hard included */
} CamTripletCounts;

/* @cosines: [n] of @anchor to all, may be NULL with random mining.  @key: the
 * number that the draw is tied to.  @out: [n_triplets].  Random: every triplet
 * drawn alone, repetition possible.  Semi-hard: as many different semi-hard
 * ones as there are, drawn evenly where there are more than are wanted; then
 * of those with d(a,n) <= d(a,p); then random ones. */
CamTripletCounts cam_triplets_draw (const CamTriplets *triplets,
                                    const CamTripletOptions *options,
                                    int anchor, guint64 key,
                                    const float *cosines, CamTriplet *out);
/* Counts by the cosines of each triplet's own (with a negative). */
void cam_triplets_count (double margin, double cosine_positive,
                         double cosine_negative, CamTripletCounts *counts);
