/* attribute-reader.h -- ONNX's AttributeProto to an attribute of ours */
#pragma once

#include "core/onnx/tensor-reader.h"
#include "core/graph/graph.h"

/* Adds all attributes of @proto to @node; refuses subgraphs and other kinds
 * that no operator of ours takes. */
gboolean cam_attribute_reader_read (CamNode *node, const Onnx__NodeProto *proto,
                                    CamTensorReader *reader, GError **error);
