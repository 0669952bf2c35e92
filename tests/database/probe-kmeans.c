/* probe-kmeans.c -- k-means from given centroids, for method-numbers.py
 *
 *   probe-kmeans points.npy initial.npy centroids.npy assignment.npy
 */
#include <stdio.h>

#include "core/base/npy.h"
#include "core/method/kmeans.h"

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CamTensor) points = cam_npy_read (argv[1], &error);
  g_autoptr (CamTensor) initial = cam_npy_read (argv[2], &error);
  g_autoptr (CamTensor) assignment = NULL;
  g_autoptr (CamKMeans) result = NULL;
  CamKMeansOptions options = { .max_iterations = 100 };

  if (points == NULL || initial == NULL || argc != 5)
    return 1;
  options.n_clusters = (int) initial->shape.dims[0];
  options.initial = cam_tensor_f32 (initial);
  result = cam_kmeans_new (cam_tensor_f32 (points), points->shape.dims[0],
                           (int) points->shape.dims[1], &options, NULL, &error);
  assignment = cam_tensor_new (CAM_DTYPE_INT64,
                               &(CamShape) { 1, { points->shape.dims[0] } },
                               &error);
  for (gsize i = 0; i < assignment->n_elements; i++)
    cam_tensor_i64 (assignment)[i] = result->assignment[i];
  for (gsize i = 0; i < initial->n_elements; i++)
    cam_tensor_f32 (initial)[i] = result->centroids[i];
  return ! (result->n_clusters == options.n_clusters
            && cam_npy_write (argv[3], initial, &error)
            && cam_npy_write (argv[4], assignment, &error));
}
