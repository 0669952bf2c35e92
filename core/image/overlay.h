/* overlay.h -- a class activation map as a picture over what it explains
 *
 * method.md section 6: enlarged bilinearly (half-pixel centres) to the pixels
 * that the network saw, transparent elsewhere and where at or below the
 * threshold.
 */
#pragma once

#include "core/image/input.h"

typedef enum
{
  CAM_COLORMAP_TURBO,
  CAM_COLORMAP_VIRIDIS,
  CAM_COLORMAP_INFERNO,
  CAM_COLORMAP_JET,
  CAM_COLORMAP_GRAY,
  CAM_N_COLORMAPS
} CamColormap;

const char *cam_colormap_name (CamColormap colormap); /* "turbo" */
gboolean cam_colormap_parse (const char *name, CamColormap *colormap);
/* 256 x RGB, 0..255 (static) */
const guint8 *cam_colormap_table (CamColormap colormap);

typedef enum /* why a map is empty */
{
  CAM_EMPTY_NOT,           /* it is not                                      */
  CAM_EMPTY_SILENT,        /* all activations of the layer are zero          */
  CAM_EMPTY_WEIGHTLESS,    /* all channel weights are zero                   */
  CAM_EMPTY_AGAINST,       /* what the kept channels say is nothing, or
                              against                                        */
  CAM_EMPTY_ROUNDING,      /* what they say cancels out but for rounding     */
  CAM_EMPTY_TINY,          /* its maximum is too small to divide by          */
  /* weightless, where the weights are an own gradient's: */
  CAM_EMPTY_SAME_POSITIVE, /* the picture is its own positive                */
  CAM_EMPTY_SAME_EXAMPLES, /* positive and negative are the same             */
  CAM_EMPTY_NO_DIRECTION,  /* an embedding is all zeros                      */
  CAM_EMPTY_NO_GRADIENT    /* for none of these reasons                      */
} CamEmpty;

typedef struct /* a map M, clipped at 0, h x w, with its maximum */
{
  int width, height;
  float *values;   /* owned; finite */
  float maximum;   /* 0: the map is empty; else a normal number */
  CamEmpty empty;  /* why */
  gboolean helped; /* empty, but it would not be with all channels */
} CamHeatMap;

void cam_heat_map_free (CamHeatMap *map);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamHeatMap, cam_heat_map_free)

/* The map laid on the picture, values over the maximum (0..1), 0 where the
 * network did not see; rows y0 .. y0 + n_rows - 1 of a @out_width x @out_height
 * picture of the whole of view->width x view->height (smaller for previews). */
void cam_overlay_values (const CamHeatMap *map, const CamView *view,
                         int out_width, int out_height, int y0, int n_rows,
                         float *out);
/* The same coloured: RGBA8, straight alpha (opacity not applied). */
void cam_overlay_rgba (const CamHeatMap *map, const CamView *view,
                       CamColormap colormap, double threshold, int out_width,
                       int out_height, int y0, int n_rows, guint8 *out,
                       gsize stride);
/* source-over of an RGBA8 overlay at @opacity (0..1) on @base (RGBA8, in
 * place), n pixels, in sRGB. */
void cam_overlay_blend (const guint8 *overlay, double opacity, guint8 *base,
                        gsize n_pixels);
