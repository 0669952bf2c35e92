/* tensor.c -- see tensor.h */
#include "config.h"
#include "core/base/tensor.h"
#include <glib/gi18n.h>
#include <string.h>

#define ALIGNMENT 64
/* so that sums and small products of sizes cannot overflow, not even where
 * another dimension is 0 */
#define MAX_DIM ((gint64) 1 << 48)

/* clang-format off */
G_DEFINE_QUARK (cam-tensor-error-quark, cam_tensor_error)
/* clang-format on */

static const struct
{
  const char *name;
  gsize size;
} dtypes[] = {
  [CAM_DTYPE_NONE] = { "none", 0 },
  [CAM_DTYPE_FLOAT32] = { "float32", 4 },
  [CAM_DTYPE_FLOAT64] = { "float64", 8 },
  [CAM_DTYPE_FLOAT16] = { "float16", 2 },
  [CAM_DTYPE_BFLOAT16] = { "bfloat16", 2 },
  [CAM_DTYPE_INT8] = { "int8", 1 },
  [CAM_DTYPE_UINT8] = { "uint8", 1 },
  [CAM_DTYPE_INT16] = { "int16", 2 },
  [CAM_DTYPE_UINT16] = { "uint16", 2 },
  [CAM_DTYPE_INT32] = { "int32", 4 },
  [CAM_DTYPE_UINT32] = { "uint32", 4 },
  [CAM_DTYPE_INT64] = { "int64", 8 },
  [CAM_DTYPE_UINT64] = { "uint64", 8 },
  [CAM_DTYPE_BOOL] = { "bool", 1 },
};

gsize
cam_dtype_size (CamDType dtype)
{
  g_return_val_if_fail ((gsize) dtype < G_N_ELEMENTS (dtypes), 0);
  return dtypes[dtype].size;
}

const char *
cam_dtype_name (CamDType dtype)
{
  g_return_val_if_fail ((gsize) dtype < G_N_ELEMENTS (dtypes), "none");
  return dtypes[dtype].name;
}

gboolean
cam_shape_count (const CamShape *shape, gsize element_size, gsize *n_elements)
{
  gsize count = 1;
  gsize bytes;

  if (shape->n_dims < 0 || shape->n_dims > CAM_MAX_DIMS)
    return FALSE;
  for (int i = 0; i < shape->n_dims; i++)
    if (shape->dims[i] < 0 || shape->dims[i] > MAX_DIM
        || ! g_size_checked_mul (&count, count, (gsize) shape->dims[i]))
      return FALSE;
  if (! g_size_checked_mul (&bytes, count, element_size)
      || bytes > G_MAXSSIZE - ALIGNMENT)
    return FALSE;
  if (n_elements)
    *n_elements = count;
  return TRUE;
}

gboolean
cam_shape_equal (const CamShape *a, const CamShape *b)
{
  if (a->n_dims != b->n_dims)
    return FALSE;
  for (int i = 0; i < a->n_dims; i++)
    if (a->dims[i] != b->dims[i])
      return FALSE;
  return TRUE;
}

CamShape
cam_shape_make (int n_dims, const gint64 *dims)
{
  CamShape shape = { .n_dims = n_dims };

  g_return_val_if_fail (n_dims <= CAM_MAX_DIMS, (CamShape) { .n_dims = -1 });
  for (int i = 0; i < n_dims; i++)
    shape.dims[i] = dims[i];
  return shape;
}

char *
cam_shape_to_string (const CamShape *shape)
{
  GString *text;

  if (shape->n_dims < 0)
    return g_strdup ("[?]");
  text = g_string_new ("[");
  for (int i = 0; i < shape->n_dims; i++)
    {
      g_string_append (text, i ? ", " : "");
      if (shape->dims[i] < 0)
        g_string_append_c (text, '?');
      else
        g_string_append_printf (text, "%" G_GINT64_FORMAT, shape->dims[i]);
    }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

void
cam_no_memory (GError **error)
{
  g_set_error_literal (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
                       _ ("there is not enough memory"));
}

static void
set_too_large (GError **error, CamDType dtype, const CamShape *shape)
{
  g_autofree char *text = cam_shape_to_string (shape);

  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
               _ ("there is not enough memory for a tensor of shape %s and "
                  "type %s"),
               text, cam_dtype_name (dtype));
}

CamTensor *
cam_tensor_new (CamDType dtype, const CamShape *shape, GError **error)
{
  gsize size = cam_dtype_size (dtype);
  gsize count = 0;
  gpointer block = NULL;
  gpointer data;

  g_return_val_if_fail (size > 0, NULL);

  if (cam_shape_count (shape, size, &count))
    block = g_try_malloc0 (count * size + ALIGNMENT);
  if (! block)
    {
      set_too_large (error, dtype, shape);
      return NULL;
    }
  data = (gpointer) (((guintptr) block + ALIGNMENT - 1)
                     & ~(guintptr) (ALIGNMENT - 1));
  return cam_tensor_new_over (dtype, shape, data, block, g_free);
}

CamTensor *
cam_tensor_new_over (CamDType dtype, const CamShape *shape, gpointer data,
                     gpointer owner, GDestroyNotify owner_free)
{
  CamTensor *tensor = g_new0 (CamTensor, 1);
  gboolean fits;

  fits = cam_shape_count (shape, cam_dtype_size (dtype), &tensor->n_elements);
  g_warn_if_fail (fits);
  g_atomic_ref_count_init (&tensor->ref_count);
  tensor->dtype = dtype;
  tensor->shape = *shape;
  tensor->data = data;
  tensor->owner = owner;
  tensor->owner_free = owner_free;
  return tensor;
}

CamTensor *
cam_tensor_ref (CamTensor *tensor)
{
  g_atomic_ref_count_inc (&tensor->ref_count);
  return tensor;
}

void
cam_tensor_unref (CamTensor *tensor)
{
  if (! tensor || ! g_atomic_ref_count_dec (&tensor->ref_count))
    return;
  if (tensor->owner_free)
    tensor->owner_free (tensor->owner);
  g_free (tensor);
}

CamTensor *
cam_tensor_reshape (CamTensor *tensor, const CamShape *shape)
{
  gsize count;

  g_return_val_if_fail (cam_shape_count (shape, 1, &count)
                            && count == tensor->n_elements,
                        NULL);

  return cam_tensor_new_over (tensor->dtype, shape, tensor->data,
                              cam_tensor_ref (tensor),
                              (GDestroyNotify) cam_tensor_unref);
}
