/* evaluate-sweep.c -- which layer and score, chosen on one half of the pictures
 *
 * The other half says what the choice is worth: the best five of the first half
 * and the fallback layer are tried again there.
 */
#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tools/command.h"
#include "tools/evaluate-sweep.h"
#include "tools/picture.h"

#define N_AGAIN 5

typedef struct
{
  EvaluateData *data;
  CamModel *model;
  GArray *pictures; /* guint: those of the half */
  Progress *progress;
  gboolean reports; /* on what the other half chose */
} Half;

static EvaluatePicture *
picture_of (const Half *half, int number)
{
  return g_ptr_array_index (half->data->pictures,
                            g_array_index (half->pictures, guint, number));
}

static CamTensor *
load (int number, CamView *view, gpointer data, GError **error)
{
  const Half *half = data;
  GError *why = NULL;
  CamTensor *input = picture_load_input (picture_of (half, number)->path,
                                         &half->model->input, view, &why);

  if (input != NULL)
    return input;
  command_note (_ ("left out: %s"), why->message);
  g_atomic_int_inc (&half->data->n_left_out);
  g_propagate_error (error, why);
  return NULL;
}

/* The mask in the network's view: the nearest pixel, outside 0 */
static float *
load_mask (int number, const CamView *view, gpointer data)
{
  const Half *half = data;
  const EvaluatePicture *picture = picture_of (half, number);
  g_autoptr (GError) error = NULL;
  gboolean inside = FALSE;
  int width, height, w = view->input_width, h = view->input_height;
  g_autofree float *mask = NULL;
  float *out;

  if (picture->mask != NULL)
    mask = evaluate_read_mask (half->data, picture, view, &width, &height,
                               &error);
  if (error != NULL)
    command_note ("%s: %s", picture->name, error->message);
  if (mask == NULL)
    return NULL;
  out = g_new0 (float, (gsize) w *h);
  for (int y = 0; y < h; y++)
    for (int x = 0; x < w; x++)
      {
        double px = (view->x + (x + 0.5) * view->w / w) / view->width;
        double py = (view->y + (y + 0.5) * view->h / h) / view->height;

        if (px >= 0.0 && px < 1.0 && py >= 0.0 && py < 1.0)
          out[y * w + x] =
              mask[(gsize) (py * height) * width + (gsize) (px * width)];
        inside = inside || out[y * w + x] > 0.0f;
      }
  if (inside)
    return out;
  evaluate_say_empty (half->data, picture);
  g_free (out);
  return NULL;
}

static void
show (int done, int total, gpointer data)
{
  const Half *half = data;

  progress_show (half->progress,
                 half->reports ? NC_ ("stage", "reporting")
                               : NC_ ("stage", "choosing"),
                 done, total);
}

static GPtrArray *
try_half (Half *half, const EvaluateOptions *o, const char *const *layers,
          const CamScore *scores, int n_scores, GError **error)
{
  guint n = half->pictures->len;
  g_autofree int *labels = g_new (int, n);
  CamLayerChoiceOptions options = { 0 };
  GPtrArray *trials;

  for (guint i = 0; i < n; i++)
    labels[i] = picture_of (half, (int) i)->label;
  options.n_pictures = (int) n;
  options.labels = labels;
  options.load = load;
  options.mask = half->data->n_masks > 0 ? load_mask : NULL;
  options.data = half;
  options.layers = layers;
  options.scores = scores;
  options.n_scores = n_scores;
  options.top_k = o->top_k;
  options.triplets = o->triplets;
  options.sample = o->sample;
  options.seed = (guint64) o->seed;
  options.n_threads = o->n_threads;
  options.progress = show;
  trials = cam_layer_choose (half->model, &options, error);
  if (trials == NULL)
    g_prefix_error (error, "%s: ",
                    half->reports
                        ? _ ("The half of the pictures to report on")
                        : _ ("The half of the pictures to choose on"));
  return trials;
}

static void
print_trials (const char *title, GPtrArray *trials)
{
  const char *heads[] = { C_ ("column", "pictures"),
                          C_ ("column", "faithfulness"),
                          C_ ("column", "energy"), "IoU.4" };
  int widths[G_N_ELEMENTS (heads)];

  printf ("%s\n  ", title);
  command_cell (C_ ("column", "layer"), 44);
  printf (" ");
  command_cell (C_ ("column", "score"), 14);
  for (guint i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      widths[i] = MAX (8, command_width (heads[i]));
      printf (" ");
      command_cell (heads[i], -widths[i]);
    }
  printf ("\n");
  for (guint i = 0; i < trials->len; i++)
    {
      const CamLayerTrial *t = g_ptr_array_index (trials, i);

      command_print (stdout, "  %-44s %-14s %*d %*.3f", t->layer,
                     cam_score_name (t->score), widths[0], t->n_pictures,
                     widths[1], t->faithfulness);
      if (isnan (t->energy))
        printf (" %*s %*s\n", widths[2], "-", widths[3], "-");
      else
        printf (" %*.3f %*.3f\n", widths[2], t->energy, widths[3], t->iou);
    }
}

static void
add_trials (JsonBuilder *b, const char *name, GPtrArray *trials)
{
  json_builder_set_member_name (b, name);
  json_builder_begin_array (b);
  for (guint i = 0; i < trials->len; i++)
    {
      const CamLayerTrial *t = g_ptr_array_index (trials, i);

      json_builder_begin_object (b);
      json_builder_set_member_name (b, "layer");
      json_builder_add_string_value (b, t->layer);
      json_builder_set_member_name (b, "score");
      json_builder_add_string_value (b, cam_score_name (t->score));
      json_builder_set_member_name (b, "pictures");
      json_builder_add_int_value (b, t->n_pictures);
      json_builder_set_member_name (b, "faithfulness");
      json_builder_add_double_value (b, t->faithfulness);
      if (! isnan (t->energy))
        {
          json_builder_set_member_name (b, "energy");
          json_builder_add_double_value (b, t->energy);
          json_builder_set_member_name (b, "iou_40");
          json_builder_add_double_value (b, t->iou);
        }
      json_builder_end_object (b);
    }
  json_builder_end_array (b);
}

