/* layer-sample.c -- drawn by label, read, and embedded */
#include "core/method/layer-sample.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/method/random.h"

enum
{
  STREAM_SHUFFLE = 0x1a7e
};

static void
shuffle (int *numbers, int n, guint64 seed)
{
  CamRandom random = cam_random_at (seed, STREAM_SHUFFLE, 0);

  for (int i = n - 1; i > 0; i--)
    {
      int j = (int) cam_random_below (&random, (guint64) i + 1);
      int kept = numbers[i];

      numbers[i] = numbers[j];
      numbers[j] = kept;
    }
}

/* label -> GArray of pictures, in shuffled order; *@order: labels with two or
 * more, as they first come */
static GHashTable *
sort_by_label (const CamLayerChoiceOptions *options, GArray *order)
{
  GHashTable *table = g_hash_table_new_full (NULL, NULL, NULL,
                                             (GDestroyNotify) g_array_unref);
  g_autofree int *numbers = g_new (int, options->n_pictures);

  for (int i = 0; i < options->n_pictures; i++)
    numbers[i] = i;
  shuffle (numbers, options->n_pictures, options->seed);
  for (int i = 0; i < options->n_pictures; i++)
    {
      int label = options->labels[numbers[i]];
      GArray *own = g_hash_table_lookup (table, GINT_TO_POINTER (label));

      if (label < 0)
        continue;
      if (own == NULL)
        {
          own = g_array_new (FALSE, FALSE, sizeof (int));
          g_hash_table_insert (table, GINT_TO_POINTER (label), own);
        }
      g_array_append_val (own, numbers[i]);
      if (own->len == 2)
        g_array_append_val (order, label);
    }
  return table;
}

/* Labels in turn until there are enough */
static GArray *
draw_pictures (const CamLayerChoiceOptions *options, int wanted)
{
  g_autoptr (GArray) order = g_array_new (FALSE, FALSE, sizeof (int));
  g_autoptr (GHashTable) by_label = sort_by_label (options, order);
  GArray *drawn = g_array_new (FALSE, FALSE, sizeof (int));
  guint n_labels = MIN (order->len, (guint) MAX (wanted / 3, 2));
  gboolean more = TRUE;

  for (guint round = 0; more && (int) drawn->len < wanted; round++)
    {
      more = FALSE;
      for (guint i = 0; i < n_labels && (int) drawn->len < wanted; i++)
        {
          int label = g_array_index (order, int, i);
          GArray *own = g_hash_table_lookup (by_label, GINT_TO_POINTER (label));

          if (round >= own->len)
            continue;
          more = TRUE;
          g_array_append_val (drawn, g_array_index (own, int, round));
        }
    }
  return drawn;
}

typedef struct
{
  const CamLayerChoiceOptions *options;
  CamEmbedder *embedder;
  CamLayerSample *sample;
  GError **lacks; /* [n]: memory, which is no fault of a picture */
} Reading;

/* What cannot be read is passed over, and named by who reads all pictures. */
static void
give_up (Reading *reading, gint64 tile, GError *why)
{
  if (g_error_matches (why, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE))
    reading->lacks[tile] = why;
  else
    g_error_free (why);
}

static void
read_picture (gint64 tile, int thread, gpointer data)
{
  Reading *reading = data;
  CamLayerSample *sample = reading->sample;
  const CamLayerChoiceOptions *o = reading->options;
  int picture = sample->pictures[tile];
  GError *why = NULL;
  CamTensor *input;

  input = o->load (picture, &sample->views[tile], o->data, &why);
  if (input != NULL
      && cam_embedder_run (reading->embedder, thread, input,
                           sample->embeddings + tile * sample->dim, &why))
    sample->inputs[tile] = g_steal_pointer (&input);
  g_clear_pointer (&input, cam_tensor_unref);
  if (why != NULL)
    give_up (reading, tile, why);
  if (sample->inputs[tile] != NULL && o->mask != NULL)
    sample->masks[tile] = o->mask (picture, &sample->views[tile], o->data);
}

/* FALSE with the first, and frees them all. */
static gboolean
had_memory (GError **lacks, int n, GError **error)
{
  GError *first = NULL;

  for (int i = 0; i < n; i++)
    if (first == NULL)
      first = g_steal_pointer (&lacks[i]);
    else
      g_clear_error (&lacks[i]);
  if (first != NULL)
    g_propagate_error (error, first);
  return first == NULL;
}

