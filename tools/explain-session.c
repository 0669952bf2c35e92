/* explain-session.c -- model, database and layer, and the way of one picture */
#include <glib/gi18n.h>
#include <string.h>

#include "core/base/threads.h"
#include "core/method/score.h"
#include "tools/command.h"
#include "tools/explain.h"
#include "tools/picture.h"

/* Longer side of the grid on which the box is looked for */
#define BOX_GRID 1024
#define BOX_THRESHOLD 0.2

/* -d: a file, or the name of a database beside the model */
static char *
find_database (const CamModel *model, const char *name, GError **error)
{
  g_autofree char *folder = g_path_get_dirname (model->path);
  g_autofree char *file = g_strconcat (name, ".camdb", NULL);
  char *beside = g_build_filename (folder, file, NULL);

  if (g_file_test (name, G_FILE_TEST_EXISTS)
      || ! g_file_test (beside, G_FILE_TEST_EXISTS))
    {
      g_free (beside);
      return g_strdup (name);
    }
  return beside;
}

/* Without -d: the only one that fits */
static char *
only_database (const CamModel *model, GError **error)
{
  g_autoptr (GPtrArray)
      paths = cam_model_databases (model->path, cam_model_digest (model));
  g_autoptr (GString) list = g_string_new (NULL);

  if (paths->len == 1)
    return g_strdup (g_ptr_array_index (paths, 0));
  for (guint i = 0; i < paths->len; i++)
    g_string_append_printf (list, "%s%s", i > 0 ? ", " : "",
                            (char *) g_ptr_array_index (paths, i));
  if (paths->len == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 _("No cluster database for the model “%s” lies beside it. Name "
                 "one with -d, build one with “camlens build”, or explain by "
                 "example with --positive and --negative."),
                 model->name);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT,
                 _("Several cluster databases fit the model “%s”: choose one of "
                 "them with -d (%s)."),
                 model->name, list->str);
  return NULL;
}

static gboolean
open_database (ExplainSession *session, GError **error)
{
  const ExplainOptions *options = session->options;
  g_autofree char *path = options->database != NULL
                              ? find_database (session->model,
                                               options->database, error)
                              : only_database (session->model, error);

  if (path == NULL)
    return FALSE;
  session->db = cam_cluster_db_open (path, error);
  if (session->db == NULL)
    return FALSE;
  if (cam_cluster_db_is_alike (session->db))
    command_note (_ ("%s: the embeddings it was built of are all the same or "
                     "nearly so, or of length 0 (one cluster was found instead "
                     "of %d), so it explains nothing"),
                  path, cam_cluster_db_info (session->db)->n_wanted);
  if (cam_cluster_db_info (session->db)->far_distance < 0)
    command_note (_ ("%s does not say from where on a picture is far from its "
                     "own, so that is unknown (“camlens db recluster” measures "
                     "it where there are pictures enough)"),
                  path);
  return TRUE;
}

/* For the layer that the weights belong to */
static gboolean
open_explainer (ExplainSession *session, int n_threads, GError **error)
{
  const ExplainOptions *options = session->options;
  const char *layer = options->layer;

  if (session->db != NULL)
    {
      const CamClusterDbInfo *info = cam_cluster_db_info (session->db);
      const char *own = info->layer;

      if (layer != NULL && own != NULL && strcmp (layer, own) != 0)
        {
          g_set_error (error, CAM_CLUSTER_DB_ERROR,
                       CAM_CLUSTER_DB_ERROR_OTHER_MODEL,
                       _("The database's channel weights are those of the layer "
                       "“%s”, not of “%s”: leave --layer out, or build a "
                       "database for that layer."),
                       own, layer);
          return FALSE;
        }
      if (! cam_cluster_db_fits (session->db, cam_model_digest (session->model),
                                 info->embedding_dim, info->n_channels, error))
        return FALSE;
      layer = own != NULL ? own : layer;
    }
  session->explainer = cam_explainer_new (session->model, layer,
                                          session->db == NULL, n_threads,
                                          error);
  if (session->explainer == NULL)
    return FALSE;
  g_ptr_array_add (session->explainers, session->explainer);
  if (cam_explainer_layer_is_fallback (session->explainer))
    command_note (_("the target layer was not chosen; taking “%s”, the last "
                  "before the pooling, which is often not the best "
                  "(--layer names another)"),
                  cam_explainer_layer (session->explainer));
  if (options->top_k > cam_explainer_channels (session->explainer))
    command_note (ngettext ("“%s” has %d channel, fewer than %d: it is taken",
                            "“%s” has %d channels, fewer than %d: all of them "
                            "are taken",
                            cam_explainer_channels (session->explainer)),
                  cam_explainer_layer (session->explainer),
                  cam_explainer_channels (session->explainer), options->top_k);
  return session->db == NULL
         || cam_cluster_db_fits (session->db, cam_model_digest (session->model),
                                 cam_explainer_embedding_dim (session
                                                                  ->explainer),
                                 cam_explainer_channels (session->explainer),
                                 error);
}

