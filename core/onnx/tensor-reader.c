/* tensor-reader.c -- see tensor-reader.h */
#include "config.h"
#include "core/onnx/external-data.h"
#include "core/graph/graph.h"
#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

/* raw_data and external data are little-endian, and read as they are */
G_STATIC_ASSERT (G_BYTE_ORDER == G_LITTLE_ENDIAN);

void
cam_tensor_reader_clear (CamTensorReader *reader)
{
  g_clear_pointer (&reader->external, cam_source_free);
  g_clear_pointer (&reader->files, g_ptr_array_unref);
  g_clear_pointer (&reader->locations, g_ptr_array_unref);
}

static const CamDType dtypes[] = {
  [ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT] = CAM_DTYPE_FLOAT32,
  [ONNX__TENSOR_PROTO__DATA_TYPE__UINT8] = CAM_DTYPE_UINT8,
  [ONNX__TENSOR_PROTO__DATA_TYPE__INT8] = CAM_DTYPE_INT8,
  [ONNX__TENSOR_PROTO__DATA_TYPE__UINT16] = CAM_DTYPE_UINT16,
  [ONNX__TENSOR_PROTO__DATA_TYPE__INT16] = CAM_DTYPE_INT16,
  [ONNX__TENSOR_PROTO__DATA_TYPE__INT32] = CAM_DTYPE_INT32,
  [ONNX__TENSOR_PROTO__DATA_TYPE__INT64] = CAM_DTYPE_INT64,
  [ONNX__TENSOR_PROTO__DATA_TYPE__BOOL] = CAM_DTYPE_BOOL,
  [ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT16] = CAM_DTYPE_FLOAT16,
  [ONNX__TENSOR_PROTO__DATA_TYPE__DOUBLE] = CAM_DTYPE_FLOAT64,
  [ONNX__TENSOR_PROTO__DATA_TYPE__UINT32] = CAM_DTYPE_UINT32,
  [ONNX__TENSOR_PROTO__DATA_TYPE__UINT64] = CAM_DTYPE_UINT64,
  [ONNX__TENSOR_PROTO__DATA_TYPE__BFLOAT16] = CAM_DTYPE_BFLOAT16,
};

CamDType
cam_onnx_dtype (int data_type)
{
  if (data_type < 0 || (gsize) data_type >= G_N_ELEMENTS (dtypes))
    return CAM_DTYPE_NONE;
  return dtypes[data_type];
}

static gboolean G_GNUC_PRINTF (3, 4)
    refuse (GError **error, CamGraphError code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (error, g_error_new_valist (CAM_GRAPH_ERROR, code, format,
                                                arguments));
  va_end (arguments);
  return FALSE;
}

typedef struct /* the typed field that holds a type's elements */
{
  gconstpointer data;
  gsize n;
  gsize stride; /* bytes an element; the low ones are the element's */
} TypedData;

static TypedData
typed_data (const Onnx__TensorProto *proto, CamDType dtype)
{
  switch (dtype)
    {
    case CAM_DTYPE_FLOAT32:
      return (TypedData) { proto->float_data, proto->n_float_data, 4 };
    case CAM_DTYPE_FLOAT64:
      return (TypedData) { proto->double_data, proto->n_double_data, 8 };
    case CAM_DTYPE_INT64:
      return (TypedData) { proto->int64_data, proto->n_int64_data, 8 };
    case CAM_DTYPE_UINT32:
    case CAM_DTYPE_UINT64:
      return (TypedData) { proto->uint64_data, proto->n_uint64_data, 8 };
    default: return (TypedData) { proto->int32_data, proto->n_int32_data, 4 };
    }
}

static void
copy_typed (const TypedData *typed, CamTensor *tensor)
{
  gsize size = cam_dtype_size (tensor->dtype);

  if (size == typed->stride && typed->n > 0)
    memcpy (tensor->data, typed->data, typed->n * size);
  else
    for (gsize i = 0; i < typed->n; i++)
      memcpy ((char *) tensor->data + i * size,
              (const char *) typed->data + i * typed->stride, size);
}

