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
/* The same, by examples. */
gboolean cam_run_example (CamRunMode mode, gint32 image, gint32 drawable,
                          CamOptions *options, CamResult *result,
                          GError **error);
/* @what: a CamExport; dialogs have their own ideas of both. */
gboolean cam_run_export (CamRunMode mode, gint32 image, gint32 drawable,
                         int what, const char *path, GError **error);
/* A dialog, or a build that is waited for. */
gboolean cam_run_build (CamRunMode mode, const char *folder, const char *model,
                        const char *database, int clusters, int triplets,
                        GError **error);
