/* installed.c -- models by name, and the databases beside them */
#include "config.h"

#include "core/model/installed.h"

#include <string.h>

#include "core/base/plain-file.h"
#include "core/database/cluster-db.h"

void
cam_installed_model_free (CamInstalledModel *model)
{
  if (model == NULL)
    return;
  g_free (model->name);
  g_free (model->title);
  g_free (model->folder);
  g_free (model->path);
  g_free (model);
}

GPtrArray *
cam_model_folders (void)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);
  const char *own = g_getenv ("CAMLENS_MODEL_PATH");
  const char *const *system = g_get_system_data_dirs ();

  if (own != NULL)
    {
      g_auto (GStrv) parts = g_strsplit (own, G_SEARCHPATH_SEPARATOR_S, -1);

      for (int i = 0; parts[i] != NULL; i++)
        if (*parts[i] != '\0')
          g_ptr_array_add (folders, g_strdup (parts[i]));
    }
  g_ptr_array_add (folders, cam_model_user_folder ());
  for (int i = 0; system[i] != NULL; i++)
    g_ptr_array_add (folders,
                     g_build_filename (system[i], "camlens", "models", NULL));
  g_ptr_array_add (folders, g_build_filename (CAMLENS_DATADIR, "models", NULL));
  return folders;
}

char *
cam_model_user_folder (void)
{
  return g_build_filename (g_get_user_data_dir (), "camlens", "models", NULL);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

/* Names in @folder that end in @suffix, sorted; empty where it is absent. */
static GPtrArray *
list_folder (const char *folder, const char *suffix)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    if (g_str_has_suffix (name, suffix) && name[0] != '.')
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, compare_names);
  return names;
}

char *
cam_model_file_in (const char *folder)
{
  g_autofree char *usual = g_build_filename (folder, "model.onnx", NULL);
  g_autoptr (GPtrArray) names = NULL;

  if (g_file_test (usual, G_FILE_TEST_IS_REGULAR))
    return g_steal_pointer (&usual);
  names = list_folder (folder, ".onnx");
  if (names->len != 1)
    return NULL;
  return g_build_filename (folder, g_ptr_array_index (names, 0), NULL);
}

static char *
read_title (const char *folder)
{
  g_autofree char *path = g_build_filename (folder, "model.ini", NULL);
  g_autoptr (GKeyFile) file = g_key_file_new ();

  if (! cam_plain_file_keys (file, path, G_KEY_FILE_NONE, NULL))
    return NULL;
  return g_key_file_get_string (file, "camlens", "name", NULL);
}

static gboolean
has_name (const GPtrArray *models, const char *name)
{
  for (guint i = 0; i < models->len; i++)
    {
      const CamInstalledModel *model = g_ptr_array_index (models, i);

      if (strcmp (model->name, name) == 0)
        return TRUE;
    }
  return FALSE;
}

static void
add_models_in (GPtrArray *models, const char *folder)
{
  g_autoptr (GPtrArray) names = list_folder (folder, "");

  for (guint i = 0; i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *own = g_build_filename (folder, name, NULL);
      g_autofree char *path = cam_model_file_in (own);
      CamInstalledModel *model;

      if (path == NULL || has_name (models, name))
        continue;
      model = g_new0 (CamInstalledModel, 1);
      model->name = g_strdup (name);
      model->title = read_title (own);
      model->folder = g_steal_pointer (&own);
      model->path = g_steal_pointer (&path);
      g_ptr_array_add (models, model);
    }
}

GPtrArray *
cam_models_installed (void)
{
  GPtrArray *models =
      g_ptr_array_new_with_free_func ((GDestroyNotify)
                                          cam_installed_model_free);
  g_autoptr (GPtrArray) folders = cam_model_folders ();

  for (guint i = 0; i < folders->len; i++)
    add_models_in (models, g_ptr_array_index (folders, i));
  return models;
}

GPtrArray *
cam_model_databases (const char *model_path, const char *digest)
{
  g_autofree char *folder = g_path_get_dirname (model_path);
  g_autoptr (GPtrArray) names = list_folder (folder, ".camdb");
  GPtrArray *paths = g_ptr_array_new_with_free_func (g_free);

  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path =
          g_build_filename (folder, g_ptr_array_index (names, i), NULL);
      g_autoptr (CamClusterDb) db = NULL;

      if (digest != NULL)
        {
          db = cam_cluster_db_open (path, NULL);
          if (db == NULL
              || g_strcmp0 (cam_cluster_db_info (db)->model_digest, digest))
            continue;
        }
      g_ptr_array_add (paths, g_steal_pointer (&path));
    }
  return paths;
}
