/* graph-reader.c -- see graph-reader.h */
#include "config.h"
#include "core/onnx/graph-reader.h"
#include "core/onnx/attribute-reader.h"
#include "core/graph/operator.h"
#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

static gboolean G_GNUC_PRINTF (3, 4)
    refuse (GError **error, CamGraphError code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (error, g_error_new_valist (CAM_GRAPH_ERROR, code, format,
                                                arguments));
  va_end (arguments);
  return FALSE;
}

gboolean
cam_graph_reader_check_name (const CamGraph *graph, CamNamed named,
                             const char *name, GError **error)
{
  static const char *const missing[] = { N_ ("an input has no name"),
                                         N_ ("a node's output has no name"),
                                         N_ ("an initialiser has no name") };
  static const char *const garbled[] = {
    N_ ("the name of an input is not UTF-8"),
    N_ ("the name of a node's output is not UTF-8"),
    N_ ("the name of an initialiser is not UTF-8")
  };
  static const char *const taken[] = {
    N_ ("an input is named '%s', as another tensor is already"),
    N_ ("a node's output is named '%s', as another tensor is already"),
    N_ ("an initialiser is named '%s', as another tensor is already")
  };

  if (! name || ! *name)
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED, "%s", _ (missing[named]));
  if (! g_utf8_validate (name, -1, NULL))
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED, "%s", _ (garbled[named]));
  if (cam_graph_find (graph, name))
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED, _ (taken[named]), name);
  return TRUE;
}

static gboolean
read_shape (CamValue *value, const Onnx__TensorShapeProto *proto,
            GError **error)
{
  if (! proto)
    return TRUE;
  if (proto->n_dim > CAM_MAX_DIMS)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("input '%s' has %zu dimensions, more than %d"),
                   value->name, proto->n_dim, CAM_MAX_DIMS);
  value->shape.n_dims = (int) proto->n_dim;
  for (gsize i = 0; i < proto->n_dim; i++)
    {
      const Onnx__TensorShapeProto__Dimension *dim = proto->dim[i];

      value->shape.dims[i] = -1;
      if (dim->value_case
              == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE
          && dim->dim_value > 0)
        value->shape.dims[i] = dim->dim_value;
      else if (dim->value_case
                   == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_PARAM
               && dim->dim_param && *dim->dim_param)
        value->symbols[i] = g_utf8_make_valid (dim->dim_param, -1);
    }
  return TRUE;
}

static gboolean
read_input (CamGraph *graph, const Onnx__ValueInfoProto *proto, GError **error)
{
  const Onnx__TypeProto *type = proto->type;
  CamValue *known = cam_graph_find (graph, proto->name);
  CamValue *value;

  if (known && known->constant) /* older files list initialisers as inputs */
    return TRUE;
  if (! cam_graph_reader_check_name (graph, CAM_NAMED_INPUT, proto->name,
                                     error))
    return FALSE;
  if (! type || type->value_case != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("input '%s' is no tensor"), proto->name);
  value = cam_graph_add_value (graph, proto->name, NULL);
  value->dtype = cam_onnx_dtype (type->tensor_type->elem_type);
  if (value->dtype == CAM_DTYPE_NONE)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("the element type of input '%s' (ONNX's number %d) is "
                      "not supported"),
                   proto->name, type->tensor_type->elem_type);
  g_ptr_array_add (graph->inputs, value);
  return read_shape (value, type->tensor_type->shape, error);
}

/* All results first, because nodes need not come in order. */
static gboolean
add_results (CamGraph *graph, const Onnx__GraphProto *proto, GError **error)
{
  for (gsize i = 0; i < proto->n_node; i++)
    for (gsize k = 0; k < proto->node[i]->n_output; k++)
      {
        const char *name = proto->node[i]->output[k];

        if (! *name)
          continue;
        if (! cam_graph_reader_check_name (graph, CAM_NAMED_OUTPUT, name,
                                           error))
          return FALSE;
        cam_graph_add_value (graph, name, NULL);
      }
  return TRUE;
}

/* The values of @names, which @node has; NULL where a name is empty.
 * (transfer full) */
