/* evaluate-run.c -- every picture by every row */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/base/pipeline.h"
#include "core/method/faithfulness.h"
#include "tools/command.h"
#include "tools/evaluate-weights.h"
#include "tools/picture.h"

#define GRID 1024 /* longest side without a mask */

typedef struct
{
  Evaluation *e;
  CamExplainer **explainers; /* [threads, layers] */
  CamEmbedder *embedder;
  gboolean keep; /* maps */
  guint n_done;
  GMutex lock;
  GError *error;
} Runner;

typedef struct /* what a map is held against */
{
  CamView view;
  int width, height;
  float *mask;   /* NULL: none; within the view */
  GArray *boxes; /* on this grid; empty: none */
  const CamTensor *input;
  gboolean faithful;
} Target;

static CamHeatMap *
constant_map (const CamInputSettings *in, RowKind kind)
{
  CamHeatMap *map = g_new0 (CamHeatMap, 1);
  double sy = in->height / 4.0, sx = in->width / 4.0;

  map->width = in->width;
  map->height = in->height;
  map->values = g_new (float, (gsize) in->width * in->height);
  map->maximum = 1.0f;
  for (int y = 0; y < in->height; y++)
    for (int x = 0; x < in->width; x++)
      {
        double dy = (y + 0.5 - in->height / 2.0) / sy;
        double dx = (x + 0.5 - in->width / 2.0) / sx;
        double v = kind == ROW_GAUSSIAN ? exp (-0.5 * (dx * dx + dy * dy)) : 1;

        map->values[y * in->width + x] = (float) v;
      }
  return map;
}

static CamHeatMap *
make_map (EvaluateContext *context, const EvaluateRow *row, GError **error)
{
  const CamModel *model = context->e->model;
  g_autofree float *alpha = NULL;

  if (row->kind == ROW_GAUSSIAN || row->kind == ROW_UNIFORM)
    return constant_map (&model->input, row->kind);
  alpha = evaluate_weights (context, row, error);
  if (alpha == NULL)
    return NULL;
  return cam_heat_map_new (context->observation->activations, alpha,
                           cam_explainer_channels (context->explainer),
                           row->top_k, error);
}

static gboolean
measure_faithfulness (Runner *runner, int thread, const Target *target,
                      const CamHeatMap *map, EvaluateScore *score,
                      GError **error)
{
  const CamInputSettings *in = &runner->e->model->input;
  CamView whole = { in->width, in->height, 0,         0,
                    in->width, in->height, in->width, in->height };
  g_autofree float *values = g_new (float, (gsize) in->width * in->height);
  g_autofree float *curves = g_new (float, 2 * (EVALUATE_STEPS + 1));
  CamFaithfulness areas;

  cam_overlay_values (map, &whole, in->width, in->height, 0, in->height,
                      values);
  if (! cam_faithfulness (runner->embedder, thread, target->input, values,
                          EVALUATE_STEPS, &areas, curves, error))
    return FALSE;
  score->curves = g_steal_pointer (&curves);
  score->measures[MEASURE_FAITHFULNESS] =
      (float) cam_faithfulness_score (&areas);
  return TRUE;
}

static float
measure_boxes (const Target *target, const float *values)
{
  CamBox box;
  double best = 0.0;

  if (! cam_measure_box (values, target->width, target->height, 0.2, &box))
    return 0.0f;
  for (guint i = 0; i < target->boxes->len; i++)
    best = MAX (best,
                cam_box_iou (&box, &g_array_index (target->boxes, CamBox, i)));
  return best >= 0.5;
}

