/* test-bind.c -- a graph bound to shapes, its constant parts folded */
#include "core/graph/bind.h"
#include "tests/reader/model-writer.h"
#include <string.h>

static void
add_integers (Model *model, const char *name, int n, const gint64 *values)
{
  const gint64 dims[] = { n, -1 };
  GByteArray *tensor = tensor_new (name, DTYPE_INT64, n > 0 ? dims : dims + 1);

  put_bytes (tensor, 9, values, MAX (n, 1) * sizeof *values);
  model_add_weight (model, tensor);
}

/* Loads @model, which is ended. (transfer full) */
static CamNetwork *
load_model (Model *model)
{
  g_autoptr (GBytes) bytes = model_finish (model);
  g_autoptr (GError) error = NULL;
  CamNetwork *network = load (bytes, NULL, &error);

  g_assert_no_error (error);
  return network;
}

/* Bound to @batch pictures of 8 x 8; @keep: one tensor, or NULL. */
static CamGraph *
bind (const CamNetwork *network, gint64 batch, const char *keep, GError **error)
{
  const CamBinding binding = { "x", { 4, { batch, 3, 8, 8 } } };
  const char *const names[] = { keep, NULL };

  return cam_graph_bind (cam_network_graph (network), &binding, 1,
                         keep ? names : NULL, error);
}

static const CamNode *
find_op (const CamGraph *graph, const char *op_type)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      const CamNode *node = graph->nodes->pdata[i];

      if (strcmp (node->op_type, op_type) == 0)
        return node;
    }
  return NULL;
}

static CamNetwork *
one_node (const char *op)
{
  Model model = model_new (13);

  model_add_node (&model, node_new (op, "x", "y"));
  model_add_output (&model, "y");
  return load_model (&model);
}

static void
test_shapes (void)
{
  g_autoptr (CamNetwork) network = one_node ("Relu");
  g_autoptr (CamGraph) five = bind (network, 5, NULL, NULL);
  g_autoptr (CamGraph)
      plain = cam_graph_bind (cam_network_graph (network), NULL, 0, NULL, NULL);
  const gint64 dims_five[] = { 5, 3, 8, 8 };
  const gint64 dims_one[] = { 1, 3, 8, 8 };
  CamShape shape = cam_shape_make (4, dims_five);

  g_assert_true (cam_shape_equal (&cam_graph_find (five, "y")->shape, &shape));
  shape = cam_shape_make (4, dims_one);
  g_assert_true (cam_shape_equal (&cam_graph_find (plain, "y")->shape, &shape));
}

static void
test_bad_bindings (void)
{
  static const struct
  {
    CamBinding binding;
    CamGraphError code;
    const char *word;
  } bad[] = {
    { { "x", { 4, { 1, 4, 8, 8 } } }, CAM_GRAPH_ERROR_SHAPE, "[?, 3, 8, 8]" },
    { { "x", { 3, { 3, 8, 8 } } }, CAM_GRAPH_ERROR_SHAPE, "[3, 8, 8]" },
    { { "x", { 4, { 0, 3, 8, 8 } } }, CAM_GRAPH_ERROR_SHAPE, "empty" },
    { { "x", { 4, { -1, 3, 8, 8 } } }, CAM_GRAPH_ERROR_SHAPE, "no shape" },
    { { "x", { 4, { G_MAXINT64, 3, 8, 8 } } }, CAM_GRAPH_ERROR_SHAPE, "x" },
    { { "z", { 1, { 1 } } }, CAM_GRAPH_ERROR_NOT_FOUND, "'z'" },
  };
  g_autoptr (CamNetwork) network = one_node ("Relu");

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (cam_graph_bind (cam_network_graph (network),
                                     &bad[i].binding, 1, NULL, &error));
      g_assert_error (error, CAM_GRAPH_ERROR, (int) bad[i].code);
      g_assert_nonnull (strstr (error->message, bad[i].word));
    }
}

/* A binding of an inner tensor makes the graph begin there. */
static void
test_cut (void)
{
  Model model = model_new (13);
  const CamBinding inner = { "r", { 4, { 2, 3, 4, 4 } } };
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamGraph) graph = NULL;

  model_add_node (&model, node_new ("Relu", "x", "r"));
  model_add_node (&model, node_new ("Abs", "r", "y"));
  model_add_output (&model, "y");
  network = load_model (&model);
  graph = cam_graph_bind (cam_network_graph (network), &inner, 1, NULL, NULL);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
  g_assert_cmpuint (graph->inputs->len, ==, 1);
  g_assert_cmpint (cam_graph_find (graph, "y")->shape.dims[2], ==, 4);
}

