/* external-data.c -- see external-data.h */
#include "config.h"
#include "core/onnx/external-data.h"
#include "core/graph/graph.h"
#include <errno.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static gboolean G_GNUC_PRINTF (3, 4)
    refuse (GError **error, CamGraphError code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (error, g_error_new_valist (CAM_GRAPH_ERROR, code, format,
                                                arguments));
  va_end (arguments);
  return FALSE;
}

static gboolean
leads_out (const char *location)
{
  g_auto (GStrv) parts = g_strsplit (location, "/", -1);

  return g_path_is_absolute (location)
         || g_strv_contains ((const char *const *) parts, "..");
}

/* The true path of @location in @folder, links followed. (transfer full) */
static char *
resolve (const char *folder, const char *location, GError **error)
{
  g_autofree char *joined = g_build_filename (folder, location, NULL);
  g_autofree char *home = realpath (folder, NULL);
  g_autofree char *path = realpath (joined, NULL);
  gsize length;

  if (! home || ! path)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
                   _ ("its weights are in another file, '%s', which cannot be "
                      "read: %s"),
                   joined, g_strerror (errno));
      return NULL;
    }
  length = strlen (home);
  if (strcmp (home, "/") != 0
      && (strncmp (path, home, length) != 0 || path[length] != '/'))
    {
      refuse (error, CAM_GRAPH_ERROR_MALFORMED,
              _ ("its weights are in '%s', a link that leads out of the "
                 "model's folder; copy the file there"),
              location);
      return NULL;
    }
  return g_steal_pointer (&path);
}

static void
remember (CamTensorReader *reader, const CamSource *source)
{
  CamModelFile *file = cam_model_file_new (source);

  for (guint i = 0; i < reader->files->len; i++)
    {
      CamModelFile *known = reader->files->pdata[i];

      if (strcmp (known->path, file->path) == 0)
        {
          cam_model_file_free (file);
          return;
        }
    }
  g_ptr_array_add (reader->files, file);
}

static void
remember_name (CamTensorReader *reader, const char *location)
{
  if (reader->locations
      && ! g_ptr_array_find_with_equal_func (reader->locations, location,
                                             g_str_equal, NULL))
    g_ptr_array_add (reader->locations, g_strdup (location));
}

static gboolean
open_location (CamTensorReader *reader, const char *location, GError **error)
{
  g_autofree char *path = NULL;

  if (! reader->folder)
    return refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
                   _ ("its weights are in another file, '%s', but the model "
                      "has no folder"),
                   location);
  if (! *location || ! g_utf8_validate (location, -1, NULL)
      || leads_out (location))
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED,
                   _ ("its weights are in another file, which must lie inside "
                      "the model's own folder"));
  path = resolve (reader->folder, location, error);
  if (! path)
    return FALSE;
  remember_name (reader, location);
  if (reader->external && strcmp (reader->external->name, path) == 0)
    return TRUE;
  g_clear_pointer (&reader->external, cam_source_free);
  reader->external = cam_source_open (path, error);
  if (! reader->external)
    return FALSE;
  remember (reader, reader->external);
  return TRUE;
}

CamSource *
cam_external_data_find (CamTensorReader *reader, const Onnx__TensorProto *proto,
                        guint64 size, guint64 *offset, GError **error)
{
  const char *location = NULL;
  guint64 length = size;

  *offset = 0;
  for (gsize i = 0; i < proto->n_external_data; i++)
    {
      const char *key = proto->external_data[i]->key;
      const char *value = proto->external_data[i]->value;
      guint64 *number = g_strcmp0 (key, "offset") == 0   ? offset
                        : g_strcmp0 (key, "length") == 0 ? &length
                                                         : NULL;

      if (g_strcmp0 (key, "location") == 0)
        location = value;
      else if (number
               && (! value
                   || ! g_ascii_string_to_unsigned (value, 10, 0, G_MAXINT64,
                                                    number, NULL)))
        {
          refuse (error, CAM_GRAPH_ERROR_MALFORMED,
                  _ ("the %s of its external data is no number"), key);
          return NULL;
        }
    }
  if (! location)
    refuse (error, CAM_GRAPH_ERROR_MALFORMED,
            _ ("its external data has no location"));
  else if (length != size)
    refuse (error, CAM_GRAPH_ERROR_MALFORMED,
            _ ("its external data has %" PRIu64
               " bytes where its shape needs %" PRIu64),
            length, size);
  else if (! open_location (reader, location, error))
    return NULL;
  else if (*offset > reader->external->size
           || size > reader->external->size - *offset)
    refuse (error, CAM_GRAPH_ERROR_MALFORMED,
            _ ("its data reaches beyond the end of '%s'; is that file cut "
               "short?"),
            reader->external->name);
  else
    return reader->external;
  return NULL;
}
