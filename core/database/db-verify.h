/* db-verify.h -- is a cluster database whole, and does it agree with itself? */
#pragma once

#include "core/database/cluster-db.h"

/* What cam_cluster_db_open checks, and besides: SQLite's own check of every
 * page, every picture's and cluster's blobs, members and labels counted again,
 * every picture in the cluster whose centroid is nearest to it, every
 * cluster's weights the mean of its members'.  The first fault is the error
 * (MALFORMED).  Cost: one reading of the file. */
gboolean cam_db_verify (const char *path, GCancellable *cancellable,
                        GError **error);
