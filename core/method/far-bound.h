/* far-bound.h -- from which distance on a picture is far from a database
 *
 * A picture that a centroid was made of lies nearer to it than one that was
 * not: with few pictures a cluster by far.  So the bound is made of distances
 * of pictures to centroids that have not seen them (method.md section 11):
 *
 *   below 20       unknown
 *   20 to 199      each picture left out of its own centroid, the rest as is
 *   200 and more   folds (of a tenth, from 500 on of a fifth), each held
 * against a clustering of all the others, until 2,000 are measured
 *
 * A picture drawn like the n measured ones exceeds the r-th smallest distance
 * with a chance of 1 - r / (n + 1), so r = ceil (0.99 (n + 1)) is exceeded by
 * at most 1 % (the rank of split conformal prediction).  Below n = 99 there is
 * no such rank: the largest is exceeded by 1 / (n + 1), and beyond it the tail
 * is taken to fall off exponentially, with the mean excess of the five largest
 * distances over the sixth.  `probe-far` measures what comes of it.
 */
#pragma once

#include "core/method/kmeans.h"

#define CAM_FAR_FEWEST 20

typedef enum
{
  CAM_FAR_UNKNOWN,
  CAM_FAR_LEAVE_ONE_OUT,
  CAM_FAR_FOLDS
} CamFarWay;
/* "folds", "leave-one-out" (static); NULL: unknown */
const char *cam_far_way_name (CamFarWay way);

typedef struct
{
  CamFarWay way;
  double distance; /* 1 - cosine; -1: unknown */
} CamFarBound;

/* @points, [n_points, dim] unit rows, are those that @kmeans was made of with
 * @options; they are put into another order.  Cost, in clusterings of all:
 * 9 below 500 points, 4 below 2,000, 0.8 from 10,000 on.  FALSE with an error
 * where memory is short or @cancellable ended it. */
gboolean cam_far_bound (float *points, const CamKMeans *kmeans,
                        const CamKMeansOptions *options, CamFarBound *bound,
                        GCancellable *cancellable, GError **error);
