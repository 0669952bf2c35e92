/* db-arrays.h -- databases out to NumPy's arrays, and in from elsewhere
 *
 *   centroids.npy   float32 [clusters, D]    weights.npy     float32 [clusters,
 * K] sizes.npy       int64 [clusters]         labels.json     see below
 *   embeddings.npy  float32 [pictures, D]    picture_weights.npy  float32
 * [pictures, K] clusters.npy    int64 [pictures]         triplets.npy    int64
 * [pictures, 3] pictures.json   see below
 *
 * labels.json is an array with one entry a cluster: an object of label to
 * count, a label, or null.  lookup.json is {"metric": "cosine",
 * "far_distance": 0.3}, the latter 1 - similarity, or absent.  The files of
 * pictures are there where the database has pictures; a picture without weights
 * has a row of NaN.
 */
#pragma once

#include "core/database/cluster-db.h"

/* Creates the folder where it is missing. */
gboolean cam_db_export (const char *path, const char *folder, GError **error);

/* The metric where nobody names one: that of lookup.json, else, with @judged,
 * cosine where all centroids are of length 1 (there both find the same), and
 * euclidean where they are not. */
gboolean cam_db_import_metric (const char *folder, CamMetric *metric,
                               gboolean *judged, GError **error);
/* Makes a compact database of centroids.npy, weights.npy and, where they are
 * there, sizes.npy, labels.json and lookup.json.  @info: model, layer, metric;
 * the rest is filled in.  @embedding_dim, @n_channels: what the arrays must
 * have. */
gboolean cam_db_import (const char *folder, const CamClusterDbInfo *info,
                        int embedding_dim, int n_channels, const char *path,
                        GError **error);
