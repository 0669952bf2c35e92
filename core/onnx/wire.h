/* wire.h -- protobuf's wire format, looked at before protobuf-c unpacks it
 *
 * protobuf-c unpacks by recursion and trusts its stack: a small file of nested
 * messages overflows it.  cam_wire_check walks the same bytes with a stack of
 * its own, no deeper than CAM_WIRE_MAX_DEPTH, and bounds what unpacking can
 * cost.  cam_wire_split takes a message apart at one field, so that weights
 * are read once, from the file to where they stay.
 */
#pragma once

#include "core/onnx/source.h"
#include <protobuf-c/protobuf-c.h>

#define CAM_WIRE_MAX_DEPTH 64

typedef struct
{
  guint64 offset, length;
} CamSpan;

/* Refuses (MALFORMED, TOO_LARGE) what is not a message of @descriptor's form
 * within the source, too deep, or costly beyond @memory_limit bytes. */
gboolean cam_wire_check (CamSource *source,
                         const ProtobufCMessageDescriptor *descriptor,
                         guint64 memory_limit, GError **error);

/* Takes the message at @span apart: the contents of its fields numbered
 * @field go to @spans, the pieces between them to @rest (both of CamSpan). */
gboolean cam_wire_split (CamSource *source, CamSpan span, guint32 field,
                         GArray *rest, GArray *spans, GError **error);

/* Unpacks the message that @pieces (of CamSpan) make up; free it with
 * protobuf_c_message_free_unpacked. (transfer full) */
gpointer cam_wire_unpack (CamSource *source, const GArray *pieces,
                          const ProtobufCMessageDescriptor *descriptor,
                          GError **error);
