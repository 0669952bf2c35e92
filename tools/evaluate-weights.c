/* evaluate-weights.c -- by own gradient, by transfer, and the controls' */
#include "tools/evaluate-weights.h"

#include <math.h>
#include <string.h>

#include "core/method/random.h"
#include "core/method/score.h"

enum
{
  STREAM_TRIPLETS = 0xe7a1,
  STREAM_WRONG = 0xe7a2
};

void
evaluate_context_clear (EvaluateContext *context)
{
  g_free (context->seeds);
  for (int i = 0; i < 4; i++)
    g_free (context->own[i]);
}

static const CamClusterDb *
database_of (const Evaluation *e, int database)
{
  return g_ptr_array_index (e->databases, MAX (database, 0));
}

static int
compare_numbers (gconstpointer a, gconstpointer b)
{
  return *(const int *) a - *(const int *) b;
}

/* Training pictures with (@same) or without the picture's label, never itself
 */
static GArray *
others (const Evaluation *e, const EvaluatePicture *picture, gboolean same)
{
  GArray *found = g_array_new (FALSE, FALSE, sizeof (int));

  for (int i = 0; i < (int) e->data.train->len; i++)
    {
      const EvaluatePicture *other = g_ptr_array_index (e->data.train, i);

      if (other->label >= 0 && (other->label == picture->label) == same
          && strcmp (other->path, picture->path) != 0)
        g_array_append_val (found, i);
    }
  return found;
}

/* T triplets drawn evenly, with the picture's number for a key */
static void
draw_random (const EvaluateContext *context, const GArray *positives,
             const GArray *negatives, CamTriplet *out)
{
  const EvaluateOptions *o = context->e->options;
  CamRandom random = cam_random_at ((guint64) o->seed, STREAM_TRIPLETS,
                                    context->picture);

  for (int t = 0; t < o->triplets; t++)
    {
      guint p = (guint) cam_random_below (&random, positives->len);
      guint n = (guint) cam_random_below (&random, negatives->len);

      out[t] = (CamTriplet) { g_array_index (positives, int, p),
                              g_array_index (negatives, int, n) };
    }
}

/* The same as a build draws them: among all that may be drawn, and the picture
 * as the last of them */
static void
draw_mined (const EvaluateContext *context, const GArray *positives,
            const GArray *negatives, CamTriplet *out)
{
  const Evaluation *e = context->e;
  const float *anchor = (const float *) context->observation->embedding->data;
  guint n = positives->len + negatives->len;
  g_autoptr (GArray) all = g_array_new (FALSE, FALSE, sizeof (int));
  g_autofree int *labels = g_new (int, n + 1);
  g_autofree float *cosines = g_new (float, n + 1);
  g_autoptr (CamTriplets) triplets = NULL;
  CamTripletOptions options = { e->options->triplets, TRUE, e->mining,
                                e->margin, (guint64) e->options->seed };

  g_array_append_vals (all, positives->data, positives->len);
  g_array_append_vals (all, negatives->data, negatives->len);
  g_array_sort (all, compare_numbers);
  for (guint i = 0; i < n; i++)
    {
      int number = g_array_index (all, int, i);
      const EvaluatePicture *other = g_ptr_array_index (e->data.train, number);

      labels[i] = other->label;
      cosines[i] = (float) cam_cosine (anchor,
                                   e->data.train_embeddings
                                       + (gsize) number * e->dim,
                                   e->dim);
    }
  labels[n] = ((EvaluatePicture *) g_ptr_array_index (e->data.pictures,
                                                      context->picture))
                  ->label;
  cosines[n] = 1.0f;
  triplets = cam_triplets_new_labels (labels, (int) n + 1);
  cam_triplets_draw (triplets, &options, (int) n, context->picture, cosines,
                     out);
  for (int t = 0; t < e->options->triplets; t++)
    out[t] = (CamTriplet) { g_array_index (all, int, out[t].positive),
                            g_array_index (all, int, out[t].negative) };
}

