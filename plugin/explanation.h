/* explanation.h -- what the network sees in one picture, ready to be laid on it
 *
 * Made from an observation (one forward pass) and weights (looked up, or of an
 * explicit triplet); made again in a moment when top-k or the transfer change.
 */
#pragma once

#include "plugin/triplet.h"

typedef struct
{
  CamLookup lookup; /* cluster -1 for explicit triplets */
  CamHeatMap *map;
  CamView view;
  int top_k;        /* as asked for */
  int n_kept;       /* channels that were kept */
  char *name;       /* "Grad-CAM: cluster 12, top 50" */
  char *provenance; /* JSON */
} CamExplanation;

/* By look-up in the database. (transfer full) */
CamExplanation *cam_explanation_look_up (const CamLoaded *loaded,
                                         const CamObservation *observation,
                                         const CamOptions *settings,
                                         GError **error);
/* By the weights of an explicit pair or triplet. (transfer full) */
CamExplanation *cam_explanation_of_weights (const CamLoaded *loaded,
                                            const CamObservation *observation,
                                            const CamOwnWeights *own,
                                            gboolean triplet,
                                            const CamOptions *settings,
                                            GError **error);
void cam_explanation_free (CamExplanation *explanation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamExplanation, cam_explanation_free)

/* The map's numbers and where it lies, as JSON; exact to the last digit. */
char *cam_heat_map_to_json (const CamHeatMap *map, const CamView *view);
CamHeatMap *cam_heat_map_from_json (const char *json, CamView *view,
                                    GError **error);
