/* build-layer.c -- which layer camlens build takes */
#include "tools/build-layer.h"

#include <stdlib.h>
#include <string.h>

#include "core/method/layer-choice.h"
#include "tools/picture.h"

#define N_QUANTILES 4 /* of values, as labels */

void
build_layer_clear (BuildLayer *layer)
{
  g_free (layer->layer);
  g_free (layer->choice);
}

typedef struct
{
  const CamBuildOptions *options;
  Progress *progress;
} Choosing;

static CamTensor *
load (int picture, CamView *view, gpointer data, GError **error)
{
  const CamBuildOptions *o = ((Choosing *) data)->options;

  return picture_load_input (o->pictures[picture].path, &o->model->input, view,
                             error);
}

static void
show (int done, int total, gpointer data)
{
  progress_show (((Choosing *) data)->progress, "layer", done, total);
}

static int
compare_values (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return x < y ? -1 : x > y;
}

/* Values as quantiles, labels as numbers (transfer full). */
static int *
number_labels (const CamBuildOptions *o)
{
  int *labels = g_new (int, o->n_pictures);
  g_autofree double *sorted = g_new (double, o->n_pictures);
  g_autoptr (GHashTable) numbers = g_hash_table_new (g_str_hash, g_str_equal);

  for (int i = 0; i < o->n_pictures; i++)
    sorted[i] = o->pictures[i].value;
  qsort (sorted, o->n_pictures, sizeof *sorted, compare_values);
  for (int i = 0; i < o->n_pictures; i++)
    {
      const CamBuildPicture *p = &o->pictures[i];

      labels[i] = -1;
      if (o->continuous)
        for (int q = 0; q < N_QUANTILES; q++)
          labels[i] += p->value
                       >= sorted[(gint64) o->n_pictures * q / N_QUANTILES];
      else if (p->label != NULL)
        {
          if (! g_hash_table_contains (numbers, p->label))
            g_hash_table_insert (numbers, (gpointer) p->label,
                                 GINT_TO_POINTER (g_hash_table_size (numbers)));
          labels[i] = GPOINTER_TO_INT (g_hash_table_lookup (numbers, p->label));
        }
    }
  return labels;
}

/* "relu5 0.41 (24 pictures), relu4 0.38 (24 pictures) ..." */
static char *
describe (GPtrArray *trials)
{
  GString *text = g_string_new ("faithfulness (insertion minus deletion): ");

  for (guint i = 0; i < trials->len; i++)
    {
      const CamLayerTrial *t = trials->pdata[i];
      char number[G_ASCII_DTOSTR_BUF_SIZE];

      g_ascii_formatd (number, sizeof number, "%.4f", t->faithfulness);
      g_string_append_printf (text, "%s%s %s (%d pictures)", i ? ", " : "",
                              t->layer, number, t->n_pictures);
    }
  return g_string_free (text, FALSE);
}

static gboolean
measure (const CamBuildOptions *o, Progress *progress,
         GCancellable *cancellable, BuildLayer *layer, GError **error)
{
  Choosing choosing = { o, progress };
  g_autofree int *labels = number_labels (o);
  CamLayerChoiceOptions options = { .n_pictures = o->n_pictures,
                                    .labels = labels,
                                    .load = load,
                                    .data = &choosing,
                                    .scores = &o->score,
                                    .n_scores = 1,
                                    .top_k = 50,
                                    .triplets = o->n_triplets,
                                    .seed = o->seed,
                                    .n_threads = o->n_jobs,
                                    .progress = show,
                                    .cancellable = cancellable };
  g_autoptr (GPtrArray) trials = cam_layer_choose (o->model, &options, error);

  if (trials == NULL)
    return FALSE;
  layer->layer = g_strdup (((CamLayerTrial *) trials->pdata[0])->layer);
  layer->choice = describe (trials);
  return TRUE;
}

gboolean
build_layer_choose (const char *wanted, const char *out,
                    const CamBuildOptions *o, Progress *progress,
                    GCancellable *cancellable, BuildLayer *layer,
                    GError **error)
{
  if (wanted != NULL && strcmp (wanted, "auto") != 0)
    {
      layer->layer = g_strdup (wanted);
      return TRUE;
    }
  if (o->resume && cam_build_earlier_layer (out, &layer->layer, &layer->choice))
    return TRUE;
  return measure (o, progress, cancellable, layer, error);
}
