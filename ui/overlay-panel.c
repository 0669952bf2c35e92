/* overlay-panel.c -- see overlay-panel.h */
#include "config.h"
#include "ui/overlay-panel.h"
#include "ui/canvas.h"
#include "ui/choice.h"
#include "ui/preset-bar.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>
#include <string.h>

#define NOTE 58               /* characters under the picture   */
#define STATUS 5              /* lines for what is said there   */
#define EXAMPLE_CHANNELS 1000 /* until the model says how many there are */

struct _CamOverlayPanel
{
  CamOptions *settings;
  CamPanelSettings offer;
  CamChangedFunc changed;
  gpointer data;
  gboolean filling; /* the program sets the controls, not the person */
  CamShow show;
  GtkWidget *widget, *canvas, *progress, *status, *status_icon, *evidence;
  GtkWidget *warning, *warning_text, *doubt, *doubt_text;
  GtkWidget *shows[3];
  GtkWidget *presets, *model, *database, *positive, *negative;
  GtkWidget *colormap, *layer_mode, *transfer, *convert;
  GtkAdjustment *top_k, *opacity, *threshold;
};

static void
say (CamOverlayPanel *panel, CamChanged what)
{
  panel->changed (what, panel->data);
}

static void
take_string (char **string, const char *value)
{
  char *copy = g_strdup (value);

  g_free (*string);
  *string = copy;
}

/* ---- what the person does ---- */

static void
model_changed (CamOverlayPanel *panel)
{
  if (panel->filling)
    return;
  take_string (&panel->settings->model, cam_choice_get (panel->model));
  /* another network has other databases */
  take_string (&panel->settings->database, "");
  say (panel, CAM_CHANGED_MODEL);
}

static void
database_changed (CamOverlayPanel *panel)
{
  if (panel->filling)
    return;
  take_string (&panel->settings->database, cam_choice_get (panel->database));
  say (panel, CAM_CHANGED_DATABASE);
}

static void
example_changed (CamOverlayPanel *panel)
{
  if (panel->filling)
    return;
  take_string (&panel->settings->positive, cam_choice_get (panel->positive));
  take_string (&panel->settings->negative, cam_choice_get (panel->negative));
  say (panel, CAM_CHANGED_EXAMPLE);
}

static void
map_changed (CamOverlayPanel *panel)
{
  if (panel->filling)
    return;
  panel->settings->top_k = gtk_adjustment_get_value (panel->top_k);
  if (panel->transfer)
    panel->settings->transfer =
        gtk_combo_box_get_active (GTK_COMBO_BOX (panel->transfer));
  say (panel, CAM_CHANGED_MAP);
}

static void
set_combo (GtkWidget *widget, int line)
{
  gtk_combo_box_set_active (GTK_COMBO_BOX (widget), line);
}

static gboolean
needs_gray (const CamOverlayPanel *panel)
{
  return panel->offer.gray && ! panel->settings->convert;
}

/* What is chosen, or what a gray image leaves of it. */
static void
fill_colormap (CamOverlayPanel *panel)
{
  gboolean filling = panel->filling;

  panel->filling = TRUE;
  set_combo (panel->colormap, needs_gray (panel) ? CAM_COLORMAP_GRAY
                                                 : panel->settings->colormap);
  gtk_widget_set_sensitive (panel->colormap, ! needs_gray (panel));
  panel->filling = filling;
}

static void
look_changed (CamOverlayPanel *panel)
{
  CamOptions *settings = panel->settings;

  if (panel->filling)
    return;
  settings->opacity = gtk_adjustment_get_value (panel->opacity);
  settings->threshold = gtk_adjustment_get_value (panel->threshold);
  settings->layer_mode =
      gtk_combo_box_get_active (GTK_COMBO_BOX (panel->layer_mode));
  if (panel->convert)
    settings->convert =
        gtk_toggle_button_get_active (GTK_TOGGLE_BUTTON (panel->convert));
  if (gtk_widget_is_sensitive (panel->colormap))
    settings->colormap =
        gtk_combo_box_get_active (GTK_COMBO_BOX (panel->colormap));
  fill_colormap (panel);
  say (panel, CAM_CHANGED_LOOK);
}

