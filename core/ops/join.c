/* join.c -- Concat and Split along an axis */
#include "config.h"

#include "core/ops/move.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

typedef struct
{
  gint64 axis;
  gint64 num_outputs; /* Split from opset 18 on; 0: absent  */
  gsize n_sizes;      /* Split before opset 13; 0: absent   */
  gint64 *sizes;      /* owned */
} Join;

static void
free_params (gpointer data)
{
  Join *p = data;

  g_free (p->sizes);
  g_free (p);
}

static gboolean
parse_concat (CamNode *node, GError **error)
{
  Join *p = g_new0 (Join, 1);

  node->params = p;
  p->axis = cam_node_int (node, "axis", node->opset < 4 ? 1 : G_MAXINT64);
  if (p->axis != G_MAXINT64)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                  _ ("attribute axis is missing"));
  return FALSE;
}

static gboolean
infer_concat (CamNode *node, GError **error)
{
  const Join *p = node->params;
  CamShape shape = node->inputs[0]->shape;
  int axis;

  if (! cam_op_check_same_dtype (node, error)
      || ! cam_op_axis (node, p->axis, shape.n_dims, &axis, error))
    return FALSE;
  for (guint i = 1; i < node->n_inputs; i++)
    {
      CamShape other = node->inputs[i]->shape;
      gint64 size = other.n_dims > axis ? other.dims[axis] : 0;

      if (other.n_dims == shape.n_dims)
        other.dims[axis] = shape.dims[axis];
      if (! cam_shape_equal (&other, &shape))
        {
          g_autofree char *a = cam_shape_to_string (&node->inputs[0]->shape);
          g_autofree char *b = cam_shape_to_string (&node->inputs[i]->shape);

          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("the shapes %s and %s cannot be joined along axis "
                             "%d"),
                          a, b, axis);
          return FALSE;
        }
      if (__builtin_add_overflow (shape.dims[axis], size, &shape.dims[axis]))
        shape.dims[axis] = -1; /* refused below */
    }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static gboolean
parse_split (CamNode *node, GError **error)
{
  Join *p = g_new0 (Join, 1);

  node->params = p;
  p->axis = cam_node_int (node, "axis", 0);
  if (node->opset >= 18)
    p->num_outputs = cam_node_int (node, "num_outputs", 0);
  if (node->opset < 13)
    {
      const gint64 *sizes = cam_node_ints (node, "split", &p->n_sizes);

      p->sizes = g_memdup2 (sizes, p->n_sizes * sizeof *sizes);
    }
  return TRUE;
}

static gboolean
split_error (const CamNode *node, gint64 whole, GError **error)
{
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("an axis of %" PRId64
                     " cannot be split into its %u parts"),
                  whole, node->n_outputs);
  return FALSE;
}

/* Equal parts, the last one smaller from opset 18 on. */
static gboolean
even_sizes (const CamNode *node, gint64 whole, gint64 *sizes, GError **error)
{
  gint64 n = node->n_outputs, each = (whole + n - 1) / n;

  if ((node->opset < 18 && whole % n) || each * (n - 1) > whole)
    return split_error (node, whole, error);
  for (gint64 i = 0; i < n; i++)
    sizes[i] = i < n - 1 ? each : whole - each * (n - 1);
  return TRUE;
}

static gboolean
given_sizes (const CamNode *node, gint64 whole, gsize n, const gint64 *given,
             gint64 *sizes, GError **error)
{
  gint64 sum = 0;

  if (n != node->n_outputs)
    return split_error (node, whole, error);
  for (gsize i = 0; i < n; i++)
    {
      if (given[i] < 0 || given[i] > whole - sum)
        return split_error (node, whole, error);
      sum += sizes[i] = given[i];
    }
  return sum == whole || split_error (node, whole, error);
}

static gboolean
infer_split (CamNode *node, GError **error)
{
  const Join *p = node->params;
  CamShape shape = node->inputs[0]->shape;
  g_autofree gint64 *sizes = g_new0 (gint64, node->n_outputs);
  gint64 whole;
  int axis;

  if (! cam_op_axis (node, p->axis, shape.n_dims, &axis, error))
    return FALSE;
  whole = shape.dims[axis];
  if (p->num_outputs && p->num_outputs != node->n_outputs)
    return split_error (node, whole, error);
  if (cam_op_has_input (node, 1))
    {
      gsize n;
      g_autofree gint64 *given = cam_op_constant_ints (node, 1, &n, error);

      if (! given || ! given_sizes (node, whole, n, given, sizes, error))
        return FALSE;
    }
  else if (p->n_sizes > 0)
    {
      if (! given_sizes (node, whole, p->n_sizes, p->sizes, sizes, error))
        return FALSE;
    }
  else if (! even_sizes (node, whole, sizes, error))
    return FALSE;
  for (guint i = 0; i < node->n_outputs; i++)
    {
      shape.dims[axis] = sizes[i];
      if (! cam_node_set_output (node, i, node->inputs[0]->dtype, &shape,
                                 error))
        return FALSE;
    }
  return TRUE;
}

