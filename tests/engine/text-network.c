/* text-network.c -- see text-network.h */
#include "config.h"

#include "tests/engine/text-network.h"

#include <math.h>
#include <string.h>

#include "tests/reader/model-writer.h"

#define OPSET 18
#define PROTO_INT64S 8 /* fields of AttributeProto, and its kinds */
#define KIND_FLOAT 1
#define KIND_STRING 3
#define KIND_INTS 7

typedef struct
{
  Model model;
  GRand *rand;
  int n_weights;
} Writer;

static void
put_attribute (GByteArray *node, const char *word)
{
  g_auto (GStrv) parts = g_strsplit (word, "=", 2);
  g_auto (GStrv) numbers = g_strsplit (parts[1], ",", -1);
  GByteArray *attribute;

  if (strspn (parts[1], "-0123456789") == strlen (parts[1]))
    {
      node_add_int (node, parts[0], g_ascii_strtoll (parts[1], NULL, 10));
      return;
    }
  attribute = g_byte_array_new ();
  put_text (attribute, 1, parts[0]);
  if (strspn (parts[1], "-0123456789.") == strlen (parts[1]))
    {
      float value = (float) g_ascii_strtod (parts[1], NULL);

      put_varint (attribute, 2 << 3 | 5);
      g_byte_array_append (attribute, (guint8 *) &value, sizeof value);
      put_number (attribute, 20, KIND_FLOAT);
    }
  else if (strspn (parts[1], "-0123456789,") == strlen (parts[1]))
    {
      for (int i = 0; numbers[i] && *numbers[i]; i++)
        put_number (attribute, PROTO_INT64S,
                    (guint64) g_ascii_strtoll (numbers[i], NULL, 10));
      put_number (attribute, 20, KIND_INTS);
    }
  else
    {
      put_text (attribute, 4, parts[1]);
      put_number (attribute, 20, KIND_STRING);
    }
  put_message (node, 5, attribute);
}

static void
put_floats (Writer *writer, GByteArray *tensor, const gint64 *dims, int n_dims,
            gboolean positive)
{
  gsize count = 1, fan_in = 1;

  for (int i = 0; i < n_dims; i++)
    count *= (gsize) dims[i];
  for (int i = 1; i < n_dims; i++)
    fan_in *= (gsize) dims[i];
  if (n_dims == 2) /* of a product: [in, out] */
    fan_in = (gsize) dims[0];
  for (gsize i = 0; i < count; i++)
    {
      double scale = n_dims > 1 ? sqrt (5.0 / (double) fan_in) : 0.5;
      float v = (float) g_rand_double_range (writer->rand, -scale, scale);

      if (positive)
        v = v + 1;
      if (i == 0)
        put_varint (tensor, 9 << 3 | 2), put_varint (tensor, 4 * count);
      g_byte_array_append (tensor, (guint8 *) &v, sizeof v);
    }
}

/* The name of the constant that @word describes (transfer full) */
static char *
put_constant (Writer *writer, const char *word)
{
  g_auto (GStrv) numbers = g_strsplit (word + 1, ",", -1);
  char *name = g_strdup_printf ("constant%d", writer->n_weights++);
  gint64 dims[CAM_MAX_DIMS + 1], values[CAM_MAX_DIMS];
  int n = (int) g_strv_length (numbers);
  float scalar = (float) g_ascii_strtod (word + 1, NULL);
  GByteArray *tensor;

  for (int i = 0; i < n; i++)
    dims[i] = values[i] = g_ascii_strtoll (numbers[i], NULL, 10);
  dims[n] = -1;
  if (*word == '#')
    dims[0] = n, dims[1] = -1;
  else if (*word == '=')
    dims[0] = -1;
  tensor = tensor_new (name, *word == '#' ? DTYPE_INT64 : DTYPE_FLOAT, dims);
  if (*word == '#')
    put_bytes (tensor, 9, values, (gsize) n * sizeof *values);
  else if (*word == '=')
    put_bytes (tensor, 9, &scalar, sizeof scalar);
  else
    put_floats (writer, tensor, dims, n, *word == '+');
  model_add_weight (&writer->model, tensor);
  return name;
}

