/* evaluate-sweep-report.c -- layers and scores compared, as a page */
#include "tools/evaluate-sweep.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>

#include "core/base/version.h"
#include "tools/evaluate-page.h"

static gboolean
same_trial (const CamLayerTrial *a, const CamLayerTrial *b)
{
  return g_strcmp0 (a->layer, b->layer) == 0 && a->score == b->score;
}

/* The number over a bar that is as long as its share of @most */
static void
add_number (double value, double most, GString *html)
{
  if (isnan (value))
    g_string_append (html, "<td>–</td>");
  else
    g_string_append_printf (html,
                            "<td class='bar' style='--share:%.1f%%'>%.3f</td>",
                            most > 0 ? 94 * CLAMP (value / most, 0, 1) : 0,
                            value);
}

static void
add_heads (gboolean masks, GString *html)
{
  g_string_append_printf (html,
                          "<div class='wide'><table><thead><tr><th>%s</th>"
                          "<th>%s</th><th>%s</th><th>%s</th>",
                          C_ ("column", "layer"), C_ ("column", "score"),
                          C_ ("column", "pictures"),
                          C_ ("column", "faithfulness"));
  if (masks)
    g_string_append_printf (html, "<th>%s</th><th>IoU.4</th>",
                            C_ ("column", "energy"));
  g_string_append (html, "</tr></thead>");
}

/* A table of trials; the row of the @best one stands out. */
static void
add_trials (const char *title, GPtrArray *trials, const CamLayerTrial *best,
            GString *html)
{
  gboolean masks = ! isnan (best->energy);
  double faithfulness = 0, energy = 0, iou = 0;

  for (guint i = 0; i < trials->len; i++)
    {
      const CamLayerTrial *t = g_ptr_array_index (trials, i);

      faithfulness = fmax (faithfulness, t->faithfulness);
      energy = fmax (energy, t->energy);
      iou = fmax (iou, t->iou);
    }
  g_string_append_printf (html, "<h2>%s</h2>", title);
  add_heads (masks, html);
  for (guint i = 0; i < trials->len; i++)
    {
      const CamLayerTrial *t = g_ptr_array_index (trials, i);
      g_autofree char *layer = g_markup_escape_text (t->layer, -1);

      g_string_append_printf (html,
                              "<tr%s><td>%s</td><td>%s</td><td>%d</td>",
                              same_trial (t, best) ? " class='best'" : "",
                              layer, cam_score_name (t->score), t->n_pictures);
      add_number (t->faithfulness, faithfulness, html);
      if (masks)
        {
          add_number (t->energy, energy, html);
          add_number (t->iou, iou, html);
        }
      g_string_append (html, "</tr>");
    }
  g_string_append (html, "</table></div>");
}

static void
add_head (const EvaluateSweep *sweep, GString *html)
{
  g_autofree char *n = g_strdup_printf ("%u", sweep->data->pictures->len);
  g_autofree char *masks = g_strdup_printf ("%d", sweep->data->n_masks);
  g_autofree char *model = g_markup_escape_text (sweep->model->name, -1);
  g_autofree char *layer = g_markup_escape_text (sweep->best->layer, -1);
  g_autofree char *title =
      g_strdup_printf (_ ("Layers and scores of %s, compared"), model);
  g_autofree char *origin = g_strdup_printf (_ ("camlens %s, seed %" PRId64),
                                             cam_version (),
                                             sweep->options->seed);

  evaluate_page_begin (html, title, origin);
  evaluate_page_card (html, layer, _ ("best layer"));
  evaluate_page_card (html, cam_score_name (sweep->best->score),
                      _ ("best score"));
  evaluate_page_card (html, n, _ ("pictures"));
  if (sweep->data->n_masks > 0)
    evaluate_page_card (html, masks, _ ("with masks"));
  g_string_append (html, "</div>");
}

gboolean
evaluate_sweep_report (const EvaluateSweep *sweep, const char *folder,
                       GError **error)
{
  g_autoptr (GString) html = g_string_new (NULL);

  add_head (sweep, html);
  g_string_append_printf (
      html, "<p class='sub'>%s</p>",
      isnan (sweep->best->energy)
          ? _ ("Best is what is most faithful on the half that is chosen on; "
               "the other half says what the choice is worth. Bars are shares "
               "of a column's largest number.")
          : _ ("Best is what has most energy in the masks on the half that is "
               "chosen on; the other half says what the choice is worth. Bars "
               "are shares of a column's largest number."));
  add_trials (_ ("Reported on the other half"), sweep->reported, sweep->best,
              html);
  add_trials (_ ("Chosen on one half of the pictures"), sweep->chosen,
              sweep->best, html);
  return evaluate_page_write (html, folder, error);
}
