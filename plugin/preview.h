/* preview.h -- the dialog's picture: what the layer will look like in GIMP
 *
 * Small enough to be made again at every move of a slider (under 16 ms): the
 * pixels and the activations stay, only the colours and the blend are done
 * again.  The blend is GIMP's own in each layer mode, in sRGB, which is the
 * space that the layer gets.
 */
#pragma once

#include "core/image/overlay.h"
#include "ui/overlay-panel.h"

typedef struct
{
  int width, height;
  guint8 *base;    /* RGB8, what the layer shows */
  guint8 *overlay; /* RGBA8 */
  guint8 *out;     /* RGB8, to be shown */
} CamPreview;

/* @pixels: [h, w, 3] float32 of 0..255 */
CamPreview *cam_preview_new (const CamTensor *pixels);
void cam_preview_free (CamPreview *preview);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamPreview, cam_preview_free)
/* @map NULL: only the original can be shown. */
void cam_preview_render (CamPreview *preview, const CamHeatMap *map,
                         const CamView *view, const CamOptions *settings,
                         CamShow show);
