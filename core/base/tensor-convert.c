/* tensor-convert.c -- from any element type to any other, as ONNX's Cast
 *
 * Whole numbers travel as int64 (and wrap into narrower ones), the rest as
 * double; a block at a time, so that a type needs one loop in and one out.
 */
#include "config.h"
#include "core/base/tensor.h"
#include "core/base/half.h"
#include <math.h>

#define BLOCK 512

static gboolean
is_float (CamDType dtype)
{
  return dtype == CAM_DTYPE_FLOAT32 || dtype == CAM_DTYPE_FLOAT64
         || dtype == CAM_DTYPE_FLOAT16 || dtype == CAM_DTYPE_BFLOAT16;
}

#define LOAD(type, expression)                                                 \
  {                                                                            \
    const type *in = (const type *) data + first;                              \
    for (gsize i = 0; i < n; i++)                                              \
      out[i] = (expression);                                                   \
    break;                                                                     \
  }
#define STORE(type, expression)                                                \
  {                                                                            \
    type *out = (type *) data + first;                                         \
    for (gsize i = 0; i < n; i++)                                              \
      out[i] = (expression);                                                   \
    break;                                                                     \
  }

static void
load_floats (gconstpointer data, CamDType dtype, gsize first, gsize n,
             double *out)
{
  switch (dtype)
    {
    case CAM_DTYPE_FLOAT32: LOAD (float, in[i]);
    case CAM_DTYPE_FLOAT64: LOAD (double, in[i]);
    case CAM_DTYPE_FLOAT16: LOAD (guint16, cam_float16_to_float (in[i]));
    case CAM_DTYPE_BFLOAT16: LOAD (guint16, cam_bfloat16_to_float (in[i]));
    default: g_assert_not_reached ();
    }
}

static void
load_integers (gconstpointer data, CamDType dtype, gsize first, gsize n,
               gint64 *out)
{
  switch (dtype)
    {
    case CAM_DTYPE_INT8: LOAD (gint8, in[i]);
    case CAM_DTYPE_UINT8: LOAD (guint8, in[i]);
    case CAM_DTYPE_INT16: LOAD (gint16, in[i]);
    case CAM_DTYPE_UINT16: LOAD (guint16, in[i]);
    case CAM_DTYPE_INT32: LOAD (gint32, in[i]);
    case CAM_DTYPE_UINT32: LOAD (guint32, in[i]);
    case CAM_DTYPE_INT64: LOAD (gint64, in[i]);
    case CAM_DTYPE_UINT64: LOAD (guint64, (gint64) in[i]);
    case CAM_DTYPE_BOOL: LOAD (guint8, in[i] != 0);
    default: g_assert_not_reached ();
    }
}

static void
store_floats (gpointer data, CamDType dtype, gsize first, gsize n,
              const double *in)
{
  switch (dtype)
    {
    case CAM_DTYPE_FLOAT32: STORE (float, (float) in[i]);
    case CAM_DTYPE_FLOAT64: STORE (double, in[i]);
    case CAM_DTYPE_FLOAT16:
      STORE (guint16, cam_float16_from_float ((float) in[i]));
    case CAM_DTYPE_BFLOAT16:
      STORE (guint16, cam_bfloat16_from_float ((float) in[i]));
    default: g_assert_not_reached ();
    }
}

static void
store_integers (gpointer data, CamDType dtype, gsize first, gsize n,
                const gint64 *in)
{
  switch (dtype)
    {
    case CAM_DTYPE_INT8: STORE (gint8, (gint8) in[i]);
    case CAM_DTYPE_UINT8: STORE (guint8, (guint8) in[i]);
    case CAM_DTYPE_INT16: STORE (gint16, (gint16) in[i]);
    case CAM_DTYPE_UINT16: STORE (guint16, (guint16) in[i]);
    case CAM_DTYPE_INT32: STORE (gint32, (gint32) in[i]);
    case CAM_DTYPE_UINT32: STORE (guint32, (guint32) in[i]);
    case CAM_DTYPE_INT64: STORE (gint64, in[i]);
    case CAM_DTYPE_UINT64: STORE (guint64, (guint64) in[i]);
    case CAM_DTYPE_BOOL: STORE (guint8, in[i] != 0);
    default: g_assert_not_reached ();
    }
}

/* Towards zero; what does not fit is clipped to int64, NaN becomes 0. */
static gint64
truncated (double value)
{
  if (isnan (value))
    return 0;
  if (value >= 0x1p63)
    return G_MAXINT64;
  if (value < -0x1p63)
    return G_MININT64;
  return (gint64) value;
}

static void
convert_block (const CamTensor *from, CamTensor *to, gsize first, gsize n)
{
  double floats[BLOCK];
  gint64 integers[BLOCK];
  gboolean float_in = is_float (from->dtype);
  gboolean float_out = is_float (to->dtype);

  if (float_in)
    load_floats (from->data, from->dtype, first, n, floats);
  else
    load_integers (from->data, from->dtype, first, n, integers);

  for (gsize i = 0; float_in && ! float_out && i < n; i++)
    integers[i] = to->dtype == CAM_DTYPE_BOOL ? floats[i] != 0
                                              : truncated (floats[i]);
  for (gsize i = 0; ! float_in && float_out && i < n; i++)
    floats[i] = from->dtype == CAM_DTYPE_UINT64 ? (double) (guint64) integers[i]
                                                : (double) integers[i];

  if (float_out)
    store_floats (to->data, to->dtype, first, n, floats);
  else
    store_integers (to->data, to->dtype, first, n, integers);
}

CamTensor *
cam_tensor_convert (const CamTensor *tensor, CamDType dtype, GError **error)
{
  CamTensor *result = cam_tensor_new (dtype, &tensor->shape, error);

  if (! result)
    return NULL;
  if (tensor->dtype == dtype)
    memcpy (result->data, tensor->data,
            tensor->n_elements * cam_dtype_size (dtype));
  else
    for (gsize i = 0; i < tensor->n_elements; i += BLOCK)
      convert_block (tensor, result, i, MIN (BLOCK, tensor->n_elements - i));
  return result;
}
