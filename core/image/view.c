/* view.c -- where a network's input lies on the picture */
#include "core/image/view.h"

#include <math.h>

/* Sizes as torchvision's Resize (an int) and CenterCrop compute them: one side
 * is met exactly, the other follows with its fraction dropped. */
static void
place_crop (CamPlacement *place, const CamInputSettings *settings, int width,
            int height)
{
  double fraction = settings->crop_fraction > 0 ? settings->crop_fraction : 1;
  int want_w = MAX (settings->width, (int) rint (settings->width / fraction));
  int want_h = MAX (settings->height, (int) rint (settings->height / fraction));

  if ((double) width * want_h <= (double) height * want_w)
    {
      place->width = want_w;
      place->height = (int) ((double) want_w * height / width);
      place->height = MAX (place->height, settings->height);
    }
  else
    {
      place->height = want_h;
      place->width = (int) ((double) want_h * width / height);
      place->width = MAX (place->width, settings->width);
    }
  place->x = (int) rint ((place->width - settings->width) / 2.0);
  place->y = (int) rint ((place->height - settings->height) / 2.0);
}

/* Sizes as Pillow's ImageOps.pad computes them. */
static void
place_pad (CamPlacement *place, const CamInputSettings *settings, int width,
           int height)
{
  place->width = settings->width;
  place->height = settings->height;
  if ((double) width * settings->height > (double) settings->width * height)
    place->height = (int) rint ((double) height / width * settings->width);
  else
    place->width = (int) rint ((double) width / height * settings->height);
  place->width = MAX (place->width, 1);
  place->height = MAX (place->height, 1);
  place->x = -(int) rint ((settings->width - place->width) * 0.5);
  place->y = -(int) rint ((settings->height - place->height) * 0.5);
}

void
cam_placement_init (CamPlacement *place, const CamInputSettings *settings,
                    int width, int height)
{
  switch (settings->resize)
    {
    case CAM_RESIZE_CROP: place_crop (place, settings, width, height); break;
    case CAM_RESIZE_PAD: place_pad (place, settings, width, height); break;
    default:
      *place = (CamPlacement) { settings->width, settings->height, 0, 0 };
    }
}

void
cam_view_init (CamView *view, const CamInputSettings *settings,
               int picture_width, int picture_height)
{
  CamPlacement place;
  double scale_x, scale_y;

  g_return_if_fail (picture_width > 0 && picture_height > 0);
  cam_placement_init (&place, settings, picture_width, picture_height);
  scale_x = (double) picture_width / place.width;
  scale_y = (double) picture_height / place.height;
  view->width = picture_width;
  view->height = picture_height;
  view->x = place.x * scale_x;
  view->y = place.y * scale_y;
  view->w = settings->width * scale_x;
  view->h = settings->height * scale_y;
  view->input_width = settings->width;
  view->input_height = settings->height;
}