/* The whole is [outer, joined], a part [outer, size]: both row-major.  Copies
 * @part to or from its @place in the joined rows. */
static void
copy_part (CamTensor *whole, CamTensor *part, gint64 outer, gint64 joined,
           gint64 place, gboolean to_whole, CamThreads *threads)
{
  gsize bytes = cam_dtype_size (part->dtype);
  gint64 size = outer ? (gint64) part->n_elements / outer : 0;
  char *at = (char *) whole->data + (gsize) place * bytes;
  CamMove move = { 0 };

  if (part->n_elements == 0)
    return;
  cam_move_add (&move, outer, to_whole ? size : joined,
                to_whole ? joined : size);
  cam_move_add (&move, size, 1, 1);
  cam_move_run (&move, bytes, to_whole ? part->data : at,
                to_whole ? at : part->data, threads);
}

static int
axis_of (const CamNode *node)
{
  const Join *p = node->params;
  int axis = 0;

  cam_op_axis (node, p->axis, node->inputs[0]->shape.n_dims, &axis, NULL);
  return axis;
}

/* Elements that lie together, from the axis on. */
static gint64
span (const CamShape *shape, int axis)
{
  return cam_op_count (shape, axis, shape->n_dims);
}

static void
forward_concat (const CamForward *f)
{
  const CamShape *y = &f->node->outputs[0]->shape;
  int axis = axis_of (f->node);
  gint64 place = 0;

  for (guint i = 0; i < f->node->n_inputs; i++)
    {
      copy_part (f->outputs[0], (CamTensor *) f->inputs[i],
                 cam_op_count (y, 0, axis), span (y, axis), place, TRUE,
                 f->threads);
      place += span (&f->node->inputs[i]->shape, axis);
    }
}

static void
backward_concat (const CamBackward *b)
{
  const CamShape *y = &b->node->outputs[0]->shape;
  int axis = axis_of (b->node);
  gint64 place = 0;

  if (b->output_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  for (guint i = 0; i < b->node->n_inputs; i++)
    {
      if (b->input_gradients[i])
        copy_part ((CamTensor *) b->output_gradients[0], b->input_gradients[i],
                   b->n_seeds * cam_op_count (y, 0, axis), span (y, axis),
                   place, FALSE, b->threads);
      place += span (&b->node->inputs[i]->shape, axis);
    }
}

static void
forward_split (const CamForward *f)
{
  const CamShape *x = &f->node->inputs[0]->shape;
  int axis = axis_of (f->node);
  gint64 place = 0;

  for (guint i = 0; i < f->node->n_outputs; i++)
    {
      if (f->node->outputs[i] == NULL)
        return; /* no later part's place is known, and none is named */
      if (f->outputs[i])
        copy_part ((CamTensor *) f->inputs[0], f->outputs[i],
                   cam_op_count (x, 0, axis), span (x, axis), place, FALSE,
                   f->threads);
      place += span (&f->node->outputs[i]->shape, axis);
    }
}

static void
backward_split (const CamBackward *b)
{
  const CamShape *x = &b->node->inputs[0]->shape;
  int axis = axis_of (b->node);
  gint64 place = 0;

  cam_op_clear_gradients (b);
  for (guint i = 0; i < b->node->n_outputs && b->input_gradients[0]; i++)
    {
      if (b->node->outputs[i] == NULL)
        return;
      if (b->output_gradients[i])
        copy_part (b->input_gradients[0], (CamTensor *) b->output_gradients[i],
                   b->n_seeds * cam_op_count (x, 0, axis), span (x, axis),
                   place, TRUE, b->threads);
      place += span (&b->node->outputs[i]->shape, axis);
    }
}

const CamOperator cam_ops_join[] = {
  { .domain = "",
    .type = "Concat",
    .since = 1,
    .min_inputs = 1,
    .max_inputs = -1,
    .min_outputs = 1,
    .max_outputs = 1,
    .parse = parse_concat,
    .free_params = free_params,
    .infer = infer_concat,
    .forward = forward_concat,
    .backward = backward_concat },
  { .domain = "",
    .type = "Split",
    .since = 2,
    .min_inputs = 1,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = -1,
    .parse = parse_split,
    .free_params = free_params,
    .infer = infer_split,
    .forward = forward_split,
    .backward = backward_split },
  { .type = NULL },
};
