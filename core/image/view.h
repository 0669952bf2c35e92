/* view.h -- the whole picture after resizing, and the input's place in it */
#pragma once

#include "core/image/input.h"

typedef struct
{
  int width, height; /* of the whole resized picture                      */
  int x, y; /* of the input's corner in it; negative where padding is left */
} CamPlacement;

void cam_placement_init (CamPlacement *place, const CamInputSettings *settings,
                         int width, int height);