/* As many as there are threads, and no more than pictures */
static gboolean
open_explainers (ExplainSession *session, guint n_pictures, GError **error)
{
  int n_threads = cam_threads_resolve (session->options->n_threads);
  guint n = MIN (n_pictures, (guint) n_threads);

  session->explainers = g_ptr_array_new_with_free_func (
    (GDestroyNotify) cam_explainer_free);
  session->idle = g_async_queue_new ();
  if (! open_explainer (session, n > 1 ? 1 : n_threads, error))
    return FALSE;
  while (session->explainers->len < n)
    {
      CamExplainer *more = cam_explainer_share (session->explainer, 1, error);

      if (more == NULL)
        return FALSE;
      g_ptr_array_add (session->explainers, more);
    }
  for (guint i = 0; i < n; i++)
    g_async_queue_push (session->idle, session->explainers->pdata[i]);
  return TRUE;
}

static CamObservation *
observe (CamExplainer *explainer, const char *path, CamTensor *input,
         const CamView *view, GError **error)
{
  CamObservation *observation;

  observation = cam_explainer_observe (explainer, input, view, NULL, error);
  if (observation == NULL)
    g_prefix_error (error, "%s: ", path);
  return observation;
}

static CamTensor *
embed_example (ExplainSession *session, const char *path, GError **error)
{
  CamView view;
  g_autoptr (CamTensor) input = NULL;
  g_autoptr (CamObservation) observation = NULL;

  input = picture_load_input (path, &session->model->input, &view, error);
  if (input == NULL)
    return NULL;
  observation = observe (session->explainer, path, input, &view, error);
  if (observation == NULL)
    return NULL;
  return cam_tensor_ref (observation->embedding);
}

gboolean
explain_session_open (ExplainSession *session, const ExplainOptions *options,
                      guint n_pictures, GError **error)
{
  memset (session, 0, sizeof *session);
  g_mutex_init (&session->lock);
  session->options = options;
  session->model = command_open_model (options->model, error);
  if (session->model == NULL)
    return FALSE;
  if (options->positive == NULL && ! open_database (session, error))
    return FALSE;
  if (! open_explainers (session, n_pictures, error))
    return FALSE;
  if (options->positive == NULL)
    return TRUE;
  session->positive = embed_example (session, options->positive, error);
  if (session->positive != NULL && options->negative != NULL)
    session->negative = embed_example (session, options->negative, error);
  return session->positive != NULL
         && (options->negative == NULL || session->negative != NULL);
}

void
explain_session_close (ExplainSession *session)
{
  g_clear_pointer (&session->positive, cam_tensor_unref);
  g_clear_pointer (&session->negative, cam_tensor_unref);
  g_clear_pointer (&session->idle, g_async_queue_unref);
  g_clear_pointer (&session->explainers, g_ptr_array_unref);
  g_clear_pointer (&session->db, cam_cluster_db_free);
  g_clear_pointer (&session->model, cam_model_unref);
  g_mutex_clear (&session->lock);
}

void
explanation_free (Explanation *explanation)
{
  g_free (explanation->out);
  g_free (explanation->overlay);
  g_free (explanation->composite);
  g_free (explanation->heatmap);
  g_clear_pointer (&explanation->map, cam_heat_map_free);
  g_free (explanation->alpha);
  g_clear_error (&explanation->error);
  g_free (explanation);
}

/* Seconds since *@since, which moves on to now */
static double
lap (gint64 *since)
{
  gint64 now = g_get_monotonic_time ();
  double seconds = (now - *since) / 1e6;

  *since = now;
  return seconds;
}

