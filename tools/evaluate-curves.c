/* evaluate-curves.c -- deletion and insertion, drawn
 *
 * How alike the embedding stays to the original's while the pixels that a map
 * calls most important are taken away (dashed), or are all that is there
 * (solid).  A faithful map falls early and rises early.
 */
#include <glib/gi18n.h>
#include <math.h>

#include "tools/evaluate-plot.h"

/* Few enough to tell apart: as the method is meant, and what it is held
 * against */
static gboolean
is_drawn (const Evaluation *e, const EvaluateRow *row)
{
  if (row->curve || row->reason != NULL)
    return FALSE;
  switch (row->kind)
    {
    case ROW_OWN: return row->triplets > 1 && row->top_k > 0;
    case ROW_CLUSTER: return row->top_k > 0;
    case ROW_ACTIVATION:
    case ROW_GAUSSIAN:
    case ROW_UNIFORM: return TRUE;
    default: return FALSE;
    }
}

/* Mean over pictures of curve point @i; NaN: there is none */
static double
mean_of (const Evaluation *e, guint row, int i)
{
  double sum = 0.0;
  guint n = 0;

  for (guint p = 0; p < e->data.pictures->len; p++)
    {
      const float *curves = evaluate_score (e, p, row)->curves;

      if (curves == NULL)
        continue;
      sum += curves[i];
      n++;
    }
  return n > 0 ? sum / n : NAN;
}

static double
y_of (double similarity)
{
  return PLOT_TOP + PLOT_DOWN * (1.0 - MAX (similarity, 0.0));
}

static void
draw_axes (GString *html)
{
  for (int i = 0; i <= 5; i++)
    {
      plot_level (html, y_of (i / 5.0), i / 5.0);
      g_string_append_printf (
          html, "<text x='%.1f' y='%d' text-anchor='middle'>%d %%</text>",
          PLOT_LEFT + PLOT_ACROSS * i / 5.0, PLOT_TOP + PLOT_DOWN + 16, 20 * i);
    }
  plot_axis_title (html, _ ("pixels taken away (dashed), or put in (solid)"));
}

static void
draw_curve (const Evaluation *e, guint row, int first, const char *colour,
            GString *html)
{
  g_string_append (html, "<polyline fill='none' stroke-width='2' points='");
  for (int i = 0; i <= EVALUATE_STEPS; i++)
    g_string_append_printf (html, "%.1f,%.1f ",
                            PLOT_LEFT
                                + (double) PLOT_ACROSS * i / EVALUATE_STEPS,
                            y_of (mean_of (e, row, first + i)));
  g_string_append_printf (html, "' stroke='%s'%s/>", colour,
                          first > 0 ? " stroke-dasharray='5 4'" : "");
}

void
evaluate_plot_curves (const Evaluation *e, GString *html)
{
  g_autoptr (GString) key = g_string_new (NULL);
  int n_curves = 0;

  g_string_append_printf (
      html, "<h2>%s</h2><p class='sub'>%s</p><div class='plots'>",
      _ ("Deletion and insertion"),
      _ ("Cosine between the embedding and the whole picture's, mean over "
         "pictures; what is away is the picture's mean colour."));
  plot_begin (html, _ ("Similarity of the embedding"));
  draw_axes (html);
  for (guint r = 0; r < e->rows->len; r++)
    {
      const EvaluateRow *row = evaluate_row (e, r);
      const char *colour = plot_colour (n_curves);

      if (! is_drawn (e, row) || isnan (mean_of (e, r, 0)))
        continue;
      draw_curve (e, r, 0, colour, html);
      draw_curve (e, r, EVALUATE_STEPS + 1, colour, html);
      plot_add_key (key, row, TRUE, colour);
      n_curves++;
    }
  plot_end (html, key);
  g_string_append (html, "</div>");
}
