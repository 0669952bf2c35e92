/* model-writer.c -- see model-writer.h */
#include "tests/reader/model-writer.h"
#include <string.h>

void
put_varint (GByteArray *message, guint64 value)
{
  do
    {
      guint8 byte = (value & 0x7f) | (value > 0x7f ? 0x80 : 0);

      g_byte_array_append (message, &byte, 1);
      value >>= 7;
    }
  while (value > 0);
}

void
put_number (GByteArray *message, guint field, guint64 value)
{
  put_varint (message, field << 3);
  put_varint (message, value);
}

void
put_bytes (GByteArray *message, guint field, gconstpointer data, gsize length)
{
  put_varint (message, field << 3 | 2);
  put_varint (message, length);
  g_byte_array_append (message, data, (guint) length);
}

void
put_text (GByteArray *message, guint field, const char *text)
{
  put_bytes (message, field, text, strlen (text));
}

void
put_message (GByteArray *message, guint field, GByteArray *inner)
{
  put_bytes (message, field, inner->data, inner->len);
  g_byte_array_unref (inner);
}

GByteArray *
tensor_new (const char *name, int data_type, const gint64 *dims)
{
  GByteArray *tensor = g_byte_array_new ();

  for (int i = 0; dims[i] != -1; i++)
    put_number (tensor, 1, (guint64) dims[i]);
  put_number (tensor, 2, (guint64) data_type);
  put_text (tensor, 8, name);
  return tensor;
}

static void
put_names (GByteArray *message, guint field, const char *names)
{
  g_auto (GStrv) split = g_strsplit (names, " ", -1);

  for (int i = 0; *names && split[i]; i++)
    put_text (message, field, split[i]);
}

GByteArray *
node_new (const char *op, const char *inputs, const char *outputs)
{
  GByteArray *node = g_byte_array_new ();

  put_names (node, 1, inputs);
  put_names (node, 2, outputs);
  put_text (node, 4, op);
  return node;
}

void
node_add_int (GByteArray *node, const char *name, gint64 value)
{
  GByteArray *attribute = g_byte_array_new ();

  put_text (attribute, 1, name);
  put_number (attribute, 3, (guint64) value);
  put_number (attribute, 20, 2);
  put_message (node, 5, attribute);
}

GByteArray *
input_new (const char *name, int data_type, const gint64 *dims)
{
  GByteArray *shape = g_byte_array_new ();
  GByteArray *tensor = g_byte_array_new ();
  GByteArray *type = g_byte_array_new ();
  GByteArray *info = g_byte_array_new ();

  for (int i = 0; dims[i] != -1; i++)
    {
      GByteArray *dim = g_byte_array_new ();

      if (dims[i] > 0)
        put_number (dim, 1, (guint64) dims[i]);
      else
        put_text (dim, 2, i == 0 ? "batch" : "side");
      put_message (shape, 1, dim);
    }
  put_number (tensor, 1, (guint64) data_type);
  put_message (tensor, 2, shape);
  put_message (type, 1, tensor);
  put_text (info, 1, name);
  put_message (info, 2, type);
  return info;
}

Model
model_new (int opset)
{
  Model model = { g_byte_array_new (), opset };
  const gint64 dims[] = { 0, 3, 8, 8, -1 };

  put_message (model.graph, 11, input_new ("x", DTYPE_FLOAT, dims));
  return model;
}

void
model_add_node (Model *model, GByteArray *node)
{
  put_message (model->graph, 1, node);
}

void
model_add_weight (Model *model, GByteArray *tensor)
{
  put_message (model->graph, 5, tensor);
}

void
model_add_output (Model *model, const char *name)
{
  GByteArray *info = g_byte_array_new ();

  put_text (info, 1, name);
  put_message (model->graph, 12, info);
}

GBytes *
model_finish (Model *model)
{
  GByteArray *bytes = g_byte_array_new ();
  GByteArray *opset = g_byte_array_new ();

  put_number (bytes, 1, 8);
  put_message (bytes, 7, g_steal_pointer (&model->graph));
  put_number (opset, 2, (guint64) model->opset);
  put_message (bytes, 8, opset);
  return g_byte_array_free_to_bytes (bytes);
}

GBytes *
small_model (void)
{
  const gint64 dims[] = { 2, 3, 1, 1, -1 };
  const float values[] = { 1, 2, 3, 4, 5, 6 };
  Model model = model_new (13);
  GByteArray *weight = tensor_new ("w", DTYPE_FLOAT, dims);

  put_bytes (weight, 9, values, sizeof values);
  model_add_weight (&model, weight);
  model_add_node (&model, node_new ("Conv", "x w", "c"));
  model_add_node (&model, node_new ("Relu", "c", "r"));
  model_add_node (&model, node_new ("GlobalAveragePool", "r", "p"));
  model_add_node (&model, node_new ("Flatten", "p", "y"));
  model_add_output (&model, "y");
  return model_finish (&model);
}

CamNetwork *
load (GBytes *bytes, const char *folder, GError **error)
{
  return cam_network_load_bytes (bytes, folder, 0, error);
}

void
assert_refused (GBytes *bytes, CamGraphError code, const char *word)
{
  g_autoptr (GError) error = NULL;
  CamNetwork *network = load (bytes, NULL, &error);

  g_assert_null (network);
  g_assert_error (error, CAM_GRAPH_ERROR, (int) code);
  if (! strstr (error->message, word))
    g_error ("'%s' does not name '%s'", error->message, word);
  g_assert_true (g_utf8_validate (error->message, -1, NULL));
  g_bytes_unref (bytes);
}
