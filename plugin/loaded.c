/* loaded.c -- see loaded.h */
#include "config.h"
#include "plugin/loaded.h"
#include "plugin/advice.h"
#include "plugin/host.h"
#include "plugin/room.h"
#include <glib/gi18n.h>
#include <string.h>

void
cam_loaded_free (CamLoaded *loaded)
{
  g_clear_pointer (&loaded->explainer, cam_explainer_free);
  g_clear_pointer (&loaded->model, cam_model_unref);
  g_clear_pointer (&loaded->db, cam_cluster_db_free);
  g_clear_pointer (&loaded->databases, g_ptr_array_unref);
  g_free (loaded);
}

const char *
cam_loaded_title (const CamLoaded *loaded)
{
  return loaded->model->title ? loaded->model->title : loaded->model->name;
}

static gboolean
names_a_file (const char *name)
{
  return strchr (name, G_DIR_SEPARATOR) != NULL;
}

/* The file that @name means: a path, or the name of one beside the model. */
static char *
find_database (const CamLoaded *loaded, const char *name, GError **error)
{
  if (names_a_file (name))
    return g_strdup (name);
  for (guint i = 0; i < loaded->databases->len; i++)
    {
      const char *path = g_ptr_array_index (loaded->databases, i);
      g_autofree char *base = g_path_get_basename (path);
      g_autofree char *stem = g_strndup (base, strcspn (base, "."));

      if (! name[0] || ! strcmp (name, base) || ! strcmp (name, stem))
        return g_strdup (path);
    }
  if (name[0])
    g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_NOTHING,
                 _ ("No cluster database '%s' lies beside the model '%s': give "
                    "the whole path of the file, or an empty name for the "
                    "model's own."),
                 name, cam_loaded_title (loaded));
  else
    g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_NOTHING,
                 _ ("No cluster database was made for the model '%s': make one "
                    "with Filters > CamLens > Build Cluster Database, or "
                    "choose a file."),
                 cam_loaded_title (loaded));
  return NULL;
}

/* The network is planned for one layer: another one is another plan. */
static gboolean
open_explainer (CamLoaded *loaded, const char *layer, gboolean gradient,
                GError **error)
{
  if (loaded->explainer && layer
      && ! strcmp (layer, cam_explainer_layer (loaded->explainer)))
    return TRUE;
  g_clear_pointer (&loaded->explainer, cam_explainer_free);
  if (! cam_room_check (CAM_ROOM_TO_GO_ON, error))
    return FALSE;
  loaded->explainer = cam_explainer_new (loaded->model, layer, gradient, 0,
                                         error);
  return loaded->explainer != NULL;
}

/* The model's own words are for the command line. */
static void
explain_missing (const char *model, GError **error)
{
  g_clear_error (error);
  if (model[0])
    g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_NOTHING,
                 _ ("There is no model '%s': choose an installed one, or a "
                    "file that ends in .onnx."),
                 model);
  else
    g_set_error_literal (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_NOTHING,
                         _ ("CamLens' own model is not installed: install "
                            "CamLens again with its models, or choose another "
                            "model."));
}

CamLoaded *
cam_loaded_new (const char *model, GCancellable *cancellable, GError **error)
{
  g_autoptr (CamLoaded) loaded = g_new0 (CamLoaded, 1);
  g_autoptr (GError) problem = NULL;

  if (! cam_room_check (CAM_ROOM_TO_GO_ON, error))
    return NULL;
  loaded->model = cam_model_open (model, cancellable, &problem);
  if (! loaded->model)
    {
      if (g_error_matches (problem, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NOT_FOUND))
        explain_missing (model, &problem);
      g_propagate_error (error, g_steal_pointer (&problem));
      return NULL;
    }
  loaded->databases = cam_model_databases (loaded->model->path,
                                           cam_model_digest (loaded->model));
  return g_steal_pointer (&loaded);
}

/* The digest is looked at first: a plan for a layer of another network would
 * only fail with a stranger message. */
static gboolean
open_fitting (CamLoaded *loaded, const char *path, GError **error)
{
  g_autoptr (CamClusterDb) db = cam_cluster_db_open (path, error);
  const CamClusterDbInfo *info = db ? cam_cluster_db_info (db) : NULL;

  if (! db
      || ! cam_cluster_db_fits (db, cam_model_digest (loaded->model),
                                info->embedding_dim, info->n_channels, error)
      || ! open_explainer (loaded, info->layer, FALSE, error)
      || ! cam_cluster_db_fits (db, cam_model_digest (loaded->model),
                                cam_explainer_embedding_dim (loaded->explainer),
                                cam_explainer_channels (loaded->explainer),
                                error))
    return FALSE;
  loaded->db = g_steal_pointer (&db);
  return TRUE;
}

gboolean
cam_loaded_use_database (CamLoaded *loaded, const char *name,
                         GCancellable *cancellable, GError **error)
{
  g_autofree char *path = find_database (loaded, name, error);

  if (path && loaded->db && ! strcmp (cam_cluster_db_path (loaded->db), path))
    return TRUE;
  g_clear_pointer (&loaded->db, cam_cluster_db_free);
  if (path && ! g_cancellable_set_error_if_cancelled (cancellable, error)
      && open_fitting (loaded, path, error))
    return TRUE;
  cam_advice_add (error);
  return FALSE;
}

gboolean
cam_loaded_use_gradient (CamLoaded *loaded, GError **error)
{
  return open_explainer (loaded, NULL, TRUE, error);
}

void
cam_loaded_warn (const CamLoaded *loaded)
{
  for (char **warning = loaded->model->warnings; *warning; warning++)
    cam_host_message (*warning);
}