static void
show_changed (GtkToggleButton *button, CamOverlayPanel *panel)
{
  if (panel->filling || ! gtk_toggle_button_get_active (button))
    return;
  for (int i = 0; i < 3; i++)
    if (panel->shows[i] == GTK_WIDGET (button))
      panel->show = i;
  say (panel, CAM_CHANGED_LOOK);
}

static void
refresh (CamOverlayPanel *panel)
{
  CamOptions *settings = panel->settings;
  gboolean filling = panel->filling;

  panel->filling = TRUE;
  cam_choice_set (panel->model, settings->model);
  if (panel->database)
    cam_choice_set (panel->database, settings->database);
  if (panel->transfer)
    set_combo (panel->transfer, settings->transfer);
  if (panel->positive)
    cam_choice_set (panel->positive, settings->positive);
  if (panel->negative)
    cam_choice_set (panel->negative, settings->negative);
  gtk_adjustment_set_value (panel->top_k, settings->top_k);
  gtk_adjustment_set_value (panel->opacity, settings->opacity);
  gtk_adjustment_set_value (panel->threshold, settings->threshold);
  fill_colormap (panel);
  set_combo (panel->layer_mode, settings->layer_mode);
  panel->filling = filling;
}

static void
preset_chosen (CamOverlayPanel *panel)
{
  refresh (panel);
  say (panel, CAM_CHANGED_ALL);
}

/* ---- the controls ---- */

static GtkAdjustment *
adjustment (CamOverlayPanel *panel, double high, double step,
            void (*call) (CamOverlayPanel *))
{
  GtkAdjustment *a = GTK_ADJUSTMENT (gtk_adjustment_new (0, 0, high, step,
                                                         10 * step, 0));

  g_signal_connect_swapped (a, "value-changed", G_CALLBACK (call), panel);
  return a;
}

static GtkWidget *
combo (CamOverlayPanel *panel, void (*call) (CamOverlayPanel *))
{
  GtkWidget *widget = cam_combo_new ();

  g_signal_connect_swapped (widget, "changed", G_CALLBACK (call), panel);
  return widget;
}

static void
combo_add (GtkWidget *widget, const char *text)
{
  gtk_combo_box_text_append_text (GTK_COMBO_BOX_TEXT (widget), text);
}

static void
add_model (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  CamChoiceFiles files = { _ ("Choose a Model"), "*.onnx", _ ("ONNX models") };

  panel->model = cam_choice_new (&files, G_CALLBACK (model_changed), panel);
  for (guint i = 0; i < panel->offer.models->len; i++)
    {
      const CamInstalledModel *model = g_ptr_array_index (panel->offer.models,
                                                          i);

      cam_choice_add (panel->model, model->title ? model->title : model->name,
                      model->name);
    }
  cam_row_add (box, group, _ ("_Model:"), panel->model);
}

static void
add_database (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  CamChoiceFiles files = { _ ("Choose a Cluster Database"), "*.camdb",
                           _ ("Cluster databases") };

  panel->database = cam_choice_new (&files, G_CALLBACK (database_changed),
                                    panel);
  cam_row_add (box, group, _ ("_Database:"), panel->database);
}

static GtkWidget *
example_new (CamOverlayPanel *panel, gboolean optional)
{
  CamChoiceFiles files = { _ ("Choose a Picture"), NULL, NULL };
  GtkWidget *widget = cam_choice_new (&files, G_CALLBACK (example_changed),
                                      panel);

  cam_choice_add (widget, optional ? _ ("None") : _ ("Choose a picture"), "");
  for (guint i = 0; i < panel->offer.layer_titles->len; i++)
    cam_choice_add (widget, g_ptr_array_index (panel->offer.layer_titles, i),
                    g_ptr_array_index (panel->offer.layer_names, i));
  return widget;
}

static void
add_examples (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  panel->positive = example_new (panel, FALSE);
  panel->negative = example_new (panel, TRUE);
  cam_row_add (box, group, _ ("Pos_itive:"), panel->positive);
  cam_row_add (box, group, _ ("_Negative:"), panel->negative);
}