/* What exporters write for x.reshape (len (x), -1) */
static void
test_shape_chain (void)
{
  Model model = model_new (13);
  const gint64 zero = 0;
  const gint64 minus = -1;
  GByteArray *concat = node_new ("Concat", "u minus", "to");
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamGraph) graph = NULL;

  add_integers (&model, "zero", 0, &zero);
  add_integers (&model, "axes", 1, &zero);
  add_integers (&model, "minus", 1, &minus);
  model_add_node (&model, node_new ("Shape", "x", "shape"));
  model_add_node (&model, node_new ("Gather", "shape zero", "n"));
  model_add_node (&model, node_new ("Unsqueeze", "n axes", "u"));
  node_add_int (concat, "axis", 0);
  model_add_node (&model, concat);
  model_add_node (&model, node_new ("Reshape", "x to", "y"));
  model_add_output (&model, "y");
  network = load_model (&model);
  graph = bind (network, 7, NULL, NULL);
  g_assert_nonnull (graph);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
  g_assert_cmpint (cam_graph_find (graph, "y")->shape.dims[0], ==, 7);
  g_assert_cmpint (cam_graph_find (graph, "y")->shape.dims[1], ==, 192);
}

static void
test_identity (void)
{
  Model model = model_new (13);
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamGraph) graph = NULL;
  g_autoptr (CamGraph) kept = NULL;
  const gint64 dims[] = { 1, 3, 1, 1, -1 };
  const float values[] = { 1, 2, 3 };
  GByteArray *weight = tensor_new ("w", DTYPE_FLOAT, dims);

  put_bytes (weight, 9, values, sizeof values);
  model_add_weight (&model, weight);
  model_add_node (&model, node_new ("Identity", "w", "v"));
  model_add_node (&model, node_new ("Identity", "x", "a"));
  model_add_node (&model, node_new ("Dropout", "a", "b mask"));
  model_add_node (&model, node_new ("Mul", "b v", "y"));
  model_add_output (&model, "y");
  network = load_model (&model);
  graph = bind (network, 1, NULL, NULL);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
  g_assert_cmpstr (find_op (graph, "Mul")->inputs[0]->name, ==, "x");
  g_assert_nonnull (find_op (graph, "Mul")->inputs[1]->constant);

  kept = bind (network, 1, "b", NULL);
  g_assert_nonnull (cam_graph_find (kept, "b"));
  g_assert_cmpuint (kept->outputs->len, ==, 1);
  g_assert_null (find_op (kept, "Mul"));
}

static void
test_dequantized_weights (void)
{
  Model model = model_new (13);
  const gint64 dims[] = { 2, -1 };
  const gint64 none[] = { -1 };
  const gint8 quantized[] = { -4, 6 };
  const float scale = 0.5f;
  GByteArray *weight = tensor_new ("w", 3, dims);
  GByteArray *scales = tensor_new ("s", DTYPE_FLOAT, none);
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamGraph) graph = NULL;
  const CamTensor *folded;

  put_bytes (weight, 9, quantized, sizeof quantized);
  put_bytes (scales, 9, &scale, sizeof scale);
  model_add_weight (&model, weight);
  model_add_weight (&model, scales);
  model_add_node (&model, node_new ("DequantizeLinear", "w s", "f"));
  model_add_output (&model, "f");
  network = load_model (&model);
  graph = cam_graph_bind (cam_network_graph (network), NULL, 0, NULL, NULL);
  folded = cam_graph_find (graph, "f")->constant;
  g_assert_nonnull (folded);
  g_assert_cmpfloat (cam_tensor_f32 (folded)[0], ==, -2);
  g_assert_cmpfloat (cam_tensor_f32 (folded)[1], ==, 3);
  g_assert_cmpuint (graph->nodes->len, ==, 0);
  g_assert_null (cam_graph_find (graph, "w"));
}

/* Sixteen bytes that would become 256 MiB stay a node. */
static void
test_expansion (void)
{
  Model model = model_new (13);
  const gint64 sizes[] = { 8192, 8192 };
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamGraph) graph = NULL;

  add_integers (&model, "sizes", 2, sizes);
  model_add_node (&model, node_new ("ConstantOfShape", "sizes", "y"));
  model_add_output (&model, "y");
  network = load_model (&model);
  graph = cam_graph_bind (cam_network_graph (network), NULL, 0, NULL, NULL);
  g_assert_nonnull (find_op (graph, "ConstantOfShape"));
  g_assert_cmpint (cam_graph_find (graph, "y")->shape.dims[1], ==, 8192);
}

