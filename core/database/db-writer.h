/* db-writer.h -- writes a cluster database that appears only when it is whole
 *
 * Order: new, then pictures, skipped pictures and clusters (each from 0 up,
 * in any mixture), then finish.  Rows go to PATH.new, which is synced, opened
 * and verified as any reader would, and only then renamed to PATH; whatever
 * was at PATH before stays until that moment.  The same rows give the same
 * file, byte for byte: nothing of the time or the machine goes in.
 */
#pragma once

#include "core/database/cluster-db.h"

typedef struct _CamDbWriter CamDbWriter;

/* May a database appear at @path?  Only where there is nothing, an empty file,
 * or another database of ours. */
gboolean cam_db_may_appear (const char *path, GError **error);

typedef struct
{
  const char *path;
  const char *digest; /* SHA-256 of the file; NULL: not known */
  const char *label;  /* NULL: none */
  gboolean has_value; /* a label that is a number */
  double value;
  int cluster;
  double similarity; /* to the cluster's centroid */
  int triplets, semi_hard,
      active;             /* active: inside the hinge; semi-hard among them */
  const float *embedding; /* [embedding_dim] as the network gives it */
  const float *weights; /* [n_channels]; NULL: its label has no other picture */
} CamDbPicture;

typedef struct
{
  int picture; /* its number; -1: none of this database's */
  const char *path, *label;
  double similarity;
  GBytes *thumbnail; /* NULL: none */
} CamDbExemplar;

typedef struct
{
  int size;
  const float *centroid, *weights;
  const CamLabelCount *labels;
  guint n_labels;
  const CamDbExemplar *exemplars;
  guint n_exemplars;
  gboolean lent; /* none of its pictures has weights: they are lent_from's */
  int lent_from;
} CamDbCluster;

/* @info's n_pictures, n_clusters and far_distance are not looked at before
 * cam_db_writer_finish.  (transfer full) */
CamDbWriter *cam_db_writer_new (const char *path, int embedding_dim,
                                int n_channels, GError **error);
gboolean cam_db_writer_add_picture (CamDbWriter *writer,
                                    const CamDbPicture *picture,
                                    GError **error);
gboolean cam_db_writer_add_skipped (CamDbWriter *writer, const char *path,
                                    const char *reason, GError **error);
gboolean cam_db_writer_add_cluster (CamDbWriter *writer,
                                    const CamDbCluster *cluster,
                                    GError **error);
/* Counts of rows in @info are filled in from what was added. */
gboolean cam_db_writer_finish (CamDbWriter *writer,
                               const CamClusterDbInfo *info, GError **error);
/* Without a finish before: nothing is left behind. */
void cam_db_writer_free (CamDbWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamDbWriter, cam_db_writer_free)
