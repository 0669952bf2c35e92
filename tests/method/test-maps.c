/* test-maps.c -- numbers end to end: weights, maps, overlays, JSON
 *
 * Whatever the numbers are, a map is finite and can be divided by its maximum,
 * or it is empty and says why, or it is an error; and what is only rounding is
 * told from what is small.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "core/base/json.h"
#include "core/method/cam.h"
#include "core/method/score.h"

#define PLACES 4

/* [n, 2, 2] of whose channels each is its number everywhere, or of @a */
static CamTensor *
activations_of (const float *a, int n, gboolean flat)
{
  CamShape shape = cam_shape_make (3, (gint64[]) { n, 2, 2 });
  CamTensor *tensor = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, NULL);

  for (int i = 0; i < n * PLACES; i++)
    cam_tensor_f32 (tensor)[i] = a[flat ? i / PLACES : i];
  return tensor;
}

typedef struct
{
  const char *name;
  int n, k;
  float weights[4], activations[4];
  CamEmpty empty;
  gboolean helped;
  double maximum;
} MapCase;

static const MapCase cases[] = {
  { "plain", 2, 0, { 2, 1 }, { 3, 4 }, CAM_EMPTY_NOT, FALSE, 10 },
  { "silent", 2, 0, { 2, 1 }, { 0, 0 }, CAM_EMPTY_SILENT, FALSE, 0 },
  { "weightless",
    2,
    0,
    { 0, -0.0f },
    { 3, 4 },
    CAM_EMPTY_WEIGHTLESS,
    FALSE,
    0 },
  { "against", 2, 0, { -1, -2 }, { 3, 4 }, CAM_EMPTY_AGAINST, FALSE, 0 },
  { "against, all asked for",
    2,
    2,
    { 1, -2 },
    { 3, 4 },
    CAM_EMPTY_AGAINST,
    FALSE,
    0 },
  { "nothing, and no more helps",
    2,
    1,
    { 1, -2 },
    { 0, 4 },
    CAM_EMPTY_AGAINST,
    FALSE,
    0 },
  { "more would help", 2, 1, { 2, 1 }, { 0, 4 }, CAM_EMPTY_AGAINST, TRUE, 0 },
  { "a layer below zero: more would help",
    2,
    1,
    { 2, -1 },
    { -1, -4 },
    CAM_EMPTY_AGAINST,
    TRUE,
    0 },
  { "cancels out",
    3,
    0,
    { .7f, .1f, -.8f },
    { 3, 3, 3 },
    CAM_EMPTY_ROUNDING,
    FALSE,
    0 },
  { "cancels out exactly",
    2,
    0,
    { 1e30f, -1e30f },
    { 3, 3 },
    CAM_EMPTY_ROUNDING,
    FALSE,
    0 },
  { "small beside what cancels out",
    3,
    0,
    { 1, -1, 1e-6f },
    { 1, 1, 1 },
    CAM_EMPTY_NOT,
    FALSE,
    1e-6 },
  { "a denormal weight", 1, 0, { 1e-45f }, { 3 }, CAM_EMPTY_TINY, FALSE, 0 },
  { "denormal activations",
    1,
    0,
    { .5f },
    { 1e-38f },
    CAM_EMPTY_TINY,
    FALSE,
    0 },
  { "both small", 1, 0, { 1e-25f }, { 1e-25f }, CAM_EMPTY_TINY, FALSE, 0 },
  { "the smallest", 1, 0, { 1 }, { FLT_MIN }, CAM_EMPTY_NOT, FALSE, FLT_MIN },
  { "small and large", 1, 0, { 1e-38f }, { 1e38f }, CAM_EMPTY_NOT, FALSE, 1 },
  { "the largest", 1, 0, { FLT_MAX }, { 1 }, CAM_EMPTY_NOT, FALSE, FLT_MAX },
  { "large parts of a small sum",
    2,
    0,
    { 3e38f, -3e38f },
    { 10, 9.5f },
    CAM_EMPTY_NOT,
    FALSE,
    1.5e38 },
};

