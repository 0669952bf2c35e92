/* procedures.h -- the words that both hosts register the procedures with */
#pragma once

#include "plugin/run.h"

#define CAM_AUTHORS "The CamLens authors"
#define CAM_COPYRIGHT "GPL-3.0-or-later"
#define CAM_DATE "2026"
#define CAM_MENU "<Image>/Filters/CamLens"

typedef struct
{
  const char *name;  /* of the procedure        */
  const char *label; /* in the menu, translated */
  const char *blurb; /* one sentence            */
  const char *help;  /* for the procedure browser, not translated */
} CamProcedure;

/* Overlay, example, export, build; ends with a NULL name. (static) */
const CamProcedure *cam_procedures (void);
const CamProcedure *cam_procedure_find (const char *name);

/* Where the translations lie: beside the program (transfer full). */
char *cam_locale_folder (void);
/* After this, _() speaks the person's language. */
void cam_bind_translations (void);

/* A crash ends the program at once, and GIMP is told by the broken wire.
 * libgimp's own handler calls exit (), which waits for ever where the crash
 * came within malloc, and GIMP with it. */
void cam_end_on_faults (void);

/* The key files of ours in GIMP's folder (transfer full) */
char *cam_last_values_path (void);
char *cam_presets_path (void);
