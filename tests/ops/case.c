/* case.c -- one node on its own, described in a line */
#include "config.h"

#include "tests/ops/case.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* "2,3:5" to a shape and what stands behind the colon. */
static CamShape
read_shape (const char *text, const char **rest)
{
  CamShape shape = { 0 };

  while (*text && *text != ':')
    {
      char *end;

      shape.dims[shape.n_dims++] = g_ascii_strtoll (text, &end, 10);
      text = *end == ',' ? end + 1 : end;
    }
  *rest = *text == ':' ? text + 1 : text;
  return shape;
}

CamTensor *
case_random (GRand *rand, const CamShape *shape, gint64 n_seeds)
{
  CamShape whole = *shape;
  CamTensor *t;

  if (n_seeds > 0)
    {
      memmove (whole.dims + 1, shape->dims,
               (CAM_MAX_DIMS - 1) * sizeof *whole.dims);
      whole.dims[0] = n_seeds;
      whole.n_dims++;
    }
  t = cam_tensor_new (CAM_DTYPE_FLOAT32, &whole, NULL);
  for (gsize i = 0; i < t->n_elements; i++)
    cam_tensor_f32 (t)[i] = (float) g_rand_double_range (rand, -1, 1);
  return t;
}

/* 0.055, -0.055 + ... in random order: distinct, none near 0. */
static CamTensor *
spread (GRand *rand, const CamShape *shape, gboolean positive)
{
  CamTensor *t = cam_tensor_new (CAM_DTYPE_FLOAT32, shape, NULL);
  double first = positive ? 0.3 : 0.055 - 0.11 * (double) (t->n_elements / 2);

  for (gsize i = 0; i < t->n_elements; i++)
    {
      gsize k = (gsize) g_rand_int_range (rand, 0, (gint32) i + 1);

      cam_tensor_f32 (t)[i] = cam_tensor_f32 (t)[k];
      cam_tensor_f32 (t)[k] = (float) (first + 0.11 * (double) i);
    }
  return t;
}

static CamTensor *
listed (const char *text, CamDType dtype, gboolean scalar)
{
  g_auto (GStrv) words = g_strsplit (text, ",", -1);
  CamShape shape = { 1, { *text ? g_strv_length (words) : 0 } };
  CamTensor *t;

  shape.n_dims = scalar ? 0 : 1;
  t = cam_tensor_new (dtype, &shape, NULL);
  for (gsize i = 0; i < t->n_elements; i++)
    if (dtype == CAM_DTYPE_INT64)
      cam_tensor_i64 (t)[i] = g_ascii_strtoll (words[i], NULL, 10);
    else
      cam_tensor_f32 (t)[i] = (float) g_ascii_strtod (words[i], NULL);
  return t;
}

static CamTensor *
make_input (Case *c, const char *word)
{
  const char *rest;
  CamShape shape = read_shape (word + 1, &rest);
  CamTensor *t;

  switch (*word)
    {
    case 'x':
    case 'p': return spread (c->rand, &shape, *word == 'p');
    case 'i': return listed (word + 2, CAM_DTYPE_INT64, FALSE);
    case 'f': return listed (word + 2, CAM_DTYPE_FLOAT32, FALSE);
    case 's': return listed (word + 2, CAM_DTYPE_FLOAT32, TRUE);
    case 'w': return case_random (c->rand, &shape, 0);
    case 'v':
      t = case_random (c->rand, &shape, 0);
      for (gsize i = 0; i < t->n_elements; i++)
        cam_tensor_f32 (t)[i] = 1.2f + cam_tensor_f32 (t)[i];
      return t;
    case 'b':
      t = cam_tensor_new (CAM_DTYPE_BOOL, &shape, NULL);
      for (gsize i = 0; i < t->n_elements; i++)
        ((guint8 *) t->data)[i] = (guint8) g_rand_int_range (c->rand, 0, 2);
      return t;
    case 'n':
      t = cam_tensor_new (CAM_DTYPE_INT64, &shape, NULL);
      for (gsize i = 0; i < t->n_elements; i++)
        cam_tensor_i64 (t)[i] = g_rand_int_range (c->rand, 0, atoi (rest));
      return t;
    default: g_error ("no such kind of input: %s", word);
    }
}

static void
set_floats (CamNode *node, const char *name, const char *value)
{
  g_auto (GStrv) words = g_strsplit (value, ",", -1);
  CamAttribute *a = g_new0 (CamAttribute, 1);

  a->name = g_strdup (name);
  a->kind = CAM_ATTRIBUTE_FLOATS;
  a->n = g_strv_length (words);
  a->floats = g_new (double, a->n);
  for (gsize i = 0; i < a->n; i++)
    a->floats[i] = g_ascii_strtod (words[i], NULL);
  cam_node_add_attribute (node, a);
}

static void
set_attribute (CamNode *node, const char *word)
{
  g_auto (GStrv) parts = g_strsplit (word, "=", 2);
  const char *value = parts[1];

  if (strspn (value, "0123456789-,.") != strlen (value))
    cam_node_set_string (node, parts[0], value);
  else if (strchr (value, ',') && strchr (value, '.'))
    set_floats (node, parts[0], value);
  else if (strchr (value, ','))
    {
      g_autoptr (CamTensor) t = listed (value, CAM_DTYPE_INT64, FALSE);
      gsize n = t->n_elements - g_str_has_suffix (value, ",");

      cam_node_set_ints (node, parts[0], n, cam_tensor_i64 (t));
    }
  else if (strchr (value, '.'))
    cam_node_set_float (node, parts[0], g_ascii_strtod (value, NULL));
  else
    cam_node_set_int (node, parts[0], g_ascii_strtoll (value, NULL, 10));
}

