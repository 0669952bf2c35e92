/* embedding-candidates.c -- see embedding-candidates.h */
#include "config.h"
#include "core/engine/embedding-candidates.h"
#include "core/engine/embedding-scores.h"
#include "core/engine/network-private.h"
#include "core/graph/needs.h"
#include <string.h>

#define MOST 32 /* outputs that are looked at one beside the other */

/* What weighs how much; a name that says embedding outweighs being made of
 * another output, as a projection is. */
enum
{
  RANK_EXACT = 40,
  RANK_STRONG = 20,
  RANK_WEAK = 6,
  RANK_OTHER_NAME = -12,
  RANK_MADE_OF_ANOTHER = -4,
  RANK_LIKELY_SCORES = -5,
  RANK_FEW_NUMBERS = -6,
  RANK_SCORES = -60,
  RANK_NO_FLOAT32 = -100,
  RANK_OTHER_INPUT = -200
};

void
cam_embedding_candidate_free (CamEmbeddingCandidate *candidate)
{
  g_free (candidate->name);
  g_free (candidate->problem);
  g_free (candidate->other);
  g_free (candidate->op);
  g_free (candidate->before);
  g_free (candidate);
}

gboolean
cam_shape_is_vector (const CamShape *shape)
{
  int n_long = 0;

  for (int i = 1; i < shape->n_dims; i++)
    n_long += shape->dims[i] > 1;
  return shape->n_dims >= 2 && shape->dims[0] >= 1 && n_long == 1;
}

/* Which input would be the picture, and which would be missing */
static void
read_inputs (const CamNetwork *network, CamEmbeddingCandidate *c)
{
  const CamGraph *graph = network->model->graph;
  g_autoptr (GPtrArray) inputs = cam_graph_inputs_of (graph, c->name);

  for (guint i = 0; i < inputs->len; i++)
    {
      const CamValue *input = inputs->pdata[i];

      if (cam_value_may_be_picture (input) && ! c->picture)
        {
          c->picture = TRUE;
          c->batch = MAX (input->shape.dims[0], 1);
        }
      else if (! c->other)
        c->other = g_strdup (input->name);
    }
}

static int
rank_of_name (const char *name)
{
  switch (cam_embedding_name (name))
    {
    case CAM_NAME_STRONG:
      return strcmp (name, "embedding") == 0 ? RANK_EXACT : RANK_STRONG;
    case CAM_NAME_WEAK: return RANK_WEAK;
    case CAM_NAME_MEASURE:
    case CAM_NAME_OTHER:
    case CAM_NAME_SCORES: return RANK_OTHER_NAME;
    default: return 0;
    }
}

static gsize
n_numbers (const CamShape *shape)
{
  gsize n = 0;

  return cam_shape_count (shape, 1, &n) ? n : 0;
}

static void
judge (CamEmbeddingCandidate *c, const CamValue *value)
{
  c->dtype = value->dtype;
  c->shape = value->shape;
  c->vector = cam_shape_is_vector (&c->shape) && ! value->constant
              && (! c->picture || c->shape.dims[0] == c->batch);
  if (c->vector)
    c->scores = cam_scores_judge (value, c->name, &c->op, &c->before);
  c->rank = rank_of_name (c->name);
  if (c->scores == CAM_SCORES_CERTAIN)
    c->rank += RANK_SCORES;
  else if (c->scores == CAM_SCORES_LIKELY)
    c->rank += RANK_LIKELY_SCORES;
  if (n_numbers (&c->shape) <= 4)
    c->rank += RANK_FEW_NUMBERS;
  if (c->dtype != CAM_DTYPE_FLOAT32)
    c->rank += RANK_NO_FLOAT32;
  if (c->other)
    c->rank += RANK_OTHER_INPUT;
}

