/* evaluate-plot.c -- a measure over the number of channels, as SVG */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "tools/evaluate-plot.h"

const char *
plot_colour (int number)
{
  /* Okabe and Ito's, which colour-blind readers tell apart; gray for black,
   * to be seen on dark paper too */
  static const char *const colours[] = { "#0072b2", "#d55e00", "#009e73",
                                         "#cc79a7", "#e69f00", "#777777" };

  return colours[number % (int) G_N_ELEMENTS (colours)];
}

void
plot_begin (GString *html, const char *title)
{
  g_string_append_printf (html,
                          "<figure class='plot'><figcaption>%s</figcaption>"
                          "<svg viewBox='0 0 %d %d'>",
                          title, PLOT_WIDTH, PLOT_HEIGHT);
}

void
plot_end (GString *html, const GString *key)
{
  g_string_append_printf (html, "</svg><p class='key'>%s</p></figure>",
                          key->str);
}

void
plot_level (GString *html, double y, double value)
{
  g_string_append_printf (html,
                          "<line class='grid' x1='%d' x2='%d' y1='%.1f' "
                          "y2='%.1f'/>"
                          "<text x='%d' y='%.1f' text-anchor='end'>%.1f</text>",
                          PLOT_LEFT, PLOT_LEFT + PLOT_ACROSS, y, y,
                          PLOT_LEFT - 6, y + 4, value);
}

void
plot_axis_title (GString *html, const char *title)
{
  g_string_append_printf (html,
                          "<text x='%d' y='%d' text-anchor='middle'>%s</text>",
                          PLOT_LEFT + PLOT_ACROSS / 2, PLOT_HEIGHT - 6, title);
}

void
plot_add_key (GString *key, const EvaluateRow *row, gboolean with_top_k,
              const char *colour)
{
  g_autofree char *name = g_markup_escape_text (row->title, -1);
  g_autofree char *method = g_markup_escape_text (evaluate_row_method (row),
                                                  -1);

  g_string_append_printf (key, "<span><i style='background:%s'></i>%s", colour,
                          name);
  if (*row->method != '\0')
    g_string_append_printf (key, ", %s", method);
  if (*row->method != '\0' && with_top_k)
    {
      g_string_append (key, ", ");
      g_string_append_printf (key, _ ("top %d"), row->top_k);
    }
  g_string_append (key, "</span>");
}

typedef struct
{
  const Evaluation *e;
  Measure measure;
  int n_channels; /* stands for "all" */
  double low, high;
} Plot;

static double
x_of (const Plot *plot, int top_k)
{
  double k = top_k > 0 ? top_k : plot->n_channels;

  return PLOT_LEFT + PLOT_ACROSS * log (k) / log (MAX (plot->n_channels, 2));
}

static double
y_of (const Plot *plot, double v)
{
  return PLOT_TOP + PLOT_DOWN * (plot->high - v) / (plot->high - plot->low);
}

static gboolean
same_curve (const EvaluateRow *a, const EvaluateRow *b)
{
  return strcmp (a->name, b->name) == 0 && strcmp (a->method, b->method) == 0;
}

static gboolean
is_shown (const Plot *plot, const EvaluateRow *row)
{
  return row->curve && row->top_k < plot->n_channels;
}

static void
find_range (Plot *plot)
{
  plot->low = 1.0;
  plot->high = 0.0;
  for (guint r = 0; r < plot->e->rows->len; r++)
    {
      Interval i;

      if (! is_shown (plot, evaluate_row (plot->e, r)))
        continue;
      i = evaluate_interval (plot->e, r, plot->measure);
      if (i.n == 0)
        continue;
      plot->low = MIN (plot->low, i.low);
      plot->high = MAX (plot->high, i.high);
    }
  plot->low = floor (plot->low * 10.0) / 10.0;
  plot->high = ceil (plot->high * 10.0) / 10.0;
}

