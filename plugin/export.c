/* export.c -- see export.h */
#include "config.h"
#include "plugin/export.h"
#include "core/base/npy.h"
#include "core/base/whole-file.h"
#include "plugin/apply.h"
#include "plugin/save.h"
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>

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

/* ---- one file; FALSE without an error where it could not be written ---- */

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
  return cam_save_png (to, path);
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

/* Named as perceptual values, GEGL's saver leaves the numbers as they are; those
 * of "Y float" it bends. */
static gboolean
save_tiff (const CamHeatMap *map, const char *path)
{
  GeglRectangle extent = { 0, 0, map->width, map->height };
  g_autoptr (GeglBuffer)
      buffer = gegl_buffer_new (&extent, babl_format ("Y' float"));

  gegl_buffer_set (buffer, &extent, 0, babl_format ("Y' float"), map->values,
                   GEGL_AUTO_ROWSTRIDE);
  return cam_save_tiff (buffer, path);
}

static gboolean
save_npy (const CamHeatMap *map, const char *path)
{
  CamShape shape = cam_shape_make (2, (gint64[]) { map->height, map->width });
  g_autoptr (CamTensor) tensor = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                                                      map->values, NULL, NULL);

  return cam_npy_write (path, tensor, NULL);
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
  return what == CAM_EXPORT_ARRAY ? save_npy (map, path)
                                  : save_tiff (map, path);
}

static gboolean
save_provenance (gint32 layer, const char *path)
{
  g_autofree char *provenance = cam_host_attached (layer,
                                                   CAM_PROVENANCE_PARASITE);
  CamFilePiece piece = { provenance, strlen (provenance) };

  return cam_whole_file_write (path, &piece, 1, NULL);
}

static gboolean
save_one (gint32 image, gint32 layer, CamExport what, const char *path,
          GError **error)
{
  switch (what)
    {
    case CAM_EXPORT_OVERLAY: return save_png (layer, path, error);
    case CAM_EXPORT_COMPOSITE: return save_composite (image, path, error);
    case CAM_EXPORT_HEAT_MAP:
    case CAM_EXPORT_ARRAY: return save_map (layer, what, path, error);
    default: return save_provenance (layer, path);
    }
}

/* ---- all files ---- */

typedef struct
{
  char *part, *place; /* all of it is in the first, and belongs in the other */
} File;

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

static gboolean
write_part (gint32 image, gint32 layer, CamExport what, const char *path,
            File *file, GError **error)
{
  g_autoptr (GError) problem = NULL;

  file->place = cam_whole_file_place (path, error);
  if (! file->place)
    return FALSE;
  file->part = cam_whole_file_part (file->place);
  if (save_one (image, layer, what, file->part, &problem))
    return TRUE;
  if (! problem)
    return not_written (path, error);
  g_propagate_error (error, g_steal_pointer (&problem));
  return FALSE;
}

static gboolean
put_in_place (const File *file, GError **error)
{
  return ! file->part || cam_whole_file_put (file->part, file->place) == 0
         || not_written (file->place, error);
}

/* What is in its place has no part any more. */
static void
file_clear (File *file)
{
  if (file->part)
    g_unlink (file->part);
  g_free (file->part);
  g_free (file->place);
}

gboolean
cam_export_write (gint32 image, gint32 layer,
                  const char *const paths[CAM_N_EXPORTS], GError **error)
{
  File files[CAM_N_EXPORTS] = { { NULL } };
  gboolean good = cam_export_check (layer, error);

  for (int i = 0; good && i < CAM_N_EXPORTS; i++)
    if (paths[i])
      good = write_part (image, layer, i, paths[i], &files[i], error);
  for (int i = 0; good && i < CAM_N_EXPORTS; i++)
    good = put_in_place (&files[i], error);
  for (int i = 0; i < CAM_N_EXPORTS; i++)
    file_clear (&files[i]);
  return good;
}
