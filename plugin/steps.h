/* steps.h -- the way from a layer to its explanation, without standing still
 *
 * See overlay-dialog.h for the order of the steps.  Everything here is called
 * in the main thread, and so are the reports; what takes long is done beside
 * it.  A change while something runs cancels it and starts what is needed now.
 */
#pragma once

#include "plugin/explanation.h"
#include "plugin/host.h"
#include "ui/overlay-panel.h"

typedef struct _CamSteps CamSteps;

typedef struct
{
  const char *doing;       /* "Loading the model..."; NULL: all is done */
  const GError *error;     /* why it cannot go on until something changes */
  const char *hint;        /* the same, where nothing is wrong            */
  gboolean loaded;         /* another model or database than before       */
  int n_channels;          /* of the layer, when it has become known      */
  const CamTensor *pixels; /* of the preview, when they have been read    */
} CamReport;

typedef void (*CamReportFunc) (const CamReport *report, gpointer data);

/* @source and @settings live longer. */
CamSteps *cam_steps_new (const CamSource *source, const CamOptions *settings,
                         gboolean example, CamReportFunc report, gpointer data);
/* Cancels and waits for what runs, which is soon. */
void cam_steps_free (CamSteps *steps);

/* Throws away what depends on @what and makes it again. */
void cam_steps_changed (CamSteps *steps, CamChanged what);

/* How far the step is; below 0 where that is not known. */
double cam_steps_fraction (const CamSteps *steps);
/* Borrowed; NULL while there is none, or while a thread has it. */
CamLoaded *cam_steps_loaded (const CamSteps *steps);
const CamExplanation *cam_steps_explanation (const CamSteps *steps);
/* (transfer full) */
CamExplanation *cam_steps_take_explanation (CamSteps *steps);