static CamEmbeddingCandidate *
candidate_new (const CamNetwork *network, const CamGraph *all, const char *name,
               int height, int width, gboolean ask)
{
  CamEmbeddingCandidate *c = g_new0 (CamEmbeddingCandidate, 1);
  const char *keep[] = { name, NULL };
  g_autoptr (CamGraph) own = NULL;
  g_autoptr (GError) why = NULL;

  c->name = g_strdup (name);
  c->shape.n_dims = -1;
  if (! all && ask)
    own = cam_network_bind (network, keep, 1, height, width, &why);
  if (why)
    c->problem = g_strdup (why->message);
  read_inputs (network, c);
  if (all || own)
    judge (c, cam_graph_find (all ? all : own, name));
  return c;
}

gboolean
cam_embedding_candidate_is_measure (const CamEmbeddingCandidate *candidate)
{
  CamEmbeddingName says = cam_embedding_name (candidate->name);

  return says == CAM_NAME_MEASURE
         || (says == CAM_NAME_NOTHING && n_numbers (&candidate->shape) <= 4);
}

CamEmbeddingCandidate *
cam_embedding_candidate_new (const CamNetwork *network, const char *name)
{
  return candidate_new (network, NULL, name, 0, 0, TRUE);
}

/* A further linear layer makes it of another candidate. */
static void
look_for_origins (GPtrArray *candidates, const CamGraph *graph)
{
  static const char *const linear[] = { "Gemm", "MatMul", "Conv", NULL };

  for (guint i = 0; i < candidates->len && i < MOST; i++)
    {
      const CamEmbeddingCandidate *from = candidates->pdata[i];
      const CamValue *value = cam_graph_find (graph, from->name);
      g_autofree guint8 *flow = NULL;

      if (! from->vector || ! from->picture)
        continue;
      flow = cam_graph_flow (graph, cam_scores_root (value), linear);
      for (guint k = 0; k < candidates->len && k < MOST; k++)
        {
          CamEmbeddingCandidate *to = candidates->pdata[k];
          const CamValue *other = cam_graph_find (graph, to->name);

          if (k != i && flow[other->index] == 2)
            to->rank += RANK_MADE_OF_ANOTHER;
        }
    }
}

GPtrArray *
cam_embedding_candidates (const CamNetwork *network, const char *also,
                          int height, int width)
{
  const GPtrArray *outputs = network->model->graph->outputs;
  GPtrArray *all =
      g_ptr_array_new_with_free_func ((GDestroyNotify)
                                          cam_embedding_candidate_free);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  g_autoptr (CamGraph) graph = NULL;

  for (guint i = 0; i < outputs->len; i++)
    {
      const CamValue *output = outputs->pdata[i];

      g_ptr_array_add (names, output->name);
      if (g_strcmp0 (also, output->name) == 0)
        also = NULL;
    }
  if (also && cam_graph_find (network->model->graph, also))
    g_ptr_array_add (names, (char *) also);
  g_ptr_array_add (names, NULL);
  graph = cam_network_bind (network, (const char *const *) names->pdata, 1,
                            height, width, NULL);
  for (guint i = 0; i + 1 < names->len; i++)
    g_ptr_array_add (all, candidate_new (network, graph, names->pdata[i],
                                         height, width, i < MOST));
  if (graph)
    look_for_origins (all, graph);
  return all;
}

gboolean
cam_embedding_candidate_is_possible (const CamEmbeddingCandidate *candidate)
{
  return candidate->picture && candidate->vector
         && (candidate->dtype == CAM_DTYPE_FLOAT32
             || candidate->dtype == CAM_DTYPE_FLOAT64
             || candidate->dtype == CAM_DTYPE_FLOAT16);
}

const CamEmbeddingCandidate *
cam_embedding_candidates_best (const GPtrArray *candidates)
{
  const CamEmbeddingCandidate *best = NULL;

  for (guint i = 0; i < candidates->len; i++)
    {
      const CamEmbeddingCandidate *c = candidates->pdata[i];

      if (cam_embedding_candidate_is_possible (c)
          && (! best || c->rank > best->rank))
        best = c;
    }
  return best;
}
