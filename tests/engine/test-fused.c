/* test-fused.c -- convolutions as the optimised plan runs them, against naive
 * loops in double
 *
 * Shapes are drawn so that each way is taken: products, im2col, the depthwise
 * and the grouped kernels and both of Winograd's tilings; then come shapes made to hurt.  What
 * Winograd costs in digits is printed beside what the direct way costs.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "tests/engine/text-network.h"

#define ROUNDS 40
#define TOLERANCE 3e-6 /* of the largest element */
#define WINOGRAD_TOLERANCE 3e-5

typedef struct
{
  int n, c, m, groups, in[2], k[2], s[2], d[2], pad[4];
} Shape;

static const Shape hard[] = {
  { 1, 1, 1, 1, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 1, 1 }, { 0 } },
  { 1, 1, 1, 1, { 1, 1 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 } },
  { 1, 1, 31, 1, { 1, 97 }, { 1, 7 }, { 1, 3 }, { 1, 1 }, { 0, 3, 0, 3 } },
  { 2, 61, 1, 1, { 7, 1 }, { 3, 1 }, { 1, 1 }, { 2, 1 }, { 2, 0, 2, 0 } },
  { 1, 3, 5, 1, { 2, 2 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 70, 70, 70, 70 } },
  { 1, 13, 13, 13, { 1, 1 }, { 5, 5 }, { 1, 1 }, { 1, 1 }, { 2, 2, 2, 2 } },
  { 1, 17, 17, 17, { 3, 5 }, { 3, 3 }, { 2, 2 }, { 1, 1 }, { 50, 9, 1, 33 } },
  { 3, 1, 1, 1, { 11, 13 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 } },
  { 1, 16, 16, 1, { 1, 1 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 } },
  { 1, 16, 31, 1, { 3, 2 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 40, 1, 1, 40 } },
  { 1, 16, 16, 4, { 1, 2 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 70, 70, 70, 70 } },
  { 2, 24, 24, 3, { 9, 61 }, { 5, 3 }, { 3, 2 }, { 2, 1 }, { 0, 40, 9, 0 } },
  { 1, 34, 66, 2, { 3, 29 }, { 2, 4 }, { 5, 1 }, { 1, 7 }, { 4, 0, 4, 21 } },
  { 1, 40, 40, 20, { 31, 1 }, { 7, 1 }, { 1, 1 }, { 3, 1 }, { 9, 0, 9, 0 } },
  { 5, 67, 19, 1, { 2, 3 }, { 3, 3 }, { 1, 1 }, { 1, 1 }, { 1, 1, 1, 1 } },
};

static int
pick (GRand *rand)
{
  static const int sizes[] = { 1, 2, 3, 5, 7, 8, 11, 13, 16, 17 };

  return sizes[g_rand_int_range (rand, 0, G_N_ELEMENTS (sizes))];
}

static int
out_size (const Shape *z, int i)
{
  return (z->in[i] + z->pad[i] + z->pad[i + 2] - (z->k[i] - 1) * z->d[i] - 1)
             / z->s[i]
         + 1;
}

static gboolean
fits (const Shape *z)
{
  for (int i = 0; i < 2; i++)
    if (z->in[i] + z->pad[i] + z->pad[i + 2] <= (z->k[i] - 1) * z->d[i])
      return FALSE;
  return TRUE;
}

static void
draw_groups (GRand *rand, Shape *z)
{
  static const int narrow[] = { 2, 4, 8 };
  int in = narrow[g_rand_int_range (rand, 0, 3)], out = in;

  if (g_rand_boolean (rand))
    {
      in = g_rand_int_range (rand, 1, 20);
      out = g_rand_int_range (rand, 1, 40);
    }
  z->groups = g_rand_int_range (rand, 2, 8);
  z->c = z->groups * in;
  z->m = z->groups * out;
}

/* @kind 0: anything dense; 1: depthwise; 2: 3 x 3 as Winograd takes it; 3: in
 * groups, narrow ones that share vectors and others */
static void
draw (GRand *rand, int kind, Shape *z)
{
  do
    {
      z->n = g_rand_int_range (rand, 1, 4);
      z->c = pick (rand) + (kind == 2 ? 15 : 0);
      z->m = kind == 1 ? z->c : pick (rand) + (kind == 2 ? 15 : 0);
      z->groups = kind == 1 ? z->c : 1;
      if (kind == 3)
        draw_groups (rand, z);
      for (int i = 0; i < 2; i++)
        {
          z->in[i] = pick (rand) + g_rand_int_range (rand, 0, 9);
          z->k[i] = kind == 2 ? 3 : g_rand_int_range (rand, 1, 8);
          z->s[i] = kind == 2 ? 1 : g_rand_int_range (rand, 1, 4);
          z->d[i] = kind == 2 ? 1 : g_rand_int_range (rand, 1, 3);
          z->pad[i] = g_rand_int_range (rand, 0, 4);
          z->pad[i + 2] = g_rand_int_range (rand, 0, 4);
        }
    }
  while (! fits (z));
}

static char *
describe (const Shape *z)
{
  return g_strdup_printf ("y Conv x $%d,%d,%d,%d $%d group=%d strides=%d,%d "
                          "dilations=%d,%d "
                          "pads=%d,%d,%d,%d",
                          z->m, z->c / z->groups, z->k[0], z->k[1], z->m,
                          z->groups, z->s[0], z->s[1], z->d[0], z->d[1],
                          z->pad[0], z->pad[1], z->pad[2], z->pad[3]);
}

