/* evaluate-report.c -- the measures as one page with everything in it */
#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "core/base/version.h"
#include "tools/evaluate-page.h"
#include "tools/evaluate.h"

static void
add_share (GString *html, double share, const char *what)
{
  g_autofree char *text = g_strdup_printf ("%.3f", share);

  if (! isnan (share))
    evaluate_page_card (html, text, what);
}

static void
add_mask_kinds (const Evaluation *e, GString *html)
{
  for (int k = 0; k < N_MASK_KINDS; k++)
    if (e->data.mask_kinds[k] > 0)
      {
        g_autofree char *n = g_strdup_printf ("%d", e->data.mask_kinds[k]);

        evaluate_page_card (html, n, evaluate_mask_kind ((MaskKind) k));
      }
}

static void
add_head (const Evaluation *e, GString *html)
{
  g_autofree char *n = g_strdup_printf ("%u", e->data.pictures->len);
  g_autofree char *masks = g_strdup_printf ("%d", e->data.n_masks);
  g_autofree char *model = g_markup_escape_text (e->model->name, -1);
  g_autofree char *layer =
      g_markup_escape_text (g_ptr_array_index (e->layers, 0), -1);
  g_autofree char *title = g_strdup_printf (_ ("Explanations of %s, measured"),
                                            model);
  g_autofree char *origin =
      g_strdup_printf (_ ("Target layer %s; camlens %s, seed %" PRId64), layer,
                       cam_version (), e->options->seed);

  evaluate_page_begin (html, title, origin);
  evaluate_page_card (html, n, _ ("pictures"));
  if (e->data.n_masks > 0)
    evaluate_page_card (html, masks, _ ("with masks"));
  add_share (html, evaluate_recall (e), _ ("Recall@1 among them"));
  add_share (html, evaluate_recall_of_train (e),
             _ ("Recall@1 in the training pictures"));
  add_share (html, evaluate_mask_area (e),
             _ ("mask's share of the view: energy by chance"));
  add_mask_kinds (e, html);
  add_share (html, evaluate_centre (e),
             _ ("centre pixel's score in the pointing game"));
  g_string_append (html, "</div>");
}

static gboolean
is_control (const EvaluateRow *row)
{
  return row->kind >= ROW_WRONG_CLUSTER;
}

/* Largest mean of a measure over the rows that are no controls */
static double
best_of (const Evaluation *e, Measure measure)
{
  double best = -INFINITY;

  for (guint r = 0; r < e->rows->len; r++)
    {
      const EvaluateRow *row = evaluate_row (e, r);
      Interval i;

      if (row->curve || row->reason != NULL || is_control (row))
        continue;
      i = evaluate_interval (e, r, measure);
      if (i.n > 0)
        best = MAX (best, i.mean);
    }
  return best;
}

static gboolean
is_measured (const Evaluation *e, Measure measure)
{
  for (guint r = 0; r < e->rows->len; r++)
    if (evaluate_interval (e, r, measure).n > 0)
      return TRUE;
  return FALSE;
}

static void
add_cells (const Evaluation *e, guint r, const gboolean *shown,
           const double *best, GString *html)
{
  for (int m = 0; m < N_MEASURES; m++)
    {
      Interval i;

      if (! shown[m])
        continue;
      i = evaluate_interval (e, r, (Measure) m);
      if (i.n == 0)
        g_string_append (html, "<td>–</td>");
      else
        g_string_append_printf (html,
                                "<td%s>%.3f<small>%.3f … %.3f</small></td>",
                                ! is_control (evaluate_row (e, r))
                                        && i.mean >= best[m]
                                    ? " class='best'"
                                    : "",
                                i.mean, i.low, i.high);
    }
}

