/* test-graph.c -- building, sorting, pruning and copying graphs */
#include "core/graph/operator.h"
#include <string.h>

static CamNode *
add (CamGraph *graph, const char *op, const char *in, const char *out)
{
  CamValue *input = cam_graph_find (graph, in);
  CamValue *output = cam_graph_find (graph, out);
  CamNode *node;

  if (! input)
    input = cam_graph_add_value (graph, in, NULL);
  if (! output)
    output = cam_graph_add_value (graph, out, NULL);
  node = cam_graph_add_node (graph, "", op, NULL, 1, &input, 1, &output, NULL);
  g_assert_true (cam_node_parse (node, NULL));
  return node;
}

/* x -> a -> b -> y, and b -> side, with x the input and y the output */
static CamGraph *
make_graph (void)
{
  CamGraph *graph = cam_graph_new ("test", 13);

  add (graph, "Relu", "x", "a");
  add (graph, "Abs", "a", "b");
  add (graph, "Neg", "b", "y");
  add (graph, "Exp", "b", "side");
  g_ptr_array_add (graph->inputs, cam_graph_find (graph, "x"));
  g_ptr_array_add (graph->outputs, cam_graph_find (graph, "y"));
  return graph;
}

static const char *
op_at (const CamGraph *graph, guint i)
{
  return ((CamNode *) graph->nodes->pdata[i])->op_type;
}

static void
test_sort (void)
{
  g_autoptr (CamGraph) graph = make_graph ();
  gpointer first = graph->nodes->pdata[0];

  graph->nodes->pdata[0] = graph->nodes->pdata[2];
  graph->nodes->pdata[2] = first;
  g_assert_true (cam_graph_sort (graph, NULL));
  g_assert_cmpstr (op_at (graph, 0), ==, "Relu");
  g_assert_cmpstr (op_at (graph, 1), ==, "Abs");
  g_assert_cmpstr (op_at (graph, 2), ==, "Neg");
  g_assert_cmpstr (op_at (graph, 3), ==, "Exp");
}

/* Far deeper than any stack that recursion would need */
static void
test_sort_deep (void)
{
  g_autoptr (CamGraph) graph = cam_graph_new ("deep", 13);
  const int n = 200000;

  for (int i = n; i-- > 0;)
    {
      g_autofree char *from = g_strdup_printf ("v%d", i);
      g_autofree char *to = g_strdup_printf ("v%d", i + 1);

      add (graph, "Relu", from, to);
    }
  g_assert_true (cam_graph_sort (graph, NULL));
  g_assert_cmpstr (((CamNode *) graph->nodes->pdata[0])->inputs[0]->name, ==,
                   "v0");
}

static void
test_cycle (void)
{
  g_autoptr (CamGraph) graph = make_graph ();
  g_autoptr (GError) error = NULL;

  ((CamNode *) graph->nodes->pdata[0])->inputs[0] = cam_graph_find (graph,
                                                                    "side");
  g_assert_false (cam_graph_sort (graph, &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED);
}

static void
test_prune (void)
{
  g_autoptr (CamGraph) graph = make_graph ();
  g_autoptr (GPtrArray) keep = g_ptr_array_new ();

  g_ptr_array_add (keep, cam_graph_find (graph, "side"));
  cam_graph_prune (graph, keep);
  g_assert_cmpuint (graph->nodes->len, ==, 4);
  cam_graph_prune (graph, NULL);
  g_assert_cmpuint (graph->nodes->len, ==, 3);
  g_assert_cmpuint (graph->values->len, ==, 4);
  g_assert_null (cam_graph_find (graph, "side"));
  g_assert_nonnull (cam_graph_find (graph, "x"));
  for (guint i = 0; i < graph->values->len; i++)
    g_assert_cmpuint (((CamValue *) graph->values->pdata[i])->index, ==, i);
}

static void
test_replace (void)
{
  g_autoptr (CamGraph) graph = make_graph ();
  CamValue *a = cam_graph_find (graph, "a");
  CamValue *b = cam_graph_find (graph, "b");

  cam_graph_replace_value (graph, b, a);
  cam_graph_prune (graph, NULL);
  g_assert_cmpuint (graph->nodes->len, ==, 2);
  g_assert_true (((CamNode *) graph->nodes->pdata[1])->inputs[0] == a);
}

static void
test_copy (void)
{
  g_autoptr (CamGraph) graph = make_graph ();
  g_autoptr (CamGraph) copy = NULL;
  const CamShape shape = { 1, { 2 } };
  CamTensor *tensor = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);
  CamValue *constant = cam_graph_add_constant (graph, "w", tensor);

  copy = cam_graph_copy (graph, NULL);
  g_assert_cmpuint (copy->nodes->len, ==, 4);
  g_assert_true (cam_graph_find (copy, constant->name)->constant == tensor);
  g_assert_true (cam_graph_find (copy, "a") != cam_graph_find (graph, "a"));
  g_assert_true (copy->outputs->pdata[0] == cam_graph_find (copy, "y"));
  g_assert_true (cam_graph_find (copy, "a")->producer == copy->nodes->pdata[0]);
  g_assert_cmpstr (cam_graph_add_value (copy, NULL, "w")->name, !=,
                   constant->name);
}

static void
test_attributes (void)
{
  g_autoptr (CamGraph) graph = cam_graph_new ("attributes", 13);
  const gint64 axes[] = { 2, 3 };
  const gint64 *found;
  gsize n;
  CamValue *x = cam_graph_add_value (graph, "x", NULL);
  CamNode *node = cam_graph_add_node (graph, "ai.onnx", "ReduceMean", NULL, 1,
                                      &x, 1, &x, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_cmpstr (node->domain, ==, "");
  cam_node_set_ints (node, "axes", 2, axes);
  cam_node_set_int (node, "keepdims", 1);
  cam_node_set_int (node, "keepdims", 0);
  found = cam_node_ints (node, "axes", &n);
  g_assert_cmpmem (found, n * sizeof *found, axes, sizeof axes);
  g_assert_cmpint (cam_node_int (node, "keepdims", 1), ==, 0);
  g_assert_cmpint (cam_node_int (node, "absent", 5), ==, 5);
  g_assert_true (cam_node_parse (node, &error));
  cam_node_set_string (node, "wrong", "kind");
  g_assert_false (cam_node_parse (node, &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_UNSUPPORTED);
  g_assert_nonnull (strstr (error->message, "'wrong'"));
  g_assert_nonnull (strstr (error->message, "ReduceMean"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/graph/sort", test_sort);
  g_test_add_func ("/graph/sort-deep", test_sort_deep);
  g_test_add_func ("/graph/cycle", test_cycle);
  g_test_add_func ("/graph/prune", test_prune);
  g_test_add_func ("/graph/replace", test_replace);
  g_test_add_func ("/graph/copy", test_copy);
  g_test_add_func ("/graph/attributes", test_attributes);
  return g_test_run ();
}
