/* test-tensor.c -- shapes, conversion between types, NumPy's files */
#include "core/base/half.h"
#include "core/base/npy.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

/* A size that cannot be had must give NULL under AddressSanitizer, too. */
const char *__asan_default_options (void);

const char *
__asan_default_options (void)
{
  return "allocator_may_return_null=1";
}

static void
test_counts (void)
{
  CamShape shape = { 3, { 2, 3, 4 } };
  gsize n = 0;

  g_assert_true (cam_shape_count (&shape, 4, &n));
  g_assert_cmpuint (n, ==, 24);
  shape = (CamShape) { 0 };
  g_assert_true (cam_shape_count (&shape, 4, &n));
  g_assert_cmpuint (n, ==, 1);
  shape = (CamShape) { 2, { 0, (gint64) 1 << 48 } };
  g_assert_true (cam_shape_count (&shape, 4, &n));
  g_assert_cmpuint (n, ==, 0);
  shape = (CamShape) { 2, { 0, G_MAXINT64 } };
  g_assert_false (cam_shape_count (&shape, 4, &n));
  shape = (CamShape) { 1, { -1 } };
  g_assert_false (cam_shape_count (&shape, 1, &n));
  shape = (CamShape) { 2, { (gint64) 1 << 32, (gint64) 1 << 32 } };
  g_assert_false (cam_shape_count (&shape, 1, &n));
  shape = (CamShape) { 1, { (gint64) 1 << 61 } };
  g_assert_false (cam_shape_count (&shape, 8, &n));
  shape.n_dims = -1;
  g_assert_false (cam_shape_count (&shape, 1, &n));
}

static void
test_memory (void)
{
  const CamShape shape = { 2, { 5, 7 } };
  const CamShape flat = { 1, { 35 } };
  const CamShape huge = { 1, { (gint64) 1 << 60 } };
  g_autoptr (GError) error = NULL;
  CamTensor *tensor = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);
  CamTensor *view = cam_tensor_reshape (tensor, &flat);

  g_assert_cmpuint ((guintptr) tensor->data % 64, ==, 0);
  g_assert_true (view->data == tensor->data);
  cam_tensor_unref (tensor); /* the view keeps the memory */
  cam_tensor_f32 (view)[34] = 1;
  g_assert_cmpfloat (cam_tensor_f32 (view)[0], ==, 0);
  cam_tensor_unref (view);
  g_assert_null (cam_tensor_new (CAM_DTYPE_UINT8, &huge, &error));
  g_assert_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE);
}

/* All float16 there and back; rounding against what the definition says */
static void
test_float16 (void)
{
  for (guint bits = 0; bits < 65536; bits++)
    {
      float value = cam_float16_to_float ((guint16) bits);

      if (isnan (value))
        g_assert_true (
            isnan (cam_float16_to_float (cam_float16_from_float (value))));
      else
        g_assert_cmphex (cam_float16_from_float (value), ==, bits);
    }
  for (guint bits = 0; bits < 0x7bff; bits++) /* neighbours, all finite */
    {
      double low = cam_float16_to_float ((guint16) bits);
      double high = cam_float16_to_float ((guint16) (bits + 1));
      float middle = (float) ((low + high) / 2); /* exact */
      guint16 even = (guint16) (bits + (bits & 1));

      g_assert_cmphex (cam_float16_from_float (middle), ==, even);
      g_assert_cmphex (cam_float16_from_float (nextafterf (middle, 0)), ==,
                       bits);
      g_assert_cmphex (cam_float16_from_float (nextafterf (middle, 1e9f)), ==,
                       bits + 1);
    }
  g_assert_cmphex (cam_float16_from_float (65519.996f), ==, 0x7bff);
  g_assert_cmphex (cam_float16_from_float (65520.f), ==, 0x7c00);
  g_assert_cmphex (cam_float16_from_float (-INFINITY), ==, 0xfc00);
}

static void
test_bfloat16 (void)
{
  g_assert_cmphex (cam_bfloat16_from_float (1.f), ==, 0x3f80);
  g_assert_cmphex (cam_bfloat16_from_float (cam_float_from_bits (0x3f808000)),
                   ==, 0x3f80); /* a tie, to even */
  g_assert_cmphex (cam_bfloat16_from_float (cam_float_from_bits (0x3f818000)),
                   ==, 0x3f82);
  g_assert_cmphex (cam_bfloat16_from_float (cam_float_from_bits (0x3f808001)),
                   ==, 0x3f81);
  g_assert_cmphex (cam_bfloat16_from_float (-INFINITY), ==, 0xff80);
  g_assert_true (isnan (cam_bfloat16_to_float (
      cam_bfloat16_from_float (cam_float_from_bits (0x7f800001)))));
}