static double
pixel (const Shape *z, const float *x, int n, int c, int h, int w)
{
  if (h < 0 || w < 0 || h >= z->in[0] || w >= z->in[1])
    return 0;
  return x[((n * z->c + c) * z->in[0] + h) * z->in[1] + w];
}

static double
naive (const Shape *z, const float *x, const float *weights, const float *bias,
       int n, int m, int oh, int ow)
{
  int cg = z->c / z->groups, first = m / (z->m / z->groups) * cg;
  double sum = bias[m];

  for (int c = 0; c < cg; c++)
    for (int i = 0; i < z->k[0]; i++)
      for (int j = 0; j < z->k[1]; j++)
        sum += weights[((m * cg + c) * z->k[0] + i) * z->k[1] + j]
               * pixel (z, x, n, first + c,
                        oh * z->s[0] - z->pad[0] + i * z->d[0],
                        ow * z->s[1] - z->pad[1] + j * z->d[1]);
  return sum;
}

static const float *
weights_of (const CamNetwork *network, guint i)
{
  const CamGraph *graph = cam_network_graph (network);
  const CamNode *node = graph->nodes->pdata[0];

  return cam_tensor_f32 (node->inputs[i]->constant);
}

/* The error of @z's convolution, of its largest element */
static double
error_of (const Shape *z, gboolean reference)
{
  g_autofree char *text = describe (z);
  g_autoptr (CamNetwork)
      network = text_network (text, z->c, z->in[0], z->in[1], 5);
  g_autoptr (GRand) rand = g_rand_new_with_seed (6);
  const gint64 dims[] = { z->n, z->c, z->in[0], z->in[1] };
  g_autoptr (CamTensor) x = random_tensor (rand, 4, dims);
  const RunKind kind = { .reference = reference };
  g_autoptr (CamWorkspace) workspace = run_network (network, x, &kind, 2);
  const CamTensor *y = cam_workspace_get (workspace, "y");
  const float *w = weights_of (network, 1), *bias = weights_of (network, 2);
  int height = out_size (z, 0), width = out_size (z, 1);
  double most = 1e-30, worst = 0;

  g_assert_cmpuint (y->n_elements, ==, (gsize) (z->n * z->m * height * width));
  for (int i = 0; i < (int) y->n_elements; i++)
    {
      double wanted = naive (z, cam_tensor_f32 (x), w, bias,
                             i / (z->m * height * width),
                             i / (height * width) % z->m, i / width % height,
                             i % width);
      double off = fabs (cam_tensor_f32 (y)[i] - wanted);

      most = MAX (most, fabs (wanted));
      worst = off > worst || isnan (off) ? off : worst;
    }
  return worst / most;
}

static void
check (const Shape *z, double tolerance, double *largest)
{
  double error = error_of (z, FALSE);
  g_autofree char *text = describe (z);

  if (! (error <= tolerance))
    g_test_message ("[%d, %d, %d, %d] %s: off by %g", z->n, z->c, z->in[0],
                    z->in[1], text, error);
  g_assert_true (error <= tolerance);
  if (largest)
    *largest = MAX (*largest, error);
}

static void
test_dense (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (31);
  Shape z;

  for (int i = 0; i < ROUNDS; i++)
    {
      draw (rand, 0, &z);
      check (&z, TOLERANCE, NULL);
    }
}

static void
test_depthwise (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (32);
  Shape z;

  for (int i = 0; i < ROUNDS; i++)
    {
      draw (rand, 1, &z);
      check (&z, TOLERANCE, NULL);
    }
}

static void
test_grouped (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (34);
  Shape z;

  for (int i = 0; i < ROUNDS; i++)
    {
      draw (rand, 3, &z);
      check (&z, TOLERANCE, NULL);
    }
}

/* F(4x4, 3x3) costs more than a digit, most with many channels; a network has
 * to come within 1e-4 with it. */
static void
test_winograd (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (33);
  double largest = 0, direct = 0;
  Shape z;

  for (int i = 0; i < ROUNDS; i++)
    {
      draw (rand, 2, &z);
      check (&z, WINOGRAD_TOLERANCE, &largest);
      direct = MAX (direct, error_of (&z, TRUE));
    }
  z = (Shape) { 1,        512,           64, 1, { 14, 14 }, { 3, 3 }, { 1, 1 },
                { 1, 1 }, { 1, 1, 1, 1 } };
  check (&z, WINOGRAD_TOLERANCE, &largest);
  direct = MAX (direct, error_of (&z, TRUE));
  g_test_message ("Winograd is off by %.1e at most, the direct way by %.1e",
                  largest, direct);
}

static void
test_hard (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (hard); i++)
    check (&hard[i], WINOGRAD_TOLERANCE, NULL);
}

/* A batch of none is refused, with a word, and so is a window that does not
 * fit. */
static void
test_empty (void)
{
  g_autoptr (CamNetwork)
      network = text_network ("y Conv x $3,3,3,3 $3", 3, 4, 4, 5);
  const gint64 none[] = { 0, 3, 4, 4 };
  const CamBinding binding = { "x", cam_shape_make (4, none) };
  const CamPlanOptions options = { .bindings = &binding, .n_bindings = 1 };
  g_autoptr (GError) error = NULL;

  g_assert_null (cam_plan_new (network, &options, &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "empty"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fused/dense", test_dense);
  g_test_add_func ("/fused/depthwise", test_depthwise);
  g_test_add_func ("/fused/grouped", test_grouped);
  g_test_add_func ("/fused/winograd", test_winograd);
  g_test_add_func ("/fused/hard", test_hard);
  g_test_add_func ("/fused/empty", test_empty);
  return g_test_run ();
}