/* The name of the line's first output (transfer full) */
static char *
put_line (Writer *writer, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", -1);
  g_autofree char *outputs = g_strdelimit (g_strdup (words[0]), ",", ' ');
  g_autoptr (GString) inputs = g_string_new (NULL);
  g_autoptr (GPtrArray) attributes = g_ptr_array_new ();
  GByteArray *node;

  for (int i = 2; words[i]; i++)
    {
      g_autofree char *name = NULL;

      if (*words[i] != '=' && strchr (words[i], '='))
        {
          g_ptr_array_add (attributes, words[i]);
          continue;
        }
      name = strchr ("$+#=", *words[i]) ? put_constant (writer, words[i])
             : *words[i] == '-'         ? g_strdup ("")
                                        : g_strdup (words[i]);
      g_string_append_printf (inputs, "%s%s", i > 2 ? " " : "", name);
    }
  node = node_new (words[1], inputs->str, outputs);
  for (guint i = 0; i < attributes->len; i++)
    put_attribute (node, attributes->pdata[i]);
  model_add_node (&writer->model, node);
  *strchrnul (outputs, ' ') = '\0';
  return g_steal_pointer (&outputs);
}

CamNetwork *
text_network (const char *text, int channels, int height, int width,
              guint32 seed)
{
  const gint64 dims[] = { 0, channels, height, width, -1 };
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  g_autofree char *last = NULL;
  g_autoptr (GBytes) bytes = NULL;
  g_autoptr (GError) error = NULL;
  Writer writer = { { g_byte_array_new (), OPSET }, rand, 0 };
  CamNetwork *network;

  put_message (writer.model.graph, 11, input_new ("x", DTYPE_FLOAT, dims));
  for (int i = 0; lines[i]; i++)
    if (*lines[i])
      {
        g_free (last);
        last = put_line (&writer, lines[i]);
      }
  model_add_output (&writer.model, last);
  bytes = model_finish (&writer.model);
  network = load (bytes, NULL, &error);
  g_assert_no_error (error);
  return network;
}

char **
text_network_tensors (const CamNetwork *network)
{
  const GPtrArray *nodes = cam_network_graph (network)->nodes;
  GPtrArray *names = g_ptr_array_new ();

  for (guint i = 0; i < nodes->len; i++)
    {
      const CamNode *node = nodes->pdata[i];

      for (guint k = 0; k < node->n_outputs; k++)
        g_ptr_array_add (names, g_strdup (node->outputs[k]->name));
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

CamTensor *
random_tensor (GRand *rand, int n_dims, const gint64 *dims)
{
  CamShape shape = cam_shape_make (n_dims, dims);
  CamTensor *tensor = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);

  for (gsize i = 0; i < tensor->n_elements; i++)
    cam_tensor_f32 (tensor)[i] = (float) g_rand_double_range (rand, -1, 1);
  return tensor;
}

CamWorkspace *
run_network (CamNetwork *network, const CamTensor *x, const RunKind *kind,
             int n_threads)
{
  const CamBinding binding = { "x", x->shape };
  const char *at[] = { kind->at, NULL };
  const CamPlanOptions options = { .bindings = &binding,
                                   .n_bindings = 1,
                                   .fetches = kind->fetches,
                                   .gradient_of = kind->of,
                                   .gradient_at = ! kind->of ? NULL
                                                  : kind->targets
                                                      ? kind->targets
                                                      : at,
                                   .whole_batch = kind->whole_batch,
                                   .reference = kind->reference };
  g_autoptr (GError) error = NULL;
  g_autoptr (CamPlan) plan = cam_plan_new (network, &options, &error);
  CamWorkspace *workspace;

  g_assert_no_error (error);
  workspace = cam_workspace_new (plan, n_threads, &error);
  g_assert_no_error (error);
  cam_workspace_set_input (workspace, "x", x, &error);
  g_assert_no_error (error);
  cam_workspace_run (workspace, NULL, &error);
  g_assert_no_error (error);
  return workspace;
}

double
relative_error (const CamTensor *got, const CamTensor *wanted, double least)
{
  double most = least, worst = 0;

  if (! got || ! cam_shape_equal (&got->shape, &wanted->shape))
    return INFINITY;
  for (gsize i = 0; i < wanted->n_elements; i++)
    {
      double a = cam_tensor_f32 (got)[i], b = cam_tensor_f32 (wanted)[i];

      if (isnan (a) || isnan (b))
        return INFINITY;
      most = MAX (most, fabs (b));
      worst = MAX (worst, fabs (a - b));
    }
  return worst / most;
}
