/* test-kinks.c -- gradients where they are easily wrong: kinks and ties
 *
 * Every activation with parameters of any sign, behind every operator that
 * takes one up, at pictures with pixels of exactly 0, and large ones: the
 * gradient is that of the plain operators, at the kink, too.
 *
 * Maxima of equal numbers, of both zeros, infinities and NaN, and of what
 * convolutions make of flat pictures: the first place counts, and the last NaN.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "tests/engine/text-network.h"

#define TOLERANCE 1e-5 /* of the largest element */

static const struct
{
  const char *name, *text;
} hosts[] = {
  { "product", "c Conv x $8,8,1,1\n" },
  { "two taps", "c Conv x $8,8,1,2\n" },
  { "winograd", "c Conv x $16,8,3,3 pads=1,1,1,1\n" },
  { "depthwise", "c Conv x $8,1,3,3 pads=1,1,1,1 group=8\n" },
  { "grouped", "c Conv x $8,4,3,3 pads=1,1,1,1 group=2\n" },
  { "affine", "i MaxPool x kernel_shape=1,1\nc Mul i $8,1,1\n" },
  { "residual", "d Conv x $8,8,1,1\nc Add d x\n" },
  { "linear", "i Flatten x\nc Gemm i $512,8\n" },
  { "by itself", "c Neg x\n" },
};

static const char *const activations[] = {
  "Relu c",
  "LeakyRelu c alpha=-1.0",
  "LeakyRelu c alpha=-0.3",
  "LeakyRelu c alpha=-7.5",
  "LeakyRelu c alpha=0.0",
  "LeakyRelu c alpha=0.3",
  "LeakyRelu c alpha=1.0",
  "LeakyRelu c alpha=2.5",
  "HardSigmoid c",
  "HardSigmoid c alpha=-0.7",
  "HardSigmoid c alpha=0.0",
  "HardSigmoid c alpha=2.0 beta=0.0",
  "HardSigmoid c alpha=-1.0 beta=1.0",
  "Clip c =0 =6",
  "Clip c =0",
  "Clip c - =0",
  "Clip c =0 =0",
  "Clip c =0.5 =-0.5",
  "Clip c =-0.5 =0.25",
  "Sigmoid c",
  "HardSwish c",
  "Mish c",
  "Elu c alpha=-0.5",
  "Elu c alpha=0.0",
  "Celu c alpha=2.0",
  "Selu c alpha=-1.0 gamma=-2.0",
  "ThresholdedRelu c alpha=0.0",
  "ThresholdedRelu c alpha=-0.5",
  "PRelu c =-0.5",
  "PRelu c =0",
};

/* Pixels of zeros, of numbers near 1, and large ones */
static CamTensor *
pictures (void)
{
  const gint64 dims[] = { 2, 8, 8, 8 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (34);
  CamTensor *x = random_tensor (rand, 4, dims);

  for (gsize i = 0; i < x->n_elements; i++)
    cam_tensor_f32 (x)[i] *= i % 8 < 3 ? 0 : i % 8 == 7 ? 20 : 1;
  return x;
}

/* Two seeds of a tensor of @shape */
static CamTensor *
seeds_of (const CamShape *shape)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (35);
  gint64 dims[CAM_MAX_DIMS] = { 2 };

  memcpy (dims + 1, shape->dims, (gsize) shape->n_dims * sizeof *dims);
  return random_tensor (rand, shape->n_dims + 1, dims);
}

static CamTensor *
gradient (CamNetwork *network, const CamTensor *x, const char *at,
          gboolean reference)
{
  const char *fetches[] = { "y", NULL };
  const RunKind kind = { "y", at, reference, fetches };
  g_autoptr (CamWorkspace) workspace = run_network (network, x, &kind, 1);
  g_autoptr (CamTensor)
      seeds = seeds_of (&cam_workspace_get (workspace, "y")->shape);

  return cam_workspace_gradient (workspace, seeds, at, NULL, NULL);
}

static void
compare (gconstpointer data)
{
  guint host = GPOINTER_TO_UINT (data);
  g_autoptr (CamTensor) x = pictures ();

  for (gsize i = 0; i < G_N_ELEMENTS (activations); i++)
    {
      g_autofree char *text = g_strdup_printf ("%sy %s", hosts[host].text,
                                               activations[i]);
      g_autoptr (CamNetwork) network = text_network (text, 8, 8, 8, 3);
      static const char *const targets[] = { "x", "c" };

      for (gsize j = 0; j < G_N_ELEMENTS (targets); j++)
        {
          g_autoptr (CamTensor)
              wanted = gradient (network, x, targets[j], TRUE);
          g_autoptr (CamTensor) got = gradient (network, x, targets[j], FALSE);
          double error = relative_error (got, wanted, 1e-30);

          if (! (error <= TOLERANCE))
            g_test_message ("%s\nat %s: off by %g", text, targets[j], error);
          g_assert_cmpfloat (error, <=, TOLERANCE);
        }
    }
}

static const char *const pools[] = {
  "y MaxPool x kernel_shape=2,2 strides=2,2",
  "y MaxPool x kernel_shape=3,3 strides=2,2 pads=1,1,1,1",
  "y MaxPool x kernel_shape=3,2 strides=1,3 pads=1,0,1,1 ceil_mode=1",
  "y MaxPool x kernel_shape=2,3 strides=1,2 pads=0,1,1,1 dilations=3,2",
  "y MaxPool x kernel_shape=8,8",
  "y GlobalMaxPool x",
};

