/* embedder.h -- pictures to embeddings, nothing else
 *
 * One plan, and a workspace of one thread for each of several workers, which
 * run at once.
 */
#pragma once

#include "core/model/model.h"

typedef struct _CamEmbedder CamEmbedder;

/* (transfer full) */
CamEmbedder *cam_embedder_new (CamModel *model, int n_workers, GError **error);
void cam_embedder_free (CamEmbedder *embedder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamEmbedder, cam_embedder_free)
int cam_embedder_dim (const CamEmbedder *embedder);
CamModel *cam_embedder_model (const CamEmbedder *embedder); /* borrowed */
/* Writes [dim] floats to @out; a worker is one thread's at a time.  Numbers
 * that are not finite are an error. */
gboolean cam_embedder_run (CamEmbedder *embedder, int worker,
                           const CamTensor *input, float *out, GError **error);
