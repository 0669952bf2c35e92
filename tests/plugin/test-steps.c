/* test-steps.c MODEL DATABASE... -- the dialog's steps without a dialog
 *
 * plugin/steps.c with pictures that come from here instead of GIMP.  Databases
 * of one model, each for a layer of its own, take turns: every explanation must
 * be the one that its database and layer give on their own.
 */
#include "plugin/examples.h"
#include "plugin/pixels.h"
#include "plugin/room.h"
#include "plugin/steps.h"

#define TURNS 50

/* ---- what the steps want of GIMP ---- */

struct _CamPixels
{
  const CamInputSettings *settings;
};

G_DEFINE_QUARK (cam-plugin-error-quark, cam_plugin_error)

static CamTensor *
input_new (const CamInputSettings *settings, CamView *view)
{
  CamShape shape = cam_shape_make (4, (gint64[]) { 1, 3, settings->height,
                                                   settings->width });
  CamTensor *input = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (gsize i = 0; i < input->n_elements; i++)
    cam_tensor_f32 (input)[i] = (float) g_rand_double_range (rand, -1, 1);
  *view = (CamView) { 40, 40, 0, 0, 40, 40, settings->width, settings->height };
  return input;
}

void
cam_host_message (const char *text)
{
}

CamPixels *
cam_pixels_new (const CamSource *source, const CamInputSettings *settings,
                const CamPreviewBox *preview, GError **error)
{
  CamPixels *pixels = g_new0 (CamPixels, 1);

  pixels->settings = settings;
  return pixels;
}

gboolean
cam_pixels_step (CamPixels *pixels)
{
  return FALSE;
}

double
cam_pixels_fraction (const CamPixels *pixels)
{
  return 0.5;
}

CamTensor *
cam_pixels_finish (CamPixels *pixels, CamView *view, CamTensor **preview,
                   GError **error)
{
  CamTensor *input = input_new (pixels->settings, view);

  cam_pixels_free (pixels);
  return input;
}

void
cam_pixels_free (CamPixels *pixels)
{
  g_free (pixels);
}

gboolean
cam_example_open (const char *name, CamExample *example, GError **error)
{
  return TRUE;
}

void
cam_example_close (CamExample *example)
{
}

gboolean
cam_room_check (int megabytes, GError **error)
{
  return TRUE;
}

/* ---- what is tested ---- */

static char **arguments; /* the program, the model, the databases */
static char *said;       /* the error that was last reported */

static void
reported (const CamReport *report, gpointer data)
{
  if (report->error == NULL)
    return;
  g_free (said);
  said = g_strdup (report->error->message);
}

/* Until there is an explanation, or it cannot go on */
static const CamExplanation *
wait_for (CamSteps *steps)
{
  while (cam_steps_explanation (steps) == NULL && said == NULL)
    g_main_context_iteration (NULL, TRUE);
  return cam_steps_explanation (steps);
}

static CamOptions *
options_new (const char *database)
{
  CamOptions *options = cam_options_new ();

  g_free (options->model);
  g_free (options->database);
  options->model = g_strdup (arguments[1]);
  options->database = g_strdup (database);
  return options;
}

static void
choose (CamOptions *options, const char *database)
{
  g_free (options->database);
  options->database = g_strdup (database);
}

/* The map as it is without anything before it */
static CamHeatMap *
map_of (const char *database)
{
  g_autoptr (CamOptions) options = options_new (database);
  g_autoptr (GError) error = NULL;
  g_autoptr (CamLoaded) loaded = cam_loaded_new (arguments[1], NULL, &error);
  g_autoptr (CamTensor) input = NULL;
  g_autoptr (CamObservation) observation = NULL;
  g_autoptr (CamExplanation) explanation = NULL;
  CamView view;

  g_assert_no_error (error);
  cam_loaded_use_database (loaded, database, NULL, &error);
  g_assert_no_error (error);
  input = input_new (&loaded->model->input, &view);
  observation = cam_explainer_observe (loaded->explainer, input, &view, NULL,
                                       &error);
  g_assert_no_error (error);
  explanation = cam_explanation_look_up (loaded, observation, options, &error);
  g_assert_no_error (error);
  return g_steal_pointer (&explanation->map);
}

static void
assert_same (const CamHeatMap *a, const CamHeatMap *b)
{
  g_assert_cmpint (a->width, ==, b->width);
  g_assert_cmpint (a->height, ==, b->height);
  g_assert_cmpmem (a->values, a->width * a->height * sizeof (float), b->values,
                   b->width * b->height * sizeof (float));
}