static gboolean
measure (Runner *runner, int thread, const Target *target,
         const CamHeatMap *map, gboolean faithful, EvaluateScore *score,
         GError **error)
{
  float *out = score->measures;
  gsize n = (gsize) target->width * target->height;
  g_autofree float *values = NULL;

  if (target->mask != NULL || target->boxes->len > 0)
    {
      values = g_new (float, n);
      cam_overlay_values (map, &target->view, target->width, target->height, 0,
                          target->height, values);
    }
  if (target->mask != NULL)
    {
      const float *mask = target->mask;

      out[MEASURE_ENERGY] = (float) cam_measure_energy (values, mask, n);
      for (int i = 0; i < 3; i++)
        out[MEASURE_IOU_20 + i] = (float) cam_measure_iou (values, mask, n,
                                                           0.2 * (i + 1));
      out[MEASURE_POINTING] = cam_measure_pointing (values, mask, n);
    }
  if (target->boxes->len > 0)
    out[MEASURE_BOX] = measure_boxes (target, values);
  return ! faithful || ! target->faithful
         || measure_faithfulness (runner, thread, target, map, score, error);
}

/* What lies outside of the network's view is no part of the mask.  Gives the
 * mask's share of the view. */
static double
cut_to_view (Target *target)
{
  const CamView *v = &target->view;
  double inside = 0.0;
  gsize n_seen = 0;

  for (int y = 0; y < target->height; y++)
    for (int x = 0; x < target->width; x++)
      {
        double px = (x + 0.5) * v->width / target->width;
        double py = (y + 0.5) * v->height / target->height;
        float *mask = &target->mask[(gsize) y * target->width + x];

        if (px < v->x || px >= v->x + v->w || py < v->y || py >= v->y + v->h)
          *mask = 0.0f;
        else
          n_seen++;
        inside += *mask;
      }
  return inside / (double) MAX (n_seen, 1);
}

/* Nothing can lie in what is empty: that is no measure of 0. */
static void
drop_empty (Runner *runner, guint index, Target *target)
{
  Evaluation *e = runner->e;

  if (e->mask_area[index] > 0.0)
    return;
  if (! runner->keep)
    evaluate_say_empty (&e->data, e->data.pictures->pdata[index]);
  g_clear_pointer (&target->mask, g_free);
  e->mask_area[index] = NAN;
  e->centre[index] = NAN;
}

static void
add_true_boxes (Target *target, const EvaluatePicture *picture)
{
  double sx = (double) target->width / target->view.width;
  double sy = (double) target->height / target->view.height;
  CamBox box;

  for (guint i = 0; picture->boxes != NULL && i < picture->boxes->len; i++)
    {
      box = g_array_index (picture->boxes, CamBox, i);
      box = (CamBox) { (int) (box.x0 * sx), (int) (box.y0 * sy),
                       (int) (box.x1 * sx), (int) (box.y1 * sy) };
      g_array_append_val (target->boxes, box);
    }
  if (picture->boxes == NULL && target->mask != NULL
      && cam_mask_box (target->mask, target->width, target->height, &box))
    g_array_append_val (target->boxes, box);
}

static gboolean
open_target (Runner *runner, guint index, Target *target, GError **error)
{
  Evaluation *e = runner->e;
  const EvaluatePicture *picture = g_ptr_array_index (e->data.pictures, index);
  const CamView *v = &target->view;
  double scale = MIN (1.0, (double) GRID / MAX (v->width, v->height));
  guint n = e->data.pictures->len, sample = (guint) e->options->sample;

  target->boxes = g_array_new (FALSE, FALSE, sizeof (CamBox));
  target->width = MAX (1, (int) (v->width * scale));
  target->height = MAX (1, (int) (v->height * scale));
  target->faithful = sample >= n
                     || (sample > 0
                         && index * sample / n != (index + 1) * sample / n);
  e->centre[index] = NAN;
  e->mask_area[index] = NAN;
  if (picture->mask != NULL)
    {
      target->mask = evaluate_read_mask (runner->keep ? NULL : &e->data,
                                         picture, v, &target->width,
                                         &target->height, error);
      if (target->mask == NULL)
        return FALSE;
      e->mask_area[index] = cut_to_view (target);
      e->centre[index] =
          target->mask[(gsize) (target->height / 2) * target->width
                       + target->width / 2];
      drop_empty (runner, index, target);
    }
  add_true_boxes (target, picture);
  return TRUE;
}

