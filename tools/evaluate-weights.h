/* evaluate-weights.h -- channel weights of one picture for any row */
#pragma once

#include "tools/evaluate.h"

typedef struct /* one picture, one layer */
{
  const Evaluation *e;
  CamExplainer *explainer; /* that observed it last */
  const CamObservation *observation;
  guint picture;
  float *seeds; /* [T, dim]; NULL: not drawn; n_seeds 0: cannot be */
  int n_seeds;
  float *own[4]; /* gradcam of 1 and T, gradcam++ of 1 and T; made once */
} EvaluateContext;

void evaluate_context_clear (EvaluateContext *context);
/* [K] (transfer full, g_free); NULL without an error: the row does not go with
 * this picture (no label, no training picture of its label). */
float *evaluate_weights (EvaluateContext *context, const EvaluateRow *row,
                         GError **error);
