/* test-types.c -- initialisers of every type, in raw_data and typed fields */
#include "tests/reader/model-writer.h"
#include <string.h>

#define N 5

typedef struct
{
  const char *name;
  CamDType dtype;
  int data_type;    /* TensorProto's number                  */
  guint field;      /* of the typed data                     */
  gsize typed_size; /* bytes in that field; 0: base 128      */
  guint64 bits[N];  /* of the elements, low bytes first      */
  double values[N]; /* the same as numbers                   */
} Type;

static const Type types[] = {
  { "float32",
    CAM_DTYPE_FLOAT32,
    1,
    4,
    4,
    { 0, 0x3f800000, 0xc0200000, 0x00000001, 0x7f7fffff },
    { 0, 1, -2.5, 0x1p-149, 0x1.fffffep127 } },
  { "uint8",
    CAM_DTYPE_UINT8,
    2,
    5,
    0,
    { 0, 1, 127, 128, 255 },
    { 0, 1, 127, 128, 255 } },
  { "int8",
    CAM_DTYPE_INT8,
    3,
    5,
    0,
    { 0, 1, 127, -128ull, -1ull },
    { 0, 1, 127, -128, -1 } },
  { "uint16",
    CAM_DTYPE_UINT16,
    4,
    5,
    0,
    { 0, 1, 2, 65535, 32768 },
    { 0, 1, 2, 65535, 32768 } },
  { "int16",
    CAM_DTYPE_INT16,
    5,
    5,
    0,
    { 0, 1, 2, 32767, -32768ull },
    { 0, 1, 2, 32767, -32768 } },
  { "int32",
    CAM_DTYPE_INT32,
    6,
    5,
    0,
    { 0, 1, -1ull, 0x7fffffff, -5ull },
    { 0, 1, -1, 2147483647, -5 } },
  { "int64",
    CAM_DTYPE_INT64,
    7,
    7,
    0,
    { 0, 1, -1ull, 1ull << 53, -5ull },
    { 0, 1, -1, 0x1p53, -5 } },
  { "bool", CAM_DTYPE_BOOL, 9, 5, 0, { 0, 1, 0, 1, 1 }, { 0, 1, 0, 1, 1 } },
  { "float16",
    CAM_DTYPE_FLOAT16,
    10,
    5,
    0,
    { 0, 0x3c00, 0xc100, 0x0001, 0x7bff },
    { 0, 1, -2.5, 0x1p-24, 65504 } },
  { "float64",
    CAM_DTYPE_FLOAT64,
    11,
    10,
    8,
    { 0, 0x3ff0000000000000, 0xc004000000000000, 1, 0x4340000000000000 },
    { 0, 1, -2.5, 0x1p-1074, 0x1p53 } },
  { "uint32",
    CAM_DTYPE_UINT32,
    12,
    11,
    0,
    { 0, 1, 2, 0xffffffff, 5 },
    { 0, 1, 2, 4294967295.0, 5 } },
  { "uint64",
    CAM_DTYPE_UINT64,
    13,
    11,
    0,
    { 0, 1, 2, 1ull << 63, 5 },
    { 0, 1, 2, 0x1p63, 5 } },
  { "bfloat16",
    CAM_DTYPE_BFLOAT16,
    16,
    5,
    0,
    { 0, 0x3f80, 0xc020, 0x0001, 0x7f7f },
    { 0, 1, -2.5, 0x1p-133, 0x1.fep127 } },
};

static void
put_raw (GByteArray *tensor, const Type *type)
{
  guint8 raw[N * 8];
  gsize size = cam_dtype_size (type->dtype);

  for (int i = 0; i < N; i++)
    memcpy (raw + i * size, &type->bits[i], size);
  put_bytes (tensor, 9, raw, N * size);
}

static void
put_typed (GByteArray *tensor, const Type *type)
{
  GByteArray *packed = g_byte_array_new ();

  for (int i = 0; i < N; i++)
    if (type->typed_size > 0)
      g_byte_array_append (packed, (const guint8 *) &type->bits[i],
                           (guint) type->typed_size);
    else
      put_varint (packed, type->bits[i]);
  put_message (tensor, type->field, packed);
}