static void
close_target (Target *target)
{
  g_clear_pointer (&target->boxes, g_array_unref);
  g_free (target->mask);
}

static guint
layer_of (const EvaluateRow *row)
{
  return row->database > 0 ? (guint) row->database : 0;
}

/* All rows that use one database's layer */
static gboolean
run_layer (Runner *runner, int thread, guint index, guint layer,
           const Target *target, GError **error)
{
  Evaluation *e = runner->e;
  CamExplainer *explainer =
      runner->explainers[(gsize) thread * e->layers->len + layer];
  g_autoptr (CamObservation) observation = NULL;
  EvaluateContext context = { .e = e, .explainer = explainer };
  gboolean good = TRUE;

  observation = cam_explainer_observe (explainer, target->input, &target->view,
                                       NULL, error);
  if (observation == NULL)
    return FALSE;
  context.observation = observation;
  context.picture = index;
  memcpy (e->embeddings + (gsize) index * e->dim, observation->embedding->data,
          e->dim * sizeof (float));
  for (guint r = 0; good && r < e->rows->len; r++)
    {
      EvaluateRow *row = evaluate_row (e, r);
      EvaluateScore *score = evaluate_score (e, index, r);
      g_autoptr (CamHeatMap) map = NULL;
      GError *local = NULL;

      if (row->reason != NULL || layer_of (row) != layer
          || (row->curve && runner->keep))
        continue;
      map = make_map (&context, row, &local);
      if (map != NULL)
        g_atomic_int_inc (&row->n_maps);
      if (map != NULL && ! runner->keep)
        measure (runner, thread, target, map, ! row->curve, score, &local);
      if (runner->keep)
        score->map = g_steal_pointer (&map);
      good = local == NULL;
      if (local != NULL)
        g_propagate_error (error, local);
    }
  evaluate_context_clear (&context);
  return good;
}

static gboolean
run_picture (Runner *runner, int thread, guint index, CamView *view,
             GError **error)
{
  Evaluation *e = runner->e;
  const EvaluatePicture *picture = g_ptr_array_index (e->data.pictures, index);
  g_autoptr (CamTensor) input = NULL;
  Target target = { 0 };
  gboolean good;

  input = picture_load_input (picture->path, &e->model->input, &target.view,
                              error);
  if (input == NULL)
    return FALSE;
  target.input = input;
  good = open_target (runner, index, &target, error);
  for (guint l = 0; good && l < e->layers->len; l++)
    good = run_layer (runner, thread, index, l, &target, error);
  close_target (&target);
  if (view != NULL)
    *view = target.view;
  return good;
}

/* Pictures differ much in cost, as faithfulness is measured on some alone; so a
 * thread takes the next one as soon as it is free. */
static gpointer
begin_picture (gint64 item, gpointer data)
{
  return data;
}

void
evaluate_note_left_out (const EvaluatePicture *picture, const GError *error)
{
  if (strstr (error->message, picture->name) != NULL)
    command_note (_ ("left out: %s"), error->message);
  else
    command_note (_ ("left out: %s: %s"), picture->name, error->message);
}

/* What was measured of a picture before it had to be left out */
static void
clear_score (EvaluateScore *score)
{
  for (int m = 0; m < N_MEASURES; m++)
    score->measures[m] = NAN;
  g_clear_pointer (&score->curves, g_free);
}

static gpointer
compute_picture (gint64 item, gpointer loaded, int thread, gpointer data)
{
  Runner *runner = data;
  Evaluation *e = runner->e;
  guint index = (guint) item;
  g_autoptr (GError) error = NULL;

  e->embedded[index] = run_picture (runner, thread, index, NULL, &error);
  if (e->embedded[index])
    return runner;
  g_mutex_lock (&runner->lock);
  evaluate_note_left_out (g_ptr_array_index (e->data.pictures, index), error);
  e->data.n_left_out++;
  g_mutex_unlock (&runner->lock);
  for (guint r = 0; r < e->rows->len; r++)
    clear_score (evaluate_score (e, index, r));
  return runner;
}

