/* build-words.h -- what the log of a build says, line by line
 *
 *   setting folder /home/me/birds   what is built of what, escaped
 *   pid 1234                        of the program
 *   progress ...                    and what else "camlens build --progress
 *   status 0                        --json" says
 *   { ... }
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

/* The lines that a log begins with (transfer full) */
char *cam_build_settings_text (const CamBuildSettings *settings);

typedef enum
{
  CAM_BUILD_RUNNING,
  CAM_BUILD_DONE,
  CAM_BUILD_LEFT_OUT, /* done, but for pictures that could not be used     */
  CAM_BUILD_STOPPED,  /* as asked, and what was done is kept               */
  CAM_BUILD_OTHER,    /* refused: what is kept is of other settings        */
  CAM_BUILD_FAILED
} CamBuildEnd;

typedef struct
{
  gint64 done, total;
  double rate, seconds_left; /* pictures a second; below 0: not known */
  char stage[64];
  CamBuildEnd end;
  gboolean kept; /* it ended, and an unfinished database is there */
  char *error;   /* why it failed */
  char *message; /* the program's last words that are nothing else */
  /* of a database that is done */
  char *layer; /* NULL: nothing was said */
  int n_pictures, n_clusters, n_resumed;
  double seconds;
  GPtrArray *left_out; /* of char*, "NAME: REASON" */
  /* as the log has them; NULL or 0 where it does not */
  char *folder, *model, *database;
  int clusters, triplets;
  gint64 pid;
  int status; /* -1: not said */
} CamBuildState;

void cam_build_state_init (CamBuildState *state);
void cam_build_state_clear (CamBuildState *state);
void cam_build_state_take_line (CamBuildState *state, const char *line);