static void
add_transfer (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  panel->transfer = combo (panel, map_changed);
  combo_add (panel->transfer, _ ("From the nearest cluster"));
  combo_add (panel->transfer, _ ("From the nearest picture"));
  gtk_widget_set_tooltip_text (panel->transfer,
                               _ ("Where the channels' weights are taken from; "
                                  "a compact database has no pictures"));
  cam_row_add (box, group, _ ("_Weights:"), panel->transfer);
}

static void
add_top_k (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  GtkWidget *scale;

  panel->top_k = adjustment (panel, EXAMPLE_CHANNELS, 1, map_changed);
  scale = cam_scale_new (panel->top_k, 0);
  gtk_widget_set_tooltip_text (scale,
                               _ ("How many channels with the largest weights "
                                  "are kept; 0 keeps all of them"));
  cam_row_add (box, group, _ ("Top-_k channels:"), scale);
}

static void
add_numbers (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  GtkWidget *scale;

  panel->opacity = adjustment (panel, 100, 1, look_changed);
  cam_row_add (box, group, _ ("Op_acity:"), cam_scale_new (panel->opacity, 1));
  panel->threshold = adjustment (panel, 1, 0.01, look_changed);
  scale = cam_scale_new (panel->threshold, 2);
  gtk_widget_set_tooltip_text (scale, _ ("What is below this part of the map's "
                                         "maximum becomes transparent"));
  cam_row_add (box, group, _ ("_Threshold:"), scale);
}

#if GTK_MAJOR_VERSION >= 3
#define GIMP "gimp30"
#else
#define GIMP "gimp20"
#endif

/* In GIMP's own words, which differ between its versions; else in ours. */
static const char *
mode_title (const CamLayerMode *mode)
{
  const char *gimps = g_dpgettext2 (GIMP, "layer-mode", mode->title);

  return strcmp (gimps, mode->title) ? gimps : _ (mode->title);
}

static void
add_lists (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  const char *maps[CAM_N_COLORMAPS] = { _ ("Turbo"), _ ("Viridis"),
                                        _ ("Inferno"), _ ("Jet"), _ ("Gray") };
  int n_modes;
  const CamLayerMode *modes = cam_layer_modes (&n_modes);

  panel->colormap = combo (panel, look_changed);
  for (int i = 0; i < CAM_N_COLORMAPS; i++)
    combo_add (panel->colormap, maps[i]);
  cam_row_add (box, group, _ ("Co_lour map:"), panel->colormap);
  panel->layer_mode = combo (panel, look_changed);
  for (int i = 0; i < n_modes; i++)
    combo_add (panel->layer_mode, mode_title (modes + i));
  cam_row_add (box, group, _ ("Layer mod_e:"), panel->layer_mode);
}

static void
add_look (CamOverlayPanel *panel, GtkWidget *box, GtkSizeGroup *group)
{
  add_lists (panel, box, group);
  add_numbers (panel, box, group);
}

static void
add_convert (CamOverlayPanel *panel, GtkWidget *box)
{
  const char *text =
      panel->offer.indexed
          ? _ ("This image is indexed: an overlay needs it to be RGB.")
          : _ ("This image is grayscale: without conversion the heat map "
               "is gray.");

  gtk_box_pack_start (GTK_BOX (box),
                      cam_note_new ("dialog-information", text, NOTE), FALSE,
                      FALSE, 0);
  panel->convert = gtk_check_button_new_with_mnemonic (
      _ ("Con_vert the image to RGB (same undo step)"));
  g_signal_connect_swapped (panel->convert, "toggled",
                            G_CALLBACK (look_changed), panel);
  gtk_box_pack_start (GTK_BOX (box), panel->convert, FALSE, FALSE, 0);
}

static void
add_frame (GtkWidget *box, const char *title, GtkWidget *child)
{
  gtk_box_pack_start (GTK_BOX (box), cam_frame_new (title, child), FALSE, FALSE,
                      0);
}