/* The same number, or both none */
static gboolean
same (const CamTensor *a, const CamTensor *b)
{
  const float *p = cam_tensor_f32 (a), *q = cam_tensor_f32 (b);

  if (! cam_shape_equal (&a->shape, &b->shape))
    return FALSE;
  for (gsize i = 0; i < a->n_elements; i++)
    if (isnan (p[i]) ? ! isnan (q[i])
        : isinf (p[i]) ? p[i] != q[i]
                       : ! (fabsf (p[i] - q[i]) < 1e-5f))
      return FALSE;
  return TRUE;
}

/* @n_hard of the hard numbers take part. */
static CamTensor *
ties (int channels, int n_hard)
{
  static const float hard[] = { 0, -0.0f, 1, -1, -INFINITY, INFINITY, NAN };
  const gint64 dims[] = { 2, channels, 8, 8 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (36);
  CamTensor *x = random_tensor (rand, 4, dims);

  for (gsize i = 0; i < x->n_elements; i++)
    cam_tensor_f32 (x)[i] = hard[g_rand_int_range (rand, 0, n_hard)];
  return x;
}

static void
compare_pools (void)
{
  static const int channels[] = { 1, 3, 16, 37 };
  const RunKind plain = { .reference = TRUE }, fast = { .whole_batch = TRUE };

  for (gsize i = 0; i < G_N_ELEMENTS (pools); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (channels); j++)
      for (int n_hard = 2; n_hard <= 7; n_hard++)
        {
          g_autoptr (CamNetwork)
              network = text_network (pools[i], channels[j], 8, 8, 3);
          g_autoptr (CamTensor) x = ties (channels[j], n_hard);
          g_autoptr (CamWorkspace) a = run_network (network, x, &plain, 1);
          g_autoptr (CamWorkspace) b = run_network (network, x, &fast, 2);
          g_autoptr (CamTensor) wanted = gradient (network, x, "x", TRUE);
          g_autoptr (CamTensor) got = gradient (network, x, "x", FALSE);

          g_test_message ("%s, %d channels, %d kinds of numbers", pools[i],
                          channels[j], n_hard);
          g_assert_true (same (cam_workspace_get (a, "y"),
                               cam_workspace_get (b, "y")));
          g_assert_true (same (wanted, got));
        }
}

/* @got [2, 2, 16, h, w]: every seed [2, 2, 16, oh, ow] lies at the first place
 * of its window, @stride apart, and nothing lies elsewhere. */
static gboolean
lies_first (const CamTensor *got, const CamTensor *seeds, int stride)
{
  const gint64 *in = got->shape.dims + 3, *out = seeds->shape.dims + 3;
  const float *g = cam_tensor_f32 (got), *s = cam_tensor_f32 (seeds);

  for (gsize i = 0; i < got->n_elements; i++)
    {
      gint64 column = (gint64) i % in[1], row = (gint64) i / in[1] % in[0];
      gint64 channel = (gint64) i / (in[0] * in[1]);
      gboolean first = row % stride == 0 && column % stride == 0
                       && row / stride < out[0] && column / stride < out[1];
      float wanted = first ? s[(channel * out[0] + row / stride) * out[1]
                               + column / stride]
                           : 0;

      if (g[i] != wanted)
        return FALSE;
    }
  return TRUE;
}

/* A flat picture's windows are all ties, whatever convolution made them.  (Not
 * of the plain ones: a BLAS may round by the place in the matrix.  Nor of
 * depthwise ones that clang has compiled: it makes one operation of a product
 * and its sum in four columns of a row, and two in those that are left over.) */
static void
test_flat (void)
{
  static const struct
  {
    const char *text;
    int stride;
  } networks[] = {
    { "c Conv x $16,16,3,3\nr Relu c\n"
      "y MaxPool r kernel_shape=3,3 strides=2,2", 2 },
    { "c Conv x $16,16,3,3\nr HardSwish c\ny GlobalMaxPool r", 99 },
    { "d Conv x $16,16,3,3\nc Conv d $16,16,3,3\nr Relu c\n"
      "y MaxPool r kernel_shape=2,2", 1 },
#ifndef __clang__
    { "c Conv x $16,1,3,3 group=16\nr Relu c\n"
      "y MaxPool r kernel_shape=2,2", 1 },
#endif
    { "c Conv x $16,8,3,3 group=2\nr Relu c\n"
      "y MaxPool r kernel_shape=2,2 strides=3,3", 3 },
    { "c Conv x $16,16,1,1\nr Relu c\ny MaxPool r kernel_shape=4,4", 1 },
  };
  const gint64 dims[] = { 2, 16, 19, 21 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (37);
  g_autoptr (CamTensor) x = random_tensor (rand, 4, dims);
  const RunKind kind = { NULL };

  for (gsize i = 0; i < x->n_elements; i++)
    cam_tensor_f32 (x)[i] = cam_tensor_f32 (x)[i - i % (19 * 21)];
  for (gsize i = 0; i < G_N_ELEMENTS (networks); i++)
    {
      g_autoptr (CamNetwork)
          network = text_network (networks[i].text, 16, 19, 21, 3);
      g_autoptr (CamWorkspace) workspace = run_network (network, x, &kind, 1);
      g_autoptr (CamTensor)
          seeds = seeds_of (&cam_workspace_get (workspace, "y")->shape);
      g_autoptr (CamTensor) got = gradient (network, x, "r", FALSE);

      g_test_message ("%s", networks[i].text);
      g_assert_true (lies_first (got, seeds, networks[i].stride));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      g_autofree char *path = g_strdup_printf ("/kinks/%s", hosts[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), compare);
    }
  g_test_add_func ("/ties/pools", compare_pools);
  g_test_add_func ("/ties/flat", test_flat);
  return g_test_run ();
}
