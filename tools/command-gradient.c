/* command-gradient.c -- camlens gradient: how one tensor moves another */
#include "config.h"

#include "tools/command.h"
#include "tools/commands.h"
#include "tools/tensor-arguments.h"

#include "core/base/npy.h"

#include <glib/gi18n.h>

typedef struct
{
  char **inputs;
  char *of, *seed, *at, *output;
  int n_threads;
  gboolean reference;
} GradientOptions;

static gboolean
compute (const GradientOptions *wanted, TensorInputs *arrays, GError **error)
{
  const char *at[] = { wanted->at, NULL };
  const char *fetches[] = { wanted->of, NULL };
  CamPlanOptions options = { .fetches = fetches,
                             .gradient_of = wanted->of,
                             .gradient_at = at,
                             .reference = wanted->reference };
  g_autoptr (CamTensor) seed = NULL, gradient = NULL;
  g_autoptr (CamWorkspace) workspace = NULL;

  places_read (arrays->places, wanted->seed);
  if (! places_write (arrays->places, wanted->output, error))
    return FALSE;
  seed = cam_npy_read (wanted->seed, error);
  if (seed != NULL && seed->dtype != CAM_DTYPE_FLOAT32)
    {
      CamTensor *converted = cam_tensor_convert (seed, CAM_DTYPE_FLOAT32,
                                                 error);

      cam_tensor_unref (seed);
      seed = converted;
    }
  if (seed == NULL)
    return FALSE;
  workspace = tensor_inputs_run (arrays, &options, wanted->n_threads, error);
  if (workspace == NULL)
    return FALSE;
  gradient = cam_workspace_gradient (workspace, seed, wanted->at, NULL, error);
  return gradient != NULL && cam_npy_write (wanted->output, gradient, error);
}

static int
run (const char *model, const GradientOptions *wanted)
{
  TensorInputs arrays = { NULL };
  GError *error = NULL;
  gboolean good = tensor_inputs_load (&arrays, model, wanted->inputs, &error)
                  && compute (wanted, &arrays, &error);

  tensor_inputs_clear (&arrays);
  return good ? COMMAND_OK : command_fail ("gradient", error);
}

static void
options_clear (GradientOptions *options)
{
  g_strfreev (options->inputs);
  g_free (options->of);
  g_free (options->seed);
  g_free (options->at);
  g_free (options->output);
}

int
command_gradient (int argc, char **argv)
{
  GradientOptions wanted = { NULL };
  const GOptionEntry entries[] = {
    { "input", 'i', 0, G_OPTION_ARG_FILENAME_ARRAY, &wanted.inputs,
      N_("Array for an input (the next one, where no name is given)"),
      "[NAME=]FILE.npy" },
    { "of", 0, 0, G_OPTION_ARG_STRING, &wanted.of,
      N_("Tensor whose gradient is taken"), "NAME" },
    { "seed", 's', 0, G_OPTION_ARG_FILENAME, &wanted.seed,
      N_("Weights of its elements; one more leading dimension: several seeds"),
      "FILE.npy" },
    { "at", 0, 0, G_OPTION_ARG_STRING, &wanted.at,
      N_("Tensor with respect to which it is taken"), "NAME" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &wanted.output,
      N_("Where the gradient goes"), "FILE.npy" },
    { "threads", 't', 0, G_OPTION_ARG_INT, &wanted.n_threads,
      N_("Threads (default: one a core)"), "N" },
    { "reference", 0, 0, G_OPTION_ARG_NONE, &wanted.reference,
      N_("Plain operators, as the file has them"), NULL },
    { NULL }
  };
  int status;

  if (! command_parse (&argc, &argv, "MODEL",
                       _("Writes the gradient of the sum of SEED times the "
                       "tensor --of, with respect to the tensor --at."),
                       entries))
    status = COMMAND_USAGE;
  else if (argc != 2)
    status = command_misuse ("gradient", _("one model is needed"));
  else if (! wanted.of || ! wanted.seed || ! wanted.at || ! wanted.output)
    status = command_misuse ("gradient",
                             _("--of, --seed, --at and --output are needed"));
  else if (! command_check_threads ("gradient", "threads", wanted.n_threads))
    status = COMMAND_USAGE;
  else
    status = run (argv[1], &wanted);
  options_clear (&wanted);
  return status;
}
