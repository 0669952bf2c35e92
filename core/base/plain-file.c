/* plain-file.c -- see plain-file.h */
#include "config.h"
#include "core/base/plain-file.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
refuse (const char *path, int code, GError **error)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               _ ("'%s' cannot be read: %s"), path, g_strerror (code));
}

int
cam_plain_file_open (const char *path, GError **error)
{
  /* not blocking: opening a named pipe would wait for its writer */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  struct stat about;

  if (fd < 0 || fstat (fd, &about) != 0)
    refuse (path, errno, error);
  else if (! S_ISREG (about.st_mode))
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                 _ ("'%s' is not a file"), path);
  else
    return fd;
  if (fd >= 0)
    close (fd);
  return -1;
}

/* All bytes of @fd, or NULL with an error.  Its size is not believed: a file
 * can grow, and those of /proc have none. */
static GByteArray *
read_all (int fd, const char *path, gsize most, GError **error)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();
  guint8 piece[1 << 16];
  struct stat about;
  gboolean fits = fstat (fd, &about) != 0 || (gsize) about.st_size <= most;
  ssize_t n = 0;

  while (fits && (n = read (fd, piece, sizeof piece)) > 0)
    {
      g_byte_array_append (bytes, piece, (guint) n);
      fits = bytes->len <= most;
    }
  if (! fits)
    {
      g_autofree char *size = g_format_size_full (most,
                                                  G_FORMAT_SIZE_IEC_UNITS);

      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   _ ("'%s' has more than %s, too much for such a file: is it "
                      "the right one?"),
                   path, size);
      return NULL;
    }
  if (n == 0)
    return g_steal_pointer (&bytes);
  refuse (path, errno, error);
  return NULL;
}

static gboolean
begins (const GByteArray *bytes, const char *with, guint length)
{
  return bytes->len >= length && memcmp (bytes->data, with, length) == 0;
}

/* The text that @bytes are (transfer full); NULL: they are none. */
static char *
decode (const GByteArray *bytes, gsize *length)
{
  const char *data = (const char *) bytes->data;
  const char *from = begins (bytes, "\xff\xfe", 2)   ? "UTF-16LE"
                     : begins (bytes, "\xfe\xff", 2) ? "UTF-16BE"
                                                     : NULL;
  guint mark = begins (bytes, "\xef\xbb\xbf", 3) ? 3 : 0;

  if (from != NULL)
    return g_convert (data + 2, bytes->len - 2, "UTF-8", from, NULL, length,
                      NULL);
  *length = bytes->len - mark;
  return g_strndup (bytes->len > 0 ? data + mark : "", *length);
}

char *
cam_plain_file_text (const char *path, gsize most, GError **error)
{
  int fd = cam_plain_file_open (path, error);
  g_autoptr (GByteArray) bytes = NULL;
  g_autofree char *text = NULL;
  gsize length = 0;

  if (fd < 0)
    return NULL;
  bytes = read_all (fd, path, most, error);
  close (fd);
  if (bytes == NULL)
    return NULL;
  text = decode (bytes, &length);
  if (text != NULL && strlen (text) == length)
    return g_steal_pointer (&text);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("'%s' is no text: save it as UTF-8"), path);
  return NULL;
}

char *
cam_plain_file_digest_rest (int fd)
{
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);
  guint8 piece[1 << 16];
  ssize_t n;

  while ((n = read (fd, piece, sizeof piece)) > 0)
    g_checksum_update (sum, piece, n);
  return n == 0 ? g_strdup (g_checksum_get_string (sum)) : NULL;
}

char *
cam_plain_file_digest (const char *path, GError **error)
{
  int fd = cam_plain_file_open (path, error);
  char *digest;

  if (fd < 0)
    return NULL;
  digest = cam_plain_file_digest_rest (fd);
  if (digest == NULL)
    refuse (path, errno, error);
  close (fd);
  return digest;
}

gboolean
cam_plain_file_keys (GKeyFile *file, const char *path, GKeyFileFlags flags,
                     GError **error)
{
  g_autofree char *text = cam_plain_file_text (path, CAM_PLAIN_SETTINGS, error);

  return text != NULL
         && g_key_file_load_from_data (file, text, strlen (text), flags, error);
}
