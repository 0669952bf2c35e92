/* evaluate-report.c -- the measures as one page with everything in it */
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "core/base/version.h"
#include "tools/evaluate.h"

static const char style[] =
    ":root{color-scheme:light}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:28px "
    "32px 60px;max-width:1500px;color:#1d2430;background:#fff}"
    "h1{font-size:26px;margin:0 0 2px}h2{font-size:19px;margin:38px 0 8px}"
    "h3{font-size:15px;margin:22px 0 6px;color:#5b6675}"
    ".sub{color:#5b6675;margin:0 0 20px}"
    ".cards{display:flex;flex-wrap:wrap;gap:12px}"
    ".card{background:#f3f5f8;border-radius:8px;padding:10px 16px}"
    ".card b{display:block;font-size:21px}.card span{color:#5b6675;"
    "font-size:13px}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:collapse;font-variant-numeric:tabular-nums}"
    "th,td{padding:5px 10px;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid #e6e9ee}"
    "th{font-size:12px;color:#5b6675;font-weight:600;vertical-align:bottom;"
    "white-space:normal;max-width:110px}"
    "td:first-child,th:first-child,td:nth-child(2),th:nth-child(2)"
    "{text-align:left}"
    "td small{display:block;color:#7d8795;font-size:11px;line-height:1.2}"
    "td.best{font-weight:700;background:#e8f4ec}"
    "tr.control td{color:#6c7480;background:#fafbfc}"
    "tr.missing td{color:#9aa2ad}"
    ".plots{display:flex;flex-wrap:wrap;gap:26px}"
    "figure{margin:0}.plot{width:430px}.plot figcaption{font-weight:600;"
    "margin-bottom:4px}"
    "svg{width:100%;height:auto}svg text{font:11px system-ui,sans-serif;"
    "fill:#5b6675}.grid{stroke:#e6e9ee}"
    ".key span{display:inline-block;margin-right:16px;font-size:12px;"
    "color:#3d4653}.key i{display:inline-block;width:14px;height:3px;"
    "margin:0 6px 3px 0}"
    ".strip{display:flex;flex-wrap:wrap;gap:12px 10px;padding:0 0 22px;"
    "margin-bottom:14px;border-bottom:1px solid #e6e9ee;"
    "align-items:flex-start}"
    ".strip figure{flex:none;width:190px}.strip img{border-radius:4px;"
    "display:block}"
    ".strip figcaption{font-size:11.5px;line-height:1.35;color:#5b6675;"
    "margin-top:4px;overflow-wrap:anywhere}.strip b{color:#1d2430;"
    "font-weight:600;display:block}";

static void
add_card (GString *html, const char *value, const char *what)
{
  g_string_append_printf (html,
                          "<div class='card'><b>%s</b><span>%s</span></div>",
                          value, what);
}

static void
add_share (GString *html, double share, const char *what)
{
  g_autofree char *text = g_strdup_printf ("%.3f", share);

  if (! isnan (share))
    add_card (html, text, what);
}

static void
add_head (const Evaluation *e, GString *html)
{
  g_autofree char *n = g_strdup_printf ("%u", e->data.pictures->len);
  g_autofree char *masks = g_strdup_printf ("%d", e->data.n_masks);
  g_autofree char *model = g_markup_escape_text (e->model->name, -1);
  g_autofree char *layer =
      g_markup_escape_text (g_ptr_array_index (e->layers, 0), -1);

  g_string_append_printf (
      html,
      "<!doctype html><html lang='en'><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width'>"
      "<title>Explanations of %s, measured</title><style>%s</style>"
      "<h1>Explanations of %s, measured</h1><p class='sub'>Target layer %s; "
      "camlens %s, seed %" G_GINT64_FORMAT "</p><div class='cards'>",
      model, style, model, layer, cam_version (), e->options->seed);
  add_card (html, n, "pictures");
  if (e->data.n_masks > 0)
    add_card (html, masks, "with masks");
  add_share (html, evaluate_recall (e), "Recall@1 among them");
  add_share (html, evaluate_recall_of_train (e),
             "Recall@1 in the training pictures");
  add_share (html, evaluate_mask_area (e),
             "mask's share of the view: energy by chance");
  add_share (html, evaluate_centre (e),
             "centre pixel's score in the pointing game");
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
  g_autofree char *name = g_markup_escape_text (row->name, -1);
  g_autofree char *k = row->kind >= ROW_ACTIVATION ? g_strdup ("")
                       : row->top_k > 0 ? g_strdup_printf ("%d", row->top_k)
                                        : g_strdup ("all");

  g_string_append_printf (html,
                          "<tr class='%s'><td>%s</td><td>%s</td><td>%s</td>",
                          row->reason != NULL ? "missing"
                          : is_control (row)  ? "control"
                                              : "",
                          name, row->method, k);
  if (row->reason != NULL)
    {
      g_autofree char *reason = g_markup_escape_text (row->reason, -1);

      g_string_append_printf (html,
                              "<td colspan='%d' style='text-align:left'>not "
                              "computed: %s</td>",
                              N_MEASURES, reason);
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

  g_string_append (html, "<h2>Measures</h2><div class='wide'><table><tr>"
                         "<th>map by</th><th>method</th><th>top-k</th>");
  for (int m = 0; m < N_MEASURES; m++)
    {
      shown[m] = is_measured (e, (Measure) m);
      best[m] = best_of (e, (Measure) m);
      if (shown[m])
        g_string_append_printf (html, "<th>%s</th>",
                                measure_title ((Measure) m));
    }
  g_string_append (html, "</tr>");
  for (guint r = 0; r < e->rows->len; r++)
    if (! evaluate_row (e, r)->curve)
      add_row (e, r, shown, best, html);
  g_string_append_printf (
      html,
      "</table></div><p class='sub'>Small: 95 %% bootstrap intervals over "
      "pictures. Bold: the best of a column, controls apart. Faithfulness is "
      "measured on at most %d pictures. An all-zero map scores 0.</p>",
      e->options->sample);
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

gboolean
evaluate_report (Evaluation *e, const char *folder, GError **error)
{
  g_autoptr (GString) html = g_string_new (NULL);
  g_autofree char *path = g_build_filename (folder, "index.html", NULL);
  guint row = main_row (e);

  if (g_mkdir_with_parents (folder, 0777) != 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   "Cannot make the folder “%s”.", folder);
      return FALSE;
    }
  add_head (e, html);
  add_table (e, html);
  if (e->data.n_masks > 0 || e->data.n_boxes > 0)
    {
      g_string_append (html, "<h2>How many channels</h2><div class='plots'>");
      evaluate_plot (e, MEASURE_ENERGY, html);
      evaluate_plot (e, MEASURE_BOX, html);
      evaluate_plot (e, MEASURE_IOU_40, html);
      g_string_append (html, "</div>");
    }
  if (is_measured (e, MEASURE_FAITHFULNESS))
    evaluate_plot_curves (e, html);
  g_string_append_printf (html,
                          "<h2>Pictures</h2><p class='sub'>Ranked by “%s”%s%s."
                          "</p>",
                          evaluate_row (e, row)->name,
                          evaluate_row (e, row)->top_k > 0 ? " with top-k" : "",
                          e->data.n_masks > 0
                              ? ", energy in the mask (outlined)"
                              : ", faithfulness");
  if (! evaluate_show_pictures (e, row, html, error))
    return FALSE;
  g_string_append (html, "</html>\n");
  return g_file_set_contents (path, html->str, (gssize) html->len, error);
}
