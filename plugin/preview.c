/* preview.c -- see preview.h */
#include "plugin/preview.h"
#include <math.h>
#include <string.h>

#define CHECK 8 /* pixels of a square under what is transparent */

CamPreview *
cam_preview_new (const CamTensor *pixels)
{
  CamPreview *preview = g_new0 (CamPreview, 1);
  const int last = pixels->shape.n_dims - 1;
  gsize n;

  preview->width = pixels->shape.dims[last - 1];
  preview->height = pixels->shape.dims[last - 2];
  n = (gsize) preview->width * preview->height;
  preview->base = g_new (guint8, 3 * n);
  preview->overlay = g_new (guint8, 4 * n);
  preview->out = g_new (guint8, 3 * n);
  for (gsize i = 0; i < 3 * n; i++)
    preview->base[i] = lrintf (CLAMP (((const float *) pixels->data)[i], 0,
                                      255));
  return preview;
}

void
cam_preview_free (CamPreview *preview)
{
  g_free (preview->base);
  g_free (preview->overlay);
  g_free (preview->out);
  g_free (preview);
}

/* Blend functions of layer and backdrop, both 0..1. */

static float
blend_normal (float layer, float below)
{
  return layer;
}

static float
blend_multiply (float layer, float below)
{
  return layer * below;
}

static float
blend_screen (float layer, float below)
{
  return 1 - (1 - layer) * (1 - below);
}

static float
blend_overlay (float layer, float below)
{
  return below < 0.5f ? 2 * below * layer : 1 - 2 * (1 - layer) * (1 - below);
}

static float
blend_soft_light (float layer, float below)
{
  float multiply = below * layer, screen = blend_screen (layer, below);

  return (1 - below) * multiply + below * screen;
}

static float
blend_hard_light (float layer, float below)
{
  return layer > 0.5f ? MIN (1, 1 - (1 - below) * (1 - (layer - 0.5f) * 2))
                      : MIN (1, below * layer * 2);
}

static float
blend_addition (float layer, float below)
{
  return layer + below;
}

/* In the order of cam_layer_modes (). */
static float (*const blends[]) (float, float) = {
  blend_normal,     blend_multiply,   blend_screen,  blend_overlay,
  blend_soft_light, blend_hard_light, blend_addition
};

/* 256 x 256 results: a slider's move costs look-ups, not arithmetic. */
static void
fill_table (guint8 *table, int mode)
{
  for (int layer = 0; layer < 256; layer++)
    for (int below = 0; below < 256; below++)
      {
        float v = blends[mode](layer / 255.0f, below / 255.0f);

        table[256 * layer + below] = lrintf (255 * CLAMP (v, 0, 1));
      }
}

static guint8
mix (int below, int above, int weight) /* weight 0 .. 65535 */
{
  return below
         + ((above - below) * weight + (above >= below ? 32767 : -32767))
               / 65535;
}

static void
blend_overlay_on_base (CamPreview *preview, const CamOptions *settings)
{
  gsize n = (gsize) preview->width * preview->height;
  g_autofree guint8 *table = g_malloc (65536);
  int opacity = lrint (settings->opacity * 65535 / 100);

  fill_table (table, settings->layer_mode);
  for (gsize i = 0; i < n; i++)
    {
      const guint8 *over = preview->overlay + 4 * i;
      int weight = over[3] * opacity / 255;

      for (int c = 0; c < 3; c++)
        {
          int below = preview->base[3 * i + c];

          preview->out[3 * i + c] = mix (below, table[256 * over[c] + below],
                                         weight);
        }
    }
}

/* The heat map alone, over the checks that stand for transparency. */
static void
show_heat_map (CamPreview *preview)
{
  for (int y = 0; y < preview->height; y++)
    for (int x = 0; x < preview->width; x++)
      {
        gsize i = (gsize) y * preview->width + x;
        const guint8 *over = preview->overlay + 4 * i;
        int check = (x / CHECK + y / CHECK) % 2 ? 0x66 : 0x99;

        for (int c = 0; c < 3; c++)
          preview->out[3 * i + c] = mix (check, over[c], over[3] * 257);
      }
}

void
cam_preview_render (CamPreview *preview, const CamHeatMap *map,
                    const CamView *view, const CamOptions *settings,
                    CamShow show)
{
  if (! map || show == CAM_SHOW_ORIGINAL)
    {
      memcpy (preview->out, preview->base,
              (gsize) 3 * preview->width * preview->height);
      return;
    }
  cam_overlay_rgba (map, view, settings->colormap, settings->threshold,
                    preview->width, preview->height, 0, preview->height,
                    preview->overlay, 4 * (gsize) preview->width);
  if (show == CAM_SHOW_HEAT_MAP)
    show_heat_map (preview);
  else
    blend_overlay_on_base (preview, settings);
}
