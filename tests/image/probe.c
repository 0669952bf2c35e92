/* probe.c -- lets a script call core's image functions on arrays of its own
 *
 *   probe input KEY=VALUE…     pixels.npy [h, w, c] -> input.npy, view on
 * stdout probe overlay KEY=VALUE…   map.npy [h, w] -> values.npy, rgba.npy
 *   probe colormap NAME        the table on stdout
 *   probe blend KEY=VALUE…     over.npy, base.npy [n, 4] bytes -> out.npy
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/image/overlay.h"

static GHashTable *keys;

static const char *
text (const char *key)
{
  return g_hash_table_lookup (keys, key);
}

static double
number (const char *key, double fallback)
{
  return text (key) != NULL ? g_ascii_strtod (text (key), NULL) : fallback;
}

static void
numbers (const char *key, double *out, double fallback)
{
  g_auto (GStrv) parts = g_strsplit (text (key) ? text (key) : "", ",", -1);

  for (int i = 0; i < 3; i++)
    out[i] = g_strv_length (parts) == 3 ? g_ascii_strtod (parts[i], NULL)
                                        : fallback;
}

static CamTensor *
read_array (const char *key)
{
  GError *error = NULL;
  CamTensor *tensor = cam_npy_read (text (key), &error);

  if (tensor == NULL)
    g_error ("%s", error->message);
  return tensor;
}

static void
write_array (const char *key, CamDType dtype, int n_dims, const gint64 *dims,
             gpointer data)
{
  CamShape shape = cam_shape_make (n_dims, dims);
  g_autoptr (CamTensor)
      tensor = cam_tensor_new_over (dtype, &shape, data, NULL, NULL);
  GError *error = NULL;

  if (! cam_npy_write (text (key), tensor, &error))
    g_error ("%s", error->message);
}

static CamInputSettings
settings (void)
{
  CamInputSettings s = { 0 };

  s.width = (int) number ("width", 224);
  s.height = (int) number ("height", 224);
  s.resize = (CamResize) number ("resize", 0);
  s.crop_fraction = number ("crop", 1);
  s.filter = (CamFilter) number ("filter", 0);
  s.channels = (CamChannels) number ("channels", 0);
  s.scale = number ("scale", 1);
  numbers ("mean", s.mean, 0);
  numbers ("std", s.std, 1);
  numbers ("background", s.background, 1);
  numbers ("pad", s.pad_value, 0);
  s.nhwc = number ("nhwc", 0) != 0;
  return s;
}

static int
run_input (void)
{
  static const CamPixelFormat formats[] = { CAM_PIXEL_RGBA8, CAM_PIXEL_RGB8,
                                            CAM_PIXEL_RGBA16,
                                            CAM_PIXEL_RGBA_FLOAT };
  static const gsize sizes[] = { 4, 3, 8, 16 };
  CamInputSettings s = settings ();
  g_autoptr (CamTensor) pixels = read_array ("pixels");
  int h = (int) pixels->shape.dims[0], w = (int) pixels->shape.dims[1];
  int format = (int) number ("format", 1), chunk = (int) number ("chunk", h);
  gsize stride = w * sizes[format];
  g_autoptr (GError) error = NULL;
  g_autoptr (CamTensor) input = NULL;
  CamInputBuilder *builder =
      cam_input_builder_new (&s, w, h, (int) number ("picture_width", w),
                             (int) number ("picture_height", h), &error);
  CamView v;

  for (int y = 0; builder != NULL && y < (int) number ("rows", h); y += chunk)
    cam_input_builder_add_rows (builder, formats[format],
                                (guint8 *) pixels->data + y * stride, stride,
                                MIN (chunk, (int) number ("rows", h) - y));
  if (builder != NULL)
    input = cam_input_builder_finish (builder, &v, &error);
  if (input == NULL)
    {
      printf ("error: %s\n", error->message);
      return 0;
    }
  printf ("%d %d %.17g %.17g %.17g %.17g %d %d\n", v.width, v.height, v.x, v.y,
          v.w, v.h, v.input_width, v.input_height);
  write_array ("out", CAM_DTYPE_FLOAT32, 4, input->shape.dims, input->data);
  return 0;
}

static int
run_overlay (void)
{
  g_autoptr (CamTensor) m = read_array ("map");
  CamHeatMap map = { (int) m->shape.dims[1], (int) m->shape.dims[0],
                     cam_tensor_f32 (m), 0 };
  CamView view = { (int) number ("picture_width", 1),
                   (int) number ("picture_height", 1),
                   number ("x", 0),
                   number ("y", 0),
                   number ("w", 1),
                   number ("h", 1),
                   1,
                   1 };
  int w = (int) number ("out_width", 1), h = (int) number ("out_height", 1);
  int chunk = (int) number ("chunk", h);
  g_autofree float *values = g_new (float, (gsize) w * h);
  g_autofree guint8 *rgba = g_new (guint8, (gsize) w * h * 4);
  CamColormap colormap = CAM_COLORMAP_TURBO;

  cam_colormap_parse (text ("colormap"), &colormap);
  for (gsize i = 0; i < m->n_elements; i++)
    map.maximum = MAX (map.maximum, map.values[i]);
  for (int y = 0; y < h; y += chunk)
    {
      int n = MIN (chunk, h - y);

      cam_overlay_values (&map, &view, w, h, y, n, values + (gsize) y * w);
      cam_overlay_rgba (&map, &view, colormap, number ("threshold", 0), w, h, y,
                        n, rgba + (gsize) y * w * 4, (gsize) w * 4);
    }
  write_array ("values", CAM_DTYPE_FLOAT32, 2, (gint64[]) { h, w }, values);
  write_array ("rgba", CAM_DTYPE_UINT8, 3, (gint64[]) { h, w, 4 }, rgba);
  return 0;
}

static int
run_colormap (void)
{
  CamColormap colormap;
  const guint8 *table;

  if (! cam_colormap_parse (text ("name"), &colormap))
    return 1;
  table = cam_colormap_table (colormap);
  for (int i = 0; i < 256; i++)
    printf ("%d %d %d\n", table[3 * i], table[3 * i + 1], table[3 * i + 2]);
  return 0;
}

static int
run_blend (void)
{
  g_autoptr (CamTensor) over = read_array ("over"), base = read_array ("base");

  cam_overlay_blend (over->data, number ("opacity", 1), base->data,
                     base->n_elements / 4);
  write_array ("out", CAM_DTYPE_UINT8, 2, base->shape.dims, base->data);
  return 0;
}

int
main (int argc, char **argv)
{
  int status = 2;

  keys = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (int i = 2; i < argc; i++)
    {
      g_auto (GStrv) pair = g_strsplit (argv[i], "=", 2);

      g_hash_table_insert (keys, g_strdup (pair[0]), g_strdup (pair[1]));
    }
  if (argc > 1 && strcmp (argv[1], "input") == 0)
    status = run_input ();
  else if (argc > 1 && strcmp (argv[1], "overlay") == 0)
    status = run_overlay ();
  else if (argc > 1 && strcmp (argv[1], "colormap") == 0)
    status = run_colormap ();
  else if (argc > 1 && strcmp (argv[1], "blend") == 0)
    status = run_blend ();
  g_hash_table_unref (keys);
  return status;
}
