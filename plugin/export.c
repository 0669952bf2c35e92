/* export.c -- see export.h */
#include "config.h"
#include "plugin/export.h"
#include "core/base/npy.h"
#include "plugin/apply.h"
#include <glib/gi18n.h>
#include <glib/gstdio.h>

static const struct
{
  const char *name, *ending;
} exports[CAM_N_EXPORTS] = {
  { "overlay", "-overlay.png" },        { "composite", "-composite.png" },
  { "heat-map", "-heat-map.tif" },      { "array", "-heat-map.npy" },
  { "provenance", "-provenance.json" },
};

const char *
cam_export_name (CamExport what)
{
  return exports[what].name;
}

const char *
cam_export_ending (CamExport what)
{
  return exports[what].ending;
}

gboolean
cam_export_check (gint32 layer, GError **error)
{
  g_autofree char *provenance = NULL;

  if (cam_host_layer_image (layer) != -1) /* it may be gone meanwhile */
    provenance = cam_host_attached (layer, CAM_PROVENANCE_PARASITE);
  if (provenance)
    return TRUE;
  g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_NOTHING,
               _ ("This layer is not an overlay of CamLens: choose one that "
                  "Filters > CamLens made."));
  return FALSE;
}

/* @error gets it in the person's language, whoever failed and how. */
static gboolean
not_written (const char *path, GError **error)
{
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_FAILED,
               _ ("'%s' could not be written: choose another folder or make "
                  "room on the disk."),
               path);
  return FALSE;
}

/* What is there must not be a folder, nor a device, which a new file of that
 * name would do away with. */
static gboolean
can_be_file (const char *path, GError **error)
{
  if (! g_file_test (path, G_FILE_TEST_EXISTS)
      || g_file_test (path, G_FILE_TEST_IS_REGULAR))
    return TRUE;
  g_set_error (error, G_FILE_ERROR, G_FILE_ERROR_ISDIR,
               _ ("'%s' is there already and is no file: choose another "
                  "name."),
               path);
  return FALSE;
}

/* GEGL's savers report nothing: what they left behind tells. */
static gboolean
save (GeglBuffer *buffer, const char *operation, const char *path, int depth,
      gboolean floats, GError **error)
{
  g_autofree char *part = g_strconcat (path, ".part", NULL);
  GeglNode *graph = gegl_node_new ();
  GeglNode *source = gegl_node_new_child (graph, "operation",
                                          "gegl:buffer-source", "buffer",
                                          buffer, NULL);
  GeglNode *sink = gegl_node_new_child (graph, "operation", operation, "path",
                                        part, "bitdepth", depth, NULL);
  GStatBuf status;
  gboolean good;

  if (floats)
    gegl_node_set (sink, "fp", 1, NULL);
  gegl_node_link (source, sink);
  gegl_node_process (sink);
  g_object_unref (graph);
  good = ! g_stat (part, &status) && status.st_size > 0
         && ! g_rename (part, path);
  if (good)
    return TRUE;
  g_unlink (part);
  return not_written (path, error);
}

/* A copy in sRGB, so that no profile has to go with it. */
static gboolean
save_png (gint32 layer, const char *path, GError **error)
{
  g_autoptr (GeglBuffer) from = cam_host_buffer (layer);
  g_autoptr (GeglBuffer) to = NULL;

  if (! from)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_GIMP,
                   _ ("GIMP does not give the layer's pixels."));
      return FALSE;
    }
  to = gegl_buffer_new (gegl_buffer_get_extent (from),
                        babl_format ("R'G'B'A u8"));
  gegl_buffer_copy (from, NULL, GEGL_ABYSS_NONE, to, NULL);
  return save (to, "gegl:png-save", path, 8, FALSE, error);
}

static gboolean
save_composite (gint32 image, const char *path, GError **error)
{
  gint32 layer = -1, copy = cam_host_flat_copy (image, &layer);
  gboolean done;

  if (copy == -1)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_GIMP,
                   _ ("GIMP cannot copy the image."));
      return FALSE;
    }
  done = save_png (layer, path, error);
  cam_host_image_delete (copy);
  return done;
}

static gboolean
save_tiff (const CamHeatMap *map, const char *path, GError **error)
{
  GeglRectangle extent = { 0, 0, map->width, map->height };
  g_autoptr (GeglBuffer)
      buffer = gegl_buffer_new (&extent, babl_format ("Y float"));

  gegl_buffer_set (buffer, &extent, 0, babl_format ("Y float"), map->values,
                   GEGL_AUTO_ROWSTRIDE);
  return save (buffer, "gegl:tiff-save", path, 32, TRUE, error);
}

static gboolean
save_npy (const CamHeatMap *map, const char *path, GError **error)
{
  CamShape shape = cam_shape_make (2, (gint64[]) { map->height, map->width });
  g_autoptr (CamTensor) tensor = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                                                      map->values, NULL, NULL);

  return cam_npy_write (path, tensor, NULL) || not_written (path, error);
}

static gboolean
save_map (gint32 layer, CamExport what, const char *path, GError **error)
{
  g_autofree char *json = cam_host_attached (layer, CAM_HEAT_MAP_PARASITE);
  g_autoptr (CamHeatMap) map = NULL;
  CamView view;

  map = cam_heat_map_from_json (json ? json : "{}", &view, error);
  if (! map)
    return FALSE;
  return what == CAM_EXPORT_ARRAY ? save_npy (map, path, error)
                                  : save_tiff (map, path, error);
}

gboolean
cam_export_write (gint32 image, gint32 layer, CamExport what, const char *path,
                  GError **error)
{
  g_autofree char *provenance = NULL;

  if (! cam_export_check (layer, error) || ! can_be_file (path, error))
    return FALSE;
  provenance = cam_host_attached (layer, CAM_PROVENANCE_PARASITE);
  switch (what)
    {
    case CAM_EXPORT_OVERLAY: return save_png (layer, path, error);
    case CAM_EXPORT_COMPOSITE: return save_composite (image, path, error);
    case CAM_EXPORT_HEAT_MAP:
    case CAM_EXPORT_ARRAY: return save_map (layer, what, path, error);
    default:
      return g_file_set_contents (path, provenance, -1, NULL)
             || not_written (path, error);
    }
}
