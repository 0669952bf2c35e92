/* examples.h -- the pictures that another one is explained by: a layer of an
 * open image, or a file that GIMP opens for the while */
#pragma once

#include "plugin/host.h"

typedef struct
{
  CamSource source;
  gint32 opened; /* image to be deleted afterwards; -1: none */
} CamExample;

/* @name: a path, or "layer:NUMBER".  The whole layer is seen, whatever is
 * selected. */
gboolean cam_example_open (const char *name, CamExample *example,
                           GError **error);
void cam_example_close (CamExample *example);