static gboolean
add_node (Case *c, const char *type, CamValue **values, const char *attributes,
          GError **error)
{
  g_auto (GStrv) words = g_strsplit (attributes, " ", -1);
  CamValue *outputs[CASE_OUTPUTS];

  for (guint i = 0; i < c->n_outputs; i++)
    outputs[i] = cam_graph_add_value (c->graph, NULL, "output");
  c->node = cam_graph_add_node (c->graph, "", type, "node", c->n_inputs, values,
                                c->n_outputs, outputs, error);
  if (c->node == NULL)
    return FALSE;
  for (guint i = 0; words[i]; i++)
    if (*words[i])
      set_attribute (c->node, words[i]);
  return cam_node_parse (c->node, error) && c->node->op->infer (c->node, error);
}

Case *
case_new (const char *type, int opset, const char *inputs,
          const char *attributes, guint n_outputs, GError **error)
{
  g_autoptr (Case) c = g_new0 (Case, 1);
  g_auto (GStrv) words = g_strsplit (inputs, " ", -1);
  CamValue *values[CASE_INPUTS] = { NULL };

  c->graph = cam_graph_new ("case", opset);
  c->rand = g_rand_new_with_seed (g_str_hash (inputs));
  c->n_inputs = *inputs ? g_strv_length (words) : 0;
  c->n_outputs = n_outputs;
  for (guint i = 0; i < c->n_inputs; i++)
    {
      if (*words[i] == '-')
        continue;
      c->inputs[i] = make_input (c, words[i]);
      c->wanted[i] = *words[i] == 'x' || *words[i] == 'p';
      if (c->wanted[i] || *words[i] == 'b')
        values[i] = cam_graph_add_value (c->graph, NULL, "input");
      else
        values[i] = cam_graph_add_constant (c->graph, "constant",
                                            cam_tensor_ref (c->inputs[i]));
      values[i]->dtype = c->inputs[i]->dtype;
      values[i]->shape = c->inputs[i]->shape;
    }
  if (! add_node (c, type, values, attributes, error))
    return NULL;
  for (guint i = 0; i < n_outputs; i++)
    c->outputs[i] = cam_tensor_new (c->node->outputs[i]->dtype,
                                    &c->node->outputs[i]->shape, error);
  return g_steal_pointer (&c);
}

void
case_free (Case *c)
{
  for (guint i = 0; i < CASE_INPUTS; i++)
    g_clear_pointer (&c->inputs[i], cam_tensor_unref);
  for (guint i = 0; i < CASE_OUTPUTS; i++)
    g_clear_pointer (&c->outputs[i], cam_tensor_unref);
  cam_graph_free (c->graph);
  g_rand_free (c->rand);
  g_free (c);
}

/* Every bit set: a NaN as float or double. */
static void
poison (CamTensor *t)
{
  if (t->n_elements)
    memset (t->data, 0xff, t->n_elements * cam_dtype_size (t->dtype));
}

static gpointer
new_scratch (gsize bytes)
{
  gpointer memory;

  if (bytes == 0)
    return NULL;
  if (posix_memalign (&memory, 64, bytes))
    g_error ("no memory");
  memset (memory, 0xff, bytes);
  return memory;
}

void
case_forward (Case *c, CamThreads *threads)
{
  const CamOperator *op = c->node->op;
  CamForward f = { .node = c->node,
                   .inputs = (const CamTensor *const *) c->inputs,
                   .outputs = c->outputs,
                   .threads = threads };

  for (guint i = 0; i < c->n_outputs; i++)
    poison (c->outputs[i]);
  if (op->scratch)
    f.scratch = new_scratch (op->scratch (c->node,
                                          cam_threads_count (threads)));
  op->forward (&f);
  free (f.scratch);
}

void
case_backward (Case *c, CamTensor *const *seeds, gint64 n_seeds,
               CamTensor **gradients, CamThreads *threads)
{
  const CamOperator *op = c->node->op;
  CamBackward b = { .node = c->node,
                    .output_gradients = (const CamTensor *const *) seeds,
                    .input_gradients = gradients,
                    .n_seeds = n_seeds,
                    .threads = threads };

  if (op->flags & CAM_OP_BACKWARD_NEEDS_INPUTS)
    b.inputs = (const CamTensor *const *) c->inputs;
  if (op->flags & CAM_OP_BACKWARD_NEEDS_OUTPUTS)
    b.outputs = (const CamTensor *const *) c->outputs;
  for (guint i = 0; i < c->n_inputs; i++)
    {
      gradients[i] = NULL;
      if (! c->wanted[i])
        continue;
      gradients[i] = case_random (c->rand, &c->inputs[i]->shape, n_seeds);
      poison (gradients[i]);
    }
  if (op->backward_scratch)
    b.scratch = new_scratch (op->backward_scratch (c->node,
                                                   cam_threads_count (threads),
                                                   n_seeds));
  op->backward (&b);
  free (b.scratch);
}
