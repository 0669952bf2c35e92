/* test-malformed.c -- files that are no models, or broken, or bad ones */
#include "tests/reader/model-writer.h"
#include <string.h>
#include <time.h>

#define MEGABYTE (1 << 20)
/* in which a file is refused; sanitizers take several times as long */
#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature (feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined __SANITIZE_ADDRESS__ || HAS_FEATURE(address_sanitizer)
#define SECONDS 6
#else
#define SECONDS 1
#endif

static void
test_small_model (void)
{
  g_autoptr (GBytes) bytes = small_model ();
  g_autoptr (GError) error = NULL;
  g_autoptr (CamNetwork) network = load (bytes, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpstr (cam_network_embedding (network), ==, "y");
  g_assert_cmpstr (cam_network_fallback_layer (network, "y"), ==, "r");
  g_assert_cmpuint (cam_network_parameters (network), ==, 6);
  g_assert_cmpuint (cam_network_macs (network, 0, 0, NULL), ==, 6 * 64);
}

/* Cut anywhere, it is refused; but where the cut leaves whole fields, what is
 * left may say other things than damage: no graph, no opset. */
static void
test_truncated (void)
{
  g_autoptr (GBytes) whole = small_model ();

  for (gsize n = 0; n < g_bytes_get_size (whole); n++)
    {
      g_autoptr (GBytes) part = g_bytes_new_from_bytes (whole, 0, n);
      g_autoptr (GError) error = NULL;

      g_assert_null (load (part, NULL, &error));
      g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED);
    }
}

static void
test_bit_flips (void)
{
  g_autoptr (GBytes) whole = small_model ();
  gsize size;
  const guint8 *data = g_bytes_get_data (whole, &size);
  int n_refused = 0;

  for (gsize bit = 0; bit < size * 8; bit++)
    {
      guint8 *copy = g_memdup2 (data, size);
      g_autoptr (GBytes) bytes = NULL;
      g_autoptr (GError) error = NULL;
      g_autoptr (CamNetwork) network = NULL;

      copy[bit / 8] ^= 1 << bit % 8;
      bytes = g_bytes_new_take (copy, size);
      network = load (bytes, NULL, &error);
      g_assert_true ((network == NULL) == (error != NULL));
      n_refused += network == NULL;
      if (network)
        {
          GPtrArray *layers = cam_network_layers (network, 0, 0, NULL);

          g_clear_pointer (&layers, g_ptr_array_unref);
        }
    }
  g_assert_cmpint (n_refused, >, (int) size * 2);
}