static void
test_turns (void)
{
  guint n = g_strv_length (arguments) - 2;
  g_autoptr (GPtrArray) maps =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_heat_map_free);
  g_autoptr (CamOptions) options = options_new (arguments[2]);
  CamSource source = { 0 };
  CamSteps *steps = cam_steps_new (&source, options, FALSE, reported, NULL);

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (maps, map_of (arguments[2 + i]));
  cam_steps_changed (steps, CAM_CHANGED_ALL);
  for (guint turn = 0; turn < TURNS; turn++)
    {
      guint which = turn % n;

      choose (options, arguments[2 + which]);
      cam_steps_changed (steps, CAM_CHANGED_ALL);
      if (turn % 7 == 5) /* changed again before it is done */
        {
          g_main_context_iteration (NULL, FALSE);
          choose (options, arguments[2 + (which + 1) % n]);
          cam_steps_changed (steps, CAM_CHANGED_ALL);
          choose (options, arguments[2 + which]);
          cam_steps_changed (steps, CAM_CHANGED_ALL);
        }
      g_assert_nonnull (wait_for (steps));
      assert_same (cam_steps_explanation (steps)->map, maps->pdata[which]);
    }
  g_assert_null (said);
  cam_steps_free (steps);
}

/* Whatever keeps an observation too long: words, and nothing is read */
static void
test_other_layer (void)
{
  guint n = g_strv_length (arguments) - 2;

  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < n; j++)
      {
        g_autoptr (CamOptions) options = options_new (arguments[2 + i]);
        g_autoptr (CamLoaded)
            loaded = cam_loaded_new (arguments[1], NULL, NULL);
        g_autoptr (CamObservation) observation = NULL;
        g_autoptr (CamExplanation) explanation = NULL;
        g_autoptr (CamTensor) input = NULL;
        g_autoptr (GError) error = NULL;
        CamView view;

        cam_loaded_use_database (loaded, arguments[2 + i], NULL, NULL);
        input = input_new (&loaded->model->input, &view);
        observation = cam_explainer_observe (loaded->explainer, input, &view,
                                             NULL, NULL);
        g_assert_true (cam_observation_is_of (observation, loaded->explainer));
        cam_loaded_use_database (loaded, arguments[2 + j], NULL, NULL);
        g_assert_true (cam_observation_is_of (observation, loaded->explainer)
                       == (i == j));
        explanation = cam_explanation_look_up (loaded, observation, options,
                                               &error);
        if (i == j)
          g_assert_no_error (error);
        else
          g_assert_error (error, CAM_CLUSTER_DB_ERROR,
                          CAM_CLUSTER_DB_ERROR_OTHER_MODEL);
        g_assert_true ((explanation != NULL) == (i == j));
      }
}

/* A picture that is its own positive */
static void
test_own_example (void)
{
  g_autoptr (CamOptions) options = options_new ("");
  CamSource source = { 0 };
  CamSteps *steps = cam_steps_new (&source, options, TRUE, reported, NULL);
  const CamExplanation *explanation;

  g_free (options->positive);
  options->positive = g_strdup ("the same");
  cam_steps_changed (steps, CAM_CHANGED_ALL);
  explanation = wait_for (steps);
  g_assert_nonnull (explanation);
  g_assert_cmpint (explanation->map->empty, ==, CAM_EMPTY_SAME_POSITIVE);
  g_assert_cmpfloat (explanation->map->maximum, ==, 0);
  g_free (options->negative);
  options->negative = g_strdup ("the same again");
  cam_steps_changed (steps, CAM_CHANGED_EXAMPLE);
  explanation = wait_for (steps);
  g_assert_cmpint (explanation->map->empty, ==, CAM_EMPTY_SAME_EXAMPLES);
  cam_steps_free (steps);
}

static void
assert_damaged (const char *values, const char *seen)
{
  g_autofree char *json = g_strdup_printf (
      "{\"width\":2,\"height\":1,\"picture-width\":8,\"picture-height\":8,"
      "\"seen-x\":0,\"seen-y\":0,\"seen-width\":%s,\"seen-height\":8,"
      "\"values\":%s}",
      seen, values);
  g_autoptr (GError) error = NULL;
  CamView view;

  g_assert_null (cam_heat_map_from_json (json, &view, &error));
  g_assert_nonnull (error);
}

/* A layer's record of its map may have been made by anybody. */
static void
test_record (void)
{
  CamView view, read;
  g_autoptr (CamHeatMap) map = map_of (arguments[2]);
  g_autoptr (CamHeatMap) again = NULL;
  g_autofree char *json = NULL;

  view = (CamView) { 40, 40, 0, 0, 40, 40, 32, 32 };
  json = cam_heat_map_to_json (map, &view);
  again = cam_heat_map_from_json (json, &read, NULL);
  assert_same (map, again);
  g_assert_cmpfloat (map->maximum, ==, again->maximum);
  assert_damaged ("[1,-1]", "8");
  assert_damaged ("[1,1e300]", "8");
  assert_damaged ("[1,null]", "8");
  assert_damaged ("[1,[2]]", "8");
  assert_damaged ("[1,\"2\"]", "8");
  assert_damaged ("[1]", "8");
  assert_damaged ("[1,2]", "0");
  assert_damaged ("[1,2]", "1e999");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  arguments = argv;
  g_assert_cmpint (argc, >, 3);
  g_test_add_func ("/steps/databases take turns", test_turns);
  g_test_add_func ("/steps/another layer's observation", test_other_layer);
  g_test_add_func ("/steps/its own example", test_own_example);
  g_test_add_func ("/steps/record of a map", test_record);
  return g_test_run ();
}
