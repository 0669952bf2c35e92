/* test-batch.c -- which networks go through picture by picture, and what comes
 * of it: each picture's numbers to the byte, as if it were alone
 */
#include "config.h"

#include <string.h>

#include "core/engine/plan.h"
#include "core/graph/pictures.h"
#include "tests/engine/plan-cases.h"
#include "tests/engine/text-network.h"

#define PICTURES 4
#define TOLERANCE 2e-5 /* of the largest element, as test-plan.c has it */

/* Networks of pictures [PICTURES, 4, 6, 6].  The second dimension is as large
 * as the batch, so that nothing can be told from sizes. */
static const struct
{
  const char *name, *text;
  gboolean apart;
} networks[] = {
  { "conv", "a Conv x $4,4,3,3 pads=1,1,1,1\nb Relu a\ny Add b x", TRUE },
  { "broadcast", "a Mul x $4,1,1\nb Add a $1,4,6,6\ny Max a b =0.1", TRUE },
  { "flatten", "a Flatten x\ny Gemm a $144,5 $5", TRUE },
  { "shape", "s Shape x\nn Gather s #0 axis=0\n"
             "t Concat n #-1 axis=0\ny Reshape x t", TRUE },
  { "attention", "a Reshape x #0,4,36\nb Transpose a perm=0,2,1\n"
                 "c MatMul a b\nd Softmax c axis=-1\ny MatMul d a", TRUE },
  { "reduce", "a ReduceMean x #2,3 keepdims=0\ny LpNormalization a", TRUE },
  { "channels", "a,b Split x axis=1 num_outputs=2\ny Concat b a axis=1", TRUE },
  { "pad", "a Pad x #0,0,1,2,0,0,2,1\ny MaxPool a kernel_shape=2,2", TRUE },
  { "resize", "y Resize x - - #12,12 axes=2,3", TRUE },
  { "resize to four", "y Resize x - - #4,4,12,12", FALSE },
  { "largest", "a,i MaxPool x kernel_shape=2,2\ny Relu a", TRUE },
  { "places", "a,i MaxPool x kernel_shape=2,2\ny Cast i to=1", FALSE },
  { "places by columns", "a,i MaxPool x kernel_shape=2,3 storage_order=1\n"
                         "b Cast i to=1\ny Add a b", FALSE },
  { "outer product", "a Flatten x\nb Transpose a perm=1,0\ny MatMul a b",
    FALSE },
  { "transposed", "a Transpose x perm=1,0,2,3\ny Conv a $4,4,1,1", FALSE },
  { "back again", "a Transpose x perm=1,0,2,3\nb Relu a\n"
                  "y Transpose b perm=1,0,2,3", FALSE },
  { "over pictures", "m ReduceMean x #0 keepdims=1\ny Sub x m", FALSE },
  { "over everything", "m ReduceMax x\ny Div x m", FALSE },
  { "competition", "a Flatten x\ny Softmax a axis=0", FALSE },
  { "columns", "a Flatten x\ny Gemm a $4,5 transA=1", FALSE },
  { "regrouped", "a Reshape x #4,-1,2,2\ny Relu a", FALSE },
  { "other rank", "a Reshape x #4,6,6,4\nb Flatten a\nc Flatten x\n"
                  "y Add b c", FALSE },
  { "one for each", "y Add x $4,1,1,1", FALSE },
  { "counted", "s Shape x\nn Gather s #0 axis=0\nf Cast n to=1\ny Mul x f",
    FALSE },
  { "stacked", "a Concat x x axis=0\ny Relu a", FALSE },
  { "turned round", "y Slice x #-1 #-100 #0 #-1", FALSE },
  { "shifted", "y Pad x #1,0,0,0,-1,0,0,0", FALSE },
};

static CamNetwork *
network_of (guint i)
{
  return text_network (networks[i].text, 4, 6, 6, i + 1);
}

static CamTensor *
pictures_of (guint seed, gint64 n, int channels, int height, int width)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  const gint64 dims[] = { n, channels, height, width };

  return random_tensor (rand, 4, dims);
}

static CamGraph *
bound (const CamNetwork *network, gint64 n, GError **error)
{
  const CamBinding binding = { "x", { 4, { n, 4, 6, 6 } } };

  return cam_graph_bind (cam_network_graph (network), &binding, 1, NULL,
                         error);
}

static void
test_apart (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (CamNetwork) network = network_of (i);
  g_autoptr (GError) error = NULL;
  g_autoptr (CamGraph) many = bound (network, PICTURES, &error);
  g_autoptr (CamGraph) one = bound (network, 1, NULL);

  g_assert_no_error (error);
  g_assert_true ((one && cam_graph_treats_pictures_apart (many, one))
                 == networks[i].apart);
}

/* However it goes, the numbers are those of the plain operators. */
static void
test_numbers (gconstpointer data)
{
  guint i = GPOINTER_TO_UINT (data);
  g_autoptr (CamNetwork) network = network_of (i);
  g_autoptr (CamTensor) x = pictures_of (i, PICTURES, 4, 6, 6);
  const RunKind plain = { .reference = TRUE };
  const RunKind best = { NULL };
  g_autoptr (CamWorkspace) wanted = run_network (network, x, &plain, 1);
  g_autoptr (CamWorkspace) got = run_network (network, x, &best, 2);

  g_assert_cmpfloat (relative_error (cam_workspace_get (got, "y"),
                                     cam_workspace_get (wanted, "y"), 1e-30),
                     <=, TOLERANCE);
}