static void
check_overlay (const CamHeatMap *map)
{
  CamView view = { 8, 8, 0, 0, 8, 8, 8, 8 };
  float values[64];
  guint8 rgba[256];
  int opaque = 0;

  cam_overlay_values (map, &view, 8, 8, 0, 8, values);
  cam_overlay_rgba (map, &view, CAM_COLORMAP_TURBO, 0, 8, 8, 0, 8, rgba, 32);
  for (int i = 0; i < 64; i++)
    {
      g_assert_true (values[i] >= 0 && values[i] <= 1);
      opaque += rgba[4 * i + 3] > 0;
    }
  g_assert_cmpint (opaque > 0, ==, map->maximum > 0);
}

static void
test_map (gconstpointer data)
{
  const MapCase *c = data;
  g_autoptr (CamTensor)
      activations = activations_of (c->activations, c->n, TRUE);
  g_autoptr (GError) error = NULL;
  g_autoptr (CamHeatMap)
      map = cam_heat_map_new (activations, c->weights, c->n, c->k, &error);

  g_assert_no_error (error);
  g_assert_cmpint (map->empty, ==, c->empty);
  g_assert_cmpint (map->helped, ==, c->helped);
  g_assert_cmpfloat (fabs (map->maximum - c->maximum), <=, 1e-6 * c->maximum);
  if (c->empty != CAM_EMPTY_NOT)
    g_assert_cmpstr (cam_empty_reason (map->empty), !=, "");
  check_overlay (map);
}

/* A thousand channels that cancel out in float32 only nearly, whatever their
 * order, and one that does not */
static void
test_many_channels (void)
{
  g_autofree float *weights = g_new (float, 2001);
  g_autofree float *a = g_new (float, 2001 * PLACES);
  g_autoptr (CamTensor) activations = NULL;
  g_autoptr (CamHeatMap) noise = NULL, small = NULL;

  for (int k = 0; k < 2001; k++)
    for (int p = 0; p < PLACES; p++)
      {
        int pair = k % 1000 + 1;

        weights[k] = (float) ((k < 1000 ? 1 : -1) * (0.1 + pair / 3.0));
        a[k * PLACES + p] = (float) (1.0 / pair + 0.01 * p);
      }
  weights[2000] = 0;
  for (int p = 0; p < PLACES; p++)
    a[2000 * PLACES + p] = p == 1;
  activations = activations_of (a, 2001, FALSE);
  noise = cam_heat_map_new (activations, weights, 2001, 0, NULL);
  g_assert_cmpint (noise->empty, ==, CAM_EMPTY_ROUNDING);
  weights[2000] = 0.01f; /* of about 20,000 that cancel out */
  small = cam_heat_map_new (activations, weights, 2001, 0, NULL);
  g_assert_cmpint (small->empty, ==, CAM_EMPTY_NOT);
  g_assert_cmpfloat (fabs (small->maximum - 0.01), <, 1e-5);
  for (int p = 0; p < PLACES; p++)
    g_assert_true ((small->values[p] > 0) == (p == 1));
}

static void
assert_refused (const float *weights, int n_weights, const float *a, int k,
                const char *words)
{
  g_autoptr (CamTensor) activations = activations_of (a, 2, TRUE);
  g_autoptr (GError) error = NULL;

  g_assert_null (cam_heat_map_new (activations, weights, n_weights, k, &error));
  g_assert_nonnull (error);
  g_assert_nonnull (strstr (error->message, words));
}