/* Drops what could not be read. */
static void
close_gaps (CamLayerSample *sample)
{
  int n = 0, dim = sample->dim;

  for (int i = 0; i < sample->n; i++)
    {
      if (sample->inputs[i] == NULL)
        continue;
      sample->pictures[n] = sample->pictures[i];
      sample->inputs[n] = sample->inputs[i];
      sample->views[n] = sample->views[i];
      sample->masks[n] = sample->masks[i];
      sample->labels[n] = sample->labels[i];
      memmove (sample->embeddings + (gsize) n * dim,
               sample->embeddings + (gsize) i * dim, dim * sizeof (float));
      n++;
    }
  for (int i = n; i < sample->n; i++)
    {
      sample->inputs[i] = NULL;
      sample->masks[i] = NULL;
    }
  sample->n = n;
}

CamLayerSample *
cam_layer_sample_new (const CamLayerChoiceOptions *options,
                      CamEmbedder *embedder, CamThreads *threads,
                      GError **error)
{
  g_autoptr (CamLayerSample) sample = g_new0 (CamLayerSample, 1);
  g_autoptr (GArray)
      drawn = draw_pictures (options,
                             options->sample > 0 ? options->sample : 24);
  int n = (int) drawn->len;
  g_autofree GError **lacks = g_new0 (GError *, n);
  Reading reading = { options, embedder, sample, lacks };

  sample->n = n;
  sample->dim = cam_embedder_dim (embedder);
  sample->pictures = g_memdup2 (drawn->data, n * sizeof (int));
  sample->inputs = g_new0 (CamTensor *, n);
  sample->views = g_new0 (CamView, n);
  sample->masks = g_new0 (float *, n);
  sample->embeddings = g_new0 (float, (gsize) n *sample->dim);
  sample->labels = g_new (int, n);
  for (int i = 0; i < n; i++)
    sample->labels[i] = options->labels[sample->pictures[i]];
  cam_threads_run (threads, n, read_picture, &reading);
  close_gaps (sample);
  if (! had_memory (lacks, n, error))
    return NULL;
  if (sample->n < 4)
    {
      g_set_error (
          error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
          ngettext ("A layer cannot be chosen by measurement from %d picture: "
                    "it takes four, of two labels with two pictures each. "
                    "Name a layer instead.",
                    "A layer cannot be chosen by measurement from %d pictures: "
                    "it takes four, of two labels with two pictures each. "
                    "Name a layer instead.",
                    sample->n),
          sample->n);
      return NULL;
    }
  sample->triplets = cam_triplets_new_labels (sample->labels, sample->n);
  return g_steal_pointer (&sample);
}

void
cam_layer_sample_free (CamLayerSample *sample)
{
  if (sample == NULL)
    return;
  for (int i = 0; i < sample->n; i++)
    {
      g_clear_pointer (&sample->inputs[i], cam_tensor_unref);
      g_free (sample->masks[i]);
    }
  g_free (sample->pictures);
  g_free (sample->inputs);
  g_free (sample->views);
  g_free (sample->masks);
  g_free (sample->embeddings);
  g_free (sample->labels);
  g_clear_pointer (&sample->triplets, cam_triplets_free);
  g_free (sample);
}

gboolean
cam_layer_sample_seed (const CamLayerSample *sample, int i, CamScore score,
                       int n_triplets, guint64 seed, float *out)
{
  gboolean negative = cam_score_has_negative (score);
  CamTripletOptions options = { n_triplets, negative, CAM_MINING_RANDOM, 0.2,
                                seed };
  g_autofree CamTriplet *triplets = g_new (CamTriplet, n_triplets);
  g_autofree float *one = g_new (float, sample->dim);
  g_autofree double *sum = g_new0 (double, sample->dim);
  const float *e = sample->embeddings;
  gsize dim = sample->dim;
  int n = cam_triplets_draw (sample->triplets, &options, i, (guint64) i, NULL,
                             triplets)
              .n;

  for (int t = 0; t < n; t++)
    {
      const float *other = triplets[t].negative >= 0
                               ? e + triplets[t].negative * dim
                               : NULL;

      cam_score_seed (score, sample->dim, e + i * dim,
                      e + triplets[t].positive * dim, other, one);
      for (gsize d = 0; d < dim; d++)
        sum[d] += one[d];
    }
  for (gsize d = 0; n > 0 && d < dim; d++)
    out[d] = (float) (sum[d] / n);
  return n > 0;
}
