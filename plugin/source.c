/* source.c -- see source.h */
#include "config.h"
#include "plugin/source.h"
#include "plugin/apply.h"
#include <glib/gi18n.h>

static gboolean
is_overlay (gint32 layer)
{
  g_autofree char *provenance = cam_host_attached (layer,
                                                   CAM_PROVENANCE_PARASITE);

  return provenance != NULL;
}

gboolean
cam_source_find (gint32 image, gint32 drawable, CamSource *source,
                 GError **error)
{
  if (! cam_host_source (image, drawable, source, error))
    return FALSE;
  while (is_overlay (source->layer))
    {
      gint32 below = cam_host_layer_below (source->layer);

      if (below == -1)
        {
          g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                       _ ("This layer is an overlay, and no picture is below "
                          "it: choose the picture's layer."));
          return FALSE;
        }
      if (! cam_host_source (image, below, source, error))
        return FALSE;
    }
  return TRUE;
}
