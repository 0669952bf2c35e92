/* reader.h -- an ONNX file to a graph
 *
 * Everything a stranger's file can do wrong is found here, and is an error that
 * says what and where.  The order matters: the wire format is walked first
 * (wire.h), then the file is taken apart at its weights, which go from the
 * file straight to where they stay, then protobuf-c unpacks the rest.
 *
 * Read are opsets 7 to 20 of ONNX's own domain.
 */
#pragma once

#include "core/onnx/source.h"
#include "core/graph/graph.h"

#define CAM_ONNX_MIN_OPSET 7
#define CAM_ONNX_MAX_OPSET 20

typedef struct
{
  CamGraph *graph;
  GHashTable *metadata; /* metadata_props: char * -> char * */
  guint64 parameters;   /* elements of float initialisers   */
  GPtrArray *files;     /* of CamModelFile: the model's (unless it came from
                           memory), then those of external data as used */
  GPtrArray *locations; /* of char *: the latter's names in the folder */
} CamOnnxModel;

/* @folder: of external data; NULL: none may be read.  Errors do not name the
 * file. (transfer full) */
CamOnnxModel *cam_onnx_read (CamSource *source, const char *folder,
                             guint64 memory_limit, GCancellable *cancellable,
                             GError **error);
void cam_onnx_model_free (CamOnnxModel *model);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamOnnxModel, cam_onnx_model_free)

/* A file with one TensorProto, as ONNX's test data has them. (transfer full) */
CamTensor *cam_onnx_read_tensor_file (const char *path, GError **error);
