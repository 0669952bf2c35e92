/* evaluate-summary.c -- means, intervals, and how they are said */
#include <glib/gi18n.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/method/random.h"
#include "tools/command.h"
#include "tools/evaluate.h"

#define RESAMPLES 1000
enum
{
  STREAM_BOOTSTRAP = 0xb007
};

static const struct
{
  const char *name, *title, *head;
} measures[N_MEASURES] = {
  { "energy", N_ ("Energy in the mask"), NC_ ("column", "energy") },
  { "iou_20", N_ ("IoU, map at 0.2 of its maximum"), "IoU.2" },
  { "iou_40", N_ ("IoU, map at 0.4 of its maximum"), "IoU.4" },
  { "iou_60", N_ ("IoU, map at 0.6 of its maximum"), "IoU.6" },
  { "box", N_ ("Localisation accuracy (box IoU at least 0.5)"),
    NC_ ("column", "box") },
  { "pointing", N_ ("Pointing game"), NC_ ("column", "pointing") },
  { "faithfulness", N_ ("Faithfulness (insertion minus deletion)"),
    NC_ ("column", "faithfulness") },
};

#define MEASURE_WIDTH 17 /* "0.123  0.12…0.12 " */

const char *
measure_name (Measure measure)
{
  return measures[measure].name;
}

const char *
measure_title (Measure measure)
{
  return _ (measures[measure].title);
}

