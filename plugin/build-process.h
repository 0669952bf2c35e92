/* build-process.h -- "camlens build", run and watched from GIMP
 *
 * The program does the work, so that a folder gives the same database whoever
 * asks for it.  It runs in a session of its own and writes what it has to say
 * into a file, so that it goes on when the dialog, the plug-in or GIMP ends.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  const char *folder;   /* of pictures, a subfolder a label */
  const char *model;    /* name or path; "" is the bundled one */
  const char *database; /* to be written */
  int clusters, triplets;
} CamBuildSettings;

typedef struct
{
  gint64 done, total;
  double rate, seconds_left; /* pictures a second; below 0: not known */
  char stage[64];
  gboolean ended, good;
  gboolean stopped; /* as asked, and what was done is kept */
  char *message; /* the program's last words; owned by the process */
} CamBuildState;

typedef struct _CamBuildProcess CamBuildProcess;

gboolean cam_build_settings_check (const CamBuildSettings *settings,
                                   GError **error);
/* Goes on with what an earlier build of the same database left.
 * (transfer full) */
CamBuildProcess *cam_build_process_start (const CamBuildSettings *settings,
                                          GError **error);
/* What it has said by now; cheap, to be asked a few times a second. */
const CamBuildState *cam_build_process_poll (CamBuildProcess *process);
/* Asks it to stop; what was done is kept, and poll tells when it has ended. */
void cam_build_process_stop (CamBuildProcess *process);
/* Does not stop it. */
void cam_build_process_free (CamBuildProcess *process);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamBuildProcess, cam_build_process_free)
