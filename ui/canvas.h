/* canvas.h -- a place for a picture, of one size whatever the picture's is */
#pragma once

#include <gtk/gtk.h>

GtkWidget *cam_canvas_new (int width, int height);
/* RGB, copied; at most as large as the canvas, in whose middle it comes. */
void cam_canvas_set (GtkWidget *canvas, const guint8 *pixels, int width,
                     int height, int stride);