static void
test_refused (void)
{
  static const float fine[] = { 1, 2, 3 }, a[] = { 4, 5 };
  static const float nan_first[] = { NAN, 1 }, nan_last[] = { 1, NAN };
  static const float inf[] = { -INFINITY, 1 }, large[] = { 3e38f, 3e38f };

  assert_refused (fine, 1, a, 0, "1 channel");
  assert_refused (fine, 3, a, 0, "3 channel");
  assert_refused (fine, 0, a, 0, "0 channel");
  assert_refused (nan_first, 2, a, 0, "channel 0");
  assert_refused (nan_last, 2, a, 1, "channel 1");
  assert_refused (inf, 2, a, 1, "channel 0");
  assert_refused (large, 2, a, 0, "3e+38");
  assert_refused (fine, 2, nan_last, 0, "not finite");
  assert_refused (fine, 2, inf, 0, "not finite");
}

/* Maps that cam_heat_map_new would not make, as they may come from elsewhere,
 * and views that nobody has */
static void
test_overlay_of_anything (void)
{
  static const float odd[] = { NAN,    INFINITY, -INFINITY, 0,
                               1e-45f, FLT_MAX,  -1,        1e30f };
  static const double places[] = { 0,        -1e308,    1e308, NAN,
                                   INFINITY, -INFINITY, 1e-320 };
  float values[16];
  guint8 rgba[64];

  for (guint m = 0; m < G_N_ELEMENTS (odd); m++)
    for (guint v = 0; v < G_N_ELEMENTS (odd); v++)
      for (guint i = 0; i < G_N_ELEMENTS (places); i++)
        {
          float cells[] = { odd[v], 1, odd[m], 0 };
          CamHeatMap map = { 2, 2, cells, odd[m], CAM_EMPTY_NOT, FALSE };
          CamView view = { 4, 4, places[i], 0, places[6 - i], 4, 4, 4 };

          cam_overlay_values (&map, &view, 4, 4, 0, 4, values);
          cam_overlay_rgba (&map, &view, CAM_COLORMAP_JET, 0.1, 4, 4, 0, 4,
                            rgba, 16);
          for (int p = 0; p < 16; p++)
            g_assert_true (values[p] >= 0 && values[p] <= 1);
        }
}

#define DIM 5

/* @towards: 0 the same as @a, else that far from it */
static void
near_to (const float *a, double towards, double scale, float *out)
{
  for (int i = 0; i < DIM; i++)
    out[i] = (float) (scale
                      * (a[i] + towards * (i % 2 ? 1 : -1) * fabs (a[0])));
}

static void
test_own_gradient (void)
{
  static const float a[DIM] = { .3f, -1.2f, .7f, 2.1f, -.4f };
  static const float other[DIM] = { 1, 1, 1, 1, 1 };
  static const float zero[DIM] = { 0 };
  float b[DIM], c[DIM], seed[DIM];

  for (double scale = 1e-15; scale < 1e16; scale *= 10)
    {
      near_to (a, 0, scale, b);
      g_assert_cmpint (cam_score_flat (DIM, a, b, NULL), ==,
                       CAM_EMPTY_SAME_POSITIVE);
      g_assert_cmpint (cam_score_flat (DIM, b, a, NULL), ==,
                       CAM_EMPTY_SAME_POSITIVE);
      g_assert_cmpint (cam_score_flat (DIM, other, a, b), ==,
                       CAM_EMPTY_SAME_EXAMPLES);
      cam_score_seed (CAM_SCORE_TRIPLET, DIM, other, a, b, seed);
      for (int i = 0; i < DIM; i++)
        g_assert_cmpfloat (seed[i], ==, 0);
      near_to (a, 1e-5, scale, c); /* near, but more than rounding away */
      g_assert_cmpint (cam_score_flat (DIM, a, c, NULL), ==,
                       CAM_EMPTY_NO_GRADIENT);
      cam_score_seed (CAM_SCORE_COSINE, DIM, a, c, NULL, seed);
      g_assert_cmpfloat (fabsf (seed[0]), >, 0);
      cam_score_seed (CAM_SCORE_COSINE, DIM, other, a, c, seed);
      g_assert_cmpfloat (fabsf (seed[0]), >, 0);
    }
  g_assert_cmpint (cam_score_flat (DIM, a, a, other), ==,
                   CAM_EMPTY_NO_GRADIENT); /* away from the other: it has one */
  g_assert_cmpint (cam_score_flat (DIM, a, zero, NULL), ==,
                   CAM_EMPTY_NO_DIRECTION);
  g_assert_cmpint (cam_score_flat (DIM, zero, a, other), ==,
                   CAM_EMPTY_NO_DIRECTION);
  cam_score_seed (CAM_SCORE_DOT_DIFFERENCE, DIM, other, a, a, seed);
  g_assert_cmpfloat (seed[1], ==, 0);
  cam_score_seed (CAM_SCORE_DOT, DIM, a, a, NULL, seed);
  g_assert_cmpfloat (seed[1], ==, a[1]);
}

