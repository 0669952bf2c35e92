/* tensor-arguments.c -- see tensor-arguments.h */
#include "config.h"

#include "tools/tensor-arguments.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/graph/needs.h"
#include "core/model/model.h"

gboolean
tensor_argument_split (const CamNetwork *network, const char *argument,
                       char **name, const char **file)
{
  const CamGraph *graph = cam_network_graph (network);

  for (const char *equals = strchr (argument, '='); equals != NULL;
       equals = strchr (equals + 1, '='))
    {
      g_autofree char *start = g_strndup (argument, equals - argument);

      if (cam_graph_find (graph, start) == NULL)
        continue;
      *name = g_steal_pointer (&start);
      *file = equals + 1;
      return TRUE;
    }
  return FALSE;
}

static gboolean fail (GError **error, const char *format, ...)
    G_GNUC_PRINTF (2, 3);

static gboolean
fail (GError **error, const char *format, ...)
{
  va_list args;

  va_start (args, format);
  g_propagate_error (error, g_error_new_valist (G_IO_ERROR,
                                                G_IO_ERROR_INVALID_ARGUMENT,
                                                format, args));
  va_end (args);
  return FALSE;
}

static gboolean
may_convert (CamDType from, CamDType to)
{
  return (from == CAM_DTYPE_FLOAT64 && to == CAM_DTYPE_FLOAT32)
         || (from == CAM_DTYPE_FLOAT32 && to == CAM_DTYPE_FLOAT64)
         || (from == CAM_DTYPE_FLOAT16 && to == CAM_DTYPE_FLOAT32)
         || (from == CAM_DTYPE_INT32 && to == CAM_DTYPE_INT64);
}

/* Reads @file for the graph's input @value. */
static gboolean
read_input (TensorInputs *inputs, const CamValue *value, const char *file,
            GError **error)
{
  g_autoptr (CamTensor) tensor = cam_npy_read (file, error);

  if (tensor == NULL)
    return FALSE;
  if (tensor->dtype != value->dtype
      && may_convert (tensor->dtype, value->dtype))
    {
      CamTensor *converted = cam_tensor_convert (tensor, value->dtype, error);

      if (converted == NULL)
        return FALSE;
      cam_tensor_unref (tensor);
      tensor = converted;
    }
  if (tensor->dtype != value->dtype)
    return fail (error, _ ("“%s” is %s, but the input “%s” is %s"), file,
                 cam_dtype_name (tensor->dtype), value->name,
                 cam_dtype_name (value->dtype));
  places_read (inputs->places, file);
  g_ptr_array_add (inputs->names, g_strdup (value->name));
  g_ptr_array_add (inputs->tensors, g_steal_pointer (&tensor));
  return TRUE;
}

static gboolean
has_name (const TensorInputs *inputs, const char *name)
{
  for (guint i = 0; i < inputs->names->len; i++)
    if (strcmp (inputs->names->pdata[i], name) == 0)
      return TRUE;
  return FALSE;
}

/* The first of the graph's inputs that has no array yet, or NULL */
static const CamValue *
next_input (const TensorInputs *inputs)
{
  const CamGraph *graph = cam_network_graph (inputs->network);

  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *value = graph->inputs->pdata[i];

      if (! has_name (inputs, value->name))
        return value;
    }
  return NULL;
}

static gboolean
read_argument (TensorInputs *inputs, const char *argument, GError **error)
{
  const CamGraph *graph = cam_network_graph (inputs->network);
  g_autofree char *name = NULL;
  const char *file = argument;
  const CamValue *value;

  if (! tensor_argument_split (inputs->network, argument, &name, &file))
    {
      const char *equals = strchr (argument, '=');

      if (equals != NULL && ! g_file_test (argument, G_FILE_TEST_EXISTS))
        return fail (error, _ ("“%s”: the network has no tensor “%.*s”"),
                     argument, (int) (equals - argument), argument);
      value = next_input (inputs);
    }
  else
    value = cam_graph_find (graph, name);
  if (value == NULL)
    return fail (error, _ ("there are more arrays than inputs: “%s”"),
                 argument);
  if (! g_ptr_array_find (graph->inputs, value, NULL))
    return fail (error, _ ("“%s” is no input of the network"), value->name);
  if (has_name (inputs, value->name))
    return fail (error, _ ("the input “%s” is given twice"), value->name);
  return read_input (inputs, value, file, error);
}

gboolean
tensor_inputs_load (TensorInputs *inputs, const char *model,
                    char *const *arguments, GError **error)
{
  g_autofree char *path = cam_model_find (model, error);

  inputs->places = places_new ();
  places_read (inputs->places, path);
  inputs->names = g_ptr_array_new_with_free_func (g_free);
  inputs->tensors =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_tensor_unref);
  inputs->network = path != NULL ? cam_network_load (path, 0, NULL, error)
                                 : NULL;
  if (inputs->network == NULL)
    return FALSE;
  for (int i = 0; arguments != NULL && arguments[i] != NULL; i++)
    if (! read_argument (inputs, arguments[i], error))
      return FALSE;
  return TRUE;
}

void
tensor_inputs_clear (TensorInputs *inputs)
{
  g_clear_pointer (&inputs->places, places_free);
  g_clear_pointer (&inputs->names, g_ptr_array_unref);
  g_clear_pointer (&inputs->tensors, g_ptr_array_unref);
  g_clear_pointer (&inputs->network, cam_network_unref);
}

/* Every input that @name is made of has an array; what it is not made of may
 * stay without. */
static gboolean
has_arrays (const TensorInputs *inputs, const char *name, GError **error)
{
  g_autoptr (GPtrArray)
      needed = cam_graph_inputs_of (cam_network_graph (inputs->network), name);

  for (guint i = 0; i < needed->len; i++)
    {
      const CamValue *input = needed->pdata[i];

      if (! has_name (inputs, input->name))
        return fail (error,
                     _ ("the input “%s” has no array: --input %s=FILE.npy"),
                     input->name, input->name);
    }
  return TRUE;
}

static gboolean
have_arrays (const TensorInputs *inputs, const CamPlanOptions *options,
             GError **error)
{
  for (int i = 0; options->fetches != NULL && options->fetches[i] != NULL; i++)
    if (! has_arrays (inputs, options->fetches[i], error))
      return FALSE;
  return TRUE;
}

CamWorkspace *
tensor_inputs_run (TensorInputs *inputs, const CamPlanOptions *options,
                   int n_threads, GError **error)
{
  guint n = inputs->names->len;
  g_autofree CamBinding *bindings = g_new0 (CamBinding, n + 1);
  g_autoptr (CamPlan) plan = NULL;
  g_autoptr (CamWorkspace) workspace = NULL;
  CamPlanOptions bound = *options;

  if (! have_arrays (inputs, options, error))
    return NULL;
  for (guint i = 0; i < n; i++)
    bindings[i] = (CamBinding) {
      inputs->names->pdata[i], ((CamTensor *) inputs->tensors->pdata[i])->shape
    };
  bound.bindings = bindings;
  bound.n_bindings = n;
  plan = cam_plan_new (inputs->network, &bound, error);
  workspace = plan != NULL ? cam_workspace_new (plan, n_threads, error) : NULL;
  for (guint i = 0; workspace != NULL && i < n; i++)
    if (! cam_workspace_set_input (workspace, inputs->names->pdata[i],
                                   inputs->tensors->pdata[i], error))
      return NULL;
  if (workspace == NULL || ! cam_workspace_run (workspace, NULL, error))
    return NULL;
  return g_steal_pointer (&workspace);
}
