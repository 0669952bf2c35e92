/* evaluate-curves.c -- deletion and insertion, drawn
 *
 * How alike the embedding stays to the original's while the pixels that a map
 * calls most important are taken away (dashed), or are all that is there
 * (solid).  A faithful map falls early and rises early.
 */
#include <math.h>

#include "tools/evaluate.h"

#define WIDTH 430
#define HEIGHT 270
#define LEFT 46
#define RIGHT 14
#define TOP 14
#define BOTTOM 40

static const char *const colours[] = { "#1b6ca8", "#d1495b", "#2e8b57",
                                       "#8e6c8a", "#c77d0a", "#555555" };

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
  return TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - MAX (similarity, 0.0));
}

static void
draw_axes (GString *html)
{
  for (int i = 0; i <= 5; i++)
    {
      double x = LEFT + (WIDTH - LEFT - RIGHT) * i / 5.0, y = y_of (i / 5.0);

      g_string_append_printf (
          html,
          "<line class='grid' x1='%d' x2='%d' y1='%.1f' y2='%.1f'/>"
          "<text x='%d' y='%.1f' text-anchor='end'>%.1f</text>"
          "<text x='%.1f' y='%d' text-anchor='middle'>%d %%</text>",
          LEFT, WIDTH - RIGHT, y, y, LEFT - 6, y + 4, i / 5.0, x,
          HEIGHT - BOTTOM + 16, 20 * i);
    }
  g_string_append_printf (html,
                          "<text x='%d' y='%d' text-anchor='middle'>pixels "
                          "taken away (dashed), or put in (solid)</text>",
                          (LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6);
}

static void
draw_curve (const Evaluation *e, guint row, int first, const char *colour,
            GString *html)
{
  g_string_append (html, "<polyline fill='none' stroke-width='2' points='");
  for (int i = 0; i <= EVALUATE_STEPS; i++)
    g_string_append_printf (html, "%.1f,%.1f ",
                            LEFT
                                + (double) (WIDTH - LEFT - RIGHT) * i
                                      / EVALUATE_STEPS,
                            y_of (mean_of (e, row, first + i)));
  g_string_append_printf (html, "' stroke='%s'%s/>", colour,
                          first > 0 ? " stroke-dasharray='5 4'" : "");
}

static void
draw_key (const EvaluateRow *row, const char *colour, GString *key)
{
  g_autofree char *name = g_markup_escape_text (row->name, -1);

  g_string_append_printf (key, "<span><i style='background:%s'></i>%s", colour,
                          name);
  if (*row->method != '\0')
    g_string_append_printf (key, ", %s, top %d", row->method, row->top_k);
  g_string_append (key, "</span>");
}

void
evaluate_plot_curves (const Evaluation *e, GString *html)
{
  g_autoptr (GString) key = g_string_new (NULL);
  int n_curves = 0;

  g_string_append_printf (
      html,
      "<h2>Deletion and insertion</h2><p class='sub'>Cosine between the "
      "embedding and the whole picture's, mean over pictures; what is away is "
      "the picture's mean colour.</p><div class='plots'><figure class='plot'>"
      "<figcaption>Similarity of the embedding</figcaption>"
      "<svg viewBox='0 0 %d %d'>",
      WIDTH, HEIGHT);
  draw_axes (html);
  for (guint r = 0; r < e->rows->len; r++)
    {
      const EvaluateRow *row = evaluate_row (e, r);
      const char *colour = colours[n_curves % (int) G_N_ELEMENTS (colours)];

      if (! is_drawn (e, row) || isnan (mean_of (e, r, 0)))
        continue;
      draw_curve (e, r, 0, colour, html);
      draw_curve (e, r, EVALUATE_STEPS + 1, colour, html);
      draw_key (row, colour, key);
      n_curves++;
    }
  g_string_append_printf (html, "</svg><p class='key'>%s</p></figure></div>",
                          key->str);
}
