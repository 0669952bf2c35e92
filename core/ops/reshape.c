/* reshape.c -- the same elements under another shape: Reshape, Flatten,
 * Squeeze, Unsqueeze */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

typedef struct
{
  gboolean allow_zero; /* Reshape */
  gint64 axis;         /* Flatten */
  gboolean has_axes;   /* Squeeze, Unsqueeze before opset 13 */
  gsize n_axes;
  gint64 axes[CAM_MAX_DIMS];
} ReshapeParams;

static gboolean
parse_reshape (CamNode *node, GError **error)
{
  ReshapeParams *p = g_new0 (ReshapeParams, 1);

  node->params = p;
  if (node->opset >= 14)
    p->allow_zero = cam_node_int (node, "allowzero", 0) != 0;
  return TRUE;
}

/* Puts the size that -1 stands for in its place. */
static gboolean
fill_unknown (const CamNode *node, CamShape *shape, int unknown, GError **error)
{
  const CamShape *x = &node->inputs[0]->shape;
  gint64 have = cam_op_count (x, 0, x->n_dims);
  gsize rest;

  if (unknown >= 0)
    shape->dims[unknown] = 1;
  if (cam_shape_count (shape, 1, &rest))
    {
      if (unknown >= 0 && rest > 0 && have % (gint64) rest == 0)
        {
          shape->dims[unknown] = have / (gint64) rest;
          return TRUE;
        }
      if (unknown < 0 && (gint64) rest == have)
        return TRUE;
    }
  if (unknown >= 0)
    shape->dims[unknown] = -1;
  {
    g_autofree char *from = cam_shape_to_string (x);
    g_autofree char *to = cam_shape_to_string (shape);

    cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                    _ ("the input %s cannot take the shape %s"), from, to);
  }
  return FALSE;
}

static gboolean
infer_reshape (CamNode *node, GError **error)
{
  const ReshapeParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  gsize n;
  g_autofree gint64 *dims = cam_op_constant_ints (node, 1, &n, error);
  CamShape shape = { .n_dims = (int) MIN (n, CAM_MAX_DIMS + 1) };
  int unknown = -1;

  if (dims == NULL)
    return FALSE;
  if (n > CAM_MAX_DIMS)
    return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
  for (int i = 0; i < shape.n_dims; i++)
    {
      gboolean copied = dims[i] == 0 && ! p->allow_zero;

      if (dims[i] < -1 || (dims[i] == -1 && unknown >= 0)
          || (copied && i >= x->n_dims))
        {
          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("impossible size %" PRId64
                             " in the shape it asks for"),
                          dims[i]);
          return FALSE;
        }
      if (dims[i] == -1)
        unknown = i;
      shape.dims[i] = copied ? x->dims[i] : dims[i];
    }
  return fill_unknown (node, &shape, unknown, error)
         && cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape,
                                 error);
}

static gboolean
parse_flatten (CamNode *node, GError **error)
{
  ReshapeParams *p = g_new0 (ReshapeParams, 1);

  node->params = p;
  p->axis = cam_node_int (node, "axis", 1);
  return TRUE;
}

static gboolean
infer_flatten (CamNode *node, GError **error)
{
  const ReshapeParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  CamShape shape = { .n_dims = 2 };
  int axis = x->n_dims; /* one past the last is possible here */

  if (p->axis != x->n_dims
      && ! cam_op_axis (node, p->axis, x->n_dims, &axis, error))
    return FALSE;
  shape.dims[0] = cam_op_count (x, 0, axis);
  shape.dims[1] = cam_op_count (x, axis, x->n_dims);
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static gboolean
parse_axes (CamNode *node, GError **error)
{
  ReshapeParams *p = g_new0 (ReshapeParams, 1);
  const gint64 *axes;

  node->params = p;
  if (node->opset >= 13)
    return TRUE;
  axes = cam_node_ints (node, "axes", &p->n_axes);
  p->has_axes = axes != NULL;
  if (p->n_axes > CAM_MAX_DIMS)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute axes has more than %d numbers"),
                      CAM_MAX_DIMS);
      return FALSE;
    }
  for (gsize i = 0; i < p->n_axes; i++)
    p->axes[i] = axes[i];
  return TRUE;
}