static CamEmpty
flatness (const ExplainSession *session, const CamObservation *observation)
{
  const CamTensor *negative = session->negative;

  return cam_score_flat ((int) observation->embedding->n_elements,
                         (const float *) observation->embedding->data,
                         (const float *) session->positive->data,
                         negative != NULL ? (const float *) negative->data
                                          : NULL);
}

/* An error names the picture, and the database where it is of its weights. */
static gboolean
make_map (const ExplainSession *session, Explanation *explanation,
          const CamObservation *observation, GError **error)
{
  explanation->map = cam_heat_map_new (observation->activations,
                                       explanation->alpha,
                                       cam_explainer_channels (session
                                                                   ->explainer),
                                       explanation->top_k, error);
  if (explanation->map == NULL && session->db != NULL)
    g_prefix_error (error, "%s: %s: ", explanation->path,
                    cam_cluster_db_path (session->db));
  else if (explanation->map == NULL)
    g_prefix_error (error, "%s: ", explanation->path);
  else if (explanation->map->empty == CAM_EMPTY_WEIGHTLESS
           && session->db == NULL)
    explanation->map->empty = explanation->flat;
  return explanation->map != NULL;
}

static gboolean
find_weights (ExplainSession *session, CamExplainer *explainer,
              Explanation *explanation, const CamObservation *observation,
              GError **error)
{
  gsize n = (gsize) cam_explainer_channels (explainer);
  gboolean found;

  if (session->db == NULL)
    {
      explanation->alpha = cam_explainer_triplet_weights (explainer,
                                                          observation,
                                                          session->positive,
                                                          session->negative,
                                                          NULL, error);
      explanation->flat = flatness (session, observation);
      return explanation->alpha != NULL;
    }
  g_mutex_lock (&session->lock);
  found = cam_lookup (session->db, observation, session->options->transfer,
                      &explanation->lookup, error);
  if (found)
    explanation->alpha = g_memdup2 (explanation->lookup.match.weights,
                                    n * sizeof (float));
  g_mutex_unlock (&session->lock);
  return found;
}

/* The box of the map in picture pixels, from a grid of at most BOX_GRID */
static void
find_box (Explanation *explanation)
{
  const CamView *view = &explanation->view;
  double scale = MIN (1.0, (double) BOX_GRID / MAX (view->width, view->height));
  int width = MAX (1, (int) (view->width * scale));
  int height = MAX (1, (int) (view->height * scale));
  g_autofree float *values = g_new (float, (gsize) width * height);
  CamBox *box = &explanation->box;

  cam_overlay_values (explanation->map, view, width, height, 0, height, values);
  explanation->has_box = cam_measure_box (values, width, height, BOX_THRESHOLD,
                                          box);
  box->x0 = (int) ((gint64) box->x0 * view->width / width);
  box->x1 = (int) ((gint64) box->x1 * view->width / width);
  box->y0 = (int) ((gint64) box->y0 * view->height / height);
  box->y1 = (int) ((gint64) box->y1 * view->height / height);
}

gboolean
explain_picture (ExplainSession *session, Explanation *explanation,
                 GError **error)
{
  g_autoptr (CamTensor) input = NULL;
  g_autoptr (CamObservation) observation = NULL;
  int n_channels = cam_explainer_channels (session->explainer);
  int k = session->options->top_k;
  gint64 since = g_get_monotonic_time ();
  CamExplainer *explainer;
  gboolean good;

  input = picture_load_input (explanation->path, &session->model->input,
                              &explanation->view, error);
  if (input == NULL)
    return FALSE;
  explanation->seconds[0] = lap (&since);
  explainer = g_async_queue_pop (session->idle);
  lap (&since);
  observation = observe (explainer, explanation->path, input,
                         &explanation->view, error);
  explanation->seconds[1] = lap (&since);
  good = observation != NULL
         && find_weights (session, explainer, explanation, observation, error);
  g_async_queue_push (session->idle, explainer);
  if (! good)
    return FALSE;
  explanation->top_k = k <= 0 || k > n_channels ? n_channels : k;
  if (! make_map (session, explanation, observation, error))
    return FALSE;
  if (session->options->json)
    find_box (explanation);
  explanation->seconds[2] = lap (&since);
  return TRUE;
}
