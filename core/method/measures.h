/* measures.h -- how well a map agrees with a mask (method.md section 7)
 *
 * Maps and masks are [height, width] floats in the same place; masks are 0..1,
 * inside is 0.5 and more.  An all-zero map scores 0 on all.
 */
#pragma once

#include <glib.h>

typedef struct /* pixels [x0, x1) by [y0, y1) */
{
  int x0, y0, x1, y1;
} CamBox;

/* sum of M inside the mask / sum of M */
double cam_measure_energy (const float *map, const float *mask, gsize n);
/* of {M >= t max M} with the mask */
double cam_measure_iou (const float *map, const float *mask, gsize n, double t);
/* Whether the (first) largest value lies inside the mask */
gboolean cam_measure_pointing (const float *map, const float *mask, gsize n);
/* The box around the largest 8-connected part of {M >= t max M}, the first in
 * reading order of equals.  FALSE: the map is all zero. */
gboolean cam_measure_box (const float *map, int width, int height, double t,
                          CamBox *box);
/* The box around all of the mask; FALSE: it is empty. */
gboolean cam_mask_box (const float *mask, int width, int height, CamBox *box);
double cam_box_iou (const CamBox *a, const CamBox *b);
