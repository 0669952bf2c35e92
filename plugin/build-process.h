/* build-process.h -- "camlens build", run and watched from GIMP
 *
 * The program does the work, so that a folder gives the same database whoever
 * asks for it.  It runs in a session of its own and writes what it has to say
 * into a file, so that it goes on when the dialog, the plug-in or GIMP ends,
 * and can be found again (build-log.h).
 */
#pragma once

#include "plugin/build-words.h"

typedef enum
{
  CAM_BUILD_PLACE_FREE,
  CAM_BUILD_PLACE_KEPT,    /* an interrupted build can be gone on with      */
  CAM_BUILD_PLACE_RUNNING, /* a build that can be attached to               */
  CAM_BUILD_PLACE_BUSY     /* another program builds it, and tells us nothing */
} CamBuildPlace;

typedef struct _CamBuildProcess CamBuildProcess;

gboolean cam_build_settings_check (const CamBuildSettings *settings,
                                   GError **error);
CamBuildPlace cam_build_place (const char *database);
/* Goes on with what an earlier build of the same database left, or, where
 * @again, without it.  (transfer full) */
CamBuildProcess *cam_build_process_start (const CamBuildSettings *settings,
                                          gboolean again, GError **error);
/* To the build whose log this is, be it still going on or ended without a
 * witness; NULL where it tells of none.  (transfer full) */
CamBuildProcess *cam_build_process_attach (const char *log_path);
/* What it has said by now; cheap, to be asked a few times a second. */
const CamBuildState *cam_build_process_poll (CamBuildProcess *process);
/* Asks it to stop; what was done is kept, and poll tells when it has ended. */
void cam_build_process_stop (CamBuildProcess *process);
/* Its end has been told: nobody is to hear of it again. */
void cam_build_process_forget (CamBuildProcess *process);
/* Does not stop it. */
void cam_build_process_free (CamBuildProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamBuildProcess, cam_build_process_free)
