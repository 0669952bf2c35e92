/* command-run.c -- camlens run: arrays in, tensors of the graph out */
#include "config.h"

#include "tools/command.h"
#include "tools/commands.h"
#include "tools/tensor-arguments.h"

#include "core/base/npy.h"

#include <glib/gi18n.h>

typedef struct
{
  GPtrArray *names; /* char *, NULL-ended once all are in */
  GPtrArray *files; /* const char * */
} Fetches;

static gboolean
read_fetches (Fetches *fetches, const CamNetwork *network, char **arguments,
              GError **error)
{
  for (int i = 0; arguments[i] != NULL; i++)
    {
      char *name = NULL;
      const char *file = NULL;

      if (! tensor_argument_split (network, arguments[i], &name, &file)
          || *file == '\0')
        {
          g_free (name);
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                       _("“%s”: the network has no tensor of that name, or it "
                       "is not of the form NAME=FILE.npy; “camlens inspect” "
                       "lists the names"),
                       arguments[i]);
          return FALSE;
        }
      g_ptr_array_add (fetches->names, name);
      g_ptr_array_add (fetches->files, (gpointer) file);
    }
  g_ptr_array_add (fetches->names, NULL);
  return TRUE;
}

/* before any work */
static gboolean
check_places (const Fetches *fetches, Places *places, GError **error)
{
  for (guint i = 0; i < fetches->files->len; i++)
    if (! places_write (places, fetches->files->pdata[i], error))
      return FALSE;
  return TRUE;
}

static gboolean
write_fetches (const Fetches *fetches, CamWorkspace *workspace, GError **error)
{
  for (guint i = 0; i < fetches->files->len; i++)
    {
      const CamTensor *tensor = cam_workspace_get (workspace,
                                                   fetches->names->pdata[i]);

      if (! cam_npy_write (fetches->files->pdata[i], tensor, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
run (const char *model, char **inputs, char **fetched, int n_threads,
     gboolean reference, GError **error)
{
  TensorInputs arrays = { NULL };
  Fetches fetches = { g_ptr_array_new_with_free_func (g_free),
                      g_ptr_array_new () };
  g_autoptr (CamWorkspace) workspace = NULL;
  CamPlanOptions options = { .reference = reference };
  gboolean good;

  good = tensor_inputs_load (&arrays, model, inputs, error)
         && read_fetches (&fetches, arrays.network, fetched, error)
         && check_places (&fetches, arrays.places, error);
  if (good)
    {
      options.fetches = (const char *const *) fetches.names->pdata;
      workspace = tensor_inputs_run (&arrays, &options, n_threads, error);
      good = workspace != NULL && write_fetches (&fetches, workspace, error);
    }
  tensor_inputs_clear (&arrays);
  g_ptr_array_unref (fetches.names);
  g_ptr_array_unref (fetches.files);
  return good;
}

int
command_run (int argc, char **argv)
{
  g_auto (GStrv) inputs = NULL;
  g_auto (GStrv) fetched = NULL;
  int n_threads = 0;
  gboolean reference = FALSE;
  GError *error = NULL;
  const GOptionEntry entries[] = {
    { "input", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &inputs,
      N_("Array for an input (the next one, where no name is given)"),
      "[NAME=]FILE.npy" },
    { "fetch", 'f', 0, G_OPTION_ARG_FILENAME_ARRAY, &fetched,
      N_("Tensor to write; any of the graph"), "NAME=FILE.npy" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &n_threads,
      N_("Threads (default: one a core)"), "N" },
    { "reference", 0, 0, G_OPTION_ARG_NONE, &reference,
      N_("Plain operators, as the file has them"), NULL },
    { NULL }
  };

  if (! command_parse (&argc, &argv, "MODEL",
                       _("Runs a network on NumPy arrays, NCHW as ONNX has "
                       "them, and writes any tensors of its graph."),
                       entries))
    return COMMAND_USAGE;
  if (argc != 2)
    return command_misuse ("run", _("one model is needed"));
  if (fetched == NULL)
    return command_misuse ("run", _("--fetch is needed: what to write"));
  if (! command_check_threads ("run", "threads", n_threads))
    return COMMAND_USAGE;
  if (! run (argv[1], inputs, fetched, n_threads, reference, &error))
    return command_fail ("run", error);
  return COMMAND_OK;
}