static gboolean
read_shape (const Onnx__TensorProto *proto, CamDType *dtype, CamShape *shape,
            gsize *count, GError **error)
{
  *dtype = cam_onnx_dtype (proto->data_type);
  if (*dtype == CAM_DTYPE_NONE || proto->segment)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("its element type (ONNX's number %d) is not supported"),
                   proto->data_type);
  if (proto->n_dims > CAM_MAX_DIMS)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("it has %zu dimensions, more than %d"), proto->n_dims,
                   CAM_MAX_DIMS);
  *shape = cam_shape_make ((int) proto->n_dims, proto->dims);
  if (! cam_shape_count (shape, cam_dtype_size (*dtype), count))
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED,
                   _ ("its size overflows, or is negative"));
  return TRUE;
}

/* A tensor within the budget, or NULL. */
static CamTensor *
allocate (CamTensorReader *reader, CamDType dtype, const CamShape *shape,
          GError **error)
{
  gsize count = 0;
  guint64 bytes;

  cam_shape_count (shape, cam_dtype_size (dtype), &count);
  bytes = count * cam_dtype_size (dtype);
  if (bytes > reader->budget)
    {
      refuse (error, CAM_GRAPH_ERROR_TOO_LARGE,
              _ ("with it the weights exceed the memory limit of %" PRIu64
                 " MiB"),
              reader->memory_limit >> 20);
      return NULL;
    }
  reader->budget -= bytes;
  return cam_tensor_new (dtype, shape, error);
}

static gboolean
check_size (GError **error, guint64 has, guint64 needs, gboolean bytes,
            const CamShape *shape, CamDType dtype)
{
  g_autofree char *text = cam_shape_to_string (shape);

  if (has == needs)
    return TRUE;
  refuse (error, CAM_GRAPH_ERROR_MALFORMED,
          bytes ? _ ("it has %" PRIu64
                     " bytes where shape %s of %s needs %" PRIu64)
                : _ ("it has %" PRIu64
                     " elements where shape %s of %s needs %" PRIu64),
          has, text, cam_dtype_name (dtype), needs);
  return FALSE;
}

/* A tensor filled from @source at @offset. */
static CamTensor *
read_raw (CamTensorReader *reader, CamDType dtype, const CamShape *shape,
          CamSource *source, guint64 offset, GError **error)
{
  g_autoptr (CamTensor) tensor = allocate (reader, dtype, shape, error);
  guint8 *bytes;

  if (! tensor
      || ! cam_source_read (source, offset,
                            tensor->n_elements * cam_dtype_size (dtype),
                            tensor->data, error))
    return NULL;
  bytes = tensor->data;
  for (gsize i = 0; dtype == CAM_DTYPE_BOOL && i < tensor->n_elements; i++)
    bytes[i] = bytes[i] != 0;
  return g_steal_pointer (&tensor);
}

static CamTensor *
read_typed (CamTensorReader *reader, const Onnx__TensorProto *proto,
            CamDType dtype, const CamShape *shape, gsize count, GError **error)
{
  TypedData typed = typed_data (proto, dtype);
  CamTensor *tensor;

  if (! check_size (error, typed.n, count, FALSE, shape, dtype))
    return NULL;
  tensor = allocate (reader, dtype, shape, error);
  if (tensor)
    copy_typed (&typed, tensor);
  return tensor;
}

CamTensor *
cam_tensor_reader_read (CamTensorReader *reader, const Onnx__TensorProto *proto,
                        CamSource *source, CamSpan raw, GError **error)
{
  g_autoptr (CamSource) unpacked = NULL;
  CamDType dtype = CAM_DTYPE_NONE;
  CamShape shape = { 0 };
  gsize count = 0;
  guint64 bytes;

  if (! read_shape (proto, &dtype, &shape, &count, error))
    return NULL;
  bytes = count * cam_dtype_size (dtype);
  if (proto->data_location == ONNX__TENSOR_PROTO__DATA_LOCATION__EXTERNAL)
    {
      raw.length = bytes;
      source = cam_external_data_find (reader, proto, bytes, &raw.offset,
                                       error);
      if (! source)
        return NULL;
    }
  else if (! source && proto->has_raw_data)
    {
      raw = (CamSpan) { 0, proto->raw_data.len };
      source = unpacked = cam_source_new_memory (proto->raw_data.data,
                                                 proto->raw_data.len);
    }
  if (! source)
    return read_typed (reader, proto, dtype, &shape, count, error);
  if (! check_size (error, raw.length, bytes, TRUE, &shape, dtype))
    return NULL;
  return read_raw (reader, dtype, &shape, source, raw.offset, error);
}