static int
compare_doubles (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Percentiles of the means of resampled pictures; the same resamples for all
 * rows, drawn by number. */
static void
bootstrap (const float *values, int n, Interval *interval)
{
  g_autofree double *means = g_new (double, RESAMPLES);

  for (int b = 0; b < RESAMPLES; b++)
    {
      CamRandom random = cam_random_at (1, STREAM_BOOTSTRAP, (guint64) b);
      double sum = 0.0;

      for (int i = 0; i < n; i++)
        sum += values[cam_random_below (&random, (guint64) n)];
      means[b] = sum / n;
    }
  qsort (means, RESAMPLES, sizeof (double), compare_doubles);
  interval->low = means[(int) (0.025 * RESAMPLES)];
  interval->high = means[(int) (0.975 * RESAMPLES) - 1];
}

Interval
evaluate_interval (const Evaluation *e, guint row, Measure measure)
{
  guint n_pictures = e->data.pictures->len;
  g_autofree float *values = g_new (float, n_pictures);
  Interval interval = { NAN, NAN, NAN, 0 };
  double sum = 0.0;

  for (guint i = 0; i < n_pictures; i++)
    {
      float v = evaluate_score (e, i, row)->measures[measure];

      if (isnan (v))
        continue;
      values[interval.n++] = v;
      sum += v;
    }
  if (interval.n == 0)
    return interval;
  interval.mean = sum / interval.n;
  bootstrap (values, interval.n, &interval);
  return interval;
}

static double
cosine (const float *a, const float *b, int n)
{
  double ab = 0.0, aa = 0.0, bb = 0.0;

  for (int i = 0; i < n; i++)
    {
      ab += (double) a[i] * b[i];
      aa += (double) a[i] * a[i];
      bb += (double) b[i] * b[i];
    }
  return aa > 0.0 && bb > 0.0 ? ab / sqrt (aa * bb) : -1.0;
}

/* Share of pictures whose nearest of @others has their label */
static double
recall (const Evaluation *e, const GPtrArray *others, const float *embeddings,
        gboolean same)
{
  int n = 0, hits = 0;

  for (guint i = 0; i < e->data.pictures->len; i++)
    {
      const EvaluatePicture *picture = g_ptr_array_index (e->data.pictures, i);
      double best = -2.0;
      int label = -1;

      if (picture->label < 0 || ! e->embedded[i])
        continue;
      for (guint j = 0; j < others->len; j++)
        {
          const EvaluatePicture *other = g_ptr_array_index (others, j);
          double c;

          if ((same && (i == j || ! e->embedded[j]))
              || strcmp (picture->path, other->path) == 0)
            continue;
          c = cosine (e->embeddings + (gsize) i * e->dim,
                      embeddings + (gsize) j * e->dim, e->dim);
          if (c > best)
            {
              best = c;
              label = other->label;
            }
        }
      n++;
      hits += label == picture->label;
    }
  return n > 0 ? (double) hits / n : NAN;
}

double
evaluate_recall (const Evaluation *e)
{
  return recall (e, e->data.pictures, e->embeddings, TRUE);
}

/* Whether any picture could find its label among the training pictures */
static gboolean
labels_meet (const EvaluateData *data)
{
  g_autofree gboolean *trained = g_new0 (gboolean, data->labels->len + 1);

  for (guint i = 0; data->train != NULL && i < data->train->len; i++)
    {
      const EvaluatePicture *picture = g_ptr_array_index (data->train, i);

      if (picture->label >= 0)
        trained[picture->label] = TRUE;
    }
  for (guint i = 0; i < data->pictures->len; i++)
    {
      const EvaluatePicture *picture = g_ptr_array_index (data->pictures, i);

      if (picture->label >= 0 && trained[picture->label])
        return TRUE;
    }
  return FALSE;
}

double
evaluate_recall_of_train (const Evaluation *e)
{
  return ! labels_meet (&e->data)
             ? NAN
             : recall (e, e->data.train, e->data.train_embeddings, FALSE);
}

double
evaluate_centre (const Evaluation *e)
{
  double sum = 0.0;
  int n = 0;

  for (guint i = 0; i < e->data.pictures->len; i++)
    if (e->embedded[i] && ! isnan (e->centre[i]))
      {
        sum += e->centre[i];
        n++;
      }
  return n > 0 ? sum / n : NAN;
}

double
evaluate_mask_area (const Evaluation *e)
{
  double sum = 0.0;
  int n = 0;

  for (guint i = 0; i < e->data.pictures->len; i++)
    if (e->embedded[i] && ! isnan (e->mask_area[i]))
      {
        sum += e->mask_area[i];
        n++;
      }
  return n > 0 ? sum / n : NAN;
}

static guint
count_read (const Evaluation *e)
{
  guint n = 0;

  for (guint i = 0; i < e->data.pictures->len; i++)
    n += e->embedded[i];
  return n;
}

typedef struct /* of the table's first columns, in the user's language */
{
  int title, method, channels;
} Widths;

static Widths
find_widths (const Evaluation *e)
{
  Widths widths = { 42, MAX (9, command_width (C_ ("column", "method"))),
                    MAX (4, command_width (C_ ("channels", "all"))) };

  for (guint r = 0; r < e->rows->len; r++)
    {
      const EvaluateRow *row = evaluate_row (e, r);

      widths.title = MAX (widths.title, command_width (row->title));
      widths.method = MAX (widths.method,
                           command_width (evaluate_row_method (row)));
    }
  return widths;
}

static void
print_cells (const char *title, const char *method, const char *channels,
             const Widths *widths)
{
  command_cell (title, widths->title);
  printf (" ");
  command_cell (method, widths->method);
  printf (" ");
  command_cell (channels, -widths->channels);
}

static void
print_row (const Evaluation *e, guint r, const Widths *widths)
{
  const EvaluateRow *row = evaluate_row (e, r);
  g_autofree char *k = evaluate_row_channels (row);

  print_cells (row->title, evaluate_row_method (row), k, widths);
  if (row->reason != NULL)
    {
      command_print (stdout, _ ("  not computed: %s\n"), _ (row->reason));
      return;
    }
  for (int m = 0; m < N_MEASURES; m++)
    {
      Interval i = evaluate_interval (e, r, (Measure) m);

      if (i.n == 0)
        printf ("  %-*s", MEASURE_WIDTH, "-");
      else
        printf ("  %5.3f %5.2f…%-5.2f", i.mean, i.low, i.high);
    }
  printf ("\n");
}

static void
print_share (const char *what, double share)
{
  if (! isnan (share))
    printf (_ ("%s: %.3f\n"), what, share);
}

void
evaluate_print_mask_kinds (const EvaluateData *data)
{
  for (int k = 0; k < N_MASK_KINDS; k++)
    if (data->mask_kinds[k] > 0)
      printf (ngettext ("%d mask read by %s\n", "%d masks read by %s\n",
                        data->mask_kinds[k]),
              data->mask_kinds[k], evaluate_mask_kind ((MaskKind) k));
}

void
evaluate_print (const Evaluation *e)
{
  const Widths widths = find_widths (e);

  command_print (stdout,
                 ngettext ("%u of %u picture, %d with masks; layer %s\n",
                           "%u of %u pictures, %d with masks; layer %s\n",
                           e->data.pictures->len),
                 count_read (e), e->data.pictures->len, e->data.n_masks,
                 (char *) g_ptr_array_index (e->layers, 0));
  print_share (_ ("Recall@1 among the pictures"), evaluate_recall (e));
  print_share (_ ("Recall@1 in the training pictures"),
               evaluate_recall_of_train (e));
  print_share (_ ("mask's share of what the network sees"),
               evaluate_mask_area (e));
  evaluate_print_mask_kinds (&e->data);
  print_share (_ ("the centre pixel's score in the pointing game"),
               evaluate_centre (e));
  printf ("\n");
  print_cells ("", C_ ("column", "method"), "k", &widths);
  for (int m = 0; m < N_MEASURES; m++)
    {
      printf ("  ");
      command_cell (g_dpgettext2 (NULL, "column", measures[m].head),
                    MEASURE_WIDTH);
    }
  printf ("\n");
  for (guint r = 0; r < e->rows->len; r++)
    if (! evaluate_row (e, r)->curve)
      print_row (e, r, &widths);
}

static void
add_number (JsonBuilder *b, const char *name, double value)
{
  json_builder_set_member_name (b, name);
  if (isnan (value))
    json_builder_add_null_value (b);
  else
    json_builder_add_double_value (b, value);
}

static void
add_text (JsonBuilder *b, const char *name, const char *value)
{
  json_builder_set_member_name (b, name);
  json_builder_add_string_value (b, value);
}

void
evaluate_add_mask_kinds (const EvaluateData *data, JsonBuilder *b)
{
  json_builder_set_member_name (b, "masks_read_by");
  json_builder_begin_object (b);
  for (int k = 0; k < N_MASK_KINDS; k++)
    add_number (b, evaluate_mask_kind_name ((MaskKind) k), data->mask_kinds[k]);
  json_builder_end_object (b);
  add_number (b, "masks_empty", data->n_empty_masks);
  add_number (b, "masks_without_picture", data->n_lost_masks);
  add_number (b, "pictures_without_mask", data->n_without_mask);
}

static void
add_row (const Evaluation *e, guint r, JsonBuilder *b)
{
  const EvaluateRow *row = evaluate_row (e, r);

  json_builder_begin_object (b);
  add_text (b, "row", row->name);
  add_text (b, "method", row->method);
  json_builder_set_member_name (b, "top_k");
  json_builder_add_int_value (b, row->top_k);
  if (row->kind == ROW_OWN)
    add_text (b, "mining", cam_mining_name (e->mining));
  if (row->reason != NULL)
    add_text (b, "not_computed", row->reason);
  for (int m = 0; m < N_MEASURES && row->reason == NULL; m++)
    {
      Interval i = evaluate_interval (e, r, (Measure) m);

      if (i.n == 0)
        continue;
      json_builder_set_member_name (b, measures[m].name);
      json_builder_begin_object (b);
      add_number (b, "mean", i.mean);
      add_number (b, "low", i.low);
      add_number (b, "high", i.high);
      add_number (b, "n", i.n);
      json_builder_end_object (b);
    }
  json_builder_end_object (b);
}

void
evaluate_print_json (const Evaluation *e)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

  json_builder_begin_object (b);
  add_text (b, "model", e->model->name);
  add_text (b, "layer", g_ptr_array_index (e->layers, 0));
  add_number (b, "pictures", count_read (e));
  add_number (b, "with_masks", e->data.n_masks);
  evaluate_add_mask_kinds (&e->data, b);
  add_number (b, "recall_at_1", evaluate_recall (e));
  add_number (b, "recall_at_1_train", evaluate_recall_of_train (e));
  add_number (b, "mask_area", evaluate_mask_area (e));
  add_number (b, "centre_pixel", evaluate_centre (e));
  add_number (b, "labels_without_picture", e->data.n_unfound);
  json_builder_set_member_name (b, "rows");
  json_builder_begin_array (b);
  for (guint r = 0; r < e->rows->len; r++)
    if (! evaluate_row (e, r)->curve)
      add_row (e, r, b);
  json_builder_end_array (b);
  json_builder_end_object (b);
  command_print_json (b, TRUE);
}
