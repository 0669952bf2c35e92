/* builder.h -- a folder of pictures into a cluster database
 *
 *   0  where no layer is named: candidates for one are tried on a sample
 *   1  every picture: decode, forward to the target layer and the embedding
 *   2  triplets for every picture (method.md section 2), the mean seed, from
 *      the layer on and back to it: channel weights
 *   3  spherical k-means of the embeddings, mean weights, the database
 *
 * What 0, 1 and 2 find is kept in OUT.partial, a SQLite file, with a commit
 * every two seconds: a build that is ended in any way can be resumed, and gives
 * the same database as one that was not, with any number of jobs.  OUT itself
 * appears, or is replaced, when it is complete and verified.
 *
 * Memory: the embeddings (pictures x embedding x 4 bytes), triplets (pictures x
 * triplets x 8 bytes), and for each job the network's activations and a few
 * inputs.  With semi-hard mining also 64 x pictures x 4 bytes a job.
 * The activations of pass 1 lie in a scratch file without a name, of at most
 * cache_bytes; what does not fit is decoded and run forward again.
 *
 * Core decodes no pictures: the caller lends a loader.
 */
#pragma once

#include "core/database/cluster-db.h"
#include "core/method/score.h"
#include "core/method/split.h"
#include "core/method/triplets.h"

typedef struct
{
  const char *path;  /* to open */
  const char *name;  /* as recorded */
  const char *label; /* NULL: none; of a number: its text */
  double value;      /* of a continuous label */
} CamBuildPicture;

typedef enum
{
  CAM_BUILD_CHOOSING,  /* of a layer; counts trials of candidates */
  CAM_BUILD_EMBEDDING, /* pass 1 */
  CAM_BUILD_MINING,    /* drawing triplets */
  CAM_BUILD_WEIGHING,  /* pass 2 */
  CAM_BUILD_CLUSTERING,
  CAM_N_BUILD_STAGES
} CamBuildStage;

/* "embedding" (static) */
const char *cam_build_stage_name (CamBuildStage stage);

typedef struct
{
  CamModel *model;
  const char *layer; /* NULL: that of the build that is resumed, else chosen
                        by measurement on a sample of the pictures */
  const CamBuildPicture *pictures;
  int n_pictures;
  gboolean continuous; /* labels are values */
  CamMethod method;
  CamScore score;
  CamMining mining;
  int n_triplets;
  double margin, eps;
  int n_clusters, restarts;
  guint64 seed;
  int n_jobs; /* 0: all cores */
  guint64 cache_bytes;
  gboolean compact;
  gboolean resume;  /* go on with OUT.partial where there is one */
  gboolean restart; /* throw OUT.partial away where there is one; with neither,
                       one that holds pictures is an error */
  const char *program_version;

  /* The network's input of a file (transfer full); by any thread. */
  CamTensor *(*load) (const char *path, gpointer data, GError **error);
  /* JPEG (transfer full), NULL: none; by any thread; may be NULL. */
  GBytes *(*thumbnail) (const char *path, gpointer data);
  /* By the caller's thread, some times a second; may be NULL. */
  void (*progress) (CamBuildStage stage, gint64 done, gint64 total,
                    gpointer data);
  gpointer data;
} CamBuildOptions;

typedef struct
{
  char *name, *word; /* of skip-reason.h, for the database */
  char *reason;      /* for people */
} CamSkippedPicture;

typedef struct /* zero it first */
{
  char *layer;
  char *layer_choice; /* what was measured, in words; NULL: nothing was */
  int n_pictures;     /* in the database */
  int n_alone;        /* of a label without another picture: no weights */
  int n_clusters, n_wanted;
  int n_lent;     /* clusters whose weights are their neighbour's */
  int n_resumed;  /* of them, those that an earlier run had embedded */
  gint64 n_below; /* positions that Grad-CAM++ left out */
  gint64 n_triplets, n_semi_hard, n_active;
  int n_changed; /* pictures whose file is another than when it was embedded */
  char *changed; /* the first of them */
  gboolean scratch_was_short; /* the disk had no room for all activations */
  gboolean was_complete; /* resume found nothing left to do */
  GPtrArray *skipped;    /* of CamSkippedPicture */
} CamBuildSummary;

void cam_build_summary_clear (CamBuildSummary *summary);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CamBuildSummary, cam_build_summary_clear)

/* Errors: CAM_CLUSTER_DB_ERROR BUSY, WRITE; G_IO_ERROR_CANCELLED; of the model;
 * G_IO_ERROR_INVALID_ARGUMENT where the pictures cannot make triplets, or
 * OUT.partial is of another build.  OUT.partial stays, to be resumed. */
gboolean cam_build_database (const CamBuildOptions *options, const char *out,
                             CamBuildSummary *summary,
                             GCancellable *cancellable, GError **error);
