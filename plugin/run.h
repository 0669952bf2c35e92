/* run.h -- what each procedure does, whatever host calls it
 *
 * Every function returns FALSE with an error for the person or the script;
 * G_IO_ERROR_CANCELLED where the person pressed Cancel.
 */
#pragma once

#include "plugin/host.h"
#include "ui/options.h"

#define CAM_PROC_OVERLAY "plug-in-camlens"
#define CAM_PROC_EXAMPLE "plug-in-camlens-example"
#define CAM_PROC_EXPORT "plug-in-camlens-export"
#define CAM_PROC_BUILD "plug-in-camlens-build"

typedef struct
{
  gint32 layer;
  int cluster; /* -1: of an explicit triplet */
  double similarity;
} CamResult;

/* @settings: the caller's, or the last values; what the person chose is
 * written back. */
gboolean cam_run_overlay (CamRunMode mode, gint32 image, gint32 drawable,
                          CamOptions *settings, CamResult *result,
                          GError **error);
