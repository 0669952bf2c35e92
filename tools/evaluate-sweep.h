/* evaluate-sweep.h -- what a sweep found, for its report */
#pragma once

#include "core/method/layer-choice.h"
#include "tools/evaluate.h"

typedef struct
{
  const EvaluateOptions *options;
  const EvaluateData *data;
  const CamModel *model;
  GPtrArray *chosen, *reported; /* CamLayerTrial, by worth */
  const CamLayerTrial *best;    /* of chosen */
} EvaluateSweep;

/* FOLDER/index.html; evaluate_report_check () comes before the work. */
gboolean evaluate_sweep_report (const EvaluateSweep *sweep, const char *folder,
                                GError **error);
