/* layer-sample.h -- the pictures that candidates for a layer are tried on */
#pragma once

#include "core/base/threads.h"
#include "core/method/embedder.h"
#include "core/method/layer-choice.h"
#include "core/method/triplets.h"

typedef struct
{
  int n, dim;
  int *pictures;         /* [n] numbers of the caller       */
  CamTensor **inputs;    /* [n]                             */
  CamView *views;        /* [n]                             */
  float **masks;         /* [n] in the network's view, NULL: none */
  float *embeddings;     /* [n, dim]                        */
  int *labels;           /* [n]                             */
  CamTriplets *triplets; /* within the sample            */
} CamLayerSample;

/* Labels in turn, drawn with the seed: at least two pictures of a label, three
 * labels or more where there are.  Pictures that cannot be read are left out.
 * (transfer full) */
CamLayerSample *cam_layer_sample_new (const CamLayerChoiceOptions *options,
                                      CamEmbedder *embedder,
                                      CamThreads *threads, GError **error);
void cam_layer_sample_free (CamLayerSample *sample);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamLayerSample, cam_layer_sample_free)

/* Mean seed dy/de of picture @i over @n_triplets drawn in the sample; FALSE: it
 * has no positive or no negative there. */
gboolean cam_layer_sample_seed (const CamLayerSample *sample, int i,
                                CamScore score, int n_triplets, guint64 seed,
                                float *out);
