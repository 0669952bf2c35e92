/* wire.c -- see wire.h */
#include <glib/gi18n.h>
#include <inttypes.h>
#include "config.h"
#include "core/onnx/wire.h"
#include "core/graph/graph.h"

/* No real network comes near; a file made to exhaust memory does. */
#define MAX_FIELDS ((guint64) 1 << 20)
#define COST_OF_FIELD 64 /* what an allocation costs beside its contents */

enum
{
  WIRE_VARINT = 0,
  WIRE_64 = 1,
  WIRE_BYTES = 2,
  WIRE_32 = 5
};

typedef struct /* one field of a message */
{
  guint32 number;
  guint wire;
  guint64 start, content, end; /* of the tag, of the contents, behind it */
} Field;

typedef struct /* a message being walked */
{
  const ProtobufCMessageDescriptor *descriptor;
  guint64 end;
} Frame;

static gboolean
damaged (GError **error, guint64 offset, const char *what)
{
  g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED,
               _ ("it is no ONNX file, or it is damaged or cut short (%s at "
                  "byte %" PRIu64 ")"),
               what, offset);
  return FALSE;
}

static gboolean
read_field (CamSource *source, guint64 offset, guint64 end, Field *field,
            GError **error)
{
  guint64 tag;
  guint64 length = 0;

  field->start = offset;
  if (! cam_source_varint (source, &offset, end, &tag, error))
    return FALSE;
  if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
    return damaged (error, field->start, _ ("a field of no valid number"));
  field->number = (guint32) (tag >> 3);
  field->wire = tag & 7;
  field->content = offset;
  switch (field->wire)
    {
    case WIRE_VARINT:
      field->end = offset;
      return cam_source_varint (source, &field->end, end, &tag, error);
    case WIRE_64: length = 8; break;
    case WIRE_32: length = 4; break;
    case WIRE_BYTES:
      if (! cam_source_varint (source, &offset, end, &length, error))
        return FALSE;
      field->content = offset;
      break;
    default:
      return damaged (error, field->start, _ ("a field of no valid type"));
    }
  if (length > end - offset)
    return damaged (error, field->start,
                    _ ("a field that reaches beyond its end"));
  field->end = offset + length;
  return TRUE;
}

static gboolean
push (GArray *stack, const ProtobufCMessageDescriptor *descriptor, guint64 end,
      GError **error)
{
  Frame frame = { descriptor, end };

  if (stack->len == CAM_WIRE_MAX_DEPTH)
    {
      g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED,
                   _ ("its messages are nested more than %d deep"),
                   CAM_WIRE_MAX_DEPTH);
      return FALSE;
    }
  g_array_append_val (stack, frame);
  return TRUE;
}

/* Bytes that unpacking a field that is no message may take, weights apart:
 * where raw_data stands in the graph, it is never unpacked. */
static guint64
cost_of (const ProtobufCFieldDescriptor *known, const Field *field)
{
  guint64 length = field->end - field->content;

  if (known && known->type == PROTOBUF_C_TYPE_MESSAGE)
    return COST_OF_FIELD
           + 2
                 * ((const ProtobufCMessageDescriptor *) known->descriptor)
                       ->sizeof_message;
  if (known && known->label == PROTOBUF_C_LABEL_REPEATED
      && known->type != PROTOBUF_C_TYPE_STRING
      && known->type != PROTOBUF_C_TYPE_BYTES)
    return COST_OF_FIELD + length * sizeof (gint64);
  return COST_OF_FIELD + length;
}

gboolean
cam_wire_check (CamSource *source, const ProtobufCMessageDescriptor *descriptor,
                guint64 memory_limit, GError **error)
{
  g_autoptr (GArray) stack = g_array_new (FALSE, FALSE, sizeof (Frame));
  guint64 offset = 0;
  guint64 cost = 0;
  guint64 n_fields = 0;

  push (stack, descriptor, source->size, NULL);
  while (stack->len > 0)
    {
      Frame frame = g_array_index (stack, Frame, stack->len - 1);
      const ProtobufCFieldDescriptor *known;
      Field field;

      if (offset == frame.end)
        {
          g_array_set_size (stack, stack->len - 1);
          continue;
        }
      if (! read_field (source, offset, frame.end, &field, error))
        return FALSE;
      known = protobuf_c_message_descriptor_get_field (frame.descriptor,
                                                       field.number);
      cost += cost_of (known, &field);
      if (++n_fields > MAX_FIELDS || cost > memory_limit)
        {
          g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_TOO_LARGE,
                       _ ("it is too large for the memory limit of %" PRIu64
                          " MiB"),
                       memory_limit >> 20);
          return FALSE;
        }
      offset = field.end;
      if (known && known->type == PROTOBUF_C_TYPE_MESSAGE
          && field.wire == WIRE_BYTES)
        {
          offset = field.content;
          if (! push (stack, known->descriptor, field.end, error))
            return FALSE;
        }
    }
  return TRUE;
}

gboolean
cam_wire_split (CamSource *source, CamSpan span, guint32 field, GArray *rest,
                GArray *spans, GError **error)
{
  guint64 offset = span.offset;
  guint64 end = span.offset + span.length;
  CamSpan piece = { offset, 0 }; /* of fields that stay, side by side */

  while (offset < end)
    {
      Field found;

      if (! read_field (source, offset, end, &found, error))
        return FALSE;
      offset = found.end;
      if (found.number != field || found.wire != WIRE_BYTES)
        continue;
      CamSpan content = { found.content, found.end - found.content };
      g_array_append_val (spans, content);
      piece.length = found.start - piece.offset;
      g_array_append_val (rest, piece);
      piece.offset = found.end;
    }
  piece.length = end - piece.offset;
  g_array_append_val (rest, piece);
  return TRUE;
}

gpointer
cam_wire_unpack (CamSource *source, const GArray *pieces,
                 const ProtobufCMessageDescriptor *descriptor, GError **error)
{
  g_autofree guint8 *bytes = NULL;
  ProtobufCMessage *message;
  gsize length = 0;
  gsize filled = 0;

  for (guint i = 0; i < pieces->len; i++)
    length += g_array_index (pieces, CamSpan, i).length;
  bytes = g_try_malloc (length + 1);
  for (guint i = 0; bytes && i < pieces->len; i++)
    {
      CamSpan piece = g_array_index (pieces, CamSpan, i);

      if (! cam_source_read (source, piece.offset, piece.length, bytes + filled,
                             error))
        return NULL;
      filled += piece.length;
    }
  message = bytes ? protobuf_c_message_unpack (descriptor, NULL, length, bytes)
                  : NULL;
  if (! message)
    g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED,
                 _ ("it is no ONNX file, or it is damaged (its %s cannot be "
                    "unpacked)"),
                 descriptor->short_name);
  return message;
}
