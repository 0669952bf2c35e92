/* faithfulness.h -- does what the map marks move the embedding?
 *
 * Deletion and insertion (Petsiuk et al. 2018, RISE), of the cosine between the
 * embedding and its own original: the pixels of the network's input are
 * replaced by the input's mean colour (deletion), or put back into a field of
 * it (insertion), most marked first.  A map that marks what matters has a small
 * area under the first curve and a large one under the second.
 */
#pragma once

#include "core/method/embedder.h"

typedef struct /* areas under the curves, 0..1 of the pixels */
{
  double insertion, deletion;
} CamFaithfulness;

/* @map: [input height * input width], as large as the input; equal values are
 * taken in reading order.  @steps: intervals of the curves; costs 2 @steps
 * forward passes.  @curves (nullable): [2, steps + 1], insertion and deletion.
 * An all-zero map scores 0. */
gboolean cam_faithfulness (CamEmbedder *embedder, int worker,
                           const CamTensor *input, const float *map, int steps,
                           CamFaithfulness *areas, float *curves,
                           GError **error);
/* insertion - deletion */
double cam_faithfulness_score (const CamFaithfulness *areas);
