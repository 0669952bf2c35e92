/* bench-explain.c -- what the method costs, beside the bare forward pass
 *
 *   bench-explain MODEL.onnx DB.camdb
 *
 * One thread.  For each line on its standard input one round, and a line of
 * milliseconds:
 *
 *   1  forward pass to the embedding alone
 *   2  forward pass that keeps what a gradient needs, the mean seed of 50
 *      triplets, backward to the layer, channel weights
 *   3  the same as the builder does it: forward, activations of the layer
 *      copied out, then from them on to the embedding and back
 *   4  forward with the layer kept, look-up of the cluster, map of the top 50
 *
 * bench-paired.py asks for rounds in turn with PyTorch's.
 */
#include <math.h>
#include <stdio.h>

#include "core/base/blas.h"
#include "core/method/embedder.h"
#include "core/method/explainer.h"
#include "core/method/random.h"
#include "core/method/seeds.h"
#include "core/method/split.h"

#define N_TRIPLETS 50
#define N_PARTS 4

typedef struct
{
  CamModel *model;
  CamClusterDb *db;
  CamEmbedder *embedder;
  CamExplainer *plain, *gradient;
  CamSplit *split;
  CamSplitRun *run;
  CamTensor *input;
  float *embedding, *kept, *alpha;
  /* the anchor, then what the triplets hold it against */
  float *unit, *norms;
  CamTriplet triplets[N_TRIPLETS];
} Bench;

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

/* 100 embeddings of length one for the anchor to be held against */
static void
make_rows (Bench *b)
{
  int dim = cam_embedder_dim (b->embedder), n = 2 * N_TRIPLETS + 1;
  CamRandom random = cam_random_at (4, 5, 6);

  b->unit = g_new (float, (gsize) n * dim);
  b->norms = g_new (float, n);
  for (int i = 0; i < n; i++)
    {
      float *row = b->unit + (gsize) i * dim;
      double square = 0;

      for (int d = 0; d < dim; d++)
        {
          row[d] = (float) (2.0 * cam_random_unit (&random) - 1);
          square += (double) row[d] * row[d];
        }
      b->norms[i] = 1;
      for (int d = 0; d < dim; d++)
        row[d] = (float) (row[d] / sqrt (square));
    }
  for (int i = 0; i < N_TRIPLETS; i++)
    b->triplets[i] = (CamTriplet) { 1 + i, 1 + N_TRIPLETS + i };
}

static void
mean_seed (const Bench *b, float *seed)
{
  CamSeedRows rows = { CAM_SCORE_COSINE, 2 * N_TRIPLETS + 1,
                       cam_embedder_dim (b->embedder), b->unit, b->norms };

  cam_seeds (&rows, 0, b->triplets, N_TRIPLETS, TRUE, seed);
}

static void
weigh_whole (const Bench *b)
{
  int dim = cam_embedder_dim (b->embedder);
  CamShape shape = cam_shape_make (1, (gint64[]) { dim });
  g_autoptr (CamTensor) seed = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);
  g_autoptr (CamObservation)
      observation = cam_explainer_observe (b->gradient, b->input, NULL, NULL,
                                           NULL);
  g_autoptr (CamTensor) gradient = NULL;

  mean_seed (b, cam_tensor_f32 (seed));
  gradient = cam_explainer_gradient (b->gradient, seed, NULL, NULL);
  cam_gradcam_weights (gradient, b->alpha);
}

static void
weigh_split (const Bench *b)
{
  g_autofree float *seed = g_new (float, cam_embedder_dim (b->embedder));
  gsize n_below = 0;

  cam_split_forward (b->run, b->input, b->embedding, b->kept, NULL, NULL);
  mean_seed (b, seed);
  cam_split_weights (b->run, b->kept, CAM_METHOD_GRADCAM, 1e-6, seed, 1,
                     b->alpha, &n_below, NULL, NULL);
}

static void
explain (const Bench *b)
{
  CamView view = { 224, 224, 0, 0, 224, 224, 224, 224 };
  g_autoptr (CamObservation)
      observation = cam_explainer_observe (b->plain, b->input, &view, NULL,
                                           NULL);
  g_autoptr (CamHeatMap) map = NULL;
  CamLookup lookup;

  cam_lookup (b->db, observation, CAM_TRANSFER_CLUSTER, &lookup, NULL);
  map = cam_heat_map_new (observation->activations, lookup.match.weights,
                          cam_explainer_channels (b->plain), 50, NULL);
}

static gboolean
open_bench (Bench *b, char **argv, GError **error)
{
  const char *layer;

  b->model = cam_model_open (argv[1], NULL, error);
  b->db = b->model != NULL ? cam_cluster_db_open (argv[2], error) : NULL;
  if (b->db == NULL)
    return FALSE;
  layer = cam_cluster_db_info (b->db)->layer;
  b->embedder = cam_embedder_new (b->model, 1, error);
  b->plain = cam_explainer_new (b->model, layer, FALSE, 1, error);
  b->gradient = cam_explainer_new (b->model, layer, TRUE, 1, error);
  b->split = cam_split_new (b->model, layer, error);
  if (! b->embedder || ! b->plain || ! b->gradient || ! b->split)
    return FALSE;
  b->run = cam_split_run_new (b->split, error);
  b->input = random_input (b->model);
  b->embedding = g_new (float, cam_embedder_dim (b->embedder));
  b->kept = g_new (float, cam_split_kept (b->split));
  b->alpha = g_new (float, cam_split_channels (b->split));
  make_rows (b);
  return b->run != NULL;
}

static void
one_round (Bench *b)
{
  gint64 times[N_PARTS + 1];

  times[0] = g_get_monotonic_time ();
  cam_embedder_run (b->embedder, 0, b->input, b->embedding, NULL);
  times[1] = g_get_monotonic_time ();
  weigh_whole (b);
  times[2] = g_get_monotonic_time ();
  weigh_split (b);
  times[3] = g_get_monotonic_time ();
  explain (b);
  times[4] = g_get_monotonic_time ();
  for (int i = 0; i < N_PARTS; i++)
    printf ("%s%.3f", i > 0 ? " " : "",
            (double) (times[i + 1] - times[i]) / 1e3);
  printf ("\n");
  fflush (stdout);
}

static void
close_bench (Bench *b)
{
  cam_split_run_free (b->run);
  g_clear_pointer (&b->split, cam_split_free);
  g_clear_pointer (&b->plain, cam_explainer_free);
  g_clear_pointer (&b->gradient, cam_explainer_free);
  g_clear_pointer (&b->embedder, cam_embedder_free);
  g_clear_pointer (&b->input, cam_tensor_unref);
  g_clear_pointer (&b->db, cam_cluster_db_free);
  g_clear_pointer (&b->model, cam_model_unref);
  g_free (b->embedding);
  g_free (b->kept);
  g_free (b->alpha);
  g_free (b->unit);
  g_free (b->norms);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  Bench bench = { NULL };
  int status = 1;
  char line[64];

  cam_blas_prepare_process (argv);
  if (argc == 3 && open_bench (&bench, argv, &error))
    {
      while (fgets (line, sizeof line, stdin) != NULL)
        one_round (&bench);
      status = 0;
    }
  else
    fprintf (stderr, "%s\n",
             error != NULL ? error->message : "bench-explain MODEL.onnx DB");
  close_bench (&bench);
  return status;
}