/* Picture @i of @all, over its memory */
static CamTensor *
picture_of (const CamTensor *all, gint64 i)
{
  CamShape shape = all->shape;
  gsize n = all->n_elements / (gsize) shape.dims[0];

  shape.dims[0] = 1;
  return cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                              cam_tensor_f32 (all) + (gsize) i * n, NULL, NULL);
}

/* Batches that share out evenly among threads, and batches that do not */
static void
test_exact (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (CamNetwork) network = text_network (c->text, c->channels,
                                                 c->height, c->width, 5);
  g_autoptr (CamTensor) x = pictures_of (6, 8, c->channels, c->height,
                                         c->width);
  const char *output
    = ((CamValue *) cam_network_graph (network)->outputs->pdata[0])->name;
  const char *fetches[] = { output, "x", NULL };
  const RunKind kind = { .fetches = fetches };
  g_autoptr (GPtrArray) runs = g_ptr_array_new_with_free_func (
    (GDestroyNotify) cam_workspace_free);

  for (int threads = 1; threads <= 3; threads++)
    g_ptr_array_add (runs, run_network (network, x, &kind, threads));
  for (gint64 i = 0; i < 8; i++)
    {
      g_autoptr (CamTensor) own = picture_of (x, i);
      g_autoptr (CamWorkspace) alone = run_network (network, own, &kind, 2);
      const CamTensor *wanted = cam_workspace_get (alone, output);

      for (guint r = 0; r < runs->len; r++)
        {
          const CamTensor *all = cam_workspace_get (runs->pdata[r], output);
          g_autoptr (CamTensor) got = picture_of (all, i);
          g_autoptr (CamTensor)
            in = picture_of (cam_workspace_get (runs->pdata[r], "x"), i);

          g_assert_true (cam_shape_equal (&got->shape, &wanted->shape));
          g_assert_cmpmem (got->data, got->n_elements * sizeof (float),
                           wanted->data, wanted->n_elements * sizeof (float));
          g_assert_cmpmem (in->data, in->n_elements * sizeof (float),
                           own->data, own->n_elements * sizeof (float));
        }
    }
}

/* One picture's activations, not eight; also where the file says eight */
static void
test_memory (gconstpointer fixed)
{
  const char *text = "a Conv x $64,3,3,3 pads=1,1,1,1\nb Relu a\n"
                     "c Conv b $64,64,3,3 pads=1,1,1,1\n"
                     "y GlobalAveragePool c";
  g_autoptr (CamNetwork) network = text_network (text, 3, 64, 64, 1);
  const CamBinding binding = { "x", { 4, { 8, 3, 64, 64 } } };
  CamPlanOptions options = { .bindings = &binding, .n_bindings = 1 };
  CamValue *x = cam_network_graph (network)->inputs->pdata[0];
  g_autoptr (CamPlan) apart = NULL;
  g_autoptr (CamPlan) whole = NULL;

  if (fixed)
    x->shape.dims[0] = 8;
  apart = cam_plan_new (network, &options, NULL);
  options.whole_batch = TRUE;
  whole = cam_plan_new (network, &options, NULL);
  g_assert_cmpuint (3 * cam_plan_workspace_bytes (apart), <,
                    cam_plan_workspace_bytes (whole));
  g_assert_cmpuint (cam_plan_macs (apart), ==, cam_plan_macs (whole));
  g_assert_cmpuint (cam_plan_weight_bytes (apart), >=, 64 * 64 * 9 * 4);
}

static void
test_cancel (void)
{
  g_autoptr (CamNetwork) network = network_of (0);
  g_autoptr (CamTensor) x = pictures_of (1, PICTURES, 4, 6, 6);
  const RunKind kind = { NULL };
  g_autoptr (CamWorkspace) workspace = run_network (network, x, &kind, 2);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;

  g_cancellable_cancel (cancellable);
  g_assert_false (cam_workspace_run (workspace, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/batch/memory", NULL, test_memory);
  g_test_add_data_func ("/batch/memory of a fixed batch", "fixed", test_memory);
  g_test_add_func ("/batch/cancel", test_cancel);
  for (guint i = 0; i < G_N_ELEMENTS (networks); i++)
    {
      g_autofree char *apart = g_strdup_printf ("/batch/apart/%s",
                                                networks[i].name);
      g_autofree char *numbers = g_strdup_printf ("/batch/numbers/%s",
                                                  networks[i].name);

      g_test_add_data_func (apart, GUINT_TO_POINTER (i), test_apart);
      g_test_add_data_func (numbers, GUINT_TO_POINTER (i), test_numbers);
    }
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/batch/exact/%s",
                                               cases[i].name);

      g_test_add_data_func (path, &cases[i], test_exact);
    }
  return g_test_run ();
}
