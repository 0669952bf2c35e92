/* tensor.h -- an n-dimensional array: the only thing that flows through a graph
 *
 * A tensor is a type, a shape and contiguous memory in C (row-major) order.
 * Memory is owned (64-byte aligned), or borrowed from something that the
 * tensor keeps alive (a GBytes, another tensor).  Tensors are counted by
 * reference; one that several hold is not written to.
 */
#pragma once

#include <gio/gio.h>

#define CAM_MAX_DIMS 8

typedef enum
{
  CAM_DTYPE_NONE,
  CAM_DTYPE_FLOAT32,
  CAM_DTYPE_FLOAT64,
  CAM_DTYPE_FLOAT16,
  CAM_DTYPE_BFLOAT16,
  CAM_DTYPE_INT8,
  CAM_DTYPE_UINT8,
  CAM_DTYPE_INT16,
  CAM_DTYPE_UINT16,
  CAM_DTYPE_INT32,
  CAM_DTYPE_UINT32,
  CAM_DTYPE_INT64,
  CAM_DTYPE_UINT64,
  CAM_DTYPE_BOOL, /* one byte, 0 or 1 */
} CamDType;

typedef struct
{
  int n_dims; /* 0 is a scalar; -1 is not known yet */
  gint64 dims[CAM_MAX_DIMS];
} CamShape;

typedef struct
{
  gatomicrefcount ref_count;
  CamDType dtype;
  CamShape shape;
  gsize n_elements;
  gpointer data;  /* n_elements of dtype, row-major */
  gpointer owner; /* private: what is let go of with the tensor */
  GDestroyNotify owner_free;
} CamTensor;

#define CAM_TENSOR_ERROR (cam_tensor_error_quark ())
GQuark cam_tensor_error_quark (void);
typedef enum
{
  CAM_TENSOR_ERROR_TOO_LARGE, /* its size overflows, or memory is short      */
  CAM_TENSOR_ERROR_MALFORMED, /* not an array file, or cut short             */
  CAM_TENSOR_ERROR_MISMATCH   /* of another type or shape than was asked for */
} CamTensorError;

gsize cam_dtype_size (CamDType dtype);
const char *cam_dtype_name (CamDType dtype); /* "float32", static */

/* Product of the dimensions, checked: FALSE where one is negative or above
 * 2^48, or the product, times @element_size, would overflow gsize. */
gboolean cam_shape_count (const CamShape *shape, gsize element_size,
                          gsize *n_elements);
gboolean cam_shape_equal (const CamShape *a, const CamShape *b);
CamShape cam_shape_make (int n_dims, const gint64 *dims);
/* CAM_TENSOR_ERROR_TOO_LARGE, for what g_try_malloc () did not give. */
void cam_no_memory (GError **error);
/* "[1, 3, 224, 224]" (transfer full) */
char *cam_shape_to_string (const CamShape *shape);

/* A new tensor with zeroed memory.  NULL with CAM_TENSOR_ERROR_TOO_LARGE where
 * memory is short; never aborts.  (transfer full) */
CamTensor *cam_tensor_new (CamDType dtype, const CamShape *shape,
                           GError **error);
/* Over memory that @owner keeps alive; @owner_free (@owner) is called at the
 * end, may be NULL.  @data must hold the whole shape.  (transfer full) */
CamTensor *cam_tensor_new_over (CamDType dtype, const CamShape *shape,
                                gpointer data, gpointer owner,
                                GDestroyNotify owner_free);
CamTensor *cam_tensor_ref (CamTensor *tensor);
void cam_tensor_unref (CamTensor *tensor);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamTensor, cam_tensor_unref)

#define cam_tensor_f32(t) ((float *) (t)->data)
#define cam_tensor_i64(t) ((gint64 *) (t)->data)

/* The same memory under another shape of as many elements (transfer full) */
CamTensor *cam_tensor_reshape (CamTensor *tensor, const CamShape *shape);
/* A copy converted to @dtype, as ONNX's Cast does (transfer full) */
CamTensor *cam_tensor_convert (const CamTensor *tensor, CamDType dtype,
                               GError **error);
