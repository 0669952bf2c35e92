/* explain.h -- from weights to an overlay, whatever the weights are */
#pragma once

#include "core/method/explainer.h"

/* Makes maps of a few channels and of all of them, lays them on the picture,
 * and asserts that what comes out are numbers; what cannot be a map has words.
 */
void fuzz_explain (const CamObservation *observation, const float *weights,
                   int n_weights);
/* Asserts that @json can be parsed, and frees it. */
void fuzz_parse (char *json);
