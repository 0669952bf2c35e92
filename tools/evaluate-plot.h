/* evaluate-plot.h -- what the report's plots have in common */
#pragma once

#include "tools/evaluate.h"

#define PLOT_WIDTH 430
#define PLOT_HEIGHT 270
#define PLOT_LEFT 46
#define PLOT_RIGHT 18
#define PLOT_TOP 14
#define PLOT_BOTTOM 40
/* of the area between the axes */
#define PLOT_ACROSS (PLOT_WIDTH - PLOT_LEFT - PLOT_RIGHT)
#define PLOT_DOWN (PLOT_HEIGHT - PLOT_TOP - PLOT_BOTTOM)

/* The colour of curve @number (static). */
const char *plot_colour (int number);
/* A figure with its caption, up to its curves, and from there. */
void plot_begin (GString *html, const char *title);
void plot_end (GString *html, const GString *key);
/* A line across at @y with its number, and what the other axis counts. */
void plot_level (GString *html, double y, double value);
void plot_axis_title (GString *html, const char *title);
/* "cluster transfer, gradcam", with @with_top_k ", top 50", in the colour. */
void plot_add_key (GString *key, const EvaluateRow *row, gboolean with_top_k,
                   const char *colour);