static void
draw_axes (const Plot *plot, GString *html)
{
  static const int ks[] = { 1, 10, 50, 100, 1000, 0 };

  for (int i = 0; plot->low + 0.1 * i <= plot->high + 1e-9; i++)
    {
      double v = plot->low + 0.1 * i;

      plot_level (html, y_of (plot, v), v);
    }
  for (guint i = 0; i < G_N_ELEMENTS (ks); i++)
    {
      double x = x_of (plot, ks[i]);

      if (ks[i] > 0.6 * plot->n_channels)
        continue;
      g_string_append_printf (html,
                              "<line class='grid' x1='%.1f' x2='%.1f' y1='%d' "
                              "y2='%d'/>",
                              x, x, PLOT_TOP, PLOT_TOP + PLOT_DOWN);
      if (ks[i] > 0)
        g_string_append_printf (html,
                                "<text x='%.1f' y='%d' "
                                "text-anchor='middle'>%d</text>",
                                x, PLOT_TOP + PLOT_DOWN + 16, ks[i]);
      else
        g_string_append_printf (html,
                                "<text x='%.1f' y='%d' "
                                "text-anchor='middle'>%s</text>",
                                x, PLOT_TOP + PLOT_DOWN + 16,
                                C_ ("channels", "all"));
    }
  plot_axis_title (html, _ ("channels kept (top-k)"));
}

/* The band of the interval, then the line of the means */
static void
draw_curve (const Plot *plot, guint first, const char *colour, GString *html)
{
  g_autoptr (GString) line = g_string_new (NULL);
  g_autoptr (GString) upper = g_string_new (NULL);
  g_autoptr (GString) lower = g_string_new (NULL);

  for (guint r = first; r < plot->e->rows->len; r++)
    {
      const EvaluateRow *row = evaluate_row (plot->e, r);
      g_autofree char *point = NULL;
      double x = x_of (plot, row->top_k);
      Interval i;

      if (! is_shown (plot, row)
          || ! same_curve (row, evaluate_row (plot->e, first)))
        continue;
      i = evaluate_interval (plot->e, r, plot->measure);
      if (i.n == 0)
        continue;
      g_string_append_printf (line, "%.1f,%.1f ", x, y_of (plot, i.mean));
      g_string_append_printf (upper, "%.1f,%.1f ", x, y_of (plot, i.high));
      point = g_strdup_printf ("%.1f,%.1f ", x, y_of (plot, i.low));
      g_string_prepend (lower, point);
    }
  g_string_append_printf (
      html,
      "<polygon points='%s%s' fill='%s' fill-opacity='0.12'/>"
      "<polyline points='%s' fill='none' stroke='%s' stroke-width='2'/>",
      upper->str, lower->str, colour, line->str, colour);
}

static int
count_channels (const Evaluation *e)
{
  return e->databases->len > 0
             ? cam_cluster_db_info (g_ptr_array_index (e->databases, 0))
                   ->n_channels
             : 1024;
}

void
evaluate_plot (const Evaluation *e, Measure measure, GString *html)
{
  Plot plot = { e, measure, count_channels (e), 0, 0 };
  g_autoptr (GString) key = g_string_new (NULL);
  int n_curves = 0;

  find_range (&plot);
  if (plot.low >= plot.high)
    return;
  plot_begin (html, measure_title (measure));
  draw_axes (&plot, html);
  for (guint r = 0; r < e->rows->len; r++)
    {
      const EvaluateRow *row = evaluate_row (e, r);
      const char *colour = plot_colour (n_curves);

      if (! row->curve || row->reason != NULL
          || (r > 0 && evaluate_row (e, r - 1)->curve
              && same_curve (row, evaluate_row (e, r - 1))))
        continue;
      draw_curve (&plot, r, colour, html);
      plot_add_key (key, row, FALSE, colour);
      n_curves++;
    }
  plot_end (html, key);
}