/* Marks the axes of the attribute or of input 1; *@given FALSE: neither. */
static gboolean
mark_axes (const CamNode *node, int rank, gboolean *marks, gboolean *given,
           int *count, GError **error)
{
  const ReshapeParams *p = node->params;
  g_autofree gint64 *from_input = NULL;
  const gint64 *axes = p->axes;
  gsize n = p->n_axes;

  *given = p->has_axes;
  if (cam_op_has_input (node, 1))
    {
      axes = from_input = cam_op_constant_ints (node, 1, &n, error);
      if (axes == NULL)
        return FALSE;
      *given = TRUE;
    }
  *count = (int) MIN (n, CAM_MAX_DIMS + 1);
  rank = rank < 0 ? -rank - 1 + *count : rank; /* Unsqueeze: of the output */
  for (gsize i = 0; i < n; i++)
    {
      int axis;

      if (rank > CAM_MAX_DIMS
          || ! cam_op_axis (node, axes[i], rank, &axis, error))
        return rank > CAM_MAX_DIMS; /* refused when the output is set */
      if (marks[axis])
        {
          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("axis %d is named twice"), axis);
          return FALSE;
        }
      marks[axis] = TRUE;
    }
  return TRUE;
}

static gboolean
infer_squeeze (CamNode *node, GError **error)
{
  const CamShape *x = &node->inputs[0]->shape;
  gboolean marks[CAM_MAX_DIMS] = { FALSE }, given;
  CamShape shape = { 0 };
  int count;

  if (! mark_axes (node, x->n_dims, marks, &given, &count, error))
    return FALSE;
  for (int i = 0; i < x->n_dims; i++)
    {
      if (marks[i] && x->dims[i] != 1)
        {
          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("axis %d has the size %" PRId64
                             ", only 1 can be left out"),
                          i, x->dims[i]);
          return FALSE;
        }
      if (! (given ? marks[i] : x->dims[i] == 1))
        shape.dims[shape.n_dims++] = x->dims[i];
    }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static gboolean
infer_unsqueeze (CamNode *node, GError **error)
{
  const CamShape *x = &node->inputs[0]->shape;
  gboolean marks[CAM_MAX_DIMS] = { FALSE }, given;
  CamShape shape = { 0 };
  int count, from = 0;

  if (! mark_axes (node, -x->n_dims - 1, marks, &given, &count, error))
    return FALSE;
  if (! given)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                      _ ("its axes are missing"));
      return FALSE;
    }
  shape.n_dims = x->n_dims + count;
  for (int i = 0; i < MIN (shape.n_dims, CAM_MAX_DIMS); i++)
    shape.dims[i] = marks[i] ? 1 : x->dims[from++];
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static void
forward (const CamForward *f)
{
  cam_op_copy (f->outputs[0], f->inputs[0]);
}

static void
backward (const CamBackward *b)
{
  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    cam_op_clear_gradients (b);
  else
    cam_op_copy (b->input_gradients[0], b->output_gradients[0]);
}

#define VIEW(name, first, most, parser, inference)                             \
  {                                                                            \
    .domain = "", .type = name, .since = first, .min_inputs = 1,               \
    .max_inputs = most, .min_outputs = 1, .max_outputs = 1,                    \
    .flags = CAM_OP_VIEW, .parse = parser, .infer = inference,                 \
    .forward = forward, .backward = backward                                   \
  }

const CamOperator cam_ops_reshape[] = {
  VIEW ("Reshape", 5, 2, parse_reshape, infer_reshape),
  VIEW ("Flatten", 1, 1, parse_flatten, infer_flatten),
  VIEW ("Squeeze", 1, 1, parse_axes, infer_squeeze),
  VIEW ("Squeeze", 13, 2, parse_axes, infer_squeeze),
  VIEW ("Unsqueeze", 1, 1, parse_axes, infer_unsqueeze),
  VIEW ("Unsqueeze", 13, 2, parse_axes, infer_unsqueeze),
  { .type = NULL }
};