static void
test_convert (void)
{
  const CamShape shape = { 1, { 6 } };
  g_autoptr (CamTensor) from = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);
  const float values[] = { -1.9f, 0.5f, 300, 1e30f, NAN, -0.f };
  const gint64 integers[] = { -1, 0, 300, G_MAXINT64, 0, 0 };
  const guint8 bools[] = { 1, 1, 1, 1, 1, 0 };
  g_autoptr (CamTensor) to = NULL;
  g_autoptr (CamTensor) flags = NULL;
  g_autoptr (CamTensor) bytes = NULL;

  memcpy (from->data, values, sizeof values);
  to = cam_tensor_convert (from, CAM_DTYPE_INT64, NULL);
  flags = cam_tensor_convert (from, CAM_DTYPE_BOOL, NULL);
  bytes = cam_tensor_convert (to, CAM_DTYPE_UINT8, NULL);
  g_assert_cmpmem (to->data, sizeof integers, integers, sizeof integers);
  g_assert_cmpmem (flags->data, sizeof bools, bools, sizeof bools);
  g_assert_cmpint (((guint8 *) bytes->data)[0], ==, 255);
  g_assert_cmpint (((guint8 *) bytes->data)[2], ==, 300 - 256);
}

static void
test_convert_long (void)
{
  const CamShape shape = { 1, { 5000 } };
  g_autoptr (CamTensor) from = cam_tensor_new (CAM_DTYPE_INT64, &shape, NULL);
  g_autoptr (CamTensor) to = NULL;

  for (int i = 0; i < 5000; i++)
    cam_tensor_i64 (from)[i] = i - 2500;
  to = cam_tensor_convert (from, CAM_DTYPE_FLOAT32, NULL);
  for (int i = 0; i < 5000; i++)
    g_assert_cmpfloat (cam_tensor_f32 (to)[i], ==, i - 2500);
}

static char *
temporary_path (void)
{
  char *path = NULL;
  int fd = g_file_open_tmp ("camlens-XXXXXX.npy", &path, NULL);

  g_close (fd, NULL);
  return path;
}

static void
test_npy_round_trip (void)
{
  const CamShape shapes[] = {
    { 0 }, { 1, { 4 } }, { 3, { 2, 1, 3 } }, { 2, { 0, 5 } }
  };
  g_autofree char *path = temporary_path ();

  for (int dtype = CAM_DTYPE_FLOAT32; dtype <= CAM_DTYPE_BOOL; dtype++)
    for (gsize i = 0; i < G_N_ELEMENTS (shapes); i++)
      {
        g_autoptr (CamTensor)
            out = cam_tensor_new ((CamDType) dtype, &shapes[i], NULL);
        g_autoptr (CamTensor) in = NULL;
        g_autoptr (GError) error = NULL;
        gsize size = out->n_elements * cam_dtype_size (out->dtype);

        if (dtype == CAM_DTYPE_BFLOAT16) /* NumPy has none */
          {
            g_assert_false (cam_npy_write (path, out, &error));
            continue;
          }
        for (gsize k = 0; k < size; k++)
          ((guint8 *) out->data)[k] = k % 2;
        g_assert_true (cam_npy_write (path, out, NULL));
        in = cam_npy_read (path, &error);
        g_assert_no_error (error);
        g_assert_cmpint (in->dtype, ==, dtype);
        g_assert_true (cam_shape_equal (&in->shape, &out->shape));
        g_assert_cmpmem (in->data, size, out->data, size);
      }
  g_remove (path);
}

static void
assert_npy_refused (const char *path, gconstpointer data, gsize size,
                    const char *word)
{
  g_autoptr (GError) error = NULL;

  g_assert_true (g_file_set_contents (path, data, (gssize) size, NULL));
  g_assert_null (cam_npy_read (path, &error));
  g_assert_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MALFORMED);
  g_assert_nonnull (strstr (error->message, word));
  g_assert_nonnull (strstr (error->message, path));
}

static void
test_npy_malformed (void)
{
  const CamShape shape = { 2, { 3, 2 } };
  g_autoptr (CamTensor)
      tensor = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);
  g_autofree char *path = temporary_path ();
  g_autofree char *data = NULL;
  gsize size;

  g_assert_true (cam_npy_write (path, tensor, NULL));
  g_assert_true (g_file_get_contents (path, &data, &size, NULL));
  for (gsize n = 0; n < size; n++)
    assert_npy_refused (path, data, n, "");
  memcpy (strstr (data + 10, "False"), "True ", 5);
  assert_npy_refused (path, data, size, "Fortran");
  memcpy (strstr (data + 10, "True "), "False", 5);
  memcpy (strstr (data + 10, "<f4"), ">f4", 3);
  assert_npy_refused (path, data, size, "type");
  memcpy (strstr (data + 10, ">f4"), "<f4", 3);
  memcpy (strstr (data + 10, "(3, 2)"), "(3, 9)", 6);
  assert_npy_refused (path, data, size, "short");
  g_remove (path);
  g_assert_null (cam_npy_read (path, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/tensor/counts", test_counts);
  g_test_add_func ("/tensor/memory", test_memory);
  g_test_add_func ("/tensor/float16", test_float16);
  g_test_add_func ("/tensor/bfloat16", test_bfloat16);
  g_test_add_func ("/tensor/convert", test_convert);
  g_test_add_func ("/tensor/convert-long", test_convert_long);
  g_test_add_func ("/npy/round-trip", test_npy_round_trip);
  g_test_add_func ("/npy/malformed", test_npy_malformed);
  return g_test_run ();
}
