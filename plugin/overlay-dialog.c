/* overlay-dialog.c -- see overlay-dialog.h */
#include "config.h"
#include "plugin/overlay-dialog.h"
#include "plugin/apply.h"
#include "plugin/pixels.h"
#include "plugin/preview.h"
#include "plugin/procedures.h"
#include "plugin/steps.h"
#include "plugin/timing.h"
#include <glib/gi18n.h>

#define PULSE_MS 100

typedef struct
{
  gboolean example;
  CamSteps *steps;
  CamOptions *settings;
  const CamSource *source;
  CamOverlayPanel *panel;
  GtkWidget *dialog;
  CamPreview *preview;
  guint render, pulse; /* sources of the main loop */
  const char *doing;
  int shown_cluster, shown_match; /* evidence on the screen; -1: none */
  CamEmpty shown_empty;
  gboolean shown_helped;
  gboolean had_focus; /* OK, once it could be pressed */
} Dialog;

/* ---- the preview ---- */

static gboolean
render (gpointer data)
{
  Dialog *d = data;
  const CamExplanation *explanation = cam_steps_explanation (d->steps);
  CamOptions look = *d->settings; /* its strings stay theirs */

  look.colormap = cam_apply_colormap (d->source, d->settings);
  d->render = 0;
  if (! d->preview)
    return G_SOURCE_REMOVE;
  cam_preview_render (d->preview, explanation ? explanation->map : NULL,
                      explanation ? &explanation->view : NULL, &look,
                      cam_overlay_panel_show (d->panel));
  cam_overlay_panel_set_pixels (d->panel, d->preview->out, d->preview->width,
                                d->preview->height, 3 * d->preview->width);
  cam_timing ("preview");
  return G_SOURCE_REMOVE;
}

/* Many moves of a slider become one picture. */
static void
queue_render (Dialog *d)
{
  if (! d->render)
    d->render = g_idle_add_full (G_PRIORITY_HIGH_IDLE, render, d, NULL);
}

/* ---- what the explanation rests on ---- */

static void
show_evidence (Dialog *d, const CamExplanation *explanation)
{
  CamClusterDb *db = cam_steps_loaded (d->steps)->db;
  const CamLookup *lookup = &explanation->lookup;
  g_autoptr (CamCluster)
      members = cam_cluster_db_cluster (db, lookup->cluster, NULL);
  CamExemplar *neighbour =
      lookup->transfer == CAM_TRANSFER_NEIGHBOUR
          ? cam_cluster_db_picture (db, lookup->match.index, NULL)
          : NULL;
  CamEvidence evidence = { lookup->cluster,
                           cam_cluster_db_info (db)->n_clusters,
                           members,
                           neighbour,
                           lookup->match.similarity,
                           lookup->far,
                           explanation->map->empty,
                           explanation->map->helped,
                           lookup->far_unknown };

  cam_overlay_panel_set_evidence (d->panel, &evidence);
  if (neighbour)
    cam_exemplar_free (neighbour);
}

static void
update_evidence (Dialog *d)
{
  const CamExplanation *explanation = cam_steps_explanation (d->steps);
  int cluster = explanation ? explanation->lookup.cluster : -1;
  int match = explanation ? explanation->lookup.match.index : -1;
  CamEmpty empty = explanation ? explanation->map->empty : CAM_EMPTY_NOT;
  gboolean helped = explanation && explanation->map->helped;

  if (cluster == d->shown_cluster && match == d->shown_match
      && empty == d->shown_empty && helped == d->shown_helped)
    return;
  d->shown_cluster = cluster;
  d->shown_match = match;
  d->shown_empty = empty;
  d->shown_helped = helped;
  if (explanation && cluster >= 0)
    show_evidence (d, explanation);
  else if (empty != CAM_EMPTY_NOT)
    cam_overlay_panel_set_evidence (d->panel,
                                    &(CamEvidence){ .empty = empty,
                                                    .helped = helped });
  else
    cam_overlay_panel_set_evidence (d->panel, NULL);
}

/* ---- what the steps report ---- */

static gboolean
pulse (gpointer data)
{
  Dialog *d = data;

  cam_overlay_panel_set_progress (d->panel, d->doing,
                                  cam_steps_fraction (d->steps));
  return G_SOURCE_CONTINUE;
}

static void
stop_pulse (Dialog *d)
{
  if (d->pulse)
    g_source_remove (d->pulse);
  d->pulse = 0;
}

static void
can_finish (Dialog *d)
{
  gboolean ready = cam_steps_explanation (d->steps)
                   && cam_apply_check (d->source, d->settings, NULL);

  gtk_dialog_set_response_sensitive (GTK_DIALOG (d->dialog), GTK_RESPONSE_OK,
                                     ready);
  if (ready && ! d->had_focus && ! d->example)
    {
      d->had_focus = TRUE; /* Enter presses it, then, on GTK 2 and 3 */
      gtk_widget_grab_focus (gtk_dialog_get_widget_for_response (
          GTK_DIALOG (d->dialog), GTK_RESPONSE_OK));
    }
}

/* The name of the layer that OK would make. */
static void
show_ready (Dialog *d)
{
  g_autofree char *text =
      g_strdup_printf (_ ("New layer: %s"),
                       cam_steps_explanation (d->steps)->name);

  cam_overlay_panel_set_progress (d->panel, text, 2);
}