static gboolean
take_picture (gint64 item, gpointer result, gpointer data, GError **error)
{
  Runner *runner = data;

  progress_show (runner->e->progress, NC_ ("stage", "evaluating"),
                 ++runner->n_done, runner->e->data.pictures->len);
  return TRUE;
}

static void
drop_picture (gpointer picture)
{
}

static gboolean
open_runner (Runner *runner, Evaluation *e, GError **error)
{
  int n_threads = cam_threads_count (e->threads);
  gsize n = (gsize) n_threads * e->layers->len;

  g_mutex_init (&runner->lock);
  runner->e = e;
  runner->explainers = g_new0 (CamExplainer *, n);
  for (gsize i = 0; i < n; i++)
    {
      const char *layer = g_ptr_array_index (e->layers, i % e->layers->len);

      runner->explainers[i] =
          cam_explainer_new (e->model, layer, e->data.train != NULL, 1, error);
      if (runner->explainers[i] == NULL)
        return FALSE;
    }
  runner->embedder = cam_embedder_new (e->model, n_threads, error);
  return runner->embedder != NULL;
}

static void
close_runner (Runner *runner)
{
  gsize n = (gsize) cam_threads_count (runner->e->threads)
            * runner->e->layers->len;

  for (gsize i = 0; runner->explainers != NULL && i < n; i++)
    g_clear_pointer (&runner->explainers[i], cam_explainer_free);
  g_free (runner->explainers);
  g_clear_pointer (&runner->embedder, cam_embedder_free);
  g_mutex_clear (&runner->lock);
}

/* Rows that had nothing to rest on, whatever the picture */
static void
say_why_empty (Evaluation *e)
{
  for (guint r = 0; r < e->rows->len; r++)
    {
      EvaluateRow *row = evaluate_row (e, r);

      if (row->reason == NULL && row->n_maps == 0)
        row->reason =
            row->kind == ROW_OWN
                ? N_ ("no picture's label is among the training pictures'")
                : N_ ("every cluster has the picture's own label");
    }
}

gboolean
evaluate_run (Evaluation *e, GError **error)
{
  guint n = e->data.pictures->len;
  Runner runner = { 0 };
  CamPipeline pipeline = { .n_items = n,
                           .n_threads = cam_threads_count (e->threads),
                           .load = begin_picture,
                           .compute = compute_picture,
                           .take = take_picture,
                           .drop_loaded = drop_picture,
                           .drop_result = drop_picture,
                           .data = &runner };
  guint n_read = 0;
  gboolean good = open_runner (&runner, e, error);

  for (gsize i = 0; i < (gsize) n * e->rows->len; i++)
    for (int m = 0; m < N_MEASURES; m++)
      e->scores[i].measures[m] = NAN;
  good = good && cam_pipeline_run (&pipeline, NULL, error);
  if (good)
    say_why_empty (e);
  close_runner (&runner);
  for (guint i = 0; i < n; i++)
    n_read += e->embedded[i];
  if (good && n_read == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 ngettext ("The picture could not be evaluated.",
                           "None of the %u pictures could be evaluated.", n),
                 n);
  return good && n_read > 0;
}

gboolean
evaluate_again (Evaluation *e, guint picture, CamView *view, GError **error)
{
  Runner runner = { .keep = TRUE };
  gboolean good;

  for (guint r = 0; r < e->rows->len; r++) /* it may have been shown before */
    g_clear_pointer (&evaluate_score (e, picture, r)->map, cam_heat_map_free);
  good = open_runner (&runner, e, error)
         && run_picture (&runner, 0, picture, view, error);
  close_runner (&runner);
  return good;
}
