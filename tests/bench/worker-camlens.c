/* worker-camlens.c -- forward passes of one network, as compare.py asks for
 * them
 *
 *   worker-camlens MODEL.onnx INPUT.npy THREADS
 *
 * Says "started" before the model is touched and "ready" after a first pass;
 * then "run N" is answered by N times in milliseconds, "save FILE" by the first
 * output in that file.  The plan and the workspace are made as `camlens bench`
 * makes them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/blas.h"
#include "core/base/npy.h"
#include "core/engine/plan.h"

static CamPlan *
make_plan (const char *path, const CamTensor *input, char **name, char **output,
           GError **error)
{
  CamNetwork *network = cam_network_load (path, 0, NULL, error);
  CamBinding binding = { 0 };
  CamPlanOptions options = { .bindings = &binding,
                             .n_bindings = 1,
                             .consume = TRUE };
  const CamGraph *graph;

  if (network == NULL)
    return NULL;
  graph = cam_network_graph (network);
  *name = g_strdup (((CamValue *) graph->inputs->pdata[0])->name);
  *output = g_strdup (((CamValue *) graph->outputs->pdata[0])->name);
  binding.name = *name;
  binding.shape = input->shape;
  return cam_plan_new (network, &options, error);
}

static gboolean
time_runs (CamWorkspace *workspace, int n, GError **error)
{
  for (int i = 0; i < n; i++)
    {
      gint64 start = g_get_monotonic_time ();

      if (! cam_workspace_run (workspace, NULL, error))
        return FALSE;
      printf ("%.3f ", (g_get_monotonic_time () - start) / 1e3);
    }
  printf ("\n");
  return TRUE;
}

static gboolean
serve (CamWorkspace *workspace, const char *output, GError **error)
{
  char line[4096];

  while (fgets (line, sizeof line, stdin) != NULL)
    {
      g_strchomp (line);
      if (g_str_has_prefix (line, "run "))
        {
          if (! time_runs (workspace, atoi (line + 4), error))
            return FALSE;
        }
      else if (g_str_has_prefix (line, "save "))
        {
          if (! cam_npy_write (line + 5, cam_workspace_get (workspace, output),
                               error))
            return FALSE;
          printf ("saved\n");
        }
      fflush (stdout);
    }
  return TRUE;
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CamTensor) input = NULL;
  g_autoptr (CamPlan) plan = NULL;
  g_autoptr (CamWorkspace) workspace = NULL;
  g_autofree char *name = NULL, *output = NULL;

  cam_blas_prepare_process (argv);
  if (argc != 4 || (input = cam_npy_read (argv[2], &error)) == NULL)
    goto failed;
  printf ("started %s\n", cam_blas_kernel ());
  fflush (stdout);
  plan = make_plan (argv[1], input, &name, &output, &error);
  if (plan == NULL
      || (workspace = cam_workspace_new (plan, atoi (argv[3]), &error)) == NULL
      || ! cam_workspace_set_input (workspace, name, input, &error)
      || ! cam_workspace_run (workspace, NULL, &error))
    goto failed;
  printf ("ready\n");
  fflush (stdout);
  if (serve (workspace, output, &error))
    return 0;

failed:
  fprintf (stderr, "worker-camlens: %s\n",
           error != NULL ? error->message : "MODEL.onnx INPUT.npy THREADS");
  return 1;
}
