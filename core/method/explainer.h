/* explainer.h -- one picture, one forward pass, one look-up: the whole way
 *
 *   CamModel + layer -> CamExplainer          (once; loads, plans)
 *   picture rows -> CamInputBuilder -> input  (per picture)
 *   cam_explainer_observe -> CamObservation   (forward pass; activations kept)
 *   cam_cluster_db_find -> weights            (look-up)
 *   cam_heat_map_new -> CamHeatMap            (per change of top-k; no network)
 *
 * Threads: a CamExplainer is used by one thread at a time.
 */
#pragma once

#include "core/database/cluster-db.h"
#include "core/method/cam.h"
#include "core/model/model.h"

typedef enum
{
  CAM_TRANSFER_CLUSTER,
  CAM_TRANSFER_NEIGHBOUR
} CamTransfer;

typedef struct _CamExplainer CamExplainer;

/* @layer NULL: the model's, else the fallback.  @gradient: TRUE where explicit
 * triplets will be asked for.
 * @n_threads 0: all cores. (transfer full) */
CamExplainer *cam_explainer_new (CamModel *model, const char *layer,
                                 gboolean gradient, int n_threads,
                                 GError **error);
/* One more of the same network, layer and plan, for another thread. (transfer
 * full) */
CamExplainer *cam_explainer_share (const CamExplainer *explainer, int n_threads,
                                   GError **error);
void cam_explainer_free (CamExplainer *explainer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamExplainer, cam_explainer_free)
const char *cam_explainer_layer (const CamExplainer *explainer);
/* TRUE: nobody chose it, it is the last before the pooling: say so. */
gboolean cam_explainer_layer_is_fallback (const CamExplainer *explainer);
int cam_explainer_embedding_dim (const CamExplainer *explainer);
int cam_explainer_channels (const CamExplainer *explainer);

typedef struct /* what a forward pass left: independent of the explainer */
{
  char *layer, *model_digest; /* of what, and how it was read */
  CamLayout layout;
  CamTensor *activations; /* [K, h, w] float32 */
  CamTensor *embedding;   /* [D] float32, as the network gives it */
  CamView view;
} CamObservation;
void cam_observation_free (CamObservation *observation);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamObservation, cam_observation_free)

/* Whether @explainer would observe the same of the same picture. */
gboolean cam_observation_is_of (const CamObservation *observation,
                                const CamExplainer *explainer);

/* @input from cam_input_builder_finish.  (transfer full) */
CamObservation *cam_explainer_observe (CamExplainer *explainer,
                                       const CamTensor *input,
                                       const CamView *view,
                                       GCancellable *cancellable,
                                       GError **error);

typedef struct
{
  CamTransfer transfer;
  CamClusterMatch match; /* of the cluster, or the neighbour */
  int cluster;           /* nearest cluster in any case */
  double cluster_similarity;
  gboolean far;
  int second_cluster; /* the next nearest; -1: there is no other */
  double second_similarity;
  gboolean far_unknown; /* the database has no bound to say it by */
} CamLookup;
/* Refuses with OTHER_MODEL an observation of another network or layer than the
 * database's. */
gboolean cam_lookup (const CamClusterDb *db, const CamObservation *observation,
                     CamTransfer transfer, CamLookup *lookup, GError **error);

/* Gradient of <seed, embedding> at the layer, of the picture last observed.
 * @seed: [D].  (transfer full) [K, h, w] */
CamTensor *cam_explainer_gradient (CamExplainer *explainer,
                                   const CamTensor *seed,
                                   GCancellable *cancellable, GError **error);

/* Own gradient of an explicit triplet (negative NULL: a pair, y = cos(a,p)):
 * alpha of y = cos(a,p) - cos(a,n), [K] floats (transfer full).  Must be the
 * picture last observed.  Where there is no gradient they are zeros, and
 * cam_score_flat says why. */
float *cam_explainer_triplet_weights (CamExplainer *explainer,
                                      const CamObservation *anchor,
                                      const CamTensor *positive_embedding,
                                      const CamTensor *negative_embedding,
                                      GCancellable *cancellable,
                                      GError **error);

/* Where an overlay comes from, as JSON text: model and database digests, layer,
 * cluster, its labels, similarity, the next nearest cluster, top-k, transfer,
 * program version. @db NULL for explicit triplets. (transfer full) */
char *cam_provenance_json (const CamModel *model, const char *layer,
                           const CamClusterDb *db, const CamLookup *lookup,
                           int top_k);
