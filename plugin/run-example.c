/* run-example.c -- a picture explained by one like it and one unlike it */
#include "config.h"
#include "plugin/run.h"
#include "plugin/apply.h"
#include "plugin/examples.h"
#include "plugin/overlay-dialog.h"
#include "plugin/pixels.h"
#include "plugin/source.h"
#include "plugin/timing.h"
#include "plugin/triplet.h"
#include <glib/gi18n.h>

static gboolean
read_example (const char *name, const CamLoaded *loaded, CamTriplet *triplet,
              int which, GError **error)
{
  CamExample example;

  if (! cam_example_open (name, &example, error))
    return FALSE;
  triplet->input[which] = cam_pixels_read (&example.source,
                                           &loaded->model->input,
                                           &triplet->view[which], error);
  cam_example_close (&example);
  return triplet->input[which] != NULL;
}

static gboolean
read_triplet (const CamSource *source, const CamOptions *options,
              const CamLoaded *loaded, CamTriplet *triplet, GError **error)
{
  triplet->input[CAM_ANCHOR] = cam_pixels_read (source, &loaded->model->input,
                                                &triplet->view[CAM_ANCHOR],
                                                error);
  return triplet->input[CAM_ANCHOR]
         && read_example (options->positive, loaded, triplet, CAM_POSITIVE,
                          error)
         && (! options->negative[0]
             || read_example (options->negative, loaded, triplet, CAM_NEGATIVE,
                              error));
}

/* Without a dialog: everything in this thread. */
static CamExplanation *
explain (const CamSource *source, const CamOptions *options, GError **error)
{
  g_autoptr (CamLoaded) loaded = cam_loaded_new (options->model, NULL, error);
  g_autoptr (CamObservation) anchor = NULL;
  CamExplanation *explanation;
  CamOwnWeights own = { 0 };
  CamTriplet triplet = { 0 };
  gboolean done;

  if (! loaded || ! cam_loaded_use_gradient (loaded, error))
    return NULL;
  cam_loaded_warn (loaded);
  cam_timing ("model load");
  done = read_triplet (source, options, loaded, &triplet, error);
  cam_timing ("pixels from GIMP");
  done = done
         && cam_triplet_explain (loaded, &triplet, &anchor, &own, NULL,
                                 error);
  cam_timing ("forward and backward");
  cam_triplet_clear (&triplet);
  if (! done)
    return NULL;
  explanation = cam_explanation_of_weights (loaded, anchor, &own,
                                            options->negative[0], options,
                                            error);
  cam_own_weights_clear (&own);
  return explanation;
}

static gboolean
check (const CamSource *source, const CamOptions *options, GError **error)
{
  if (! options->positive[0])
    {
      g_set_error (error, CAM_OPTIONS_ERROR, CAM_OPTIONS_ERROR_VALUE,
                   _ ("There is no positive picture: name a file, or a layer "
                      "as 'layer:NUMBER'."));
      return FALSE;
    }
  return cam_apply_check (source, options, error);
}

gboolean
cam_run_example (CamRunMode mode, gint32 image, gint32 drawable,
                 CamOptions *options, CamResult *result, GError **error)
{
  g_autoptr (CamExplanation) explanation = NULL;
  CamSource source;

  cam_timing ("start");
  if (! cam_options_check (options, error)
      || ! cam_source_find (image, drawable, &source, error))
    return FALSE;
  if (mode != CAM_RUN_INTERACTIVE && ! check (&source, options, error))
    return FALSE;
  if (mode == CAM_RUN_NONINTERACTIVE
      && ! cam_apply_check_colormap (&source, options, error))
    return FALSE;
  if (mode == CAM_RUN_INTERACTIVE)
    explanation = cam_overlay_dialog_run (&source, options, TRUE, error);
  if (cam_host_layer_image (source.layer) != -1)
    cam_host_progress_start (_ ("Explaining by example"));
  if (mode != CAM_RUN_INTERACTIVE)
    explanation = explain (&source, options, error);
  if (explanation && mode != CAM_RUN_INTERACTIVE)
    cam_apply_warn (explanation);
  if (explanation)
    result->layer = cam_apply (&source, explanation, options, error);
  cam_timing ("layer to GIMP");
  cam_host_progress_end ();
  if (result->layer != -1 && mode != CAM_RUN_NONINTERACTIVE)
    cam_host_flush ();
  return result->layer != -1;
}
