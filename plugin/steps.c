/* steps.c -- see steps.h */
#include "config.h"
#include "plugin/steps.h"
#include "plugin/examples.h"
#include "plugin/pixels.h"
#include "plugin/triplet.h"
#include <glib/gi18n.h>
#include <string.h>

struct _CamSteps
{
  const CamSource *source;
  const CamOptions *settings;
  gboolean example; /* explain by example, without a database */
  CamReportFunc report;
  gpointer data;

  /* what has been made, in the order of making */
  CamLoaded *loaded;
  char *model;                 /* the name that it was loaded by      */
  char *database;              /* the same; NULL: not opened          */
  CamTriplet inputs;           /* the picture, and its examples */
  char *names[CAM_N_EXAMPLES]; /* which these inputs are of; the first: "" */
  CamObservation *observation;
  CamOwnWeights own; /* of the examples */
  CamExplanation *explanation;

  /* what goes on */
  GTask *task;
  GCancellable *cancellable;
  CamPixels *pixels;
  CamExample opened; /* the example that is being read */
  int which;         /* input that is being read */
  guint reading;
  gboolean failed; /* until something changes */
};

static void advance (CamSteps *steps);

static void
report (CamSteps *steps, const char *doing)
{
  CamReport news = { .doing = doing };

  steps->report (&news, steps->data);
}

static void
report_error (CamSteps *steps, const GError *error)
{
  CamReport news = { .error = error };

  steps->failed = TRUE;
  steps->report (&news, steps->data);
}

/* ---- work in a thread ---- */

typedef struct
{
  CamOptions *settings;
  CamLoaded *loaded; /* the thread's while it runs */
  gboolean example;
  CamTriplet inputs;
  CamObservation *observation; /* made */
  CamOwnWeights own;           /* made of examples */
  GError *error;
} Work;

static void
work_free (Work *work)
{
  g_clear_pointer (&work->settings, cam_options_free);
  g_clear_pointer (&work->loaded, cam_loaded_free);
  cam_triplet_clear (&work->inputs);
  g_clear_pointer (&work->observation, cam_observation_free);
  cam_own_weights_clear (&work->own);
  g_clear_error (&work->error);
  g_free (work);
}

static void
start_work (CamSteps *steps, GTaskThreadFunc func, GAsyncReadyCallback done)
{
  Work *work = g_new0 (Work, 1);

  work->settings = cam_options_copy (steps->settings);
  work->loaded = g_steal_pointer (&steps->loaded);
  work->example = steps->example;
  work->inputs = steps->inputs;
  for (int i = 0; i < CAM_N_EXAMPLES; i++)
    if (work->inputs.input[i])
      cam_tensor_ref (work->inputs.input[i]);
  steps->cancellable = g_cancellable_new ();
  steps->task = g_task_new (NULL, steps->cancellable, done, steps);
  g_task_set_check_cancellable (steps->task, FALSE);
  g_task_set_task_data (steps->task, work, (GDestroyNotify) work_free);
  g_task_run_in_thread (steps->task, func);
}

/* Back in the main thread: what the thread had is ours again.  FALSE where
 * nobody wants the result any more. */
static gboolean
end_work (CamSteps *steps, Work *work)
{
  gboolean wanted = ! g_cancellable_is_cancelled (steps->cancellable);

  steps->loaded = g_steal_pointer (&work->loaded);
  g_clear_object (&steps->cancellable);
  g_clear_object (&steps->task);
  return wanted;
}

/* ---- model and database ---- */

static void
load (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Work *work = data;

  if (! work->loaded)
    work->loaded = cam_loaded_new (work->settings->model, cancellable,
                                   &work->error);
  if (work->loaded && work->example)
    cam_loaded_use_gradient (work->loaded, &work->error);
  else if (work->loaded)
    cam_loaded_use_database (work->loaded, work->settings->database,
                             cancellable, &work->error);
  g_task_return_boolean (task, TRUE);
}

static void
report_loaded (CamSteps *steps)
{
  CamReport news = { .doing = _ ("Reading the picture..."), .loaded = TRUE };

  news.n_channels = steps->loaded->explainer
                        ? cam_explainer_channels (steps->loaded->explainer)
                        : 0;
  steps->report (&news, steps->data);
}

/* Of another layer, what was observed is of no use.  An explainer may lie where
 * the one before lay: its address says nothing. */
static void
drop_other_observation (CamSteps *steps)
{
  const CamExplainer *explainer = steps->loaded ? steps->loaded->explainer
                                                : NULL;

  if (steps->observation && explainer
      && ! cam_observation_is_of (steps->observation, explainer))
    g_clear_pointer (&steps->observation, cam_observation_free);
}

static void
load_done (GObject *object, GAsyncResult *result, gpointer data)
{
  CamSteps *steps = data;
  g_autoptr (GTask) task = g_object_ref (G_TASK (result));
  Work *work = g_task_get_task_data (task);
  gboolean wanted = end_work (steps, work);

  drop_other_observation (steps);
  if (wanted && steps->loaded)
    report_loaded (steps);
  if (wanted && work->error)
    report_error (steps, work->error);
  advance (steps);
}

