/* triplet.c -- see triplet.h */
#include "config.h"
#include "plugin/triplet.h"
#include "core/method/score.h"

void
cam_triplet_clear (CamTriplet *triplet)
{
  for (int i = 0; i < CAM_N_EXAMPLES; i++)
    g_clear_pointer (&triplet->input[i], cam_tensor_unref);
}

void
cam_own_weights_clear (CamOwnWeights *own)
{
  g_free (own->weights);
  *own = (CamOwnWeights) { 0 };
}

static CamEmpty
flatness (const CamObservation *anchor, const CamObservation *positive,
          const CamObservation *negative)
{
  return cam_score_flat (anchor->embedding->n_elements,
                         anchor->embedding->data, positive->embedding->data,
                         negative ? negative->embedding->data : NULL);
}

static CamObservation *
observe (CamLoaded *loaded, const CamTriplet *triplet, int which,
         GCancellable *cancellable, GError **error)
{
  return cam_explainer_observe (loaded->explainer, triplet->input[which],
                                &triplet->view[which], cancellable, error);
}

gboolean
cam_triplet_explain (CamLoaded *loaded, const CamTriplet *triplet,
                     CamObservation **anchor, CamOwnWeights *own,
                     GCancellable *cancellable, GError **error)
{
  g_autoptr (CamObservation)
      positive = observe (loaded, triplet, CAM_POSITIVE, cancellable, error);
  g_autoptr (CamObservation) negative = NULL, last = NULL;

  if (! positive)
    return FALSE;
  if (triplet->input[CAM_NEGATIVE]
      && ! (negative = observe (loaded, triplet, CAM_NEGATIVE, cancellable,
                                error)))
    return FALSE;
  /* the gradient is of the picture that was last observed */
  last = observe (loaded, triplet, CAM_ANCHOR, cancellable, error);
  if (! last)
    return FALSE;
  own->weights =
      cam_explainer_triplet_weights (loaded->explainer, last,
                                     positive->embedding,
                                     negative ? negative->embedding : NULL,
                                     cancellable, error);
  if (! own->weights)
    return FALSE;
  own->n_weights = cam_explainer_channels (loaded->explainer);
  own->flat = flatness (last, positive, negative);
  *anchor = g_steal_pointer (&last);
  return TRUE;
}