static void
add_row (const Evaluation *e, guint r, const gboolean *shown,
         const double *best, GString *html)
{
  const EvaluateRow *row = evaluate_row (e, r);
  g_autofree char *name = g_markup_escape_text (row->title, -1);
  g_autofree char *method = g_markup_escape_text (evaluate_row_method (row),
                                                  -1);
  g_autofree char *k = evaluate_row_channels (row);

  g_string_append_printf (html,
                          "<tr class='%s'><td>%s</td><td>%s</td><td>%s</td>",
                          row->reason != NULL ? "missing"
                          : is_control (row)  ? "control"
                                              : "",
                          name, method, k);
  if (row->reason != NULL)
    {
      g_autofree char *reason = g_markup_escape_text (_ (row->reason), -1);

      g_string_append_printf (html, "<td colspan='%d' style='text-align:left'>",
                              N_MEASURES);
      g_string_append_printf (html, _ ("not computed: %s"), reason);
      g_string_append (html, "</td>");
    }
  else
    add_cells (e, r, shown, best, html);
  g_string_append (html, "</tr>");
}

static void
add_table (const Evaluation *e, GString *html)
{
  gboolean shown[N_MEASURES];
  double best[N_MEASURES];

  g_string_append_printf (html,
                          "<h2>%s</h2><div class='wide'><table><thead><tr>"
                          "<th>%s</th><th>%s</th><th>top-k</th>",
                          _ ("Measures"), C_ ("column", "map by"),
                          C_ ("column", "method"));
  for (int m = 0; m < N_MEASURES; m++)
    {
      shown[m] = is_measured (e, (Measure) m);
      best[m] = best_of (e, (Measure) m);
      if (shown[m])
        g_string_append_printf (html, "<th>%s</th>",
                                measure_title ((Measure) m));
    }
  g_string_append (html, "</tr></thead>");
  for (guint r = 0; r < e->rows->len; r++)
    if (! evaluate_row (e, r)->curve)
      add_row (e, r, shown, best, html);
  g_string_append (html, "</table></div><p class='sub'>");
  g_string_append_printf (
      html,
      _ ("Small: 95 %% bootstrap intervals over pictures. Bold: the best of a "
         "column, controls apart. Faithfulness is measured on at most %d "
         "pictures. An all-zero map scores 0."),
      e->options->sample);
  g_string_append (html, "</p>");
}

/* The row that pictures are ranked by: cluster transfer, else own gradient,
 * with top-k */
static guint
main_row (const Evaluation *e)
{
  static const RowKind kinds[] = { ROW_CLUSTER, ROW_OWN };

  for (int i = 0; i < 2; i++)
    for (guint r = e->rows->len; r-- > 0;)
      {
        const EvaluateRow *row = evaluate_row (e, r);

        if (row->kind == kinds[i] && row->reason == NULL && ! row->curve
            && row->top_k > 0 && strcmp (row->method, "gradcam++") != 0)
          return r;
      }
  return e->rows->len - 1;
}

static void
say_ranking (const Evaluation *e, const EvaluateRow *row, GString *html)
{
  g_autofree char *title = g_markup_escape_text (row->title, -1);
  const char *text;

  if (e->data.n_masks > 0)
    text = row->top_k > 0
               ? _ ("Ranked by “%s” with top-k, energy in the mask (outlined).")
               : _ ("Ranked by “%s”, energy in the mask (outlined).");
  else
    text = row->top_k > 0 ? _ ("Ranked by “%s” with top-k, faithfulness.")
                          : _ ("Ranked by “%s”, faithfulness.");
  g_string_append_printf (html, "<h2>%s</h2><p class='sub'>", _ ("Pictures"));
  g_string_append_printf (html, text, title);
  g_string_append (html, "</p>");
}

gboolean
evaluate_report (Evaluation *e, const char *folder, GError **error)
{
  g_autoptr (GString) html = g_string_new (NULL);
  guint row = main_row (e);

  add_head (e, html);
  add_table (e, html);
  if (e->data.n_masks > 0 || e->data.n_boxes > 0)
    {
      g_string_append_printf (html, "<h2>%s</h2><div class='plots'>",
                              _ ("How many channels"));
      evaluate_plot (e, MEASURE_ENERGY, html);
      evaluate_plot (e, MEASURE_BOX, html);
      evaluate_plot (e, MEASURE_IOU_40, html);
      g_string_append (html, "</div>");
    }
  if (is_measured (e, MEASURE_FAITHFULNESS))
    evaluate_plot_curves (e, html);
  say_ranking (e, evaluate_row (e, row), html);
  if (! evaluate_show_pictures (e, row, html, error))
    return FALSE;
  return evaluate_page_write (html, folder, error);
}
