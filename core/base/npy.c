/* npy.c -- see npy.h; the format is numpy.lib.format's, versions 1.0 to 3.0 */
#include "config.h"
#include "core/base/npy.h"
#include "core/base/plain-file.h"
#include "core/base/whole-file.h"
#include <errno.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAGIC "\x93NUMPY"
#define MAX_HEADER (1 << 16)

static const struct
{
  const char *descr; /* without the byte order */
  CamDType dtype;
} kinds[] = {
  { "f4", CAM_DTYPE_FLOAT32 }, { "f8", CAM_DTYPE_FLOAT64 },
  { "f2", CAM_DTYPE_FLOAT16 }, { "i1", CAM_DTYPE_INT8 },
  { "u1", CAM_DTYPE_UINT8 },   { "i2", CAM_DTYPE_INT16 },
  { "u2", CAM_DTYPE_UINT16 },  { "i4", CAM_DTYPE_INT32 },
  { "u4", CAM_DTYPE_UINT32 },  { "i8", CAM_DTYPE_INT64 },
  { "u8", CAM_DTYPE_UINT64 },  { "b1", CAM_DTYPE_BOOL },
};

static gboolean G_GNUC_PRINTF (3, 4)
    malformed (GError **error, const char *path, const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MALFORMED,
               _ ("'%s': %s"), path, text);
  return FALSE;
}

/* What follows "'key':" in a header, or NULL. */
static const char *
header_value (const char *header, const char *key)
{
  g_autofree char *quoted = g_strdup_printf ("'%s'", key);
  const char *place = strstr (header, quoted);

  if (! place)
    return NULL;
  place += strlen (quoted);
  while (*place == ' ' || *place == ':')
    place++;
  return place;
}

static CamDType
parse_descr (const char *text)
{
  if (! text || *text != '\'' || ! text[1] || ! strchr ("<=|", text[1]))
    return CAM_DTYPE_NONE;
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (strncmp (text + 2, kinds[i].descr, 2) == 0 && text[4] == '\'')
      return kinds[i].dtype;
  return CAM_DTYPE_NONE;
}

static gboolean
parse_shape (const char *text, CamShape *shape)
{
  *shape = (CamShape) { 0 };
  if (! text || *text++ != '(')
    return FALSE;
  for (;;)
    {
      char *end;
      guint64 dim;

      while (*text == ' ' || *text == ',')
        text++;
      if (*text == ')')
        return TRUE;
      if (! g_ascii_isdigit (*text) || shape->n_dims == CAM_MAX_DIMS)
        return FALSE;
      dim = g_ascii_strtoull (text, &end, 10);
      if (dim > G_MAXINT64)
        return FALSE;
      shape->dims[shape->n_dims++] = (gint64) dim;
      text = end;
    }
}

/* Reads magic, version and header; leaves the file at the first element. */
static gboolean
read_header (FILE *file, const char *path, CamDType *dtype, CamShape *shape,
             GError **error)
{
  guint8 start[12];
  gsize length;
  g_autofree char *header = NULL;
  const char *order;

  if (fread (start, 1, 8, file) != 8 || memcmp (start, MAGIC, 6) != 0)
    return malformed (error, path, _ ("this is not a NumPy array file (.npy)"));
  if (start[6] < 1 || start[6] > 3)
    return malformed (error, path,
                      _ ("version %d of NumPy's format is not known"),
                      start[6]);
  gsize size_bytes = start[6] == 1 ? 2 : 4;
  if (fread (start + 8, 1, size_bytes, file) != size_bytes)
    return malformed (error, path, _ ("the file is cut short"));
  length = start[8] | start[9] << 8;
  if (size_bytes == 4)
    length |= (gsize) start[10] << 16 | (gsize) start[11] << 24;
  if (length > MAX_HEADER)
    return malformed (error, path, _ ("its header is too long"));
  header = g_malloc0 (length + 1);
  if (fread (header, 1, length, file) != length)
    return malformed (error, path, _ ("the file is cut short"));

  *dtype = parse_descr (header_value (header, "descr"));
  if (*dtype == CAM_DTYPE_NONE)
    return malformed (error, path,
                      _ ("its element type is not supported: save it as "
                         "little-endian float32, int64 or bool"));
  order = header_value (header, "fortran_order");
  if (! order || ! g_str_has_prefix (order, "False"))
    return malformed (error, path,
                      _ ("it is in Fortran order: save numpy.ascontiguousarray "
                         "(array)"));
  if (! parse_shape (header_value (header, "shape"), shape))
    return malformed (error, path,
                      _ ("its shape cannot be read (at most %d dimensions)"),
                      CAM_MAX_DIMS);
  return TRUE;
}

