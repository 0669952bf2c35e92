/* probe.c -- lets a script call core's method functions on arrays of its own
 *
 *   probe weights gradient.npy activations.npy EPS OUT.npy   [2, K]; on stdout
 *                 how many positions had no positive denominator
 *   probe map activations.npy alpha.npy K OUT.npy            [h, w]
 *   probe measures map.npy mask.npy                          numbers
 *   probe seed SCORE embeddings.npy OUT.npy                  of rows 0, 1, 2
 *   probe layout LAYOUT activations.npy OUT.npy              [K, h, w]
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/method/cam.h"
#include "core/method/measures.h"
#include "core/method/score.h"

static CamTensor *
read_array (const char *path)
{
  GError *error = NULL;
  CamTensor *tensor = cam_npy_read (path, &error);

  if (tensor == NULL)
    g_error ("%s", error->message);
  return tensor;
}

static void
write_array (const char *path, int n_dims, const gint64 *dims, float *data)
{
  CamShape shape = cam_shape_make (n_dims, dims);
  g_autoptr (CamTensor) tensor = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                                                      data, NULL, NULL);
  GError *error = NULL;

  if (! cam_npy_write (path, tensor, &error))
    g_error ("%s", error->message);
}

static void
run_weights (char **argv)
{
  g_autoptr (CamTensor) gradient = read_array (argv[2]);
  g_autoptr (CamTensor) activations = read_array (argv[3]);
  gint64 n = gradient->shape.dims[0];
  g_autofree float *alpha = g_new (float, 2 * n);

  cam_gradcam_weights (gradient, alpha);
  printf ("%zu\n",
          cam_gradcampp_weights (gradient, activations,
                                 g_ascii_strtod (argv[4], NULL), alpha + n));
  write_array (argv[5], 2, (gint64[]) { 2, n }, alpha);
}

static void
run_map (char **argv)
{
  g_autoptr (CamTensor) activations = read_array (argv[2]);
  g_autoptr (CamTensor) alpha = read_array (argv[3]);
  g_autoptr (GError) error = NULL;
  g_autoptr (CamHeatMap)
      map = cam_heat_map_new (activations, cam_tensor_f32 (alpha),
                              (int) alpha->n_elements, atoi (argv[4]), &error);

  if (map == NULL)
    {
      printf ("error: %s\n", error->message);
      return;
    }
  printf ("%.9g %d %d\n", map->maximum, map->empty, map->helped);
  write_array (argv[5], 2, (gint64[]) { map->height, map->width }, map->values);
}

static void
run_measures (char **argv)
{
  g_autoptr (CamTensor) map = read_array (argv[2]);
  g_autoptr (CamTensor) mask = read_array (argv[3]);
  const float *m = map->data, *in = mask->data;
  int h = (int) map->shape.dims[0], w = (int) map->shape.dims[1];
  CamBox a = { 0, 0, 0, 0 }, b = { 0, 0, 0, 0 };

  cam_measure_box (m, w, h, 0.2, &a);
  cam_mask_box (in, w, h, &b);
  printf ("%.17g", cam_measure_energy (m, in, map->n_elements));
  for (int t = 1; t <= 3; t++)
    printf (" %.17g", cam_measure_iou (m, in, map->n_elements, 0.2 * t));
  printf (" %d %d %d %d %d %.17g\n",
          cam_measure_pointing (m, in, map->n_elements), a.x0, a.y0, a.x1, a.y1,
          cam_box_iou (&a, &b));
}

static void
run_seed (char **argv)
{
  g_autoptr (CamTensor) rows = read_array (argv[3]);
  int dim = (int) rows->shape.dims[1];
  gboolean pair = rows->shape.dims[0] == 2;
  const float *e = rows->data;
  g_autofree float *seed = g_new (float, dim);
  CamScore score = CAM_SCORE_COSINE;

  if (! cam_score_parse (argv[2], &score))
    g_error ("no score %s", argv[2]);
  cam_score_seed (score, dim, e, e + dim, pair ? NULL : e + 2 * dim, seed);
  write_array (argv[4], 1, (gint64[]) { dim }, seed);
}

static void
run_layout (char **argv)
{
  g_autoptr (CamTensor) in = read_array (argv[3]), out = NULL;
  g_autoptr (GError) error = NULL;

  out = cam_activations_chw (in, (CamLayout) atoi (argv[2]), &error);
  if (out == NULL)
    printf ("error: %s\n", error->message);
  else
    write_array (argv[4], 3, out->shape.dims, cam_tensor_f32 (out));
}

int
main (int argc, char **argv)
{
  const char *what = argc > 1 ? argv[1] : "";

  if (strcmp (what, "weights") == 0 && argc == 6)
    run_weights (argv);
  else if (strcmp (what, "map") == 0 && argc == 6)
    run_map (argv);
  else if (strcmp (what, "measures") == 0 && argc == 4)
    run_measures (argv);
  else if (strcmp (what, "seed") == 0 && argc == 5)
    run_seed (argv);
  else if (strcmp (what, "layout") == 0 && argc == 5)
    run_layout (argv);
  else
    return 2;
  return 0;
}
