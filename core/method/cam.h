/* cam.h -- channel weights and class activation maps (method.md sections 1, 3)
 */
#pragma once

#include "core/image/overlay.h"
#include "core/model/model.h"

/* Reads activations [1, ...] or [...] as K x h x w by @layout.  tokens without
 * a square number of positions are refused.  (transfer full) float32 [K, h, w]
 */
CamTensor *cam_activations_chw (const CamTensor *activations, CamLayout layout,
                                GError **error);
/* The layout that the shape of a layer suggests, for pictures of @input's
 * proportions. */
CamLayout cam_layout_guess (const CamShape *shape,
                            const CamInputSettings *input);
/* Grad-CAM: alpha_k = mean over positions of gradient [K, h, w] (Selvaraju et
 * al. 2017, eq. 1); 0 where they cancel out but for float32's rounding */
void cam_gradcam_weights (const CamTensor *gradient, float *alpha);
/* Grad-CAM++ (Chattopadhay et al. 2018); returns how many positions with a
 * gradient above 0 had a denominator <= 0, which makes them contribute 0. */
gsize cam_gradcampp_weights (const CamTensor *gradient,
                             const CamTensor *activations, double eps,
                             float *alpha);
/* Channel numbers of the k largest weights, largest first, ties to the lower
 * number; k 0 or > K: all.  Returns how many. */
int cam_top_channels (const float *alpha, int n_channels, int k, int *channels);
/* M = ReLU (sum over the top k of alpha_k A_k), 0 where the sum is nothing but
 * rounding.  @alpha: [@n_alpha], as many as the activations have channels, else
 * MISMATCH.  A map that is not finite is an error; one whose maximum is too
 * small to divide by is empty, and ->empty says why.  (transfer full) */
CamHeatMap *cam_heat_map_new (const CamTensor *activations_chw,
                              const float *alpha, int n_alpha, int k,
                              GError **error);
/* Why it is empty, as a clause that goes on from "the map is empty: "; @empty is
 * not CAM_EMPTY_NOT. (static) */
const char *cam_empty_reason (CamEmpty empty);
/* The same in one word, for programs: "against", "same-positive" (static) */
const char *cam_empty_word (CamEmpty empty);