static void
draw_seeds (EvaluateContext *context)
{
  const Evaluation *e = context->e;
  const EvaluatePicture *picture = g_ptr_array_index (e->data.pictures,
                                                      context->picture);
  g_autoptr (GArray) positives = others (e, picture, TRUE);
  g_autoptr (GArray) negatives = others (e, picture, FALSE);
  const float *anchor = (const float *) context->observation->embedding->data;
  const float *all = e->data.train_embeddings;
  g_autofree CamTriplet *drawn = g_new (CamTriplet, e->options->triplets);
  CamScore score = evaluate_own_score (e);

  context->seeds = g_new (float, (gsize) e->options->triplets * e->dim);
  if (picture->label < 0 || positives->len == 0 || negatives->len == 0)
    return;
  if (e->mining == CAM_MINING_RANDOM)
    draw_random (context, positives, negatives, drawn);
  else
    draw_mined (context, positives, negatives, drawn);
  for (int t = 0; t < e->options->triplets; t++)
    cam_score_seed (score, e->dim, anchor,
                    all + (gsize) drawn[t].positive * e->dim,
                    all + (gsize) drawn[t].negative * e->dim,
                    context->seeds + (gsize) t * e->dim);
  context->n_seeds = e->options->triplets;
}

static CamTensor *
gradient_of (EvaluateContext *context, const float *seed, GError **error)
{
  CamShape shape = cam_shape_make (1, (gint64[]) { context->e->dim });
  g_autoptr (CamTensor)
      tensor = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape, (gpointer) seed,
                                    NULL, NULL);

  return cam_explainer_gradient (context->explainer, tensor, NULL, error);
}

/* Linear in the seed: one backward pass of the mean seed */
static gboolean
weigh_gradcam (EvaluateContext *context, int n, float *alpha, GError **error)
{
  int dim = context->e->dim;
  g_autofree float *mean = g_new (float, dim);
  g_autoptr (CamTensor) gradient = NULL;

  for (int d = 0; d < dim; d++)
    {
      double sum = 0.0;

      for (int t = 0; t < n; t++)
        sum += context->seeds[(gsize) t * dim + d];
      mean[d] = (float) (sum / n);
    }
  gradient = gradient_of (context, mean, error);
  if (gradient != NULL)
    cam_gradcam_weights (gradient, alpha);
  return gradient != NULL;
}

static gboolean
weigh_gradcampp (EvaluateContext *context, int n, double eps, float *alpha,
                 GError **error)
{
  int n_channels = cam_explainer_channels (context->explainer);
  g_autofree float *one = g_new (float, n_channels);
  g_autofree double *sum = g_new0 (double, n_channels);

  for (int t = 0; t < n; t++)
    {
      g_autoptr (CamTensor)
          gradient = gradient_of (context,
                                  context->seeds + (gsize) t * context->e->dim,
                                  error);

      if (gradient == NULL)
        return FALSE;
      cam_gradcampp_weights (gradient, context->observation->activations, eps,
                             one);
      for (int k = 0; k < n_channels; k++)
        sum[k] += one[k];
    }
  for (int k = 0; k < n_channels; k++)
    alpha[k] = (float) (sum[k] / n);
  return TRUE;
}

static double
eps_of (const Evaluation *e)
{
  double eps = 0.0;

  for (guint i = 0; i < e->databases->len; i++)
    eps = MAX (eps, cam_cluster_db_info (database_of (e, (int) i))->eps);
  return eps > 0.0 ? eps : 1e-6;
}