/* The bytes between here and the end; -1 where the file cannot be sought. */
static gint64
bytes_left (FILE *file)
{
  off_t here = ftello (file);
  off_t end;

  if (here < 0 || fseeko (file, 0, SEEK_END) != 0)
    return -1;
  end = ftello (file);
  if (end < 0 || fseeko (file, here, SEEK_SET) != 0)
    return -1;
  return end - here;
}

static CamTensor *
read_array (FILE *file, const char *path, GError **error)
{
  g_autoptr (CamTensor) tensor = NULL;
  CamDType dtype = CAM_DTYPE_NONE;
  CamShape shape = { 0 };
  gsize size, count;
  gint64 left;

  if (! read_header (file, path, &dtype, &shape, error))
    return NULL;
  size = cam_dtype_size (dtype);
  left = bytes_left (file);
  if (! cam_shape_count (&shape, size, &count)
      || (left >= 0 && (guint64) left < count * size))
    {
      malformed (error, path, _ ("the file is cut short"));
      return NULL;
    }
  tensor = cam_tensor_new (dtype, &shape, error);
  if (! tensor)
    {
      g_prefix_error (error, _ ("'%s': "), path);
      return NULL;
    }
  if (fread (tensor->data, size, count, file) != count)
    {
      malformed (error, path, _ ("the file is cut short"));
      return NULL;
    }
  for (gsize i = 0; dtype == CAM_DTYPE_BOOL && i < count; i++)
    ((guint8 *) tensor->data)[i] = ((guint8 *) tensor->data)[i] != 0;
  return g_steal_pointer (&tensor);
}

CamTensor *
cam_npy_read (const char *path, GError **error)
{
  int fd = cam_plain_file_open (path, error);
  FILE *file = fd != -1 ? fdopen (fd, "rb") : NULL;
  CamTensor *tensor;

  if (fd == -1)
    return NULL;
  if (! file)
    {
      int code = errno;

      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
                   _ ("'%s' cannot be read: %s"), path, g_strerror (code));
      close (fd);
      return NULL;
    }
  tensor = read_array (file, path, error);
  fclose (file);
  return tensor;
}

/* The whole start of a file; padded so that the array is aligned at 64. */
static GString *
make_header (const CamTensor *tensor, const char *descr)
{
  const CamShape *shape = &tensor->shape;
  GString *header = g_string_new (NULL);
  gsize length;

  g_string_append_printf (header,
                          "{'descr': '%c%s', 'fortran_order': False, "
                          "'shape': (",
                          descr[1] == '1' ? '|' : '<', descr);
  for (int i = 0; i < shape->n_dims; i++)
    g_string_append_printf (header, "%s%" G_GINT64_FORMAT "%s", i ? " " : "",
                            shape->dims[i],
                            i + 1 < shape->n_dims || i == 0 ? "," : "");
  g_string_append (header, "), }");
  while ((10 + header->len + 1) % 64 != 0)
    g_string_append_c (header, ' ');
  g_string_append_c (header, '\n');
  length = header->len;
  g_string_prepend_len (header, "\x93NUMPY\x01\x00\x00\x00", 10);
  header->str[8] = (char) (length & 0xff);
  header->str[9] = (char) (length >> 8);
  return header;
}

gboolean
cam_npy_write (const char *path, const CamTensor *tensor, GError **error)
{
  const char *descr = NULL;
  gsize size = cam_dtype_size (tensor->dtype);
  g_autoptr (GString) header = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if (kinds[i].dtype == tensor->dtype)
      descr = kinds[i].descr;
  if (! descr)
    {
      g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_MISMATCH,
                   _ ("'%s': NumPy has no type %s"), path,
                   cam_dtype_name (tensor->dtype));
      return FALSE;
    }
  header = make_header (tensor, descr);
  return cam_whole_file_write (
      path,
      (CamFilePiece[]) { { header->str, header->len },
                         { tensor->data, tensor->n_elements * size } },
      2, error);
}
