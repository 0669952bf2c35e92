/* network-settle.c -- what a model's settings say of its network's inputs
 *
 * An input that gets a value is a constant of the graph from then on: every
 * plan, and whatever else binds the graph, sees it as such.
 */
#include "config.h"
#include "core/engine/network-private.h"
#include <glib/gi18n.h>

#define MOST_ELEMENTS ((gsize) 16 << 20) /* of an input that is a constant */

/* @number in each element of a tensor of @input's type */
static CamTensor *
fill (const CamValue *input, const CamShape *shape, double number,
      GError **error)
{
  g_autoptr (CamTensor) all = NULL;
  gsize n;

  if (! cam_shape_count (shape, sizeof (double), &n) || n == 0
      || n > MOST_ELEMENTS)
    {
      g_autofree char *size = cam_shape_to_string (shape);
      g_autofree char *text =
          g_strdup_printf (_ ("%s is too large to be filled with one number"),
                           size);

      g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_TOO_LARGE,
                   _ ("input '%s': %s"), input->name, text);
      return NULL;
    }
  all = cam_tensor_new (CAM_DTYPE_FLOAT64, shape, error);
  for (gsize i = 0; all && i < n; i++)
    ((double *) all->data)[i] = number;
  return all ? cam_tensor_convert (all, input->dtype, error) : NULL;
}

gboolean
cam_network_set_input (CamNetwork *network, const char *input, double number,
                       int height, int width, GError **error)
{
  CamGraph *graph = network->model->graph;
  CamValue *value = cam_graph_find (graph, input);
  CamShape shape;

  g_return_val_if_fail (value && ! value->producer && ! value->constant, FALSE);
  shape = value->shape.n_dims < 0
              ? cam_shape_make (0, NULL)
              : cam_network_input_shape (network, value, height, width);
  value->constant = fill (value, &shape, number, error);
  if (! value->constant)
    return FALSE;
  value->shape = shape;
  g_ptr_array_remove (graph->inputs, value);
  return TRUE;
}

void
cam_network_settle (CamNetwork *network, const char *picture, int height,
                    int width, const char *embedding)
{
  g_return_if_fail (! network->picture);
  network->picture = g_strdup (picture);
  network->chosen = g_strdup (embedding);
  network->height = height;
  network->width = width;
}
