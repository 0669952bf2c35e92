/* overlay-dialog.h -- the Grad-CAM Overlay dialog: what happens behind it
 *
 * Each step makes what the next one needs, and a change in the dialog throws
 * away only what depends on it:
 *
 *   model -> database -> input (pixels) -> observation -> explanation ->
 * preview
 *
 * The dialog of Explain by Example is the same with two more pictures and no
 * database.  Loading and the forward pass run in a thread, pixels are read in
 * idle time, band by band, the rest takes no time worth a thread.
 */
#pragma once

#include "plugin/explanation.h"
#include "plugin/host.h"

/* What was on the screen when OK was pressed (transfer full); NULL with
 * G_IO_ERROR_CANCELLED after Cancel.  @settings: what is chosen at first, and
 * then what was chosen.  @example: explain by example. */
CamExplanation *cam_overlay_dialog_run (const CamSource *source,
                                        CamOptions *settings, gboolean example,
                                        GError **error);
