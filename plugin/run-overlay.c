/* run-overlay.c -- from a layer to its Grad-CAM overlay
 *
 * Model and database, pixels, forward pass, map: computed first.  The image is
 * touched last.
 */
#include "config.h"
#include "plugin/run.h"
#include "plugin/apply.h"
#include "plugin/overlay-dialog.h"
#include "plugin/pixels.h"
#include "plugin/source.h"
#include "plugin/timing.h"
#include <glib/gi18n.h>

static CamLoaded *
load (const CamOptions *settings, GError **error)
{
  g_autoptr (CamLoaded) loaded = cam_loaded_new (settings->model, NULL, error);

  if (! loaded
      || ! cam_loaded_use_database (loaded, settings->database, NULL, error))
    return NULL;
  cam_timing ("model load");
  return g_steal_pointer (&loaded);
}

/* Without a dialog: GIMP's progress bar, everything in this thread. */
static CamExplanation *
explain (const CamSource *source, const CamOptions *settings, GError **error)
{
  g_autoptr (CamLoaded) loaded = load (settings, error);
  g_autoptr (CamTensor) input = NULL;
  g_autoptr (CamObservation) observation = NULL;
  CamExplanation *explanation;
  CamView view;

  if (! loaded)
    return NULL;
  cam_loaded_warn (loaded);
  input = cam_pixels_read (source, &loaded->model->input, &view, error);
  cam_timing ("pixels from GIMP");
  if (! input)
    return NULL;
  observation = cam_explainer_observe (loaded->explainer, input, &view, NULL,
                                       error);
  cam_timing ("forward");
  if (! observation)
    return NULL;
  explanation = cam_explanation_look_up (loaded, observation, settings, error);
  cam_timing ("map");
  return explanation;
}

static gboolean
finish (const CamSource *source, const CamExplanation *explanation,
        const CamOptions *settings, CamResult *result, GError **error)
{
  result->layer = cam_apply (source, explanation, settings, error);
  result->cluster = explanation->lookup.cluster;
  result->similarity = explanation->lookup.match.similarity;
  cam_timing ("layer to GIMP");
  return result->layer != -1;
}

gboolean
cam_run_overlay (CamRunMode mode, gint32 image, gint32 drawable,
                 CamOptions *settings, CamResult *result, GError **error)
{
  g_autoptr (CamExplanation) explanation = NULL;
  CamSource source;
  gboolean done;

  cam_timing ("start");
  if (! cam_options_check (settings, error)
      || ! cam_source_find (image, drawable, &source, error))
    return FALSE;
  if (mode != CAM_RUN_INTERACTIVE
      && ! cam_apply_check (&source, settings, error))
    return FALSE;
  if (mode == CAM_RUN_NONINTERACTIVE
      && ! cam_apply_check_colormap (&source, settings, error))
    return FALSE;
  if (mode == CAM_RUN_INTERACTIVE)
    {
      explanation = cam_overlay_dialog_run (&source, settings, FALSE, error);
      cam_timing ("dialog");
    }
  if (cam_host_layer_image (source.layer) != -1)
    cam_host_progress_start (_ ("Grad-CAM overlay"));
  if (mode != CAM_RUN_INTERACTIVE)
    explanation = explain (&source, settings, error);
  if (explanation && mode != CAM_RUN_INTERACTIVE)
    cam_apply_warn (explanation);
  done = explanation && finish (&source, explanation, settings, result, error);
  cam_host_progress_end ();
  if (done && mode != CAM_RUN_NONINTERACTIVE)
    cam_host_flush ();
  return done;
}
