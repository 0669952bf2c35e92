/* pixels.h -- a layer's pixels into a network's input, a band of rows at a time
 *
 * The pixels come through GIMP's wire in the main thread; the arithmetic of a
 * band (resize, normalise) runs beside it in a thread while the next band is
 * fetched.  Any precision and profile becomes sRGB: 8 bits where the layer is
 * so itself, else float.  The layer's mask, where it is applied, thins alpha.
 */
#pragma once

#include "plugin/host.h"
#include "core/image/input.h"

typedef struct _CamPixels CamPixels;

typedef struct
{
  int width, height;
} CamPreviewBox;

/* A second, smaller picture for previews is made in the same pass where
 * @preview (the box that it fills one way or the other) is not NULL. */
CamPixels *cam_pixels_new (const CamSource *source,
                           const CamInputSettings *settings,
                           const CamPreviewBox *preview, GError **error);
/* Reads one band; FALSE when all have been read. */
gboolean cam_pixels_step (CamPixels *pixels);
double cam_pixels_fraction (const CamPixels *pixels);
/* The network's input (transfer full) and, in @preview (nullable), [h, w, 3]
 * float32 of 0..255.  Frees @pixels. */
CamTensor *cam_pixels_finish (CamPixels *pixels, CamView *view,
                              CamTensor **preview, GError **error);
void cam_pixels_free (CamPixels *pixels);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamPixels, cam_pixels_free)

/* All at once, with GIMP's progress bar. */
CamTensor *cam_pixels_read (const CamSource *source,
                            const CamInputSettings *settings, CamView *view,
                            GError **error);
