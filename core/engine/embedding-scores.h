/* embedding-scores.h -- signs by which scores and embeddings are told apart */
#pragma once

#include "core/engine/embedding-candidates.h"

typedef enum
{
  CAM_NAME_NOTHING,
  CAM_NAME_STRONG,  /* "image_embeds" */
  CAM_NAME_WEAK,    /* "features"     */
  CAM_NAME_SCORES,  /* "logits"       */
  CAM_NAME_MEASURE, /* "boxes", "age" */
  CAM_NAME_OTHER    /* "text_embeds"  */
} CamEmbeddingName;

/* What the words of @name say, whatever stands between them */
CamEmbeddingName cam_embedding_name (const char *name);

/* @value of a bound graph: what it is another shape of, or a copy */
const CamValue *cam_scores_root (const CamValue *value);

/* Whether @value of a bound graph, called @name, is a classifier's result.
 * *@op, *@before: as in CamEmbeddingCandidate (transfer full) */
CamScores cam_scores_judge (const CamValue *value, const char *name, char **op,
                            char **before);
