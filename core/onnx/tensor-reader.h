/* tensor-reader.h -- ONNX's TensorProto to a tensor of ours
 *
 * Data may lie in raw_data, in one of the typed fields, or in another file of
 * the model's own folder.  Sizes are checked against shape and type before
 * memory is asked for.
 */
#pragma once

#include "core/onnx/wire.h"
#include "core/base/tensor.h"
#include "onnx.pb-c.h"

typedef struct /* what reading tensors needs to know and leaves behind */
{
  const char *folder;   /* of external data; NULL: none may be read */
  guint64 memory_limit; /* for messages                             */
  guint64 budget;       /* bytes that tensors may still take        */
  CamSource *external;  /* the file of external data opened last    */
  GPtrArray *files;     /* of CamModelFile, those of external data  */
  GPtrArray *locations; /* of char *, their names, each once        */
} CamTensorReader;

void cam_tensor_reader_clear (CamTensorReader *reader);

/* NONE where it is not supported */
CamDType cam_onnx_dtype (int data_type);

/* @source: where raw_data was left when the rest was unpacked, at @raw; NULL:
 * @proto is whole.  Errors do not name the tensor. (transfer full) */
CamTensor *cam_tensor_reader_read (CamTensorReader *reader,
                                   const Onnx__TensorProto *proto,
                                   CamSource *source, CamSpan raw,
                                   GError **error);
