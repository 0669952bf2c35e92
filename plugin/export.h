/* export.h -- an overlay's pictures, numbers and provenance into files
 *
 * All files are written under other names first, and put in their places when
 * the last of them is whole: a full disk leaves what was there.
 */
#pragma once

#include "plugin/host.h"

typedef enum
{
  CAM_EXPORT_OVERLAY,    /* PNG with alpha, opacity not applied    */
  CAM_EXPORT_COMPOSITE,  /* PNG, the image as it shows             */
  CAM_EXPORT_HEAT_MAP,   /* TIFF, the map [h, w] in 32-bit floats  */
  CAM_EXPORT_ARRAY,      /* NPY, the same                          */
  CAM_EXPORT_PROVENANCE, /* JSON                                   */
  CAM_N_EXPORTS
} CamExport;

const char *cam_export_name (CamExport what);   /* "heat-map" */
const char *cam_export_ending (CamExport what); /* "-heat-map.tif" */

/* Whether @layer is an overlay that CamLens made. */
gboolean cam_export_check (gint32 layer, GError **error);
/* Writes those kinds that have a path; the others are NULL. */
gboolean cam_export_write (gint32 image, gint32 layer,
                           const char *const paths[CAM_N_EXPORTS],
                           GError **error);