static float *
own_weights (EvaluateContext *context, const EvaluateRow *row, GError **error)
{
  gboolean plus = strcmp (row->method, "gradcam++") == 0;
  float **own = &context->own[2 * plus + (row->triplets > 1)];
  int n_channels = cam_explainer_channels (context->explainer);
  gboolean good;

  if (context->seeds == NULL)
    draw_seeds (context);
  if (context->n_seeds == 0)
    return NULL;
  if (*own == NULL)
    {
      int n = MIN (row->triplets, context->n_seeds);

      *own = g_new (float, n_channels);
      good = plus ? weigh_gradcampp (context, n, eps_of (context->e), *own,
                                     error)
                  : weigh_gradcam (context, n, *own, error);
      if (! good)
        {
          g_clear_pointer (own, g_free);
          return NULL;
        }
    }
  return g_memdup2 (*own, n_channels * sizeof (float));
}

/* The name that the picture's label goes by; else its cluster's */
static char *
true_label (EvaluateContext *context, const CamClusterDb *db)
{
  const EvaluateData *data = &context->e->data;
  const EvaluatePicture *picture = g_ptr_array_index (data->pictures,
                                                      context->picture);
  g_autoptr (CamCluster) cluster = NULL;
  CamClusterMatch match;

  if (picture->label >= 0)
    return g_strdup (g_ptr_array_index (data->labels, picture->label));
  cam_cluster_db_find (db,
                       (const float *) context->observation->embedding->data,
                       &match);
  cluster = cam_cluster_db_cluster (db, match.index, NULL);
  if (cluster == NULL || cluster->labels->len == 0)
    return NULL;
  return g_strdup (g_array_index (cluster->labels, CamLabelCount, 0).label);
}

/* A cluster, drawn evenly, whose most frequent label is another */
static const float *
wrong_weights (EvaluateContext *context, const CamClusterDb *db)
{
  g_autofree char *own = true_label (context, db);
  g_autoptr (GArray) wrong = g_array_new (FALSE, FALSE, sizeof (int));
  CamRandom random = cam_random_at ((guint64) context->e->options->seed,
                                    STREAM_WRONG, context->picture);
  guint drawn;

  for (int c = 0; c < cam_cluster_db_info (db)->n_clusters; c++)
    {
      g_autoptr (CamCluster) cluster = cam_cluster_db_cluster (db, c, NULL);

      if (cluster != NULL && cluster->labels->len > 0
          && g_strcmp0 (g_array_index (cluster->labels, CamLabelCount, 0).label,
                        own)
                 != 0)
        g_array_append_val (wrong, c);
    }
  if (wrong->len == 0)
    return NULL;
  drawn = (guint) cam_random_below (&random, wrong->len);
  return cam_cluster_db_weights (db, g_array_index (wrong, int, drawn), NULL);
}

static const float *
transferred (EvaluateContext *context, const EvaluateRow *row, GError **error)
{
  const CamClusterDb *db = database_of (context->e, row->database);
  const float *embedding =
      (const float *) context->observation->embedding->data;
  CamClusterMatch match;

  switch (row->kind)
    {
    case ROW_CLUSTER:
      cam_cluster_db_find (db, embedding, &match);
      return match.weights;
    case ROW_NEIGHBOUR:
      return cam_cluster_db_find_neighbour (db, embedding, &match, error)
                 ? match.weights
                 : NULL;
    case ROW_WRONG_CLUSTER: return wrong_weights (context, db);
    default: return context->e->global[row->database];
    }
}

float *
evaluate_weights (EvaluateContext *context, const EvaluateRow *row,
                  GError **error)
{
  int n_channels = cam_explainer_channels (context->explainer);
  const float *weights;
  float *alpha;

  if (row->kind == ROW_OWN)
    return own_weights (context, row, error);
  if (row->kind == ROW_ACTIVATION)
    {
      alpha = g_new (float, n_channels);
      for (int k = 0; k < n_channels; k++)
        alpha[k] = 1.0f / (float) n_channels;
      return alpha;
    }
  weights = transferred (context, row, error);
  return weights != NULL ? g_memdup2 (weights, n_channels * sizeof (float))
                         : NULL;
}
