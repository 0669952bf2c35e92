/* cluster-db.h -- what a network looks at, region by region of its embedding
 *
 * Grad-CAM needs a gradient, and an embedding has no class score to take one
 * from.  So gradients are taken once, over a folder of training images, and
 * images whose embeddings lie together share one averaged set of weights.  A
 * new image then costs a forward pass and a look-up, but no backward pass.
 *
 *   centroids  [n_clusters, embedding_dim]  float32
 *   weights    [n_clusters, n_channels]     mean d(score) / d(activation)
 *
 * Threads: a CamClusterDb never changes once opened; any number may read it.
 */
#pragma once

#include <gio/gio.h>
#include "core/base/tensor.h"

#define CAM_CLUSTER_DB_ERROR (cam_cluster_db_error_quark ())
GQuark cam_cluster_db_error_quark (void);
/* One code per thing a caller could do about it; the message says the rest. */
typedef enum
{
  CAM_CLUSTER_DB_ERROR_MALFORMED,   /* not ours, cut short, or corrupted      */
  CAM_CLUSTER_DB_ERROR_VERSION,     /* ours, but from a later release         */
  CAM_CLUSTER_DB_ERROR_OTHER_MODEL, /* built for another network: rebuild it  */
  CAM_CLUSTER_DB_ERROR_COMPACT, /* holds no pictures: no neighbour transfer */
  CAM_CLUSTER_DB_ERROR_BUSY,    /* another builder is at it                */
  CAM_CLUSTER_DB_ERROR_WRITE    /* disk full, folder read-only             */
} CamClusterDbError;

typedef enum
{
  CAM_METRIC_COSINE,
  CAM_METRIC_EUCLIDEAN
} CamMetric;
const char *cam_metric_name (CamMetric metric); /* "cosine" (static) */
gboolean cam_metric_parse (const char *name, CamMetric *metric);

typedef struct _CamClusterDb CamClusterDb;

typedef struct /* what the database says of itself; borrowed strings */
{
  const char *model_digest, *model_name, *layer, *layout, *method, *score,
      *mining, *program_version;
  CamMetric metric;
  int n_clusters, embedding_dim, n_channels,
      n_pictures; /* pictures 0: compact */
  int triplets, restarts;
  guint64 seed;
  double margin, eps;
  double far_distance;       /* 1 - similarity beyond which a picture is far;
                                < 0: not known */
  const char *far_way;       /* how it was measured: "folds", "leave-one-out",
                                "given"; NULL: not known */
  int n_wanted;              /* clusters that were asked for; 0: not known */
  const char *preprocessing; /* how pictures went in, for people */
  const char *layer_choice;  /* what `--layer auto` measured; NULL: not asked */
} CamClusterDbInfo;

typedef struct /* the answer to a look-up */
{
  int index;         /* of the cluster or the picture, from 0 */
  double similarity; /* cosine, or 1 / (1 + distance)         */
  int second;        /* the next nearest; -1: there is no other */
  double second_similarity;
  gboolean far;         /* farther than 99 % of pictures like its own */
  gboolean far_unknown; /* the database has no bound, or none to rely on */
  const float *weights; /* [n_channels], borrowed from the database */
} CamClusterMatch;

typedef struct
{
  char *label;
  int count;
} CamLabelCount;
typedef struct
{
  char *name;
  char *label;
  GBytes *thumbnail; /* JPEG or PNG; NULL: none */
} CamExemplar;
typedef struct
{
  int n_members;
  int lent_from;        /* the cluster whose weights it uses; -1: its own */
  GArray *labels;       /* CamLabelCount, most frequent first */
  GPtrArray *exemplars; /* CamExemplar, nearest first         */
} CamCluster;

/* (transfer full).  Opens read-only, checks all sizes.  */
CamClusterDb *cam_cluster_db_open (const char *path, GError **error);
void cam_cluster_db_free (CamClusterDb *db);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamClusterDb, cam_cluster_db_free)
const CamClusterDbInfo *cam_cluster_db_info (const CamClusterDb *db);
/* SHA-256 of the file (borrowed) */
const char *cam_cluster_db_digest (const CamClusterDb *db);
const char *cam_cluster_db_path (const CamClusterDb *db);
/* Refuses with OTHER_MODEL a database of another model digest, or another
 * channel or embedding count. */
gboolean cam_cluster_db_fits (const CamClusterDb *db, const char *model_digest,
                              int embedding_dim, int n_channels,
                              GError **error);
/* Finds the centroid nearest to @embedding ([embedding_dim], as the network
 * gives it) in the metric that the database records.  Ties go to the lower
 * row, so results repeat.  Cost: one sgemv over all centroids. */
void cam_cluster_db_find (const CamClusterDb *db, const float *embedding,
                          CamClusterMatch *match);
/* The nearest training picture; COMPACT where there are none. */
gboolean cam_cluster_db_find_neighbour (const CamClusterDb *db,
                                        const float *embedding,
                                        CamClusterMatch *match, GError **error);
/* Mean channel weights of a cluster, [n_channels] (borrowed), and how many
 * pictures they are the mean of. */
const float *cam_cluster_db_weights (const CamClusterDb *db, int cluster,
                                     int *n_members);
/* TRUE where the embeddings it was built of are all the same or nearly so: one
 * cluster was found where more were looked for. */
gboolean cam_cluster_db_is_alike (const CamClusterDb *db);
/* Are two unit rows the same but for what rounding to float32 does? */
gboolean cam_rows_same (const float *unit, const float *other, int n);
/* Members, labels, exemplars of a cluster (transfer full); NULL with an error
 * where the file cannot be read. */
CamCluster *cam_cluster_db_cluster (const CamClusterDb *db, int cluster,
                                    GError **error);
/* The exemplar (name, label, thumbnail) of picture @index as neighbour look-ups
 * number them. (transfer full) */
CamExemplar *cam_cluster_db_picture (const CamClusterDb *db, int index,
                                     GError **error);
void cam_cluster_free (CamCluster *cluster);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamCluster, cam_cluster_free)
void cam_exemplar_free (CamExemplar *exemplar);