static CamValue **
look_up (const CamGraph *graph, const char *node, const char *op_type,
         char **names, gsize n, GError **error)
{
  g_autofree CamValue **values = g_new0 (CamValue *, n + 1);

  for (gsize i = 0; i < n; i++)
    {
      if (! *names[i])
        continue;
      values[i] = cam_graph_find (graph, names[i]);
      if (! values[i])
        {
          g_autofree char *name = g_utf8_make_valid (names[i], -1);

          refuse (error, CAM_GRAPH_ERROR_MALFORMED,
                  _ ("node '%s' (%s) reads '%s', which nothing makes"), node,
                  op_type, name);
          return NULL;
        }
    }
  return g_steal_pointer (&values);
}

/* Turns a Constant whose value is a tensor into a constant; TRUE: done. */
static gboolean
take_constant (CamGraph *graph, CamNode *node)
{
  const CamAttribute *value;

  if (*node->domain || strcmp (node->op_type, "Constant") != 0
      || node->n_outputs != 1 || ! node->outputs[0]
      || node->attributes->len != 1)
    return FALSE;
  value = cam_node_attribute (node, "value");
  if (! value || value->kind != CAM_ATTRIBUTE_TENSOR)
    return FALSE;
  node->outputs[0]->constant = cam_tensor_ref (value->tensor);
  node->outputs[0]->dtype = value->tensor->dtype;
  node->outputs[0]->shape = value->tensor->shape;
  node->outputs[0]->producer = NULL;
  g_ptr_array_remove_index (graph->nodes, graph->nodes->len - 1);
  return TRUE;
}

static gboolean
read_node (CamGraph *graph, const Onnx__NodeProto *proto,
           CamTensorReader *reader, GError **error)
{
  g_autofree CamValue **inputs = NULL;
  g_autofree CamValue **outputs = NULL;
  g_autofree char *given = g_utf8_make_valid (proto->name ? proto->name : "",
                                              -1);
  g_autofree char *name = NULL;
  CamNode *node;

  if (! proto->op_type || ! g_utf8_validate (proto->op_type, -1, NULL)
      || (proto->domain && ! g_utf8_validate (proto->domain, -1, NULL)))
    {
      name = cam_graph_node_name (graph, given, "node");
      return refuse (error, CAM_GRAPH_ERROR_MALFORMED,
                     _ ("node '%s' has no operator"), name);
    }
  name = cam_graph_node_name (graph, given, proto->op_type);
  if (g_strcmp0 (proto->domain, "camlens") == 0)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("node '%s': operators of the domain 'camlens' cannot "
                      "come from a file"),
                   name);
  inputs = look_up (graph, name, proto->op_type, proto->input, proto->n_input,
                    error);
  if (! inputs)
    return FALSE;
  outputs = look_up (graph, name, proto->op_type, proto->output,
                     proto->n_output, error);
  if (! outputs)
    return FALSE;
  node = cam_graph_add_node (graph, proto->domain, proto->op_type, name,
                             (guint) proto->n_input, inputs,
                             (guint) proto->n_output, outputs, error);
  return node && cam_attribute_reader_read (node, proto, reader, error)
         && (take_constant (graph, node) || cam_node_parse (node, error));
}

static gboolean
read_output (CamGraph *graph, const Onnx__ValueInfoProto *proto, GError **error)
{
  CamValue *value = cam_graph_find (graph, proto->name);
  g_autofree char *name = g_utf8_make_valid (proto->name ? proto->name : "",
                                             -1);

  if (! value)
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED,
                   _ ("nothing makes the output '%s'"), name);
  g_ptr_array_add (graph->outputs, value);
  return TRUE;
}

gboolean
cam_graph_reader_read (CamGraph *graph, const Onnx__GraphProto *proto,
                       CamTensorReader *reader, GError **error)
{
  if (proto->n_output == 0)
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED, _ ("it has no outputs"));
  if (proto->n_sparse_initializer > 0)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("sparse initialisers are not supported"));
  for (gsize i = 0; i < proto->n_input; i++)
    if (! read_input (graph, proto->input[i], error))
      return FALSE;
  if (! add_results (graph, proto, error))
    return FALSE;
  for (gsize i = 0; i < proto->n_node; i++)
    if (! read_node (graph, proto->node[i], reader, error))
      return FALSE;
  for (gsize i = 0; i < proto->n_output; i++)
    if (! read_output (graph, proto->output[i], error))
      return FALSE;
  return cam_graph_sort (graph, error);
}
