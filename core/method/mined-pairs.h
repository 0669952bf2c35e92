/* mined-pairs.h -- the pairs of one anchor that are inside the hinge
 *
 * A pair is a positive and a negative with d(a,n) < d(a,p) + margin.  There may
 * be as many as positives times negatives, so they are counted and numbered,
 * not listed: by positive in the order given, then by the negative's distance,
 * then by its picture.  Semi-hard pairs (d(a,n) > d(a,p)) and hard ones are
 * numbered apart, each from 0.
 *
 * To number them the negatives need not be sorted: they are dealt to bins by
 * distance, and only a bin that a number or a positive falls into is looked at.
 */
#pragma once

#include <glib.h>

typedef struct
{
  const int *pictures;
  int n;
} CamPictureSpan;

typedef struct _CamMinedPairs CamMinedPairs;

/* @cosines: by picture, of the anchor to it; stays the caller's while this is
 * used. (transfer full) */
CamMinedPairs *cam_mined_pairs_new (const float *cosines, double margin,
                                    const CamPictureSpan positives[2],
                                    const CamPictureSpan negatives[2]);
void cam_mined_pairs_free (CamMinedPairs *pairs);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamMinedPairs, cam_mined_pairs_free)

/* How many there are of a kind; _get () is then of that kind. */
guint64 cam_mined_pairs_count (CamMinedPairs *pairs, gboolean semi_hard);
/* The pair of a @number below the count. */
void cam_mined_pairs_get (CamMinedPairs *pairs, guint64 number, int *positive,
                          int *negative);
