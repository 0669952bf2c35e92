/* attribute-reader.c -- see attribute-reader.h */
#include "config.h"
#include "core/onnx/attribute-reader.h"
#include "core/graph/operator.h"
#include <glib/gi18n.h>
#include <string.h>

#define MAX_ATTRIBUTES 64 /* of one node */

/* Before IR version 2 the kind was not written: the field in use tells. */
static int
kind_of (const Onnx__AttributeProto *proto)
{
  if (proto->has_type && proto->type != 0)
    return proto->type;
  if (proto->has_f)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT;
  if (proto->has_i)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT;
  if (proto->has_s)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING;
  if (proto->t)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR;
  if (proto->n_floats)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS;
  if (proto->n_strings)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS;
  if (proto->g || proto->n_graphs)
    return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__GRAPH;
  return ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS;
}

static char *
text_of (const ProtobufCBinaryData *bytes)
{
  return bytes->data ? g_strndup ((const char *) bytes->data, bytes->len)
                     : g_strdup ("");
}

static CamAttribute *
read_numbers (const Onnx__AttributeProto *proto, CamAttributeKind kind)
{
  CamAttribute *attribute = cam_attribute_new (proto->name, kind);

  attribute->i = proto->i;
  attribute->f = proto->f;
  if (kind == CAM_ATTRIBUTE_INTS)
    {
      attribute->n = proto->n_ints;
      attribute->ints = g_new0 (gint64, proto->n_ints + 1);
      for (gsize i = 0; i < proto->n_ints; i++)
        attribute->ints[i] = proto->ints[i];
    }
  else if (kind == CAM_ATTRIBUTE_FLOATS)
    {
      attribute->n = proto->n_floats;
      attribute->floats = g_new0 (double, proto->n_floats + 1);
      for (gsize i = 0; i < proto->n_floats; i++)
        attribute->floats[i] = proto->floats[i];
    }
  return attribute;
}

static CamAttribute *
read_text (const Onnx__AttributeProto *proto, CamAttributeKind kind)
{
  CamAttribute *attribute = cam_attribute_new (proto->name, kind);

  if (kind == CAM_ATTRIBUTE_STRING)
    {
      attribute->s = text_of (&proto->s);
      return attribute;
    }
  attribute->n = proto->n_strings;
  attribute->strings = g_new0 (char *, proto->n_strings + 1);
  for (gsize i = 0; i < proto->n_strings; i++)
    attribute->strings[i] = text_of (&proto->strings[i]);
  return attribute;
}

static CamAttribute *
read_tensor (const CamNode *node, const Onnx__AttributeProto *proto,
             CamTensorReader *reader, GError **error)
{
  g_autoptr (GError) why = NULL;
  CamAttribute *attribute;
  CamTensor *tensor = NULL;

  if (proto->t)
    tensor = cam_tensor_reader_read (reader, proto->t, NULL, (CamSpan) { 0, 0 },
                                     &why);
  if (! tensor)
    {
      cam_node_error (error,
                      why && why->domain == CAM_GRAPH_ERROR
                          ? (CamGraphError) why->code
                          : CAM_GRAPH_ERROR_MALFORMED,
                      node, _ ("attribute '%s': %s"), proto->name,
                      why ? why->message : _ ("it has no tensor"));
      return NULL;
    }
  attribute = cam_attribute_new (proto->name, CAM_ATTRIBUTE_TENSOR);
  attribute->tensor = tensor;
  return attribute;
}

static CamAttribute *
read_attribute (const CamNode *node, const Onnx__AttributeProto *proto,
                CamTensorReader *reader, GError **error)
{
  if (proto->ref_attr_name && *proto->ref_attr_name)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute '%s' refers to a function's; functions are "
                         "not supported"),
                      proto->name);
      return NULL;
    }
  switch (kind_of (proto))
    {
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOAT:
      return read_numbers (proto, CAM_ATTRIBUTE_FLOAT);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INT:
      return read_numbers (proto, CAM_ATTRIBUTE_INT);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__INTS:
      return read_numbers (proto, CAM_ATTRIBUTE_INTS);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__FLOATS:
      return read_numbers (proto, CAM_ATTRIBUTE_FLOATS);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRING:
      return read_text (proto, CAM_ATTRIBUTE_STRING);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__STRINGS:
      return read_text (proto, CAM_ATTRIBUTE_STRINGS);
    case ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__TENSOR:
      return read_tensor (node, proto, reader, error);
    default:
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute '%s' is of a kind (ONNX's number %d) that "
                         "is not supported: a subgraph, sparse tensor or type"),
                      proto->name, kind_of (proto));
      return NULL;
    }
}

gboolean
cam_attribute_reader_read (CamNode *node, const Onnx__NodeProto *proto,
                           CamTensorReader *reader, GError **error)
{
  if (proto->n_attribute > MAX_ATTRIBUTES)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                      _ ("it has %zu attributes"), proto->n_attribute);
      return FALSE;
    }
  for (gsize i = 0; i < proto->n_attribute; i++)
    {
      const Onnx__AttributeProto *from = proto->attribute[i];
      CamAttribute *attribute;

      if (! from->name || ! g_utf8_validate (from->name, -1, NULL)
          || cam_node_attribute (node, from->name))
        {
          cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                          _ ("an attribute has no name, or that of another"));
          return FALSE;
        }
      attribute = read_attribute (node, from, reader, error);
      if (! attribute)
        return FALSE;
      cam_node_add_attribute (node, attribute);
    }
  return TRUE;
}
