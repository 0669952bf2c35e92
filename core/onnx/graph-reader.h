/* graph-reader.h -- ONNX's GraphProto, without initialisers, to a graph */
#pragma once

#include "core/onnx/tensor-reader.h"
#include "core/graph/graph.h"

/* Adds inputs, nodes and outputs to @graph, which has the initialisers
 * already.  A Constant node with a tensor becomes a constant. Checks
 * names, cycles, operators and attributes. */
gboolean cam_graph_reader_read (CamGraph *graph, const Onnx__GraphProto *proto,
                                CamTensorReader *reader, GError **error);

typedef enum /* what has a name */
{
  CAM_NAMED_INPUT,
  CAM_NAMED_OUTPUT, /* of a node */
  CAM_NAMED_INITIALISER
} CamNamed;

/* FALSE where @name is empty, no UTF-8, or taken. */
gboolean cam_graph_reader_check_name (const CamGraph *graph, CamNamed named,
                                      const char *name, GError **error);
