/* model-plan.c -- shapes and checks that plans of a model share */
#include "core/method/model-plan.h"

#include <glib/gi18n.h>
#include <math.h>

#include "core/model/model-embedding.h"

CamShape
cam_model_input_shape (const CamModel *model)
{
  const CamInputSettings *in = &model->input;
  gint64 n_channels = in->channels == CAM_CHANNELS_GRAY ? 1 : 3;
  gint64 nchw[4] = { 1, n_channels, in->height, in->width };
  gint64 nhwc[4] = { 1, in->height, in->width, n_channels };

  return cam_shape_make (4, in->nhwc ? nhwc : nchw);
}

gboolean
cam_model_check_embedding (const CamModel *model, const CamPlan *plan, int *dim,
                           GError **error)
{
  CamShape shape;
  CamDType dtype;
  gsize n = 0;

  if (! cam_plan_shape (plan, model->embedding, &dtype, &shape))
    g_return_val_if_reached (FALSE);
  if (! cam_model_embedding_fits (model->embedding, dtype, &shape, error))
    return FALSE;
  cam_shape_count (&shape, sizeof (float), &n);
  g_return_val_if_fail (n > 0 && n <= G_MAXINT, FALSE);
  *dim = (int) n;
  return TRUE;
}

gboolean
cam_model_check_finite (const CamTensor *tensor, const char *what,
                        GError **error)
{
  const float *v = (const float *) tensor->data;

  for (gsize i = 0; i < tensor->n_elements; i++)
    if (! isfinite (v[i]))
      {
        g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
                     _ ("The network gives numbers that are not finite (“%s”); "
                        "are scale, mean and std of its input right?"),
                     what);
        return FALSE;
      }
  return TRUE;
}
