/* picture-open.c -- a file to an image of libvips, or a sentence why not */
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/picture-vips.h"

gboolean
picture_lacks_memory (void)
{
  const char *said = vips_error_buffer ();

  return strstr (said, "out of memory") != NULL
         || strstr (said, "nsufficient memory") != NULL
         || strstr (said, "unable to create thread") != NULL;
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
  *code = G_IO_ERROR_INVALID_DATA;
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

static gboolean
begins (const char *head, gsize n, gsize at, const char *with, gsize length)
{
  return at + length <= n && memcmp (head + at, with, length) == 0;
}

/* Missing files and folders get the system's words, not the decoder's; a pipe
 * would be waited for, a device read without end. */
gboolean
picture_look (const char *path, PictureKind *kind, GError **error)
{
  char head[12];
  int fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  struct stat about;
  gboolean other = fd != -1 && fstat (fd, &about) == 0
                   && ! S_ISREG (about.st_mode) && ! S_ISDIR (about.st_mode);
  gssize n = fd == -1 || other ? -1 : read (fd, head, sizeof head);
  int fault = errno;

  if (fd != -1)
    close (fd);
  if (other)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                   _ ("'%s' is not a file"), path);
      return FALSE;
    }
  if (n < 0)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (fault),
                   _ ("Cannot read the picture “%s”: %s."), path,
                   g_strerror (fault));
      return FALSE;
    }
  *kind = PICTURE_OTHER;
  if (begins (head, n, 0, "\xff\xd8\xff", 3))
    *kind = PICTURE_JPEG;
  else if (begins (head, n, 0, "\x89PNG\r\n\x1a\n", 8))
    *kind = PICTURE_PNG;
  else if (begins (head, n, 0, "RIFF", 4) && begins (head, n, 8, "WEBP", 4))
    *kind = PICTURE_WEBP;
  return TRUE;
}

/* The common kinds go straight to their decoder.  Left to itself libvips would
 * let others try them first, one of which (OpenSlide) takes as long as the
 * whole of a small picture does, and is not one that is trusted. */
VipsImage *
picture_open (const char *path, PictureKind kind)
{
  VipsImage *image = NULL;

  switch (kind)
    {
    case PICTURE_JPEG:
      vips_jpegload (path, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                     VIPS_FAIL_ON_ERROR, NULL);
      return image;
    case PICTURE_PNG:
      vips_pngload (path, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                    VIPS_FAIL_ON_ERROR, NULL);
      return image;
    case PICTURE_WEBP:
      vips_webpload (path, &image, "access", VIPS_ACCESS_SEQUENTIAL, "fail_on",
                     VIPS_FAIL_ON_ERROR, NULL);
      return image;
    default:
      return vips_image_new_from_file (path, "access", VIPS_ACCESS_SEQUENTIAL,
                                       "fail_on", VIPS_FAIL_ON_ERROR, NULL);
    }
}

VipsImage *
picture_open_shrunk (const char *path, PictureKind kind, int shrink)
{
  VipsImage *image = NULL;

  if (kind == PICTURE_JPEG)
    vips_jpegload (path, &image, "shrink", shrink, "access",
                   VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
  else
    vips_webpload (path, &image, "scale", 1.0 / shrink, "access",
                   VIPS_ACCESS_SEQUENTIAL, "fail_on", VIPS_FAIL_ON_ERROR, NULL);
  return image;
}

gboolean
picture_is_turned (VipsImage *image)
{
  return vips_image_get_orientation (image) > 4;
}