static void
start_load (CamSteps *steps)
{
  g_free (steps->model);
  g_free (steps->database);
  steps->model = g_strdup (steps->settings->model);
  steps->database = g_strdup (steps->settings->database);
  report (steps, steps->loaded ? _ ("Opening the database...")
                               : _ ("Loading the model..."));
  start_work (steps, load, load_done);
}

/* ---- pixels ---- */

static const char *
input_name (const CamSteps *steps, int which)
{
  if (which == CAM_POSITIVE)
    return steps->settings->positive;
  return which == CAM_NEGATIVE ? steps->settings->negative : "";
}

static void
drop_input (CamSteps *steps, int which)
{
  g_clear_pointer (&steps->inputs.input[which], cam_tensor_unref);
  g_clear_pointer (&steps->names[which], g_free);
}

/* The next picture that has to be read; CAM_N_EXAMPLES: none. */
static int
missing_input (const CamSteps *steps)
{
  int last = steps->example ? CAM_NEGATIVE : CAM_ANCHOR;

  for (int i = CAM_ANCHOR; i <= last; i++)
    if (! steps->inputs.input[i]
        && (i == CAM_ANCHOR || input_name (steps, i)[0]))
      return i;
  return CAM_N_EXAMPLES;
}

static void
stop_reading (CamSteps *steps)
{
  if (steps->reading)
    g_source_remove (steps->reading);
  steps->reading = 0;
  g_clear_pointer (&steps->pixels, cam_pixels_free);
  cam_example_close (&steps->opened);
}

static void
pixels_read (CamSteps *steps)
{
  CamReport news = { .doing = _ ("Running the network...") };
  g_autoptr (CamTensor) preview = NULL;
  g_autoptr (GError) error = NULL;
  int which = steps->which;

  steps->inputs.input[which] =
      cam_pixels_finish (g_steal_pointer (&steps->pixels),
                         &steps->inputs.view[which], &preview, &error);
  cam_example_close (&steps->opened);
  if (! steps->inputs.input[which])
    {
      report_error (steps, error);
      return;
    }
  steps->names[which] = g_strdup (input_name (steps, which));
  news.pixels = preview;
  steps->report (&news, steps->data);
}

static gboolean
read_some (gpointer data)
{
  CamSteps *steps = data;

  if (cam_pixels_step (steps->pixels))
    return G_SOURCE_CONTINUE;
  steps->reading = 0;
  pixels_read (steps);
  advance (steps);
  return G_SOURCE_REMOVE;
}

static const CamPreviewBox preview_box = { CAM_PREVIEW_WIDTH,
                                           CAM_PREVIEW_HEIGHT };

static gboolean
open_picture (CamSteps *steps, GError **error)
{
  gboolean anchor = steps->which == CAM_ANCHOR;

  if (! anchor
      && ! cam_example_open (input_name (steps, steps->which), &steps->opened,
                             error))
    return FALSE;
  steps->pixels = cam_pixels_new (anchor ? steps->source
                                         : &steps->opened.source,
                                  &steps->loaded->model->input,
                                  anchor ? &preview_box : NULL, error);
  return steps->pixels != NULL;
}

static void
start_reading (CamSteps *steps)
{
  g_autoptr (GError) error = NULL;

  steps->which = missing_input (steps);
  if (! open_picture (steps, &error))
    {
      cam_example_close (&steps->opened);
      report_error (steps, error);
      return;
    }
  report (steps, _ ("Reading the picture..."));
  steps->reading = g_idle_add (read_some, steps);
}

/* ---- the forward pass ---- */

static void
observe (GTask *task, gpointer source, gpointer data, GCancellable *cancellable)
{
  Work *work = data;

  if (work->example)
    cam_triplet_explain (work->loaded, &work->inputs, &work->observation,
                         &work->own, cancellable, &work->error);
  else
    work->observation = cam_explainer_observe (work->loaded->explainer,
                                               work->inputs.input[CAM_ANCHOR],
                                               &work->inputs.view[CAM_ANCHOR],
                                               cancellable, &work->error);
  g_task_return_boolean (task, TRUE);
}

static void
observe_done (GObject *object, GAsyncResult *result, gpointer data)
{
  CamSteps *steps = data;
  g_autoptr (GTask) task = g_object_ref (G_TASK (result));
  Work *work = g_task_get_task_data (task);

  if (end_work (steps, work))
    {
      steps->observation = g_steal_pointer (&work->observation);
      cam_own_weights_clear (&steps->own);
      steps->own = work->own;
      work->own = (CamOwnWeights) { 0 };
      if (work->error)
        report_error (steps, work->error);
    }
  advance (steps);
}

/* ---- the explanation ---- */