static GtkWidget *
controls_new (CamOverlayPanel *panel)
{
  GtkWidget *box = cam_vbox_new (12), *sight = cam_vbox_new (6);
  GtkWidget *layer = cam_vbox_new (6), *indented;
  GtkSizeGroup *group = gtk_size_group_new (GTK_SIZE_GROUP_HORIZONTAL);

  panel->presets = cam_preset_bar_new (panel->settings, panel->offer.presets,
                                       G_CALLBACK (preset_chosen), panel);
  /* as far to the right as what is indented below it */
  indented = cam_indent_new (panel->presets);
  cam_row_add (box, group, _ ("Pre_set:"), indented);
  add_model (panel, sight, group);
  if (panel->offer.example)
    add_examples (panel, sight, group);
  else
    {
      add_database (panel, sight, group);
      add_transfer (panel, sight, group);
    }
  add_top_k (panel, sight, group);
  add_look (panel, layer, group);
  add_frame (box, _ ("Explanation"), sight);
  add_frame (box, _ ("Overlay layer"), layer);
  g_object_unref (group);
  return box;
}

/* ---- the picture ---- */

static GtkWidget *
shows_new (CamOverlayPanel *panel)
{
  const char *texts[] = { _ ("Overla_y"), _ ("Heat ma_p"), _ ("Ori_ginal") };
  GtkWidget *box = cam_hbox_new (12);

  for (int i = 0; i < 3; i++)
    {
      panel->shows[i] = i ? gtk_radio_button_new_with_mnemonic_from_widget (
                            GTK_RADIO_BUTTON (panel->shows[0]), texts[i])
                          : gtk_radio_button_new_with_mnemonic (NULL, texts[i]);
      gtk_box_pack_start (GTK_BOX (box), panel->shows[i], FALSE, FALSE, 0);
      g_signal_connect (panel->shows[i], "toggled", G_CALLBACK (show_changed),
                        panel);
    }
  return box;
}

static GtkWidget *
hidden_note (GtkWidget **label)
{
  GtkWidget *note = cam_note_new ("dialog-warning", NULL, NOTE);

  *label = cam_note_label (note);
  gtk_widget_show_all (note);
  gtk_widget_hide (note);
  gtk_widget_set_no_show_all (note, TRUE);
  return note;
}

static GtkWidget *
status_new (CamOverlayPanel *panel)
{
  GtkWidget *box = cam_vbox_new (6);
  GtkWidget *line = cam_note_new ("dialog-error", NULL, NOTE);

  panel->warning = hidden_note (&panel->warning_text);
  panel->doubt = hidden_note (&panel->doubt_text);
  panel->progress = gtk_progress_bar_new ();
  panel->status_icon = cam_note_icon (line);
  panel->status = cam_note_label (line);
  gtk_box_pack_start (GTK_BOX (box), panel->progress, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), line, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), panel->warning, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), panel->doubt, FALSE, FALSE, 0);
  gtk_widget_set_no_show_all (panel->status_icon, TRUE);
  gtk_widget_set_no_show_all (panel->progress, TRUE);
  return cam_reserve_new (box, STATUS);
}

static GtkWidget *
picture_new (CamOverlayPanel *panel)
{
  GtkWidget *box = cam_vbox_new (6);

  panel->canvas = cam_canvas_new (CAM_PREVIEW_WIDTH, CAM_PREVIEW_HEIGHT);
  gtk_box_pack_start (GTK_BOX (box), panel->canvas, FALSE, FALSE, 0);
  gtk_box_pack_start (GTK_BOX (box), shows_new (panel), FALSE, FALSE, 0);
  if (panel->offer.gray || panel->offer.indexed)
    add_convert (panel, box);
  gtk_box_pack_start (GTK_BOX (box), status_new (panel), FALSE, FALSE, 0);
  return box;
}

