/* npy.h -- NumPy's array files, version 1.0 to 3.0, in C order
 *
 * Read: float32/64/16, all integers, bool; little-endian; Fortran order is
 * refused.  Sizes are checked against the file before memory is asked for.
 */
#pragma once

#include "core/base/tensor.h"

/* (transfer full); NULL with CAM_TENSOR_ERROR or G_IO_ERROR naming @path */
CamTensor *cam_npy_read (const char *path, GError **error);
/* Written to a temporary name first, so that @path is whole or untouched. */
gboolean cam_npy_write (const char *path, const CamTensor *tensor,
                        GError **error);