/* The initialiser is also the output, so nothing can drop it. */
static CamNetwork *
load_tensor (GByteArray *tensor, GError **error)
{
  Model model = model_new (13);
  g_autoptr (GBytes) bytes = NULL;

  model_add_weight (&model, tensor);
  model_add_output (&model, "w");
  bytes = model_finish (&model);
  return load (bytes, NULL, error);
}

static void
assert_values (const CamNetwork *network, const Type *type)
{
  const CamValue *value = cam_graph_find (cam_network_graph (network), "w");
  g_autoptr (CamTensor) wide = NULL;

  g_assert_cmpint (value->dtype, ==, type->dtype);
  g_assert_cmpint (value->shape.n_dims, ==, 1);
  g_assert_cmpint (value->shape.dims[0], ==, N);
  wide = cam_tensor_convert (value->constant, CAM_DTYPE_FLOAT64, NULL);
  for (int i = 0; i < N; i++)
    g_assert_cmpfloat (((double *) wide->data)[i], ==, type->values[i]);
}

static void
test_type (gconstpointer data)
{
  const Type *type = data;
  const gint64 dims[] = { N, -1 };

  for (int typed = 0; typed < 2; typed++)
    {
      GByteArray *tensor = tensor_new ("w", type->data_type, dims);
      g_autoptr (GError) error = NULL;
      g_autoptr (CamNetwork) network = NULL;

      if (typed)
        put_typed (tensor, type);
      else
        put_raw (tensor, type);
      network = load_tensor (tensor, &error);
      g_assert_no_error (error);
      assert_values (network, type);
    }
}

/* Bytes other than 0 and 1 are true, and become 1. */
static void
test_bool_bytes (void)
{
  const gint64 dims[] = { 3, -1 };
  GByteArray *tensor = tensor_new ("w", 9, dims);
  g_autoptr (CamNetwork) network = NULL;
  const guint8 *data;

  put_bytes (tensor, 9, "\x02\x00\xff", 3);
  network = load_tensor (tensor, NULL);
  data = cam_graph_find (cam_network_graph (network), "w")->constant->data;
  g_assert_cmpint (data[0], ==, 1);
  g_assert_cmpint (data[1], ==, 0);
  g_assert_cmpint (data[2], ==, 1);
}

static void
test_scalar_and_empty (void)
{
  const gint64 none[] = { -1 };
  const gint64 empty[] = { 0, 4, -1 };
  const float value = 7;
  GByteArray *tensor = tensor_new ("w", DTYPE_FLOAT, none);
  CamNetwork *network;

  put_bytes (tensor, 9, &value, sizeof value);
  network = load_tensor (tensor, NULL);
  g_assert_nonnull (network);
  g_assert_cmpuint (cam_network_parameters (network), ==, 1);
  cam_network_unref (network);

  network = load_tensor (tensor_new ("w", DTYPE_FLOAT, empty), NULL);
  g_assert_nonnull (network);
  g_assert_cmpuint (cam_network_parameters (network), ==, 0);
  cam_network_unref (network);
}

/* Strings, complex numbers and what later versions brought */
static void
test_other_types (void)
{
  const int numbers[] = { 0, 8, 14, 15, 17, 20, 99, -1 };
  const gint64 dims[] = { 1, -1 };

  for (gsize i = 0; i < G_N_ELEMENTS (numbers); i++)
    {
      g_autoptr (GError) error = NULL;
      GByteArray *tensor = tensor_new ("w", numbers[i], dims);

      put_bytes (tensor, 9, "\0\0\0\0", 4);
      g_assert_null (load_tensor (tensor, &error));
      g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_UNSUPPORTED);
      g_assert_nonnull (strstr (error->message, "initialiser 'w'"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (types); i++)
    {
      g_autofree char *path = g_strconcat ("/types/", types[i].name, NULL);

      g_test_add_data_func (path, &types[i], test_type);
    }
  g_test_add_func ("/types/bool-bytes", test_bool_bytes);
  g_test_add_func ("/types/scalar-and-empty", test_scalar_and_empty);
  g_test_add_func ("/types/others", test_other_types);
  return g_test_run ();
}
