/* model-plan.h -- what every plan of a model needs: its input's shape, a check
 * of its embedding, a check of its numbers */
#pragma once

#include "core/engine/plan.h"
#include "core/model/model.h"

/* Of one picture */
CamShape cam_model_input_shape (const CamModel *model);
/* The plan's embedding is one float32 vector: *@dim its length. */
gboolean cam_model_check_embedding (const CamModel *model, const CamPlan *plan,
                                    int *dim, GError **error);
/* FALSE with an error where @tensor (float32) holds infinities or NaN. */
gboolean cam_model_check_finite (const CamTensor *tensor, const char *what,
                                 GError **error);
