/* save.c -- see save.h
 *
 * GEGL's savers report nothing, be the disk full: what they wrote is read
 * again and compared.
 */
#include "config.h"
#include "plugin/save.h"
#include <string.h>

#define BAND_ROWS 64

static void
write_file (GeglBuffer *buffer, const char *operation, int depth,
            gboolean floats, const char *path)
{
  GeglNode *graph = gegl_node_new ();
  GeglNode *source = gegl_node_new_child (graph, "operation",
                                          "gegl:buffer-source", "buffer",
                                          buffer, NULL);
  GeglNode *sink = gegl_node_new_child (graph, "operation", operation, "path",
                                        path, "bitdepth", depth, NULL);

  if (floats)
    gegl_node_set (sink, "fp", 1, NULL);
  gegl_node_link (source, sink);
  gegl_node_process (sink);
  g_object_unref (graph);
}

/* (transfer full), NULL where nothing can be read */
static GeglBuffer *
read_file (const char *operation, const char *path)
{
  GeglBuffer *buffer = NULL;
  GeglNode *graph = gegl_node_new ();
  GeglNode *source = gegl_node_new_child (graph, "operation", operation, "path",
                                          path, NULL);
  GeglNode *sink = gegl_node_new_child (graph, "operation", "gegl:buffer-sink",
                                        "buffer", &buffer, NULL);

  gegl_node_link (source, sink);
  gegl_node_process (sink);
  g_object_unref (graph);
  return buffer;
}

/* The numbers as they are, in whatever space each of the two has them. */
static gboolean
same_rows (GeglBuffer *a, GeglBuffer *b, GeglRectangle rows)
{
  gsize size = babl_format_get_bytes_per_pixel (gegl_buffer_get_format (a));
  g_autofree char *of_a = g_try_malloc_n (rows.height, rows.width * size);
  g_autofree char *of_b = g_try_malloc_n (rows.height, rows.width * size);

  if (! of_a || ! of_b)
    return FALSE;
  gegl_buffer_get (a, &rows, 1, gegl_buffer_get_format (a), of_a,
                   GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  gegl_buffer_get (b, &rows, 1, gegl_buffer_get_format (b), of_b,
                   GEGL_AUTO_ROWSTRIDE, GEGL_ABYSS_NONE);
  return ! memcmp (of_a, of_b, rows.height * rows.width * size);
}

static gboolean
same (GeglBuffer *a, GeglBuffer *b)
{
  const GeglRectangle *extent = gegl_buffer_get_extent (a);
  gboolean same = gegl_rectangle_equal (extent, gegl_buffer_get_extent (b))
                  && babl_format_get_bytes_per_pixel (
                         gegl_buffer_get_format (a))
                         == babl_format_get_bytes_per_pixel (
                             gegl_buffer_get_format (b));

  for (int y = 0; same && y < extent->height; y += BAND_ROWS)
    same = same_rows (a, b,
                      (GeglRectangle) { 0, y, extent->width,
                                        MIN (BAND_ROWS, extent->height - y) });
  return same;
}

static gboolean
is_whole (GeglBuffer *buffer, const char *operation, const char *path)
{
  g_autoptr (GeglBuffer) read = read_file (operation, path);

  return read && same (buffer, read);
}

/* The chunk at the end, which no pixel needs, is all there. */
static gboolean
has_png_end (const char *path)
{
  static const char end[12] = "\0\0\0\0IEND\xae\x42\x60\x82";
  g_autoptr (GMappedFile) file = g_mapped_file_new (path, FALSE, NULL);
  gsize size = file ? g_mapped_file_get_length (file) : 0;

  return size >= sizeof end
         && ! memcmp (g_mapped_file_get_contents (file) + size - sizeof end,
                      end, sizeof end);
}

gboolean
cam_save_png (GeglBuffer *buffer, const char *path)
{
  write_file (buffer, "gegl:png-save", 8, FALSE, path);
  return has_png_end (path) && is_whole (buffer, "gegl:png-load", path);
}

gboolean
cam_save_tiff (GeglBuffer *buffer, const char *path)
{
  write_file (buffer, "gegl:tiff-save", 32, TRUE, path);
  return is_whole (buffer, "gegl:tiff-load", path);
}
