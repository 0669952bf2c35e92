/* scalar.h -- one element of any type, for what need not be fast
 *
 * Floats go through double, integers and truth values through int64 (uint64
 * wraps, which addition and multiplication do not mind).
 */
#pragma once

#include <math.h>
#include <string.h>

#include "core/base/half.h"
#include "core/base/tensor.h"

static inline double
cam_scalar_double (const CamTensor *t, gsize i)
{
  switch (t->dtype)
    {
    case CAM_DTYPE_FLOAT32: return ((const float *) t->data)[i];
    case CAM_DTYPE_FLOAT64: return ((const double *) t->data)[i];
    case CAM_DTYPE_FLOAT16:
      return cam_float16_to_float (((const guint16 *) t->data)[i]);
    case CAM_DTYPE_BFLOAT16:
      return cam_bfloat16_to_float (((const guint16 *) t->data)[i]);
    case CAM_DTYPE_INT8: return ((const gint8 *) t->data)[i];
    case CAM_DTYPE_UINT8:
    case CAM_DTYPE_BOOL: return ((const guint8 *) t->data)[i];
    case CAM_DTYPE_INT16: return ((const gint16 *) t->data)[i];
    case CAM_DTYPE_UINT16: return ((const guint16 *) t->data)[i];
    case CAM_DTYPE_INT32: return ((const gint32 *) t->data)[i];
    case CAM_DTYPE_UINT32: return ((const guint32 *) t->data)[i];
    case CAM_DTYPE_INT64: return (double) ((const gint64 *) t->data)[i];
    case CAM_DTYPE_UINT64: return (double) ((const guint64 *) t->data)[i];
    case CAM_DTYPE_NONE: break;
    }
  return 0;
}

/* Truncated towards zero; what int64 cannot hold becomes its nearest end, and
 * NaN 0. */
static inline gint64
cam_scalar_double_to_int (double x)
{
  if (isnan (x))
    return 0;
  if (x >= 0x1p63)
    return G_MAXINT64;
  return x < -0x1p63 ? G_MININT64 : (gint64) x;
}

static inline gint64
cam_scalar_int (const CamTensor *t, gsize i)
{
  switch (t->dtype)
    {
    case CAM_DTYPE_INT64: return ((const gint64 *) t->data)[i];
    case CAM_DTYPE_UINT64: return (gint64) ((const guint64 *) t->data)[i];
    default: return cam_scalar_double_to_int (cam_scalar_double (t, i));
    }
}

/* Integers wrap as C's conversions do. */
static inline void
cam_scalar_set_int (CamTensor *t, gsize i, gint64 x)
{
  switch (t->dtype)
    {
    case CAM_DTYPE_FLOAT32: ((float *) t->data)[i] = (float) x; break;
    case CAM_DTYPE_FLOAT64: ((double *) t->data)[i] = (double) x; break;
    case CAM_DTYPE_FLOAT16:
      ((guint16 *) t->data)[i] = cam_float16_from_float ((float) x);
      break;
    case CAM_DTYPE_BFLOAT16:
      ((guint16 *) t->data)[i] = cam_bfloat16_from_float ((float) x);
      break;
    case CAM_DTYPE_INT8:
    case CAM_DTYPE_UINT8: ((guint8 *) t->data)[i] = (guint8) x; break;
    case CAM_DTYPE_BOOL: ((guint8 *) t->data)[i] = x != 0; break;
    case CAM_DTYPE_INT16:
    case CAM_DTYPE_UINT16: ((guint16 *) t->data)[i] = (guint16) x; break;
    case CAM_DTYPE_INT32:
    case CAM_DTYPE_UINT32: ((guint32 *) t->data)[i] = (guint32) x; break;
    case CAM_DTYPE_INT64:
    case CAM_DTYPE_UINT64: ((gint64 *) t->data)[i] = x; break;
    case CAM_DTYPE_NONE: break;
    }
}

static inline void
cam_scalar_set_double (CamTensor *t, gsize i, double x)
{
  switch (t->dtype)
    {
    case CAM_DTYPE_FLOAT32: ((float *) t->data)[i] = (float) x; break;
    case CAM_DTYPE_FLOAT64: ((double *) t->data)[i] = x; break;
    case CAM_DTYPE_FLOAT16:
      ((guint16 *) t->data)[i] = cam_float16_from_float ((float) x);
      break;
    case CAM_DTYPE_BFLOAT16:
      ((guint16 *) t->data)[i] = cam_bfloat16_from_float ((float) x);
      break;
    case CAM_DTYPE_BOOL: ((guint8 *) t->data)[i] = x != 0; break;
    case CAM_DTYPE_UINT64:
      ((guint64 *) t->data)[i] = x >= 0x1p63
                                     ? (guint64) MIN (x, 0x1.fffffffffffffp63)
                                     : (guint64) cam_scalar_double_to_int (x);
      break;
    default: cam_scalar_set_int (t, i, cam_scalar_double_to_int (x)); break;
    }
}
