/* build-layer.c -- pass 0: which layer a build takes */
#include "core/builder/build-private.h"

#include <stdlib.h>
#include <string.h>

#include "core/method/layer-choice.h"

#define N_QUANTILES 4 /* of values, as labels */

typedef struct
{
  CamBuild *build;
  char **digests; /* [n_pictures]: of those that could be read */
} Choosing;

static CamTensor *
load (int picture, CamView *view, gpointer data, GError **error)
{
  Choosing *choosing = data;
  g_autofree char *digest = NULL;
  CamTensor *input = cam_build_load (choosing->build, picture, &digest, error);

  if (input != NULL)
    choosing->digests[picture] = g_steal_pointer (&digest);
  return input;
}

static void
show (int done, int total, gpointer data)
{
  CamBuild *build = ((Choosing *) data)->build;

  build->done = done;
  build->total = total;
  cam_build_report (build);
}

/* Triplets are drawn within the sample, so a result stands for it as a whole.
 */
static gboolean
begin (gpointer data, GError **error)
{
  const Choosing *choosing = data;
  g_autoptr (GChecksum) sum = g_checksum_new (G_CHECKSUM_SHA256);

  for (int i = 0; i < choosing->build->options->n_pictures; i++)
    if (choosing->digests[i] != NULL)
      {
        g_autofree char *line = g_strdup_printf ("%d %s\n", i,
                                                 choosing->digests[i]);

        g_checksum_update (sum, (const guchar *) line, -1);
      }
  return cam_build_work_set_sample (choosing->build->work,
                                    g_checksum_get_string (sum), error);
}

static gboolean
recall (int picture, const char *layer, CamScore score, CamFaithfulness *areas,
        gpointer data)
{
  return cam_build_work_find_trial (((Choosing *) data)->build->work, picture,
                                    layer, areas);
}

static gboolean
keep (int picture, const char *layer, CamScore score,
      const CamFaithfulness *areas, gpointer data, GError **error)
{
  CamBuildWork *work = ((Choosing *) data)->build->work;

  return cam_build_work_add_trial (work, picture, layer, areas, error)
         && cam_build_work_commit (work, FALSE, error);
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
measure (CamBuild *build, GError **error)
{
  const CamBuildOptions *o = build->options;
  CamBuildSummary *summary = build->summary;
  Choosing choosing = { build, g_new0 (char *, o->n_pictures) };
  g_autofree int *labels = number_labels (o);
  CamLayerChoiceOptions options = { .n_pictures = o->n_pictures,
                                    .labels = labels,
                                    .load = load,
                                    .begin = begin,
                                    .recall = recall,
                                    .keep = keep,
                                    .data = &choosing,
                                    .scores = &o->score,
                                    .n_scores = 1,
                                    .top_k = 50,
                                    .triplets = o->n_triplets,
                                    .seed = o->seed,
                                    .n_threads = build->n_jobs,
                                    .progress = show,
                                    .cancellable = build->cancellable };
  g_autoptr (GPtrArray) trials = NULL;

  build->stage = CAM_BUILD_CHOOSING;
  trials = cam_layer_choose (o->model, &options, error);
  for (int i = 0; i < o->n_pictures; i++)
    g_free (choosing.digests[i]);
  g_free (choosing.digests);
  if (trials == NULL)
    return FALSE;
  summary->layer = g_strdup (((CamLayerTrial *) trials->pdata[0])->layer);
  summary->layer_choice = describe (trials);
  return TRUE;
}

/* Pictures that no layer can be chosen by leave no file behind. */
static gboolean
may_be_resumed (const GError *error)
{
  return g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
         || error->domain == CAM_CLUSTER_DB_ERROR;
}

gboolean
cam_build_choose_layer (CamBuild *build, GError **error)
{
  CamBuildSummary *summary = build->summary;
  GError *problem = NULL;

  if (build->options->layer != NULL)
    summary->layer = g_strdup (build->options->layer);
  else if (cam_build_work_layer (build->work, &summary->layer,
                                 &summary->layer_choice))
    return TRUE;
  else if (! measure (build, &problem))
    {
      if (! may_be_resumed (problem))
        cam_build_work_remove (build->work);
      g_propagate_error (error, problem);
      return FALSE;
    }
  return cam_build_work_set_layer (build->work, summary->layer,
                                   summary->layer_choice, error);
}