CamOverlayPanel *
cam_overlay_panel_new (CamOptions *settings, const CamPanelSettings *offer,
                       CamChangedFunc changed, gpointer data)
{
  CamOverlayPanel *panel = g_new0 (CamOverlayPanel, 1);
  GtkWidget *right = cam_vbox_new (12);

  panel->settings = settings;
  panel->offer = *offer;
  panel->changed = changed;
  panel->data = data;
  panel->filling = TRUE;
  panel->widget = cam_hbox_new (18);
  gtk_container_set_border_width (GTK_CONTAINER (panel->widget), 12);
  gtk_box_pack_start (GTK_BOX (panel->widget), picture_new (panel), FALSE,
                      FALSE, 0);
  gtk_box_pack_start (GTK_BOX (right), controls_new (panel), FALSE, FALSE, 0);
  if (! offer->example)
    {
      panel->evidence = cam_evidence_new ();
      gtk_box_pack_start (GTK_BOX (right),
                          cam_frame_new (_ ("What it rests on"),
                                         panel->evidence),
                          TRUE, TRUE, 0);
    }
  gtk_box_pack_start (GTK_BOX (panel->widget), right, TRUE, TRUE, 0);
  g_object_set_data_full (G_OBJECT (panel->widget), "cam-overlay-panel", panel,
                          g_free);
  refresh (panel);
  panel->filling = FALSE;
  gtk_widget_show_all (panel->widget);
  return panel;
}

/* ---- what the program shows ---- */

GtkWidget *
cam_overlay_panel_widget (CamOverlayPanel *panel)
{
  return panel->widget;
}

CamShow
cam_overlay_panel_show (const CamOverlayPanel *panel)
{
  return panel->show;
}

void
cam_overlay_panel_focus (CamOverlayPanel *panel)
{
  if (panel->positive)
    gtk_widget_grab_focus (panel->positive);
}

void
cam_overlay_panel_refresh (CamOverlayPanel *panel)
{
  refresh (panel);
  cam_preset_bar_leave (panel->presets);
}

void
cam_overlay_panel_set_databases (CamOverlayPanel *panel, const GPtrArray *paths,
                                 const char *current)
{
  if (! panel->database)
    return;
  cam_choice_clear (panel->database);
  for (guint i = 0; paths && i < paths->len; i++)
    {
      const char *path = g_ptr_array_index (paths, i);
      g_autofree char *name = g_path_get_basename (path);

      cam_choice_add (panel->database, name, path);
    }
  cam_choice_set (panel->database, current ? current : "");
}

void
cam_overlay_panel_set_channels (CamOverlayPanel *panel, int n_channels)
{
  gboolean filling = panel->filling;

  panel->filling = TRUE;
  gtk_adjustment_set_upper (panel->top_k, n_channels);
  gtk_adjustment_set_value (panel->top_k, panel->settings->top_k);
  panel->filling = filling;
}

void
cam_overlay_panel_set_pixels (CamOverlayPanel *panel, const guint8 *pixels,
                              int width, int height, int stride)
{
  cam_canvas_set (panel->canvas, pixels, width, height, stride);
}

void
cam_overlay_panel_set_evidence (CamOverlayPanel *panel,
                                const CamEvidence *evidence)
{
  g_autofree char *text = evidence ? cam_evidence_warning (evidence) : NULL;

  if (panel->evidence)
    cam_evidence_set (panel->evidence, evidence);
  gtk_label_set_text (GTK_LABEL (panel->warning_text), text ? text : "");
  gtk_widget_set_visible (panel->warning, text != NULL);
}

void
cam_overlay_panel_set_doubts (CamOverlayPanel *panel, char **sentences)
{
  g_autofree char *text = sentences ? g_strjoinv ("\n", sentences)
                                    : g_strdup ("");

  gtk_label_set_text (GTK_LABEL (panel->doubt_text), text);
  gtk_widget_set_visible (panel->doubt, *text != '\0');
}

void
cam_overlay_panel_set_progress (CamOverlayPanel *panel, const char *text,
                                double fraction)
{
  GtkProgressBar *bar = GTK_PROGRESS_BAR (panel->progress);

  gtk_widget_hide (panel->status_icon);
  gtk_label_set_text (GTK_LABEL (panel->status), text);
  gtk_widget_set_visible (panel->progress, fraction <= 1);
  if (fraction < 0)
    gtk_progress_bar_pulse (bar);
  else if (fraction <= 1)
    gtk_progress_bar_set_fraction (bar, fraction);
}

void
cam_overlay_panel_set_error (CamOverlayPanel *panel, const char *text)
{
  g_autofree char *shown = g_utf8_make_valid (text, -1);

  gtk_widget_show (panel->status_icon);
  gtk_widget_hide (panel->progress);
  gtk_label_set_text (GTK_LABEL (panel->status), shown);
}
