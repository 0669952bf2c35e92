/* test-kinks.c -- slopes of fused activations where they are easily wrong
 *
 * Every activation with parameters of any sign, behind every operator that
 * takes one up, at pictures with pixels of exactly 0, and large ones: the
 * gradient is that of the plain operators, at the kink, too.
 */
#include "config.h"

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

static CamTensor *
gradient (CamNetwork *network, const CamTensor *x, const char *at,
          gboolean reference)
{
  const char *fetches[] = { "y", NULL };
  const RunKind kind = { "y", at, reference, fetches };
  g_autoptr (CamWorkspace) workspace = run_network (network, x, &kind, 1);
  const CamShape *shape = &cam_workspace_get (workspace, "y")->shape;
  g_autoptr (GRand) rand = g_rand_new_with_seed (35);
  gint64 dims[CAM_MAX_DIMS] = { 2 };
  g_autoptr (CamTensor) seed = NULL;

  memcpy (dims + 1, shape->dims, (gsize) shape->n_dims * sizeof *dims);
  seed = random_tensor (rand, shape->n_dims + 1, dims);
  return cam_workspace_gradient (workspace, seed, at, NULL, NULL);
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      g_autofree char *path = g_strdup_printf ("/kinks/%s", hosts[i].name);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), compare);
    }
  return g_test_run ();
}
