/* source.h -- bytes to be read by position: a file's, or some in memory
 *
 * Files are read, not mapped: one that another program cuts short meanwhile
 * then gives an error, where a mapping would end the process.  A small window
 * serves the byte-wise reading of the wire format.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  char *name; /* for messages */
  guint64 size;
  int fd;               /* -1: in memory */
  const guint8 *window; /* bytes window_start .. + window_length */
  guint64 window_start;
  gsize window_length;
  gpointer buffer; /* owned memory of the window; NULL where in memory */
  gpointer owner;  /* GBytes or NULL */
} CamSource;

/* A regular file (transfer full) */
CamSource *cam_source_open (const char *path, GError **error);
CamSource *cam_source_new_bytes (GBytes *bytes);
/* @data must outlive the source. */
CamSource *cam_source_new_memory (gconstpointer data, gsize size);
void cam_source_free (CamSource *source);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamSource, cam_source_free)

/* FALSE where the bytes are not all there. */
gboolean cam_source_read (CamSource *source, guint64 offset, gsize length,
                          gpointer destination, GError **error);

/* The base 128 number at *@offset, which moves behind it; FALSE (MALFORMED)
 * where it does not end before @end. */
gboolean cam_source_varint (CamSource *source, guint64 *offset, guint64 end,
                            guint64 *value, GError **error);

typedef struct /* a file that the model is made of, to know it again */
{
  char *path;
  guint64 device, inode, size;
  gint64 seconds, nanoseconds; /* of its last change */
} CamModelFile;

void cam_model_file_free (CamModelFile *file);
/* As the open file is now. (transfer full) */
CamModelFile *cam_model_file_new (const CamSource *source);