/* As before a normalisation over places: each gradient is rounded */
static void
test_gradients_that_cancel (void)
{
  static const float cancels[] = { .7f, .1f, -.8f, 0 };
  static const float small[] = { .7f, .1f, -.8f, 1e-4f };
  float alpha[2];
  float both[2 * PLACES];
  g_autoptr (CamTensor) gradient = NULL;

  memcpy (both, cancels, sizeof cancels);
  memcpy (both + PLACES, small, sizeof small);
  gradient = activations_of (both, 2, FALSE);
  cam_gradcam_weights (gradient, alpha);
  g_assert_cmpfloat (alpha[0], ==, 0);
  g_assert_cmpfloat (fabsf (alpha[1] - 2.5e-5f), <, 1e-7);
}

/* Only what ReLU (g) keeps can be lost. */
static void
test_gradcampp_losses (void)
{
  static const float a[] = { 9, 9, 9, 9, -9, -9, -9, -9 };
  static const float g[] = { -1, -1, 1, 1, -1, -1, 1, 1 };
  g_autoptr (CamTensor) gradient = activations_of (g, 2, FALSE);
  g_autoptr (CamTensor) activations = activations_of (a, 2, FALSE);
  float alpha[2];

  g_assert_cmpint (cam_gradcampp_weights (gradient, activations, 1e-6, alpha),
                   ==, 2);
  g_assert_cmpfloat (alpha[0], >, 0);
  g_assert_cmpfloat (alpha[1], ==, 0);
}

static void
test_json (void)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  g_autofree char *text = NULL;

  json_builder_begin_object (b);
  json_builder_set_member_name (b, "list");
  json_builder_begin_array (b);
  json_builder_add_double_value (b, 1.5);
  json_builder_add_double_value (b, INFINITY);
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "deep");
  json_builder_add_double_value (b, NAN);
  json_builder_end_object (b);
  json_builder_add_string_value (b, "nan \xff");
  json_builder_end_array (b);
  json_builder_set_member_name (b, "low");
  json_builder_add_double_value (b, -INFINITY);
  json_builder_end_object (b);
  text = cam_json_text (b, FALSE);
  g_assert_cmpstr (text, ==,
                   "{\"list\":[1.5,null,{\"deep\":null},\"nan \357\277\275\"],"
                   "\"low\":null}");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strconcat ("/map/", cases[i].name, NULL);

      g_test_add_data_func (path, &cases[i], test_map);
    }
  g_test_add_func ("/map/many channels", test_many_channels);
  g_test_add_func ("/map/refused", test_refused);
  g_test_add_func ("/overlay/of anything", test_overlay_of_anything);
  g_test_add_func ("/own gradient/same pictures", test_own_gradient);
  g_test_add_func ("/own gradient/cancels", test_gradients_that_cancel);
  g_test_add_func ("/own gradient/Grad-CAM++", test_gradcampp_losses);
  g_test_add_func ("/json", test_json);
  return g_test_run ();
}
