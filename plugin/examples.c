/* examples.c -- see examples.h */
#include "config.h"
#include "plugin/examples.h"
#include <glib/gi18n.h>
#include <string.h>

#define LAYER "layer:"

static gboolean
find_layer (const char *name, CamExample *example, GError **error)
{
  gint64 number = -1;

  if (! g_ascii_string_to_signed (name + strlen (LAYER), 10, 1, G_MAXINT32,
                                  &number, NULL)
      || (example->source.image = cam_host_layer_image (number)) == -1)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                   _ ("There is no open layer '%s': choose another picture."),
                   name);
      return FALSE;
    }
  example->source.layer = number;
  return TRUE;
}

static gboolean
open_file (const char *name, CamExample *example, GError **error)
{
  example->opened = cam_host_load (name, &example->source.layer, error);
  example->source.image = example->opened;
  return example->opened != -1;
}

static gboolean
measure (CamExample *example, GError **error)
{
  g_autoptr (GeglBuffer) buffer = cam_host_buffer (example->source.layer);

  if (! buffer)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_GIMP,
                   _ ("GIMP does not give the example's pixels."));
      return FALSE;
    }
  example->source.width = gegl_buffer_get_width (buffer);
  example->source.height = gegl_buffer_get_height (buffer);
  return TRUE;
}

gboolean
cam_example_open (const char *name, CamExample *example, GError **error)
{
  gboolean found;

  *example = (CamExample) { .opened = -1 };
  found = g_str_has_prefix (name, LAYER) ? find_layer (name, example, error)
                                         : open_file (name, example, error);
  if (found && measure (example, error))
    return TRUE;
  cam_example_close (example);
  return FALSE;
}

void
cam_example_close (CamExample *example)
{
  if (example->opened != -1)
    cam_host_image_delete (example->opened);
  example->opened = -1;
}
