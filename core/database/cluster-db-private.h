/* cluster-db-private.h -- an open database, for the files that read it */
#pragma once

#include "core/database/schema.h"

struct _CamClusterDb
{
  char *path;
  guint64 file_size;
  GStringChunk *strings;
  CamClusterDbInfo info;
  float *centroids; /* [n_clusters, embedding_dim]; unit rows where cosine */
  float *weights;   /* [n_clusters, n_channels] */
  int *sizes;       /* [n_clusters] */
  int *lent_from;   /* [n_clusters]; -1: its weights are its own */
  GMutex mutex;     /* over all below, which are read when asked for */
  CamSql *sql;
  char *digest;
  float *embeddings; /* [n_with_weights, embedding_dim]; unit where cosine */
  int *ids;          /* [n_with_weights]: row of embeddings -> picture */
  int n_with_weights;
  GHashTable *picture_weights; /* picture -> float *, [n_channels] */
};

/* Similarity of @embedding to the nearest of @n rows; ties to the lower. */
void cam_cluster_db_nearest (const CamClusterDb *db, const float *rows, int n,
                             const float *embedding, CamClusterMatch *match);
/* Brings a row to unit length; a row of zeros stays. */
void cam_unit_row (float *row, int n);
