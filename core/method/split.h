/* split.h -- a network cut in two at its target layer
 *
 * A build runs every picture forward once, then, when all embeddings are known,
 * from the target layer on once more, and back to the layer.  So the network is
 * cut: the head gives the embedding and what the tail needs (the layer's
 * activations, and whatever else crosses the cut, like the shortcut of a
 * residual block); the tail goes from there to the embedding and back.
 *
 *   kept   [cam_split_kept] floats: all tensors on the cut, one after another
 *   alpha  [channels], method.md section 1
 *
 * Where a network cannot be cut (something other than float32 crosses), kept is
 * the network's input and the tail the whole of it: the same numbers, slower.
 *
 * Threads: a CamSplit is shared, a CamSplitRun is one thread's.
 */
#pragma once

#include "core/method/cam.h"

typedef enum
{
  CAM_METHOD_GRADCAM,
  CAM_METHOD_GRADCAMPP,
  CAM_N_METHODS
} CamMethod;

const char *cam_method_name (CamMethod method); /* "gradcam++" (static) */
gboolean cam_method_parse (const char *name, CamMethod *method);

typedef struct _CamSplit CamSplit;
typedef struct _CamSplitRun CamSplitRun;

/* @layer: a tensor's name, of @layout unless that is the model's to guess.
 * (transfer full) */
CamSplit *cam_split_new (CamModel *model, const char *layer, GError **error);
void cam_split_free (CamSplit *split);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamSplit, cam_split_free)
int cam_split_embedding_dim (const CamSplit *split);
int cam_split_channels (const CamSplit *split);
CamLayout cam_split_layout (const CamSplit *split);
gsize cam_split_kept (const CamSplit *split);

/* One thread's memory for both halves (transfer full). */
CamSplitRun *cam_split_run_new (CamSplit *split, GError **error);
void cam_split_run_free (CamSplitRun *run);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamSplitRun, cam_split_run_free)

/* Forward through the head.  @embedding [embedding_dim], @kept (nullable)
 * [cam_split_kept].  Fails where the embedding is not finite. */
gboolean cam_split_forward (CamSplitRun *run, const CamTensor *input,
                            float *embedding, float *kept,
                            GCancellable *cancellable, GError **error);
/* Mean channel weights over the seeds [n_seeds, embedding_dim], through the
 * tail: with Grad-CAM of the mean seed, since it is linear in the seed; with
 * Grad-CAM++ of each.  @n_below: positions that Grad-CAM++ left out because
 * their denominator is not positive, added up. */
gboolean cam_split_weights (CamSplitRun *run, const float *kept,
                            CamMethod method, double eps, const float *seeds,
                            int n_seeds, float *alpha, gsize *n_below,
                            GCancellable *cancellable, GError **error);
