/* triplet.h -- the gradient of an explicit pair or triplet of pictures
 *
 * y = cos (anchor, positive) - cos (anchor, negative), see method.md section 5.
 * Nothing here touches GIMP or GTK: it is work for a thread.
 */
#pragma once

#include "plugin/loaded.h"

enum
{
  CAM_ANCHOR,
  CAM_POSITIVE,
  CAM_NEGATIVE, /* may be absent: then a pair is explained */
  CAM_N_EXAMPLES
};

typedef struct
{
  CamTensor *input[CAM_N_EXAMPLES]; /* owned; NULL where absent */
  CamView view[CAM_N_EXAMPLES];
} CamTriplet;

void cam_triplet_clear (CamTriplet *triplet);

typedef struct /* what the gradient says of the layer's channels */
{
  float *weights; /* [n_weights], owned; NULL: none were made */
  int n_weights;
  CamEmpty flat; /* why, where all are zero */
} CamOwnWeights;

void cam_own_weights_clear (CamOwnWeights *own);

/* Three forward passes and a backward one.  The anchor's observation (transfer
 * full) and the channel weights, of which there were none. */
gboolean cam_triplet_explain (CamLoaded *loaded, const CamTriplet *triplet,
                              CamObservation **anchor, CamOwnWeights *own,
                              GCancellable *cancellable, GError **error);
