/* picture-write.c -- encoding */
#include "tools/picture-write.h"

#include <glib/gi18n.h>
#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/npy.h"
#include "core/base/whole-file.h"
#include "tools/picture-vips.h"

/* The ending in lower case, with its dot; "" (transfer full) */
static char *
ending (const char *path)
{
  const char *slash = strrchr (path, '/');
  const char *dot = strrchr (slash != NULL ? slash : path, '.');

  return g_ascii_strdown (dot != NULL ? dot : "", -1);
}

static gboolean
is_one_of (const char *path, const char *const *endings)
{
  g_autofree char *own = ending (path);

  return g_strv_contains (endings, own);
}

static const char *const webp[] = { ".webp", NULL };
static const char *const npy[] = { ".npy", NULL };
static const char *const jpeg[] = { ".jpg", ".jpeg", NULL };
static const char *const tiff[] = { ".tif", ".tiff", NULL };

gboolean
picture_can_write (const char *path)
{
  static const char *const all[] = { ".png", ".jpg",  ".jpeg", ".webp",
                                     ".tif", ".tiff", NULL };

  return is_one_of (path, all);
}

gboolean
picture_keeps_alpha (const char *path)
{
  return picture_can_write (path) && ! is_one_of (path, jpeg);
}

gboolean
picture_can_write_map (const char *path)
{
  return is_one_of (path, npy) || is_one_of (path, tiff);
}

static int
save (VipsImage *image, const char *as, const char *path)
{
  double white[] = { 255 };
  g_autoptr (PictureColour) background = vips_array_double_new (white, 1);

  if (is_one_of (as, jpeg))
    return vips_jpegsave (image, path, "Q", 92, "background", background, NULL);
  if (is_one_of (as, tiff))
    return vips_tiffsave (image, path, "compression",
                          VIPS_FOREIGN_TIFF_COMPRESSION_DEFLATE, NULL);
  if (is_one_of (as, webp))
    return vips_webpsave (image, path, "lossless", TRUE, NULL);
  return vips_pngsave (image, path, "compression", 3, NULL);
}

/* Why nothing more can be written to @part, as an errno; 0: it can.  libvips
 * keeps that to itself, or says "unknown error -1". */
static int
ask_fault (const char *part)
{
  static const char block[1 << 16];
  int fd = g_open (part, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  gboolean written = fd != -1
                     && write (fd, block, sizeof block) == sizeof block;
  int fault = written ? 0 : errno;

  if (fd != -1)
    close (fd);
  return fault;
}

/* Saves, then renames; nothing is left behind where either fails. */
static gboolean
save_whole (VipsImage *image, const char *path, GError **error)
{
  g_autofree char *place = cam_whole_file_place (path, error);
  g_autofree char *part = place != NULL ? cam_whole_file_part (place) : NULL;
  int code;

  if (part == NULL)
    return FALSE;
  if (save (image, path, part) != 0)
    {
      int fault = ask_fault (part);

      g_unlink (part);
      if (fault == 0)
        return picture_refuse (PICTURE_WRITE, path, error);
      vips_error_clear ();
      return cam_whole_file_refuse (path, fault, error);
    }
  code = cam_whole_file_put (part, place);
  if (code == 0)
    return TRUE;
  g_unlink (part);
  return cam_whole_file_refuse (path, code, error);
}

static gboolean
refuse_ending (const char *path, const char *known, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("Cannot write “%s”: its name should end in %s."), path,
               known);
  return FALSE;
}

gboolean
picture_write_image (const char *path, VipsImage *image, GError **error)
{
  if (! picture_can_write (path))
    return refuse_ending (path, _ (".png, .jpg, .webp or .tif"), error);
  return save_whole (image, path, error);
}

GBytes *
picture_encode_jpeg (const guint8 *pixels, int width, int height,
                     GError **error)
{
  double white[] = { 255 };
  g_autoptr (PictureColour) background = vips_array_double_new (white, 1);
  g_autoptr (PictureImage) raw = NULL, image = NULL;
  void *data = NULL;
  size_t length = 0;

  raw = vips_image_new_from_memory (pixels, (gsize) width * height * 4, width,
                                    height, 4, VIPS_FORMAT_UCHAR);
  if (raw != NULL
      && vips_copy (raw, &image, "interpretation", VIPS_INTERPRETATION_sRGB,
                    NULL)
             == 0
      && vips_jpegsave_buffer (image, &data, &length, "Q", 82, "background",
                               background, NULL)
             == 0)
    return g_bytes_new_take (data, length);
  picture_refuse (PICTURE_ENCODE, _ ("a picture"), error);
  return NULL;
}

gboolean
picture_write_map (const char *path, const CamHeatMap *map, GError **error)
{
  gsize n = (gsize) map->width * map->height;
  CamShape shape = cam_shape_make (2, (gint64[]) { map->height, map->width });
  g_autoptr (CamTensor) tensor = NULL;
  g_autoptr (PictureImage) raw = NULL, image = NULL;

  if (is_one_of (path, npy))
    {
      tensor = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape, map->values,
                                    NULL, NULL);
      return cam_npy_write (path, tensor, error);
    }
  if (! is_one_of (path, tiff))
    return refuse_ending (path, _ (".npy or .tif"), error);
  raw = vips_image_new_from_memory (map->values, n * sizeof (float), map->width,
                                    map->height, 1, VIPS_FORMAT_FLOAT);
  if (raw == NULL
      || vips_copy (raw, &image, "interpretation", VIPS_INTERPRETATION_B_W,
                    NULL)
             != 0)
    return picture_refuse (PICTURE_WRITE, path, error);
  return save_whole (image, path, error);
}
