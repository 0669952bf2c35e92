/* explain.c -- see explain.h */
#include "tests/fuzz/explain.h"

#include <float.h>
#include <string.h>

#include "core/base/json.h"

#define SIDE 9 /* of the overlay */

void
fuzz_parse (char *json)
{
  g_autoptr (JsonParser) parser = json_parser_new_immutable ();
  g_autoptr (GError) error = NULL;

  if (! json_parser_load_from_data (parser, json, -1, &error))
    g_error ("%s: %s", error->message, json);
  g_free (json);
}

static void
lay_on (const CamHeatMap *map, const CamView *view)
{
  float values[SIDE * SIDE];
  guint8 rgba[4 * SIDE * SIDE], base[4 * SIDE * SIDE];

  memset (base, 128, sizeof base);
  cam_overlay_values (map, view, SIDE, SIDE, 0, SIDE, values);
  cam_overlay_rgba (map, view, CAM_COLORMAP_TURBO, 0.1, SIDE, SIDE, 0, SIDE,
                    rgba, 4 * SIDE);
  cam_overlay_blend (rgba, 0.5, base, SIDE * SIDE);
  for (int i = 0; i < SIDE * SIDE; i++)
    g_assert_true (values[i] >= 0 && values[i] <= 1);
}

static void
write_down (const CamHeatMap *map)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_object (b);
  json_builder_set_member_name (b, "maximum");
  json_builder_add_double_value (b, map->maximum);
  json_builder_set_member_name (b, "values");
  json_builder_begin_array (b);
  for (int i = 0; i < map->width * map->height; i++)
    json_builder_add_double_value (b, map->values[i]);
  json_builder_end_array (b);
  json_builder_end_object (b);
  fuzz_parse (cam_json_text (b, FALSE));
}

void
fuzz_explain (const CamObservation *observation, const float *weights,
              int n_weights)
{
  for (int k = 0; k < 3; k++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (CamHeatMap)
          map = cam_heat_map_new (observation->activations, weights, n_weights,
                                  k, &error);

      if (map == NULL)
        {
          g_assert_true (error != NULL && *error->message != '\0');
          continue;
        }
      g_assert_true ((map->maximum == 0) == (map->empty != CAM_EMPTY_NOT));
      g_assert_true (map->maximum == 0
                     || (map->maximum >= FLT_MIN && map->maximum <= FLT_MAX));
      for (int i = 0; i < map->width * map->height; i++)
        g_assert_true (map->values[i] >= 0 && map->values[i] <= map->maximum);
      lay_on (map, &observation->view);
      write_down (map);
    }
}