static void
test_keep (void)
{
  Model model = model_new (13);
  const gint64 text[] = { 0, 0, -1 };
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamGraph) graph = NULL;
  g_autoptr (GError) error = NULL;

  put_message (model.graph, 11, input_new ("text", DTYPE_INT64, text));
  model_add_node (&model, node_new ("Relu", "x", "r"));
  model_add_node (&model, node_new ("Shape", "text", "s"));
  model_add_node (&model, node_new ("Abs", "r", "y"));
  model_add_output (&model, "y");
  model_add_output (&model, "s");
  network = load_model (&model);

  graph = bind (network, 2, "r", &error); /* which needs no text */
  g_assert_no_error (error);
  g_assert_cmpuint (graph->nodes->len, ==, 1);
  g_assert_cmpuint (graph->inputs->len, ==, 1);

  g_assert_null (bind (network, 2, NULL, &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "'text'"));
  g_clear_error (&error);

  g_assert_null (bind (network, 2, "absent", &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NOT_FOUND);
}

static void
test_symbols (void)
{
  Model model = model_new (13);
  const gint64 dims[] = { 0, 3, 8, 8, -1 };
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamGraph) graph = NULL;
  g_autoptr (GError) error = NULL;
  const CamBinding two[] = { { "x", { 4, { 2, 3, 8, 8 } } },
                             { "z", { 4, { 3, 3, 8, 8 } } } };

  put_message (model.graph, 11, input_new ("z", DTYPE_FLOAT, dims));
  model_add_node (&model, node_new ("Add", "x z", "y"));
  model_add_output (&model, "y");
  network = load_model (&model);
  graph = bind (network, 4, NULL, &error); /* z follows x */
  g_assert_no_error (error);
  g_assert_cmpint (cam_graph_find (graph, "z")->shape.dims[0], ==, 4);
  g_assert_null (cam_graph_bind (cam_network_graph (network), two, 2, NULL,
                                 &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_SHAPE);
  g_assert_nonnull (strstr (error->message, "'batch'"));
}

/* Sizes of layers that follow the batch and the picture */
static void
test_layers (void)
{
  Model model = model_new (13);
  const gint64 dims[] = { 0, 3, 0, 0, -1 };
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (GPtrArray) layers = NULL;
  const CamTensorInfo *info;

  g_byte_array_set_size (model.graph, 0);
  put_message (model.graph, 11, input_new ("x", DTYPE_FLOAT, dims));
  model_add_node (&model, node_new ("Relu", "x", "r"));
  model_add_node (&model, node_new ("GlobalMaxPool", "r", "p"));
  model_add_node (&model, node_new ("Flatten", "p", "y"));
  model_add_output (&model, "y");
  network = load_model (&model);
  layers = cam_network_layers (network, 32, 32, NULL);
  g_assert_cmpuint (layers->len, ==, 1);
  info = layers->pdata[0];
  g_assert_cmpstr (info->name, ==, "r");
  g_assert_cmpstr (info->op, ==, "Relu");
  g_assert_cmpstr (info->text, ==, "[N, 3, 32, 32]");
  g_assert_cmpint (info->shape.dims[0], ==, -1);
  g_assert_cmpint (info->shape.dims[1], ==, 3);
  g_assert_cmpint (info->shape.dims[2], ==, -1);
  g_assert_cmpint (info->bound.dims[3], ==, 32);
  g_assert_cmpstr (cam_network_fallback_layer (network, "y"), ==, "r");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/bind/shapes", test_shapes);
  g_test_add_func ("/bind/bad-bindings", test_bad_bindings);
  g_test_add_func ("/bind/cut", test_cut);
  g_test_add_func ("/bind/shape-chain", test_shape_chain);
  g_test_add_func ("/bind/identity", test_identity);
  g_test_add_func ("/bind/dequantized-weights", test_dequantized_weights);
  g_test_add_func ("/bind/expansion", test_expansion);
  g_test_add_func ("/bind/keep", test_keep);
  g_test_add_func ("/bind/symbols", test_symbols);
  g_test_add_func ("/bind/layers", test_layers);
  return g_test_run ();
}
