/* test-limits.c -- what a small network may make of memory and time
 *
 * A chain of Concats that doubles a number forty times, pools of constants with
 * windows as large as the picture, a million inputs: each has its bound, and
 * what goes beyond it is said in a message that helps.
 */
#include "config.h"

#include <string.h>

#include "tests/engine/text-network.h"

#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature (feature)
#else
#define HAS_FEATURE(feature) 0
#endif
/* more than a stack has room for addresses of; under a sanitizer, which looks
 * at the whole text for each of its words, only many */
#if defined __SANITIZE_ADDRESS__ || HAS_FEATURE(address_sanitizer)
#define MANY_INPUTS 20000
#else
#define MANY_INPUTS 1000000
#endif

#define MIB ((guint64) 1 << 20)

/* c1, c2, ... of 2, 4, ... numbers; @tail is the rest of the network */
static CamNetwork *
doubling (int times, const char *tail)
{
  g_autoptr (GString) text = g_string_new ("c0 Identity $1\n");

  for (int i = 1; i <= times; i++)
    g_string_append_printf (text, "c%d Concat c%d c%d axis=0\n", i, i - 1,
                            i - 1);
  g_string_append (text, tail);
  return text_network (text->str, 3, 4, 4, 1);
}

static CamGraph *
bound (const CamNetwork *network)
{
  const CamBinding binding = { "x", { 4, { 1, 3, 4, 4 } } };
  GError *error = NULL;
  CamGraph *graph = cam_graph_bind (cam_network_graph (network), &binding, 1,
                                    NULL, &error);

  g_assert_no_error (error);
  return graph;
}

static void
test_folded_bytes (void)
{
  g_autoptr (CamNetwork)
      network = doubling (40, "m ReduceMax c40 keepdims=0\ny Add x m");
  g_autoptr (CamGraph) graph = bound (network);
  const CamValue *last = cam_graph_find (graph, "c40");

  g_assert_cmpuint (cam_graph_constant_bytes (graph), <=, 64 * MIB);
  g_assert_nonnull (last);
  g_assert_cmpint (last->shape.dims[0], ==, (gint64) 1 << 40);
}

/* A shape is known all the same, and what nothing asks for is not made. */
static void
test_only_shape (void)
{
  g_autoptr (CamNetwork)
      network = doubling (30, "s Shape c30\nf Cast s to=1\ny Add x f");
  g_autoptr (CamGraph) graph = bound (network);

  g_assert_cmpint (graph->nodes->len, ==, 1);
  g_assert_cmpuint (cam_graph_constant_bytes (graph), <=, MIB);
}

/* Left for the run, the numbers are the same. */
static void
test_left_unfolded (void)
{
  g_autoptr (CamNetwork)
      network = doubling (25, "m ReduceMean c25 keepdims=0\ny Sub m x");
  g_autoptr (CamNetwork)
      little = doubling (3, "m ReduceMean c3 keepdims=0\ny Sub m x");
  const gint64 dims[] = { 1, 3, 4, 4 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  g_autoptr (CamTensor) x = random_tensor (rand, 4, dims);
  const RunKind kind = { NULL };
  g_autoptr (CamWorkspace) much = run_network (network, x, &kind, 1);
  g_autoptr (CamWorkspace) few = run_network (little, x, &kind, 1);

  g_assert_cmpfloat (relative_error (cam_workspace_get (much, "y"),
                                     cam_workspace_get (few, "y"), 1),
                     <=, 1e-6);
}

/* 2^40 numbers, and numbers of which there cannot be any machine full */
static void
test_too_large (gconstpointer tail)
{
  g_autoptr (CamNetwork) network = doubling (40, tail);
  const CamBinding binding = { "x", { 4, { 1, 3, 4, 4 } } };
  const CamPlanOptions options = { .bindings = &binding, .n_bindings = 1 };
  g_autoptr (GError) error = NULL;
  g_autoptr (CamPlan) plan = cam_plan_new (network, &options, &error);

  g_assert_null (plan);
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_TOO_LARGE);
  g_assert_nonnull (strstr (error->message, "not enough memory"));
  g_assert_nonnull (strstr (error->message, "B"));
}

/* 2^18 windows of 2^18 numbers would take minutes. */
static void
test_folded_steps (void)
{
  g_autoptr (CamNetwork)
      network = text_network ("a MaxPool $1,1,512,512 kernel_shape=511,511 "
                              "pads=255,255,255,255\n"
                              "b AveragePool a kernel_shape=511,511 "
                              "pads=255,255,255,255\n"
                              "m ReduceMax b keepdims=0\ny Add x m",
                              3, 4, 4, 1);
  g_autoptr (GTimer) timer = g_timer_new ();
  g_autoptr (CamGraph) graph = bound (network);

  g_assert_cmpint (graph->nodes->len, ==, 4);
  g_assert_cmpfloat (g_timer_elapsed (timer, NULL), <, 5);
}

static void
test_many_inputs (void)
{
  guint n = MANY_INPUTS;
  g_autoptr (GString) text = g_string_new ("r Relu x\ny Concat");
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamWorkspace) workspace = NULL;
  const gint64 dims[] = { 1, 1, 1, 1 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (2);
  g_autoptr (CamTensor) x = random_tensor (rand, 4, dims);
  const RunKind kind = { .of = "y", .at = "r" };
  g_autoptr (CamTensor) seed = NULL;
  g_autoptr (CamTensor) gradient = NULL;
  const CamTensor *y;

  for (guint i = 0; i < n; i++)
    g_string_append (text, " r");
  g_string_append (text, " axis=1");
  network = text_network (text->str, 1, 1, 1, 1);
  workspace = run_network (network, x, &kind, 1);
  y = cam_workspace_get (workspace, "y");
  g_assert_cmpuint (y->n_elements, ==, n);
  g_assert_true (cam_tensor_f32 (y)[n - 1] == MAX (*cam_tensor_f32 (x), 0));
  seed = cam_tensor_new (CAM_DTYPE_FLOAT32, &y->shape, NULL);
  cam_tensor_f32 (seed)[n - 1] = 2;
  cam_tensor_f32 (seed)[0] = 1;
  gradient = cam_workspace_gradient (workspace, seed, "r", NULL, NULL);
  g_assert_cmpfloat (*cam_tensor_f32 (gradient), ==, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/limits/folded bytes", test_folded_bytes);
  g_test_add_func ("/limits/only the shape", test_only_shape);
  g_test_add_func ("/limits/left unfolded", test_left_unfolded);
  g_test_add_func ("/limits/folded steps", test_folded_steps);
  g_test_add_func ("/limits/many inputs", test_many_inputs);
  g_test_add_data_func ("/limits/too large",
                        "m ReduceMax c40 keepdims=0\ny Add x m",
                        test_too_large);
  g_test_add_data_func ("/limits/beyond counting",
                        "a Reshape c40 #1048576,1048576\n"
                        "b Concat a a a a axis=1\nc Greater b =0.5\n"
                        "d Concat c c c c c c c c c c c c c c c c axis=0\n"
                        "e Concat d d d d d d d d d d d d d d d d axis=0\n"
                        "f Concat e e e e e e e e e e e e e e e e axis=1\n"
                        "h Cast f to=1\n"
                        "m ReduceMax h keepdims=0\ny Add x m",
                        test_too_large);
  return g_test_run ();
}
