/* canvas.c -- see canvas.h */
#include "config.h"
#include "ui/canvas.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>

#define AROUND 0x4a4a4aff /* dark enough for either theme */

typedef struct
{
  GtkWidget *image;
  int width, height;
} Canvas;

GtkWidget *
cam_canvas_new (int width, int height)
{
  GtkWidget *frame = gtk_frame_new (NULL);
  Canvas *canvas = g_new0 (Canvas, 1);

  canvas->width = width;
  canvas->height = height;
  canvas->image = gtk_image_new ();
  cam_name (canvas->image, _ ("Preview"));
  gtk_frame_set_shadow_type (GTK_FRAME (frame), GTK_SHADOW_IN);
  gtk_container_add (GTK_CONTAINER (frame), canvas->image);
  g_object_set_data_full (G_OBJECT (frame), "cam-canvas", canvas, g_free);
  cam_canvas_set (frame, NULL, 0, 0, 0);
  return frame;
}

void
cam_canvas_set (GtkWidget *widget, const guint8 *pixels, int width, int height,
                int stride)
{
  Canvas *canvas = g_object_get_data (G_OBJECT (widget), "cam-canvas");
  g_autoptr (GdkPixbuf) whole = gdk_pixbuf_new (GDK_COLORSPACE_RGB, FALSE, 8,
                                                canvas->width, canvas->height);

  gdk_pixbuf_fill (whole, AROUND);
  if (pixels)
    {
      g_autoptr (GdkPixbuf)
          picture = gdk_pixbuf_new_from_data (pixels, GDK_COLORSPACE_RGB, FALSE,
                                              8, width, height, stride, NULL,
                                              NULL);

      gdk_pixbuf_copy_area (picture, 0, 0, width, height, whole,
                            (canvas->width - width) / 2,
                            (canvas->height - height) / 2);
    }
  gtk_image_set_from_pixbuf (GTK_IMAGE (canvas->image), whole);
}
