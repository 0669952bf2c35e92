/* test-fold.c -- what is computed when a graph is bound has bounds
 *
 * A file of a few kB can ask for any amount of memory or time.  What goes
 * beyond the bounds stays a node; the numbers that say shapes are folded all
 * the same.
 */
#include "config.h"

#include <string.h>

#include "core/graph/bind.h"
#include "tests/engine/text-network.h"

#define BOUND ((gsize) 65 << 20) /* 64 MiB, and a little */
#define DOUBLINGS 22             /* 8 floats: to 128 MiB */

/* "dN" of 8 2^N floats; @tail follows. */
static char *
doubled (int n, const char *tail)
{
  GString *text = g_string_new ("d0 Concat $8 $8 axis=0\n");

  for (int i = 1; i < n; i++)
    g_string_append_printf (text, "d%d Concat d%d d%d axis=0\n", i, i - 1,
                            i - 1);
  g_string_append_printf (text, "last Concat d%d d%d axis=0\n%s", n - 1, n - 1,
                          tail);
  return g_string_free (text, FALSE);
}

static CamGraph *
bound (const char *text)
{
  g_autoptr (CamNetwork) network = text_network (text, 1, 4, 4, 1);
  const CamBinding binding = { "x", { 4, { 1, 1, 4, 4 } } };
  g_autoptr (GError) error = NULL;
  CamGraph *graph = cam_graph_bind (cam_network_graph (network), &binding, 1,
                                    NULL, &error);

  g_assert_no_error (error);
  return graph;
}

static guint
count (const CamGraph *graph, const char *op_type)
{
  guint n = 0;

  for (guint i = 0; i < graph->nodes->len; i++)
    n += strcmp (((CamNode *) graph->nodes->pdata[i])->op_type, op_type) == 0;
  return n;
}

static void
test_bytes (void)
{
  g_autofree char *text = doubled (DOUBLINGS, "s ReduceSum last keepdims=0\n"
                                              "y Add x s");
  g_autoptr (CamGraph) graph = bound (text);

  g_assert_cmpuint (cam_graph_constant_bytes (graph), <=, BOUND);
  g_assert_cmpuint (count (graph, "Concat"), >, 0);
  g_assert_cmpuint (count (graph, "Concat"), <, 5);
}

/* The same numbers, whether they are folded or not */
static void
test_numbers (void)
{
  g_autofree char *text = doubled (DOUBLINGS, "s ReduceMean last keepdims=0\n"
                                              "y Add x s");
  g_autofree char *few = doubled (2, "s ReduceMean last keepdims=0\n"
                                     "y Add x s");
  g_autoptr (CamNetwork) large = text_network (text, 1, 4, 4, 1);
  g_autoptr (CamNetwork) small = text_network (few, 1, 4, 4, 1);
  const gint64 dims[] = { 1, 1, 4, 4 };
  g_autoptr (GRand) rand = g_rand_new_with_seed (1);
  g_autoptr (CamTensor) x = random_tensor (rand, 4, dims);
  const RunKind kind = { NULL };
  g_autoptr (CamWorkspace) a = run_network (large, x, &kind, 1);
  g_autoptr (CamWorkspace) b = run_network (small, x, &kind, 1);

  g_assert_cmpfloat (relative_error (cam_workspace_get (a, "y"),
                                     cam_workspace_get (b, "y"), 1e-30),
                     <=, 1e-5);
}

static void
test_nobody_asks (void)
{
  g_autofree char *text = doubled (40, "y Relu x");
  g_autoptr (CamGraph) graph = bound (text);

  g_assert_cmpuint (graph->nodes->len, ==, 1);
  g_assert_cmpuint (cam_graph_constant_bytes (graph), ==, 0);
}

/* Where nothing else may be folded any more */
static void
test_shapes (void)
{
  g_autofree char *text = doubled (DOUBLINGS,
                                   "s Shape x\n"
                                   "g Gather s #0,1 axis=0\n"
                                   "t Concat g #2,8 axis=0\n"
                                   "r Reshape x t\n"
                                   "m ReduceSum last keepdims=0\n"
                                   "y Add r m");
  g_autoptr (CamGraph) graph = bound (text);

  g_assert_cmpuint (count (graph, "Gather"), ==, 0);
  g_assert_cmpuint (count (graph, "Reshape"), ==, 1);
}

/* A window of 811,801 taps at a million places */
static void
test_time (void)
{
  g_autoptr (CamGraph)
      graph = bound ("p AveragePool $1,1,1000,1000 kernel_shape=901,901 "
                     "pads=450,450,450,450\n"
                     "m ReduceMean p keepdims=0\ny Add x m");
  g_autoptr (CamGraph)
      other = bound ("p LRN $1,2000,20,20 size=1999\n"
                     "m ReduceMean p keepdims=0\ny Add x m");

  g_assert_cmpuint (count (graph, "AveragePool"), ==, 1);
  g_assert_cmpuint (count (other, "LRN"), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fold/bytes", test_bytes);
  g_test_add_func ("/fold/numbers", test_numbers);
  g_test_add_func ("/fold/nobody-asks", test_nobody_asks);
  g_test_add_func ("/fold/shapes", test_shapes);
  g_test_add_func ("/fold/time", test_time);
  return g_test_run ();
}
