/* picture-open.c -- a file to an image of libvips, or a sentence why not */
#include <glib/gi18n.h>
#include <string.h>

#include "tools/picture-vips.h"
#include "tools/picture.h"

gboolean
picture_lacks_memory (void)
{
  const char *said = vips_error_buffer ();

  return strstr (said, "out of memory") != NULL
         || strstr (said, "nsufficient memory") != NULL;
}

/* What libvips said last, in one line, without its own prefixes; @code: is it
 * the kind of file, or this one? */
static char *
take_vips_error (int *code)
{
  g_autofree char *buffer = vips_error_buffer_copy ();
  g_auto (GStrv) lines = g_strsplit (g_strchomp (buffer), "\n", -1);
  guint n = g_strv_length (lines);
  const char *line = n > 0 ? lines[n - 1] : "";
  const char *colon = strchr (line, ':');

  *code = G_IO_ERROR_NO_SPACE;
  if (picture_lacks_memory ())
    return g_strdup (_ ("there is not enough memory"));
  *code = G_IO_ERROR_INVALID_DATA;
  if (strstr (line, "libpng read error") != NULL)
    return g_strdup (_ ("it is damaged or cut short"));
  *code = G_IO_ERROR_NOT_SUPPORTED;
  if (strstr (line, "not a known file format") != NULL)
    return g_strdup (_ ("not a picture of a known format"));
  if (strstr (line, "operation is blocked") != NULL)
    return g_strdup (_ ("its kind of file is not read, as its decoder is not "
                        "safe "
                        "enough; save it as PNG or JPEG"));
  *code = strstr (line, "creating thread") != NULL ? G_IO_ERROR_FAILED
                                                   : G_IO_ERROR_INVALID_DATA;
  if (colon != NULL && memchr (line, ' ', colon - line) == NULL)
    line = colon + 1;
  while (*line == ' ')
    line++;
  return g_strdup (*line != '\0' ? line : _ ("cannot be decoded"));
}

gboolean
picture_refuse (PictureTask task, const char *path, GError **error)
{
  static const char *const texts[] = { N_ ("Cannot read the picture “%s”: %s."),
                                       N_ ("Cannot write “%s”: %s."),
                                       N_ ("Cannot encode “%s”: %s.") };
  int code;
  g_autofree char *reason = take_vips_error (&code);

  vips_error_clear ();
  g_set_error (error, G_IO_ERROR, code, _ (texts[task]), path, reason);
  return FALSE;
}

gboolean
picture_refuse_reading (const char *path, GError **error)
{
  return picture_refuse (PICTURE_READ, path, error);
}

static gint64 most_pixels = PICTURE_MOST_PIXELS;

void
picture_limit (gint64 pixels)
{
  most_pixels = pixels;
}

/* From the head alone: nothing is decoded yet.  A pixel counts for the eight
 * bytes that red, green, blue and alpha of 16 bits take. */
static gboolean
check_size (VipsImage *image, const char *path, GError **error)
{
  gint64 area = (gint64) image->Xsize * image->Ysize;
  gint64 share = (gint64) ((VIPS_IMAGE_SIZEOF_PEL (image) + 7) / 8);

  if (area <= most_pixels / MAX (share, 1))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("Cannot read the picture “%s”: it has %d x %d pixels of %d "
                  "bytes, and at most %.4g million of up to 8 bytes are read; "
                  "make it smaller, or raise --max-pixels."),
               path, image->Xsize, image->Ysize,
               (int) VIPS_IMAGE_SIZEOF_PEL (image), most_pixels / 1e6);
  return FALSE;
}

/* What no decoder of ours takes; is there another one that would? */
static gboolean
refuse_kind (const char *path, GError **error)
{
  VipsSource *source = vips_source_new_from_file (path);
  const char *found = source != NULL ? vips_foreign_find_load_source (source)
                                     : NULL;

  g_clear_object (&source);
  vips_error_clear ();
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("Cannot read the picture “%s”: %s."), path,
               found != NULL
                   ? _ ("its kind of file is not read, as its decoder is not "
                        "safe "
                        "enough; save it as PNG or JPEG")
                   : _ ("not a picture of a known format"));
  return FALSE;
}

/* Each kind goes straight to its decoder.  Left to itself libvips would read
 * options from the name ("a.tif[page=1]"), and let others try first, one of
 * which (OpenSlide) takes as long as the whole of a small picture does, and is
 * not one that is trusted. */
static void
load (const char *path, PictureKind kind, int shrink, VipsImage **image)
{
#define HOW                                                                    \
  "access", VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL
  switch (kind)
    {
    case PICTURE_JPEG:
      vips_jpegload (path, image, "shrink", shrink, HOW);
      break;
    case PICTURE_WEBP:
      vips_webpload (path, image, "scale", 1.0 / shrink, HOW);
      break;
    case PICTURE_PNG: vips_pngload (path, image, HOW); break;
    case PICTURE_GIF: vips_gifload (path, image, HOW); break;
    case PICTURE_TIFF: vips_tiffload (path, image, HOW); break;
    case PICTURE_HEIF: vips_heifload (path, image, HOW); break;
    default: break;
    }
#undef HOW
}

VipsImage *
picture_open (const char *path, const PictureHead *head, int shrink,
              GError **error)
{
  g_autoptr (PictureImage) image = NULL;

  if (head->kind == PICTURE_OTHER)
    {
      refuse_kind (path, error);
      return NULL;
    }
  if (! picture_head_check (head, path, error))
    return NULL;
  load (path, head->kind, shrink, &image);
  if (image == NULL)
    {
      picture_refuse_reading (path, error);
      return NULL;
    }
  return check_size (image, path, error) ? g_steal_pointer (&image) : NULL;
}

gboolean
picture_is_turned (VipsImage *image)
{
  return vips_image_get_orientation (image) > 4;
}
