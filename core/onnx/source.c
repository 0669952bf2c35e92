/* source.c -- see source.h */
#include "config.h"
#include "core/onnx/source.h"
#include "core/graph/graph.h"
#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define WINDOW 16384

static gboolean
set_io_error (GError **error, const char *path, int code)
{
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code),
               _ ("'%s' cannot be read: %s"), path, g_strerror (code));
  return FALSE;
}

CamSource *
cam_source_open (const char *path, GError **error)
{
  g_autoptr (CamSource) source = g_new0 (CamSource, 1);
  struct stat status;

  source->name = g_strdup (path);
  /* not blocking: opening a named pipe would wait for its writer */
  source->fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (source->fd < 0 || fstat (source->fd, &status) != 0)
    {
      set_io_error (error, path, errno);
      return NULL;
    }
  if (! S_ISREG (status.st_mode))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                   _ ("'%s' is not a file"), path);
      return NULL;
    }
  source->size = (guint64) status.st_size;
  source->buffer = g_try_malloc (WINDOW);
  if (source->buffer == NULL)
    {
      set_io_error (error, path, ENOMEM);
      return NULL;
    }
  source->window = source->buffer;
  return g_steal_pointer (&source);
}

CamSource *
cam_source_new_memory (gconstpointer data, gsize size)
{
  CamSource *source = g_new0 (CamSource, 1);

  source->name = g_strdup ("memory");
  source->fd = -1;
  source->size = size;
  source->window = data;
  source->window_length = size;
  return source;
}

CamSource *
cam_source_new_bytes (GBytes *bytes)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (bytes, &size);
  CamSource *source = cam_source_new_memory (data, size);

  source->owner = g_bytes_ref (bytes);
  return source;
}

void
cam_source_free (CamSource *source)
{
  if (! source)
    return;
  if (source->fd >= 0)
    close (source->fd);
  if (source->owner)
    g_bytes_unref (source->owner);
  g_free (source->buffer);
  g_free (source->name);
  g_free (source);
}

static gboolean
read_fully (CamSource *source, guint64 offset, gsize length, char *destination,
            GError **error)
{
  while (length > 0)
    {
      ssize_t n = pread (source->fd, destination, MIN (length, 1 << 30),
                         (off_t) offset);

      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return set_io_error (error, source->name, errno);
      if (n == 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       _ ("'%s' became shorter while it was read"),
                       source->name);
          return FALSE;
        }
      destination += n;
      offset += (guint64) n;
      length -= (gsize) n;
    }
  return TRUE;
}

gboolean
cam_source_read (CamSource *source, guint64 offset, gsize length,
                 gpointer destination, GError **error)
{
  if (offset > source->size || length > source->size - offset)
    {
      g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED,
                   _ ("the file is cut short"));
      return FALSE;
    }
  if (length == 0)
    return TRUE;
  if (source->fd >= 0)
    return read_fully (source, offset, length, destination, error);
  memcpy (destination, source->window + offset, length);
  return TRUE;
}

static gboolean
move_window (CamSource *source, guint64 offset, GError **error)
{
  gsize length = (gsize) MIN (WINDOW, source->size - offset);

  source->window_length = 0;
  if (! read_fully (source, offset, length, source->buffer, error))
    return FALSE;
  source->window_start = offset;
  source->window_length = length;
  return TRUE;
}

gboolean
cam_source_varint (CamSource *source, guint64 *offset, guint64 end,
                   guint64 *value, GError **error)
{
  *value = 0;
  for (int shift = 0; shift < 70; shift += 7)
    {
      guint64 place = *offset - source->window_start;
      guint8 byte;

      if (*offset >= MIN (end, source->size))
        break;
      if (*offset < source->window_start || place >= source->window_length)
        {
          if (! move_window (source, *offset, error))
            return FALSE;
          place = 0;
        }
      byte = source->window[place];
      ++*offset;
      if (shift < 63)
        *value |= (guint64) (byte & 0x7f) << shift;
      else
        *value |= (guint64) (byte & 1) << 63;
      if (! (byte & 0x80))
        return TRUE;
    }
  g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_MALFORMED,
               _ ("it is no ONNX file, or it is damaged or cut short (a number "
                  "does not end at byte %" PRIu64 ")"),
               *offset);
  return FALSE;
}

void
cam_model_file_free (CamModelFile *file)
{
  g_free (file->path);
  g_free (file);
}

CamModelFile *
cam_model_file_new (const CamSource *source)
{
  CamModelFile *file = g_new0 (CamModelFile, 1);
  struct stat status = { 0 };

  fstat (source->fd, &status);
  file->path = g_strdup (source->name);
  file->device = status.st_dev;
  file->inode = status.st_ino;
  file->size = (guint64) status.st_size;
  file->seconds = status.st_mtim.tv_sec;
  file->nanoseconds = status.st_mtim.tv_nsec;
  return file;
}
