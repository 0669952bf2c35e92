/* inspect-json.c -- camlens inspect --json */
#include "config.h"

#include <math.h>

#include "tools/command.h"
#include "tools/inspect.h"

double
inspect_number (const CamTensor *constant)
{
  g_autoptr (CamTensor)
      numbers = cam_tensor_convert (constant, CAM_DTYPE_FLOAT64, NULL);

  return numbers != NULL ? *(const double *) numbers->data : NAN;
}

static void
add_shape (JsonBuilder *json, const CamShape *shape, gboolean batch_is_open)
{
  json_builder_set_member_name (json, "shape");
  json_builder_begin_array (json);
  for (int i = 0; i < shape->n_dims; i++)
    json_builder_add_int_value (json,
                                i == 0 && batch_is_open ? -1 : shape->dims[i]);
  json_builder_end_array (json);
}

static void
add_string (JsonBuilder *json, const char *key, const char *value)
{
  json_builder_set_member_name (json, key);
  if (value != NULL)
    json_builder_add_string_value (json, value);
  else
    json_builder_add_null_value (json);
}

static void
add_number (JsonBuilder *json, const char *key, guint64 value)
{
  json_builder_set_member_name (json, key);
  json_builder_add_int_value (json, (gint64) value);
}

/* @second_key: "op" or "dtype" */
static void
add_tensors (JsonBuilder *json, const char *key, const GPtrArray *tensors,
             gboolean with_op)
{
  json_builder_set_member_name (json, key);
  json_builder_begin_array (json);
  for (guint i = 0; i < tensors->len; i++)
    {
      const CamTensorInfo *info = tensors->pdata[i];

      json_builder_begin_object (json);
      add_string (json, "name", info->name);
      if (with_op)
        add_string (json, "op", info->op);
      else
        add_string (json, "dtype", cam_dtype_name (info->dtype));
      if (info->problem != NULL)
        add_string (json, "problem", info->problem);
      else
        add_shape (json, &info->bound,
                   info->shape.n_dims > 0 && info->shape.dims[0] < 0);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
add_input (JsonBuilder *json, const CamValue *input)
{
  json_builder_begin_object (json);
  add_string (json, "name", input->name);
  add_string (json, "dtype", cam_dtype_name (input->dtype));
  add_shape (json, &input->shape, FALSE);
  if (input->constant != NULL)
    {
      json_builder_set_member_name (json, "value");
      json_builder_add_double_value (json, inspect_number (input->constant));
    }
  json_builder_end_object (json);
}

static void
add_inputs (JsonBuilder *json, const Facts *facts)
{
  const CamGraph *graph = cam_network_graph (facts->network);

  json_builder_set_member_name (json, "inputs");
  json_builder_begin_array (json);
  for (guint i = 0; i < graph->inputs->len; i++)
    add_input (json, graph->inputs->pdata[i]);
  for (int i = 0; facts->model && facts->model->given_inputs[i] != NULL; i++)
    add_input (json, cam_graph_find (graph, facts->model->given_inputs[i]));
  json_builder_end_array (json);
}

static void
add_candidates (JsonBuilder *json, const Facts *facts)
{
  static const char *const scores[] = { "no", "likely", "certain" };

  json_builder_set_member_name (json, "candidates");
  json_builder_begin_array (json);
  for (guint i = 0; i < facts->candidates->len; i++)
    {
      const CamEmbeddingCandidate *c = facts->candidates->pdata[i];

      if (! cam_embedding_candidate_is_possible (c))
        continue;
      json_builder_begin_object (json);
      add_string (json, "name", c->name);
      add_shape (json, &c->shape, FALSE);
      json_builder_set_member_name (json, "chosen");
      json_builder_add_boolean_value (json,
                                      g_strcmp0 (c->name, facts->embedding)
                                          == 0);
      add_string (json, "scores", scores[c->scores]);
      add_string (json, "before", c->before);
      add_string (json, "needs", c->other);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
add_warnings (JsonBuilder *json, const Facts *facts)
{
  json_builder_set_member_name (json, "warnings");
  json_builder_begin_array (json);
  for (int i = 0; facts->model && facts->model->warnings[i] != NULL; i++)
    json_builder_add_string_value (json, facts->model->warnings[i]);
  json_builder_end_array (json);
  add_string (json, "not_usable", facts->excuse);
}

void
inspect_print_json (const Facts *facts)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  add_inputs (json, facts);
  add_tensors (json, "outputs", facts->outputs, FALSE);
  add_tensors (json, "layers", facts->layers, TRUE);
  add_string (json, "suggested_layer", facts->suggested);
  add_string (json, "embedding", facts->embedding);
  add_candidates (json, facts);
  add_number (json, "parameters", cam_network_parameters (facts->network));
  add_number (json, "macs", facts->macs);
  add_warnings (json, facts);
  json_builder_end_object (json);
  command_print_json (json, TRUE);
}