static void
explain (CamSteps *steps)
{
  g_autoptr (GError) error = NULL;

  if (steps->example)
    steps->explanation =
        cam_explanation_of_weights (steps->loaded, steps->observation,
                                    &steps->own,
                                    steps->inputs.input[CAM_NEGATIVE] != NULL,
                                    steps->settings, &error);
  else
    steps->explanation = cam_explanation_look_up (steps->loaded,
                                                  steps->observation,
                                                  steps->settings, &error);
  if (steps->explanation)
    report (steps, NULL);
  else
    report_error (steps, error);
}

/* ---- the order ---- */

static gboolean
other_model (const CamSteps *steps)
{
  return steps->model && strcmp (steps->model, steps->settings->model);
}

static gboolean
other_database (const CamSteps *steps)
{
  return steps->database && strcmp (steps->database, steps->settings->database);
}

static gboolean
other_examples (const CamSteps *steps)
{
  for (int i = CAM_POSITIVE; i < CAM_N_EXAMPLES; i++)
    if (steps->names[i] && strcmp (steps->names[i], input_name (steps, i)))
      return TRUE;
  return FALSE;
}

static void
drop_examples (CamSteps *steps)
{
  for (int i = CAM_POSITIVE; i < CAM_N_EXAMPLES; i++)
    if (steps->names[i] && strcmp (steps->names[i], input_name (steps, i)))
      drop_input (steps, i);
  g_clear_pointer (&steps->observation, cam_observation_free);
}

static void
drop_model (CamSteps *steps)
{
  g_clear_pointer (&steps->model, g_free);
  g_clear_pointer (&steps->database, g_free);
  g_clear_pointer (&steps->observation, cam_observation_free);
  g_clear_pointer (&steps->loaded, cam_loaded_free);
  for (int i = 0; i < CAM_N_EXAMPLES; i++)
    drop_input (steps, i);
}

/* Only when nothing runs: a thread may still use it. */
static void
drop_outdated (CamSteps *steps)
{
  if (other_database (steps))
    g_clear_pointer (&steps->database, g_free);
  if (other_examples (steps))
    drop_examples (steps);
  if (other_model (steps))
    drop_model (steps);
}

static gboolean
needs_loading (const CamSteps *steps)
{
  if (! steps->loaded || ! steps->loaded->explainer)
    return TRUE;
  return ! steps->example && (! steps->loaded->db || ! steps->database);
}

static void
ask_for_positive (CamSteps *steps)
{
  CamReport news = { .hint = _ ("Choose a positive picture: one that the "
                                "network should find alike.") };

  steps->failed = TRUE;
  steps->report (&news, steps->data);
}

static void
advance (CamSteps *steps)
{
  if (steps->task || steps->reading || steps->failed)
    return;
  drop_outdated (steps);
  if (needs_loading (steps))
    start_load (steps);
  else if (missing_input (steps) < CAM_N_EXAMPLES)
    start_reading (steps);
  else if (steps->example && ! steps->inputs.input[CAM_POSITIVE])
    ask_for_positive (steps);
  else if (! steps->observation)
    {
      report (steps, _ ("Running the network..."));
      start_work (steps, observe, observe_done);
    }
  else if (! steps->explanation)
    explain (steps);
}

void
cam_steps_changed (CamSteps *steps, CamChanged what)
{
  steps->failed = FALSE;
  g_clear_pointer (&steps->explanation, cam_explanation_free);
  /* an example that was not there before is another one, too */
  if (what == CAM_CHANGED_EXAMPLE)
    g_clear_pointer (&steps->observation, cam_observation_free);
  if (other_model (steps) || other_database (steps)
      || what == CAM_CHANGED_EXAMPLE)
    {
      stop_reading (steps);
      if (steps->cancellable)
        g_cancellable_cancel (steps->cancellable);
    }
  advance (steps);
}

CamSteps *
cam_steps_new (const CamSource *source, const CamOptions *settings,
               gboolean example, CamReportFunc func, gpointer data)
{
  CamSteps *steps = g_new0 (CamSteps, 1);

  steps->source = source;
  steps->settings = settings;
  steps->example = example;
  steps->opened.opened = -1;
  steps->report = func;
  steps->data = data;
  return steps;
}

double
cam_steps_fraction (const CamSteps *steps)
{
  return steps->pixels ? cam_pixels_fraction (steps->pixels) : -1;
}

CamLoaded *
cam_steps_loaded (const CamSteps *steps)
{
  return steps->loaded;
}

const CamExplanation *
cam_steps_explanation (const CamSteps *steps)
{
  return steps->explanation;
}

CamExplanation *
cam_steps_take_explanation (CamSteps *steps)
{
  return g_steal_pointer (&steps->explanation);
}

void
cam_steps_free (CamSteps *steps)
{
  stop_reading (steps);
  steps->failed = TRUE; /* nothing more is started */
  if (steps->cancellable)
    g_cancellable_cancel (steps->cancellable);
  while (steps->task)
    g_main_context_iteration (NULL, TRUE);
  g_clear_pointer (&steps->explanation, cam_explanation_free);
  drop_model (steps);
  cam_own_weights_clear (&steps->own);
  g_free (steps);
}