static void
reported (const CamReport *report, gpointer data)
{
  Dialog *d = data;
  CamLoaded *loaded = cam_steps_loaded (d->steps);

  d->doing = report->doing;
  if (report->doing && ! d->pulse)
    d->pulse = g_timeout_add (PULSE_MS, pulse, d);
  if (! report->doing)
    stop_pulse (d);
  if (report->loaded && loaded)
    cam_overlay_panel_set_databases (d->panel, loaded->databases,
                                     loaded->db
                                         ? cam_cluster_db_path (loaded->db)
                                         : d->settings->database);
  if (report->loaded && loaded)
    cam_overlay_panel_set_doubts (d->panel, loaded->model->warnings);
  else if (report->error && ! loaded)
    cam_overlay_panel_set_doubts (d->panel, NULL);
  if (report->n_channels)
    cam_overlay_panel_set_channels (d->panel, report->n_channels);
  if (report->pixels)
    {
      g_clear_pointer (&d->preview, cam_preview_free);
      d->preview = cam_preview_new (report->pixels);
    }
  update_evidence (d);
  queue_render (d);
  if (report->error)
    cam_overlay_panel_set_error (d->panel, report->error->message);
  else if (report->hint)
    cam_overlay_panel_set_progress (d->panel, report->hint, 2);
  else if (! report->doing)
    show_ready (d);
  can_finish (d);
}

/* ---- what the person does ---- */

static void
changed (CamChanged what, gpointer data)
{
  Dialog *d = data;

  cam_timing ("waiting");
  if (what == CAM_CHANGED_LOOK)
    {
      queue_render (d);
      can_finish (d);
      if (cam_steps_explanation (d->steps))
        show_ready (d);
      return;
    }
  cam_steps_changed (d->steps, what);
}

static void
reset (Dialog *d)
{
  g_autoptr (CamOptions) fresh = cam_options_new ();

  cam_options_assign (d->settings, fresh);
  cam_overlay_panel_refresh (d->panel);
  changed (CAM_CHANGED_ALL, d);
}

/* Help and Reset leave the dialog up. */
static gboolean
run_dialog (Dialog *d)
{
  int response;

  while ((response = cam_host_dialog_run (d->dialog)) == CAM_RESPONSE_RESET)
    reset (d);
  return response == GTK_RESPONSE_OK;
}

/* The layers of all open images but the one that is explained. */
static void
offer_layers (Dialog *d, CamPanelSettings *offer)
{
  g_autoptr (GPtrArray) layers = cam_host_layers ();

  offer->layer_titles = g_ptr_array_new_with_free_func (g_free);
  offer->layer_names = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < layers->len; i++)
    {
      const CamOpenLayer *open = g_ptr_array_index (layers, i);

      if (open->layer == d->source->layer)
        continue;
      g_ptr_array_add (offer->layer_titles, g_strdup (open->title));
      g_ptr_array_add (offer->layer_names,
                       g_strdup_printf ("layer:%d", open->layer));
    }
}

static void
build (Dialog *d, GPtrArray *models, const char *presets)
{
  CamPanelSettings offer = { .example = d->example,
                             .gray = d->source->type == CAM_IMAGE_GRAY,
                             .indexed = d->source->type == CAM_IMAGE_INDEXED,
                             .models = models,
                             .presets = presets };

  d->dialog = cam_host_dialog_new (d->example ? _ ("Explain by Example")
                                              : _ ("Grad-CAM Overlay"),
                                   "camlens-overlay", _ ("_OK"),
                                   d->example ? CAM_PROC_EXAMPLE
                                              : CAM_PROC_OVERLAY);
  offer_layers (d, &offer);
  d->panel = cam_overlay_panel_new (d->settings, &offer, changed, d);
  g_ptr_array_unref (offer.layer_titles);
  g_ptr_array_unref (offer.layer_names);
  gtk_box_pack_start (
      GTK_BOX (gtk_dialog_get_content_area (GTK_DIALOG (d->dialog))),
      cam_overlay_panel_widget (d->panel), TRUE, TRUE, 0);
  cam_overlay_panel_focus (d->panel);
  gtk_widget_show (d->dialog);
}

static void
dialog_clear (Dialog *d)
{
  stop_pulse (d);
  if (d->render)
    g_source_remove (d->render);
  g_clear_pointer (&d->preview, cam_preview_free);
  gtk_widget_destroy (d->dialog);
}

/* Layers have other numbers in another session. */
static void
forget_layers (CamOptions *settings)
{
  if (g_str_has_prefix (settings->positive, "layer:"))
    settings->positive[0] = '\0';
  if (g_str_has_prefix (settings->negative, "layer:"))
    settings->negative[0] = '\0';
}

CamExplanation *
cam_overlay_dialog_run (const CamSource *source, CamOptions *settings,
                        gboolean example, GError **error)
{
  g_autoptr (GPtrArray) models = cam_models_installed ();
  g_autofree char *presets = cam_presets_path ();
  Dialog d = { .example = example,
               .settings = settings,
               .source = source,
               .shown_cluster = -1,
               .shown_match = -1 };
  CamExplanation *explanation = NULL;

  cam_host_ui_init ();
  forget_layers (settings);
  d.steps = cam_steps_new (source, settings, example, reported, &d);
  build (&d, models, presets);
  cam_steps_changed (d.steps, CAM_CHANGED_ALL);
  if (run_dialog (&d))
    explanation = cam_steps_take_explanation (d.steps);
  gtk_widget_hide (d.dialog);
  cam_steps_free (d.steps);
  dialog_clear (&d);
  if (! explanation)
    g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                         _ ("Cancelled"));
  return explanation;
}