static void
print_sweep (const EvaluateOptions *o, const EvaluateData *data,
             GPtrArray *chosen, GPtrArray *reported)
{
  const CamLayerTrial *best = g_ptr_array_index (chosen, 0);
  g_autoptr (JsonBuilder) b = NULL;

  if (! o->json)
    {
      evaluate_print_mask_kinds (data);
      print_trials (_ ("Chosen on one half of the pictures:"), chosen);
      print_trials (_ ("\nReported on the other half:"), reported);
      command_print (
          stdout,
          isnan (best->energy)
              ? _ ("\nBest: layer %s, score %s (by faithfulness)\n")
              : _ ("\nBest: layer %s, score %s (by energy in the masks)\n"),
          best->layer, cam_score_name (best->score));
      return;
    }
  b = json_builder_new ();
  json_builder_begin_object (b);
  json_builder_set_member_name (b, "layer");
  json_builder_add_string_value (b, best->layer);
  json_builder_set_member_name (b, "score");
  json_builder_add_string_value (b, cam_score_name (best->score));
  evaluate_add_mask_kinds (data, b);
  add_trials (b, "chosen_on", chosen);
  add_trials (b, "reported_on", reported);
  json_builder_end_object (b);
  command_print_json (b, TRUE);
}

/* The layers of the best trials and the fallback, a name once */
static char **
layers_again (const CamModel *model, GPtrArray *trials)
{
  GPtrArray *names = g_ptr_array_new ();
  const char *fallback = cam_network_fallback_layer (model->network,
                                                     model->embedding);

  for (guint i = 0; i <= trials->len && names->len <= N_AGAIN; i++)
    {
      const CamLayerTrial *t = i < trials->len ? g_ptr_array_index (trials, i)
                                               : NULL;
      const char *name = t != NULL ? t->layer : NULL;

      if (i == trials->len || names->len == N_AGAIN)
        name = fallback;
      if (name != NULL
          && ! g_ptr_array_find_with_equal_func (names, name, g_str_equal,
                                                 NULL))
        g_ptr_array_add (names, g_strdup (name));
      if (name == fallback)
        break;
    }
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (names, FALSE);
}

/* Deals a label's pictures to both halves in turn; fewer than four stay
 * together, in the half that has fewer pictures, because a triplet needs two.
 */
static void
deal_label (const EvaluateData *data, int label, GArray *halves[2])
{
  g_autoptr (GArray) own = g_array_new (FALSE, FALSE, sizeof (guint));
  int to = halves[1]->len < halves[0]->len;

  for (guint i = 0; i < data->pictures->len; i++)
    {
      const EvaluatePicture *picture = g_ptr_array_index (data->pictures, i);

      if (picture->label == label)
        g_array_append_val (own, i);
    }
  for (guint i = 0; i < own->len; i++)
    {
      guint picture = g_array_index (own, guint, i);

      g_array_append_val (halves[own->len < 4 ? to : (to + (int) i) % 2],
                          picture);
    }
}

static void
deal (const EvaluateData *data, GArray *halves[2])
{
  for (int i = 0; i < 2; i++)
    halves[i] = g_array_new (FALSE, FALSE, sizeof (guint));
  for (int label = 0; label < (int) data->labels->len; label++)
    deal_label (data, label, halves);
}

static gboolean
sweep (Half *half, const EvaluateOptions *o, GError **error)
{
  static const CamScore scores[] = { CAM_SCORE_COSINE, CAM_SCORE_DOT,
                                     CAM_SCORE_DOT_DIFFERENCE };
  g_autoptr (GPtrArray) chosen = NULL, reported = NULL;
  g_auto (GStrv) layers = NULL;
  g_autoptr (GArray) choosing = NULL, reporting = NULL;
  GArray *halves[2];

  deal (half->data, halves);
  choosing = half->pictures = halves[0];
  reporting = halves[1];
  chosen = try_half (half, o, NULL, scores, G_N_ELEMENTS (scores), error);
  if (chosen == NULL)
    return FALSE;
  layers = layers_again (half->model, chosen);
  half->pictures = reporting;
  half->reports = TRUE;
  reported = try_half (half, o, (const char *const *) layers, scores,
                       G_N_ELEMENTS (scores), error);
  progress_end (half->progress);
  if (reported == NULL)
    return FALSE;
  print_sweep (o, half->data, chosen, reported);
  return o->report == NULL
         || evaluate_sweep_report (&(EvaluateSweep){ o, half->data, half->model,
                                                     chosen, reported,
                                                     chosen->pdata[0] },
                                   o->report, error);
}

int
evaluate_sweep (const EvaluateOptions *options, GError **error)
{
  EvaluateData data = { 0 };
  Half half = { .data = &data };
  gboolean good = FALSE;
  int status;

  if (options->report != NULL
      && ! evaluate_report_check (options->report, error))
    return COMMAND_FAILED;
  half.progress = progress_new (PROGRESS_PEOPLE);
  if (evaluate_read (&data, options, error))
    half.model = cam_model_open (options->model, NULL, error);
  if (half.model != NULL)
    good = sweep (&half, options, error);
  progress_free (half.progress);
  g_clear_pointer (&half.model, cam_model_unref);
  status = good ? command_done (data.n_left_out, options->skips_ok)
                : COMMAND_FAILED;
  evaluate_data_clear (&data);
  return status;
}
