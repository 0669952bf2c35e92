/* model-embedding.c -- see model-embedding.h */
#include "core/model/model-embedding.h"

#include <glib/gi18n.h>

#include "core/engine/embedding-candidates.h"
#include "core/model/model-inputs.h"

#define MOST_NAMED 4 /* tensors in a sentence */

/* “tokens” (float32, [1, 50, 768]), ... of @candidates (transfer full) */
static char *
list_shapes (const GPtrArray *candidates)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < candidates->len && i < MOST_NAMED; i++)
    {
      const CamEmbeddingCandidate *c = candidates->pdata[i];
      g_autofree char *shape = c->shape.n_dims >= 0
                                   ? cam_shape_to_string (&c->shape)
                                   : g_strdup ("?");

      g_string_append_printf (list, "%s“%s” (%s, %s)", i > 0 ? ", " : "",
                              c->name, cam_dtype_name (c->dtype), shape);
    }
  if (candidates->len > MOST_NAMED)
    g_string_append (list, " …");
  return g_string_free (list, FALSE);
}

/* The true reason: an input that nobody gives, which may be why a node cannot
 * be run, comes before such a node, and that before a shape that does not
 * suit. */
static void
refuse_all (const CamNetwork *network, const GPtrArray *candidates,
            GError **error)
{
  g_autofree char *list = list_shapes (candidates);

  for (guint i = 0; i < candidates->len; i++)
    {
      const CamEmbeddingCandidate *c = candidates->pdata[i];

      if (c->problem != NULL && c->picture && c->other != NULL
          && cam_model_inputs_picture (network, c->name, error) == NULL)
        return;
    }
  for (guint i = 0; i < candidates->len; i++)
    {
      const CamEmbeddingCandidate *c = candidates->pdata[i];

      if (c->problem == NULL)
        continue;
      g_set_error_literal (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_UNUSABLE,
                           c->problem);
      return;
    }
  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_EMBEDDING,
               _ ("The network has no output that could be an embedding, one "
                  "vector for each picture ([N, D]): it gives %s. Name a "
                  "tensor that is one as “embedding” in model.ini."),
               list);
}

/* Others that could be meant (transfer full); "": none */
static char *
list_others (const GPtrArray *candidates, const CamEmbeddingCandidate *best)
{
  GString *list = g_string_new (NULL);

  for (guint i = 0; i < candidates->len; i++)
    {
      const CamEmbeddingCandidate *c = candidates->pdata[i];

      if (c != best && cam_embedding_candidate_is_possible (c))
        g_string_append_printf (list, "%s“%s”", list->len ? ", " : "", c->name);
    }
  return g_string_free (list, FALSE);
}

static void
guess (const GPtrArray *candidates, const CamEmbeddingCandidate *best,
       GPtrArray *guesses)
{
  g_autofree char *others = list_others (candidates, best);

  if (*others != '\0')
    g_ptr_array_add (guesses,
                     g_strdup_printf (_ ("embedding: the output “%s” (others "
                                         "that could be: %s)"),
                                      best->name, others));
  else if (g_strcmp0 (best->name, "embedding") != 0)
    g_ptr_array_add (guesses, g_strdup_printf (_ ("embedding: the output “%s”"),
                                               best->name));
}

char *
cam_model_embedding_choose (const CamNetwork *network,
                            const CamSettings *settings, int height, int width,
                            GPtrArray *guesses, GError **error)
{
  g_autofree char *given = cam_settings_get (settings, "embedding");
  g_autoptr (GPtrArray) candidates = NULL;
  const CamEmbeddingCandidate *best;

  if (given != NULL && cam_graph_find (cam_network_graph (network), given))
    return g_steal_pointer (&given);
  if (given != NULL)
    {
      g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_EMBEDDING,
                   _ ("The network has no output “%s”, which its settings name "
                      "as the embedding."),
                   given);
      return NULL;
    }
  candidates = cam_embedding_candidates (network, NULL, height, width);
  best = cam_embedding_candidates_best (candidates);
  if (best == NULL)
    {
      refuse_all (network, candidates, error);
      return NULL;
    }
  guess (candidates, best, guesses);
  return g_strdup (best->name);
}

gboolean
cam_model_embedding_fits (const char *name, CamDType dtype,
                          const CamShape *shape, GError **error)
{
  g_autofree char *text = cam_shape_to_string (shape);

  if (dtype == CAM_DTYPE_FLOAT32
      && ((shape->n_dims == 1 && shape->dims[0] > 1)
          || (shape->n_dims >= 2 && shape->dims[0] == 1
              && cam_shape_is_vector (shape))))
    return TRUE;
  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_EMBEDDING,
               _ ("“%s” is no embedding: for one picture it is %s %s, and "
                  "should be one float32 vector ([N, D]). Of tokens, a map or "
                  "boxes, name the tensor that the network pools them to."),
               name, cam_dtype_name (dtype), text);
  return FALSE;
}

static void
warn_of_scores (const CamEmbeddingCandidate *c, GPtrArray *warnings)
{
  char *text;

  if (c->scores == CAM_SCORES_CERTAIN && c->before != NULL)
    text = g_strdup_printf (_ ("The embedding “%s” is what a classifier's %s "
                               "makes, scores of classes: take the tensor "
                               "before its last layer instead, by "
                               "embedding=%s in model.ini."),
                            c->name, c->op, c->before);
  else if (c->scores == CAM_SCORES_CERTAIN)
    text = g_strdup_printf (_ ("The embedding “%s” is what a classifier's %s "
                               "makes, scores of classes, and no tensor "
                               "before it is one vector for a picture: "
                               "export the network without its classifier."),
                            c->name, c->op);
  else if (c->before != NULL)
    text = g_strdup_printf (_ ("The embedding “%s” looks like a classifier's "
                               "scores of classes. If it is, take the tensor "
                               "before its last layer instead, by "
                               "embedding=%s in model.ini."),
                            c->name, c->before);
  else
    text = g_strdup_printf (_ ("The embedding “%s” looks like a classifier's "
                               "scores of classes. If it is, export the "
                               "network without its classifier."),
                            c->name);
  g_ptr_array_add (warnings, text);
}

gboolean
cam_model_embedding_verify (const CamNetwork *network, const char *embedding,
                            GPtrArray *warnings, GError **error)
{
  g_autoptr (CamEmbeddingCandidate)
      c = cam_embedding_candidate_new (network, embedding);

  if (c->problem != NULL)
    {
      g_set_error_literal (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_UNUSABLE,
                           c->problem);
      return FALSE;
    }
  if (! cam_model_embedding_fits (embedding, c->dtype, &c->shape, error))
    return FALSE;
  if (c->scores != CAM_SCORES_NONE)
    warn_of_scores (c, warnings);
  else if (cam_embedding_candidate_is_measure (c))
    g_ptr_array_add (warnings,
                     g_strdup_printf (_ ("“%s” is taken for the embedding, but "
                                         "looks like boxes, an age or the "
                                         "like: name the tensor that is the "
                                         "embedding by embedding=TENSOR in "
                                         "model.ini."),
                                      c->name));
  return TRUE;
}
