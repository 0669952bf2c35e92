/* command-models.c -- "camlens models list|add|remove" */
#include <errno.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <stdio.h>
#include <string.h>

#include "core/base/whole-file.h"
#include "core/model/installed.h"
#include "tools/command.h"
#include "tools/commands.h"

#define NAME "models"

static const char text[] =
    N_("list                     the installed models and where they are\n"
    "add FOLDER|FILE.onnx     checks a model and copies it, with its "
    "settings and\n                         databases, to your own models; "
    "--name names it\nremove NAME              removes one of your own\n\n"
    "Models are looked for in the folders of $CAMLENS_MODEL_PATH, then in "
    "your own\n(XDG data folder, camlens/models), then in the system's.");

static int
list_models (void)
{
  g_autoptr (GPtrArray) models = cam_models_installed ();
  g_autoptr (GPtrArray) folders = cam_model_folders ();

  for (guint i = 0; i < models->len; i++)
    {
      const CamInstalledModel *model = g_ptr_array_index (models, i);
      g_autoptr (GPtrArray) dbs = cam_model_databases (model->path, NULL);

      printf ("%s\t%s\t%s\n", model->name,
              model->title != NULL ? model->title : "", model->path);
      for (guint j = 0; j < dbs->len; j++)
        printf ("\t%s\n", (char *) g_ptr_array_index (dbs, j));
    }
  if (models->len > 0)
    return COMMAND_OK;
  command_note (_("no models are installed; looked in:"));
  for (guint i = 0; i < folders->len; i++)
    fprintf (stderr, "  %s\n", (char *) g_ptr_array_index (folders, i));
  return COMMAND_OK;
}

static gboolean
copy_file (const char *from, const char *folder, const char *name,
           GError **error)
{
  g_autoptr (GFile) source = g_file_new_for_path (from);
  g_autofree char *path = g_build_filename (folder, name, NULL);
  g_autoptr (GFile) target = g_file_new_for_path (path);

  if (g_file_copy (source, target, G_FILE_COPY_OVERWRITE, NULL, NULL, NULL,
                   error))
    return TRUE;
  g_prefix_error (error, "%s → %s: ", from, path);
  return FALSE;
}

/* Removes the files of a model's folder and the folder; no deeper. */
static gboolean
remove_folder (const char *folder, GError **error)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, error);
  const char *name;

  if (dir == NULL)
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (folder, name, NULL);

      if (g_unlink (path) != 0)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                       _("Cannot remove “%s”."), path);
          return FALSE;
        }
    }
  if (g_rmdir (folder) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, _("Cannot remove “%s”."),
               folder);
  return FALSE;
}

/* Settings, databases and external data: whatever lies beside the model and
 * can belong to it */
static gboolean
belongs (const char *name, const char *onnx)
{
  static const char *const endings[] = { ".ini",    ".camdb", ".data", ".bin",
                                         ".weight", ".txt",   ".md",   NULL };
  const char *dot = strrchr (name, '.');

  return g_str_has_prefix (name, onnx) || g_strcmp0 (name, "LICENSE") == 0
         || (dot != NULL && g_strv_contains (endings, dot));
}

static gboolean
copy_model (const CamModel *model, const char *folder, GError **error)
{
  g_autofree char *source = g_path_get_dirname (model->path);
  g_autofree char *onnx = g_path_get_basename (model->path);
  g_autofree char *stem = g_strndup (onnx, strlen (onnx) - 5);
  g_autofree char *own = g_strconcat (stem, ".ini", NULL);
  g_autoptr (GDir) dir = g_dir_open (source, 0, error);
  const char *name;

  if (dir == NULL || ! copy_file (model->path, folder, "model.onnx", error))
    return FALSE;
  while ((name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *path = g_build_filename (source, name, NULL);
      gboolean settings = strcmp (name, own) == 0;

      if (strcmp (name, onnx) == 0 || ! belongs (name, onnx)
          || ! g_file_test (path, G_FILE_TEST_IS_REGULAR))
        continue;
      if (! copy_file (path, folder, settings ? "model.ini" : name, error))
        return FALSE;
    }
  return TRUE;
}

/* Opens the copy: what was copied must be the same and work. */
static gboolean
check_copy (const CamModel *model, const char *folder, GError **error)
{
  g_autofree char *path = g_build_filename (folder, "model.onnx", NULL);
  g_autoptr (CamModel) copy = cam_model_open (path, NULL, error);

  if (copy == NULL)
    return FALSE;
  if (strcmp (cam_model_digest (copy), cam_model_digest (model)) == 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               _("The copy of “%s” differs from it."), model->path);
  return FALSE;
}

static gboolean
add_model (const char *from, const char *wanted, GError **error)
{
  g_autoptr (CamModel) model = command_open_model (from, error);
  g_autofree char *base = cam_model_user_folder ();
  g_autofree char *part = NULL, *folder = NULL;
  const char *name;

  if (model == NULL)
    return FALSE;
  name = wanted != NULL ? wanted : model->name;
  folder = g_build_filename (base, name, NULL);
  part = g_strconcat (folder, ".part", NULL);
  if (strchr (name, '/') != NULL || name[0] == '.' || *name == '\0'
      || g_file_test (folder, G_FILE_TEST_EXISTS))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_EXISTS,
                   _("“%s” is taken or no name for a model: choose one with "
                   "--name."),
                   name);
      return FALSE;
    }
  if (g_file_test (part, G_FILE_TEST_IS_DIR) && ! remove_folder (part, error))
    return FALSE;
  if (! cam_whole_file_folder (part, error))
    return FALSE;
  if (! copy_model (model, part, error) || ! check_copy (model, part, error)
      || (g_rename (part, folder) != 0
          && ! cam_whole_file_refuse (folder, errno, error)))
    {
      remove_folder (part, NULL);
      return FALSE;
    }
  printf ("%s\t%s\n", name, folder);
  return TRUE;
}

static gboolean
remove_model (const char *name, GError **error)
{
  g_autofree char *base = cam_model_user_folder ();
  g_autofree char *folder = g_build_filename (base, name, NULL);
  g_autofree char *file = cam_model_file_in (folder);

  if (*name != '\0' && strchr (name, '/') == NULL && name[0] != '.'
      && file != NULL)
    return remove_folder (folder, error);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               _("There is no model “%s” among your own (%s)."), name, base);
  return FALSE;
}

static int
run (int argc, char **argv, const char *name)
{
  g_autoptr (GError) error = NULL;
  const char *what = argc > 1 ? argv[1] : "list";

  if (strcmp (what, "list") == 0 && argc <= 2)
    return list_models ();
  if (strcmp (what, "add") == 0 && argc == 3)
    return add_model (argv[2], name, &error)
               ? COMMAND_OK
               : command_fail (NAME, g_steal_pointer (&error));
  if (strcmp (what, "remove") == 0 && argc == 3)
    return remove_model (argv[2], &error)
               ? COMMAND_OK
               : command_fail (NAME, g_steal_pointer (&error));
  return command_misuse (NAME, _("say list, add FOLDER|FILE or remove NAME"));
}

int
command_models (int argc, char **argv)
{
  char *name = NULL;
  const GOptionEntry entries[] = {
    { "name", 0, 0, G_OPTION_ARG_STRING, &name, N_("Name of the added model"),
      "NAME" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  int status = COMMAND_USAGE;

  if (command_parse (&argc, &argv, "list|add|remove [WHAT]", text, entries))
    status = run (argc, argv, name);
  g_free (name);
  return status;
}
