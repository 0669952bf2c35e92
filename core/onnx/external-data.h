/* external-data.h -- weights in a file beside the model's
 *
 * Only a file that lies inside the model's own folder is read: a model is data
 * from a stranger, and must not read what its folder does not hold.
 */
#pragma once

#include "core/onnx/tensor-reader.h"

/* The source and place of @proto's external data of @size bytes.  Borrowed
 * from @reader until the next call. */
CamSource *cam_external_data_find (CamTensorReader *reader,
                                   const Onnx__TensorProto *proto, guint64 size,
                                   guint64 *offset, GError **error);
