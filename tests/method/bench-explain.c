/* bench-explain.c -- an explanation beside the bare forward pass
 *
 *   bench-explain MODEL.onnx DB.camdb [PAIRS]
 *
 * One thread, in pairs: forward pass to the embedding alone; forward pass with
 * the activations kept, look-up of the cluster, map of the top 50.  Prints the
 * medians in milliseconds and the median of the ratios.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/method/embedder.h"
#include "core/method/explainer.h"
#include "core/method/random.h"

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

static double
median (double *values, int n)
{
  qsort (values, n, sizeof (double), compare);
  return values[n / 2];
}

static CamTensor *
random_input (const CamModel *model)
{
  const CamInputSettings *in = &model->input;
  gint64 c = in->channels == CAM_CHANNELS_GRAY ? 1 : 3;
  CamShape nchw = cam_shape_make (4,
                                  (gint64[]) { 1, c, in->height, in->width });
  CamShape nhwc = cam_shape_make (4,
                                  (gint64[]) { 1, in->height, in->width, c });
  CamTensor *input = cam_tensor_new (CAM_DTYPE_FLOAT32,
                                     in->nhwc ? &nhwc : &nchw, NULL);
  CamRandom random = cam_random_at (1, 2, 3);

  for (gsize i = 0; i < input->n_elements; i++)
    cam_tensor_f32 (input)[i] = (float) (2.0 * cam_random_unit (&random) - 1);
  return input;
}

static void
explain (CamExplainer *explainer, const CamClusterDb *db,
         const CamTensor *input)
{
  CamView view = { 224, 224, 0, 0, 224, 224, 224, 224 };
  g_autoptr (CamObservation)
      observation = cam_explainer_observe (explainer, input, &view, NULL, NULL);
  g_autoptr (CamHeatMap) map = NULL;
  CamLookup lookup;

  cam_lookup (db, observation, CAM_TRANSFER_CLUSTER, &lookup, NULL);
  map = cam_heat_map_new (observation->activations, lookup.match.weights, 50);
}

int
main (int argc, char **argv)
{
  int n = argc > 3 ? atoi (argv[3]) : 100;
  g_autoptr (GError) error = NULL;
  g_autoptr (CamModel) model = NULL;
  g_autoptr (CamClusterDb) db = NULL;
  g_autoptr (CamExplainer) explainer = NULL;
  g_autoptr (CamEmbedder) embedder = NULL;
  g_autoptr (CamTensor) input = NULL;
  g_autofree double *bare = g_new (double, n), *whole = g_new (double, n);
  g_autofree double *ratio = g_new (double, n);
  g_autofree float *embedding = NULL;

  if (argc < 3 || (model = cam_model_open (argv[1], NULL, &error)) == NULL
      || (db = cam_cluster_db_open (argv[2], &error)) == NULL
      || (explainer = cam_explainer_new (model, cam_cluster_db_info (db)->layer,
                                         FALSE, 1, &error))
             == NULL
      || (embedder = cam_embedder_new (model, 1, &error)) == NULL)
    {
      fprintf (stderr, "%s\n", error != NULL ? error->message : "usage");
      return 1;
    }
  input = random_input (model);
  embedding = g_new (float, cam_embedder_dim (embedder));
  for (int i = -5; i < n; i++) /* five to warm up */
    {
      gint64 start = g_get_monotonic_time (), middle, end;

      cam_embedder_run (embedder, 0, input, embedding, NULL);
      middle = g_get_monotonic_time ();
      explain (explainer, db, input);
      end = g_get_monotonic_time ();
      if (i < 0)
        continue;
      bare[i] = (middle - start) / 1e3;
      whole[i] = (end - middle) / 1e3;
      ratio[i] = whole[i] / bare[i];
    }
  printf ("forward %.3f ms, explanation %.3f ms, ratio %.3f\n",
          median (bare, n), median (whole, n), median (ratio, n));
  return 0;
}
