/* input.h -- from the pixels of a picture to the input of a network, and back
 *
 * Pixels come in rows, so that a picture of any size passes through a bounded
 * amount of memory and the plug-in and the command line share every step:
 * alpha onto the background, antialiased resize (as Pillow's, to 1/255), crop
 * or pad, scale, mean and standard deviation.
 *
 * CamView remembers which rectangle of the picture the network saw, so that a
 * heat map can be laid back exactly.  Coordinates are continuous, with pixel i
 * covering [i, i + 1).
 */
#pragma once

#include "core/base/tensor.h"

typedef enum
{
  CAM_RESIZE_STRETCH,
  CAM_RESIZE_CROP,
  CAM_RESIZE_PAD
} CamResize;
typedef enum
{
  CAM_FILTER_BILINEAR,
  CAM_FILTER_BICUBIC
} CamFilter;
typedef enum
{
  CAM_CHANNELS_RGB,
  CAM_CHANNELS_BGR,
  CAM_CHANNELS_GRAY
} CamChannels;

typedef struct /* how pictures go into one network */
{
  int width, height; /* of the input, in pixels */
  CamResize resize;
  double crop_fraction; /* crop: input side / resized short side, e.g. 224/256;
                           else 1 */
  CamFilter filter;
  CamChannels channels;
  double scale; /* v = byte value (0..255) * scale ... */
  double mean[3],
      std[3]; /* ... input = (v - mean) / std, in the order of channels */
  double background[3]; /* under transparent pixels and in padding, sRGB 0..1;
                           default white for alpha */
  double pad_value[3];  /* padding, sRGB 0..1 */
  gboolean nhwc;        /* the input tensor is [1, h, w, c] */
} CamInputSettings;

typedef struct
{
  int width, height; /* of the picture, in its own pixels */
  double x, y, w, h; /* what part of the picture the whole input covers (may
                        reach outside with pad) */
  int input_width, input_height;
} CamView;

typedef enum
{
  CAM_PIXEL_RGBA8,
  CAM_PIXEL_RGB8,
  CAM_PIXEL_RGBA16,
  CAM_PIXEL_RGBA_FLOAT
} CamPixelFormat;

typedef struct _CamInputBuilder CamInputBuilder;

/* @width x @height: size of the rows that will come; @picture_width x
 * @picture_height: size of the original (larger where the decoder shrank on
 * load), to which the view refers. */
CamInputBuilder *cam_input_builder_new (const CamInputSettings *settings,
                                        int width, int height,
                                        int picture_width, int picture_height,
                                        GError **error);
/* sRGB-encoded, straight alpha; @n_rows rows top down, @stride bytes apart. */
void cam_input_builder_add_rows (CamInputBuilder *builder,
                                 CamPixelFormat format, gconstpointer pixels,
                                 gsize stride, int n_rows);
/* [1, C, H, W] float32 (or [1, H, W, C]) after all rows; frees the builder.
 * (transfer full) */
CamTensor *cam_input_builder_finish (CamInputBuilder *builder, CamView *view,
                                     GError **error);
void cam_input_builder_free (CamInputBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamInputBuilder, cam_input_builder_free)
/* The view alone, without pixels. */
void cam_view_init (CamView *view, const CamInputSettings *settings,
                    int picture_width, int picture_height);