static void
test_not_onnx (void)
{
  const char png[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
  const char text[] = "<html><head><title>404 Not Found</title></head></html>";
  guint8 *noise = g_malloc (MEGABYTE);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (int i = 0; i < MEGABYTE; i++)
    noise[i] = (guint8) g_rand_int (random);
  assert_refused (g_bytes_new (NULL, 0), CAM_GRAPH_ERROR_MALFORMED,
                  "no ONNX file");
  assert_refused (g_bytes_new (png, sizeof png), CAM_GRAPH_ERROR_MALFORMED,
                  "no ONNX file");
  assert_refused (g_bytes_new (text, sizeof text), CAM_GRAPH_ERROR_MALFORMED,
                  "no ONNX file");
  assert_refused (g_bytes_new_take (noise, MEGABYTE), CAM_GRAPH_ERROR_MALFORMED,
                  "no ONNX file");
  assert_refused (g_bytes_new_take (g_malloc0 (MEGABYTE), MEGABYTE),
                  CAM_GRAPH_ERROR_MALFORMED, "no ONNX file");
}

/* Messages of the fields graph, node, attribute, g, node, attribute, g ...,
 * each in the one before, of @size bytes together. */
static GBytes *
nested_attributes (gsize size)
{
  const guint8 tags[] = { 1 << 3 | 2, 5 << 3 | 2, 6 << 3 | 2 };
  g_autoptr (GPtrArray) heads =
      g_ptr_array_new_with_free_func ((GDestroyNotify) g_byte_array_unref);
  GByteArray *bytes = g_byte_array_new ();
  gsize length = 0;

  for (guint i = 0; length < size; i++)
    {
      GByteArray *head = g_byte_array_new ();

      g_byte_array_append (head, &tags[2 - i % 3], 1);
      put_varint (head, length);
      length += head->len;
      g_ptr_array_add (heads, head);
    }
  while (heads->len % 3 != 0) /* the outermost is a node */
    {
      GByteArray *last = heads->pdata[heads->len - 1];

      length -= last->len;
      g_ptr_array_set_size (heads, (gint) heads->len - 1);
    }
  put_varint (bytes, 7 << 3 | 2);
  put_varint (bytes, length);
  for (guint i = heads->len; i-- > 0;)
    {
      GByteArray *head = heads->pdata[i];

      g_byte_array_append (bytes, head->data, head->len);
    }
  return g_byte_array_free_to_bytes (bytes);
}

/* Overflows the stack of protobuf-c 1.4.1 where it is let near. */
static void
test_nested (void)
{
  assert_refused (nested_attributes (234000), CAM_GRAPH_ERROR_MALFORMED,
                  "nested");
  assert_refused (nested_attributes (400), CAM_GRAPH_ERROR_MALFORMED, "nested");
}

static GBytes *
with_node (int opset, GByteArray *node)
{
  Model model = model_new (opset);

  model_add_node (&model, node);
  model_add_output (&model, "y");
  return model_finish (&model);
}

static void
test_names (void)
{
  Model model = model_new (13);

  assert_refused (with_node (13, node_new ("Relu", "missing", "y")),
                  CAM_GRAPH_ERROR_MALFORMED, "'missing'");
  assert_refused (with_node (13, node_new ("Relu", "missing", "y")),
                  CAM_GRAPH_ERROR_MALFORMED, "node 'Relu_0'");
  assert_refused (with_node (13, node_new ("Relu", "x", "z")),
                  CAM_GRAPH_ERROR_MALFORMED, "output 'y'");
  assert_refused (with_node (13, node_new ("Relu", "x", "x")),
                  CAM_GRAPH_ERROR_MALFORMED, "'x'");
  assert_refused (with_node (13, node_new ("Sum", "x  x", "y")),
                  CAM_GRAPH_ERROR_MALFORMED, "input 1 is missing");
  assert_refused (with_node (13, node_new ("Relu", "x", "\xff\xfe")),
                  CAM_GRAPH_ERROR_MALFORMED, "UTF-8");
  model_add_node (&model, node_new ("Relu", "x", "y"));
  model_add_node (&model, node_new ("Abs", "x", "y"));
  model_add_output (&model, "y");
  assert_refused (model_finish (&model), CAM_GRAPH_ERROR_MALFORMED, "'y'");
}

static void
test_cycles (void)
{
  Model model = model_new (13);

  assert_refused (with_node (13, node_new ("Add", "x y", "y")),
                  CAM_GRAPH_ERROR_MALFORMED, "cyclic");
  model_add_node (&model, node_new ("Add", "x c", "a"));
  model_add_node (&model, node_new ("Relu", "a", "b"));
  model_add_node (&model, node_new ("Relu", "b", "c"));
  model_add_node (&model, node_new ("Relu", "c", "y"));
  model_add_output (&model, "y");
  assert_refused (model_finish (&model), CAM_GRAPH_ERROR_MALFORMED, "cyclic");
}

/* Nodes may come in any order. */
static void
test_disorder (void)
{
  Model model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (CamNetwork) network = NULL;
  const GPtrArray *nodes;

  model_add_node (&model, node_new ("Relu", "b", "y"));
  model_add_node (&model, node_new ("Relu", "a", "b"));
  model_add_node (&model, node_new ("Relu", "x", "a"));
  model_add_output (&model, "y");
  bytes = model_finish (&model);
  network = load (bytes, NULL, &error);
  g_assert_no_error (error);
  nodes = cam_network_graph (network)->nodes;
  g_assert_cmpuint (nodes->len, ==, 3);
  g_assert_cmpstr (((CamNode *) nodes->pdata[0])->outputs[0]->name, ==, "a");
  g_assert_cmpstr (((CamNode *) nodes->pdata[2])->outputs[0]->name, ==, "y");
}

static void
test_unsupported (void)
{
  GByteArray *node = node_new ("Relu", "x", "y");
  GByteArray *body = g_byte_array_new ();
  GByteArray *own = node_new ("Conv", "x", "y");

  assert_refused (with_node (6, node_new ("Relu", "x", "y")),
                  CAM_GRAPH_ERROR_UNSUPPORTED, "opset 6");
  assert_refused (with_node (21, node_new ("Relu", "x", "y")),
                  CAM_GRAPH_ERROR_UNSUPPORTED, "opset 21");
  assert_refused (with_node (13, node_new ("NonMaxSuppression", "x", "y")),
                  CAM_GRAPH_ERROR_UNSUPPORTED, "NonMaxSuppression (opset 13)");
  node_add_int (node, "surprise", 1);
  assert_refused (with_node (13, node), CAM_GRAPH_ERROR_UNSUPPORTED,
                  "'surprise'");
  put_text (own, 7, "camlens");
  assert_refused (with_node (13, own), CAM_GRAPH_ERROR_UNSUPPORTED, "camlens");

  node = node_new ("Relu", "x", "y");
  put_text (body, 1, "then_branch");
  put_bytes (body, 6, "", 0);
  put_number (body, 20, 5);
  put_message (node, 5, body);
  assert_refused (with_node (13, node), CAM_GRAPH_ERROR_UNSUPPORTED,
                  "subgraph");
}

static GBytes *
with_weight (GByteArray *tensor)
{
  Model model = model_new (13);

  model_add_weight (&model, tensor);
  model_add_node (&model, node_new ("Add", "x w", "y"));
  model_add_output (&model, "y");
  return model_finish (&model);
}

static GBytes *
with_shape (const gint64 *dims, gsize n_bytes)
{
  GByteArray *tensor = tensor_new ("w", DTYPE_FLOAT, dims);
  g_autofree guint8 *zeros = g_malloc0 (n_bytes);

  put_bytes (tensor, 9, zeros, n_bytes);
  return with_weight (tensor);
}

static void
test_sizes (void)
{
  const gint64 huge[] = { G_MAXINT64, 4, -1 };
  const gint64 wraps[] = { (gint64) 1 << 32, (gint64) 1 << 32, 1, -1 };
  const gint64 wraps_bytes[] = { ((gint64) 1 << 62) + 1, -1 };
  const gint64 negative[] = { -2, -2, -1 };
  const gint64 large[] = { 1 << 20, 1 << 20, -1 };
  const gint64 three[] = { 3, -1 };
  const gint64 many[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, -1 };

  assert_refused (with_shape (huge, 4), CAM_GRAPH_ERROR_MALFORMED, "overflows");
  assert_refused (with_shape (wraps, 0), CAM_GRAPH_ERROR_MALFORMED,
                  "overflows");
  assert_refused (with_shape (wraps_bytes, 4), CAM_GRAPH_ERROR_MALFORMED,
                  "overflows");
  assert_refused (with_shape (negative, 16), CAM_GRAPH_ERROR_MALFORMED,
                  "negative");
  assert_refused (with_shape (large, 4), CAM_GRAPH_ERROR_MALFORMED, "'w'");
  assert_refused (with_shape (three, 8), CAM_GRAPH_ERROR_MALFORMED, "8 bytes");
  assert_refused (with_shape (three, 16), CAM_GRAPH_ERROR_MALFORMED,
                  "needs 12");
  assert_refused (with_shape (many, 4), CAM_GRAPH_ERROR_UNSUPPORTED,
                  "dimensions");
}

static void
test_memory_limit (void)
{
  const gint64 dims[] = { 1, 3, 512, 512, -1 };
  g_autoptr (GBytes) bytes = with_shape (dims, 3 * MEGABYTE);
  g_autoptr (GError) error = NULL;
  g_autoptr (CamNetwork) network = NULL;

  g_assert_null (cam_network_load_bytes (bytes, NULL, MEGABYTE, &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_TOO_LARGE);
  g_clear_error (&error);
  network = cam_network_load_bytes (bytes, NULL, 8 * MEGABYTE, &error);
  g_assert_no_error (error);
}

/* Processor time, because other tests may run at the same time. */
static void
assert_refused_soon (GBytes *bytes, CamGraphError code, const char *word)
{
  clock_t start = clock ();
  double seconds;

  assert_refused (bytes, code, word);
  seconds = (double) (clock () - start) / CLOCKS_PER_SEC;
  g_test_message ("refused in %.2f s", seconds);
  g_assert_cmpfloat (seconds, <, SECONDS);
}

/* A small file of very many nodes must not take gigabytes to be refused. */
static void
test_many_nodes (void)
{
  Model model = model_new (13);

  for (int i = 0; i < 5 * MEGABYTE; i++)
    put_bytes (model.graph, 1, "", 0);
  model_add_output (&model, "y");
  assert_refused_soon (model_finish (&model), CAM_GRAPH_ERROR_TOO_LARGE,
                       "large");
}

/* As long a chain as may be, with its fault at the end. */
static void
test_long_chains (void)
{
  const int n = MEGABYTE / 5;

  for (int cyclic = 0; cyclic < 2; cyclic++)
    {
      Model model = model_new (13);

      for (int i = 0; i < n; i++)
        {
          g_autofree char *from = g_strdup_printf ("v%d", i);
          g_autofree char *to = g_strdup_printf ("v%d", (i + 1) % n);

          model_add_node (&model, node_new ("Relu", i || cyclic ? from : "x",
                                            i + 1 < n || cyclic ? to : "v"));
        }
      model_add_node (&model, node_new ("Relu", cyclic ? "v1" : "w", "y"));
      model_add_output (&model, "y");
      assert_refused_soon (model_finish (&model), CAM_GRAPH_ERROR_MALFORMED,
                           cyclic ? "cyclic" : "'w'");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/reader/small-model", test_small_model);
  g_test_add_func ("/reader/truncated", test_truncated);
  g_test_add_func ("/reader/bit-flips", test_bit_flips);
  g_test_add_func ("/reader/not-onnx", test_not_onnx);
  g_test_add_func ("/reader/nested", test_nested);
  g_test_add_func ("/reader/names", test_names);
  g_test_add_func ("/reader/cycles", test_cycles);
  g_test_add_func ("/reader/disorder", test_disorder);
  g_test_add_func ("/reader/unsupported", test_unsupported);
  g_test_add_func ("/reader/sizes", test_sizes);
  g_test_add_func ("/reader/memory-limit", test_memory_limit);
  g_test_add_func ("/reader/many-nodes", test_many_nodes);
  g_test_add_func ("/reader/long-chains", test_long_chains);
  return g_test_run ();
}
