/* embedding-candidates.h -- which outputs could be the embedding, and which
 * are something else that looks like one
 *
 * An embedding is one vector for each picture.  So are a classifier's
 * probabilities and logits, a box, an age.  What tells them apart is what made
 * them (a Softmax, a last linear layer with bias), whether they are made of
 * another output, and their names.
 */
#pragma once

#include "core/engine/network.h"

typedef enum
{
  CAM_SCORES_NONE,
  CAM_SCORES_LIKELY, /* a last linear layer to as many numbers as classes */
  CAM_SCORES_CERTAIN /* a Softmax or Sigmoid */
} CamScores;

typedef struct
{
  char *name;
  CamDType dtype;
  CamShape shape;   /* for one picture; n_dims -1: cannot be had, see problem */
  char *problem;    /* or NULL */
  gboolean vector;  /* more than one number for each picture, all along one
                       dimension */
  gboolean picture; /* it is made of an input that a picture could go into */
  gint64 batch;     /* pictures that this input takes at a time: 1 if open */
  char *other; /* an input without a value that it needs besides, or NULL */
  CamScores scores;
  char *op;     /* operator that makes the scores */
  char *before; /* the vector that the scores are made of; NULL: none */
  int rank;
} CamEmbeddingCandidate;

void cam_embedding_candidate_free (CamEmbeddingCandidate *candidate);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamEmbeddingCandidate,
                               cam_embedding_candidate_free)
/* Of the tensor @name, for one picture of the network's size, looked at by
 * itself: its rank does not say whether it is made of another. (transfer full)
 */
CamEmbeddingCandidate *cam_embedding_candidate_new (const CamNetwork *network,
                                                    const char *name);

/* All outputs in the file's order, and @also (nullable), any tensor, behind
 * them; of @height x @width pictures (0: the network's).  (transfer full) array
 * of CamEmbeddingCandidate */
GPtrArray *cam_embedding_candidates (const CamNetwork *network,
                                     const char *also, int height, int width);
/* It could be the embedding of a picture (float32 or not, scores or not). */
gboolean
cam_embedding_candidate_is_possible (const CamEmbeddingCandidate *candidate);
/* By its name, or by so few numbers, it is boxes, an age or the like. */
gboolean
cam_embedding_candidate_is_measure (const CamEmbeddingCandidate *candidate);
/* The possible one of the highest rank; the first of those; or NULL. */
const CamEmbeddingCandidate *
cam_embedding_candidates_best (const GPtrArray *candidates);
/* [1, D], [1, 1, D], [1, D, 1, 1]..., D > 1 */
gboolean cam_shape_is_vector (const CamShape *shape);
