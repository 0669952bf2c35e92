/* command-models.c -- "camlens models list|add|remove" */
#include <glib/gi18n.h>
#include <string.h>

#include "core/base/foreign-text.h"
#include "core/model/installed.h"
#include "tools/command.h"
#include "tools/commands.h"
#include "tools/models.h"

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
      g_autofree char *title = cam_foreign_text (model->title);

      command_print (stdout, "%s\t%s\t%s\n", model->name, title,
                     model->path);
      for (guint j = 0; j < dbs->len; j++)
        command_print (stdout, "\t%s\n", (char *) g_ptr_array_index (dbs, j));
    }
  if (models->len > 0)
    return COMMAND_OK;
  command_note (_("no models are installed; looked in:"));
  for (guint i = 0; i < folders->len; i++)
    command_print (stderr, "  %s\n", (char *) g_ptr_array_index (folders, i));
  return COMMAND_OK;
}

static int
run (int argc, char **argv, const char *name)
{
  g_autoptr (GError) error = NULL;
  const char *what = argc > 1 ? argv[1] : "list";

  if (strcmp (what, "list") == 0 && argc <= 2)
    return list_models ();
  if (strcmp (what, "add") == 0 && argc == 3)
    return models_add (argv[2], name, &error)
               ? COMMAND_OK
               : command_fail (NAME, g_steal_pointer (&error));
  if (strcmp (what, "remove") == 0 && argc == 3)
    return models_remove (argv[2], &error)
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
