/* evaluate-report.c -- the measures as one page with everything in it */
#include <errno.h>
#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include <glib/gstdio.h>

#include "core/base/version.h"
#include "core/base/whole-file.h"
#include "tools/evaluate.h"

/* Light and dark, narrow windows, and paper: the table's names stay beside its
 * numbers, and no row or figure is cut by a page's end. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1d2430;--paper:#fff;--soft:#5b6675;"
    "--faint:#7d8795;--line:#e6e9ee;--card:#f3f5f8;--best:#e0f2e7;"
    "--control:#fafbfc}"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e9ee;"
    "--paper:#16191e;--soft:#aab3bf;--faint:#8d97a4;--line:#31363f;"
    "--card:#22262d;--best:#1e4630;--control:#1b1f25}}"
    "body{font:15px/1.5 system-ui,sans-serif;margin:0 auto;padding:28px "
    "32px 60px;max-width:1500px;color:var(--ink);background:var(--paper)}"
    "h1{font-size:26px;margin:0 0 2px}h2{font-size:19px;margin:38px 0 8px}"
    "h3{font-size:16px;margin:22px 0 8px}"
    ".sub{color:var(--soft);margin:8px 0 20px}"
    ".cards{display:flex;flex-wrap:wrap;gap:12px}"
    ".card{background:var(--card);border-radius:8px;padding:10px 16px}"
    ".card b{display:block;font-size:21px}.card span{color:var(--soft);"
    "font-size:13px}"
    ".wide{overflow-x:auto}"
    "table{border-collapse:separate;border-spacing:0;font-variant-numeric:tabular-nums}"
    "th,td{padding:5px 10px;text-align:right;white-space:nowrap;"
    "border-bottom:1px solid var(--line);background:var(--paper)}"
    "th{font-size:12px;color:var(--soft);font-weight:600;"
    "vertical-align:bottom;white-space:normal;max-width:110px}"
    "th:nth-child(3){white-space:nowrap}"
    "td:first-child,th:first-child{position:sticky;left:0}"
    "td:first-child,th:first-child,td:nth-child(2),th:nth-child(2)"
    "{text-align:left}"
    "td small{display:block;color:var(--faint);font-size:11px;line-height:1.2}"
    "td.best{font-weight:700;background:var(--best)}"
    "tr.control td{color:var(--soft);background:var(--control)}"
    "tr.missing td{color:var(--faint)}"
    ".plots{display:grid;gap:26px;"
    "grid-template-columns:repeat(auto-fill,minmax(min(100%,350px),1fr))}"
    "figure{margin:0}.plot{max-width:460px}.plot figcaption{font-weight:600;"
    "margin-bottom:4px}"
    "svg{width:100%;height:auto;display:block}"
    "svg text{font:11px system-ui,sans-serif;fill:var(--soft)}"
    ".grid{stroke:var(--line)}.key{margin:6px 0 0;line-height:1.6}"
    ".key span{display:inline-block;margin-right:16px;font-size:12px}"
    ".key i{display:inline-block;width:14px;height:3px;margin:0 6px 3px 0}"
    ".strip{display:grid;gap:12px 10px;padding:0 0 22px;margin-bottom:14px;"
    "grid-template-columns:repeat(auto-fill,minmax(150px,190px));"
    "border-bottom:1px solid var(--line);align-items:start}"
    ".strip img{border-radius:4px;display:block;max-width:100%;height:auto}"
    ".strip figcaption{font-size:11.5px;line-height:1.35;color:var(--soft);"
    "margin-top:4px;overflow-wrap:anywhere}.strip b{color:var(--ink);"
    "font-weight:600;display:block}"
    "@media (max-width:700px){body{padding:16px 14px 40px}th,td{padding:5px "
    "7px}td:first-child,th:first-child{white-space:normal;min-width:96px}"
    ".strip{grid-template-columns:repeat(auto-fill,minmax(140px,1fr))}}"
    "@page{size:A4 landscape;margin:12mm}"
    "@media print{:root{color-scheme:light}"
    "body{font-size:11px;padding:0;max-width:none}"
    "*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
    ".wide{overflow:visible}th,td{padding:2px 7px;position:static}"
    "td small{font-size:9px}tr,figure,.card{break-inside:avoid}"
    "h2,h3,h2+.sub{break-after:avoid}.plots{break-inside:avoid;grid-template-columns:repeat(3,1fr)}}";

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
  g_autofree char *title = g_strdup_printf (_ ("Explanations of %s, measured"),
                                            model);
  g_autofree char *origin =
      g_strdup_printf (_ ("Target layer %s; camlens %s, seed %" PRId64), layer,
                       cam_version (), e->options->seed);

  g_string_append_printf (
      html,
      "<!doctype html><html lang='%s'><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width'>"
      "<title>%s</title><style>%s</style><h1>%s</h1><p class='sub'>%s</p>"
      "<div class='cards'>",
      /* the code of the language that this is translated to */
      C_ ("HTML language", "en"), title, style, title, origin);
  add_card (html, n, _ ("pictures"));
  if (e->data.n_masks > 0)
    add_card (html, masks, _ ("with masks"));
  add_share (html, evaluate_recall (e), _ ("Recall@1 among them"));
  add_share (html, evaluate_recall_of_train (e),
             _ ("Recall@1 in the training pictures"));
  add_share (html, evaluate_mask_area (e),
             _ ("mask's share of the view: energy by chance"));
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
  g_autofree char *k = evaluate_row_channels (row);

  g_string_append_printf (html,
                          "<tr class='%s'><td>%s</td><td>%s</td><td>%s</td>",
                          row->reason != NULL ? "missing"
                          : is_control (row)  ? "control"
                                              : "",
                          name, evaluate_row_method (row), k);
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
evaluate_report_check (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "index.html", NULL);

  if (g_mkdir_with_parents (folder, 0777) == 0)
    return cam_whole_file_check (path, error);
  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno),
               _ ("Cannot make the folder “%s”."), folder);
  return FALSE;
}

gboolean
evaluate_report (Evaluation *e, const char *folder, GError **error)
{
  g_autoptr (GString) html = g_string_new (NULL);
  g_autofree char *path = g_build_filename (folder, "index.html", NULL);
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
  g_string_append (html, "</html>\n");
  return cam_whole_file_write (
      path, &(CamFilePiece){ html->str, html->len }, 1, error);
}
