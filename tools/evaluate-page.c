/* evaluate-page.c -- see evaluate-page.h */
#include "tools/evaluate-page.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/base/whole-file.h"
#include "tools/evaluate.h"

/* Light and dark, narrow windows, and paper: the table's names stay beside its
 * numbers, and no row or figure is cut by a page's end. */
static const char style[] =
    ":root{color-scheme:light dark;--ink:#1d2430;--paper:#fff;--soft:#5b6675;"
    "--faint:#7d8795;--line:#e6e9ee;--card:#f3f5f8;--best:#e0f2e7;"
    "--control:#fafbfc;--bar:#3b78c2}"
    "@media screen and (prefers-color-scheme:dark){:root{--ink:#e6e9ee;"
    "--paper:#16191e;--soft:#aab3bf;--faint:#8d97a4;--line:#31363f;"
    "--card:#22262d;--best:#1e4630;--control:#1b1f25;--bar:#6fa3e0}}"
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
    "td.bar{min-width:110px;background:linear-gradient(var(--bar),var(--bar)) "
    "no-repeat 0 100%/var(--share) 4px,var(--paper)}"
    "tr.best td{font-weight:700}"
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

void
evaluate_page_begin (GString *html, const char *title, const char *origin)
{
  g_string_append_printf (
      html,
      "<!doctype html><html lang='%s'><meta charset='utf-8'>"
      "<meta name='viewport' content='width=device-width'>"
      "<title>%s</title><style>%s</style><h1>%s</h1><p class='sub'>%s</p>"
      "<div class='cards'>",
      /* the code of the language that this is translated to */
      C_ ("HTML language", "en"), title, style, title, origin);
}

void
evaluate_page_card (GString *html, const char *value, const char *what)
{
  g_string_append_printf (html,
                          "<div class='card'><b>%s</b><span>%s</span></div>",
                          value, what);
}

gboolean
evaluate_page_write (GString *html, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "index.html", NULL);

  g_autofree char *valid = g_utf8_make_valid (html->str, (gssize) html->len);
  const CamFilePiece pieces[] = { { valid, strlen (valid) },
                                  { "</html>\n", 8 } };

  return cam_whole_file_write (path, pieces, G_N_ELEMENTS (pieces), error);
}

gboolean
evaluate_report_check (const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "index.html", NULL);

  return cam_whole_file_folder (folder, error)
         && cam_whole_file_check (path, error);
}
