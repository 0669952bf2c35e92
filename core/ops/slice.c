/* slice.c -- Slice: part of a tensor, by starts, ends and steps */
#include "config.h"

#include "core/ops/move.h"

#include <glib/gi18n.h>
#include <string.h>

/* Of every dimension: first element, number of them, step. */
typedef struct
{
  gint64 start[CAM_MAX_DIMS], count[CAM_MAX_DIMS], step[CAM_MAX_DIMS];
} Part;

/* Before opset 10 the lists are attributes, then constant inputs: kept in one
 * form either way. */
typedef struct
{
  gsize n, n_axes;
  gint64 *starts, *ends, *axes; /* owned; axes NULL: 0, 1 ... */
} SliceParams;

static void
free_params (gpointer data)
{
  SliceParams *p = data;

  g_free (p->starts);
  g_free (p->ends);
  g_free (p->axes);
  g_free (p);
}

static gboolean
parse (CamNode *node, GError **error)
{
  SliceParams *p = g_new0 (SliceParams, 1);
  const gint64 *starts, *ends, *axes;
  gsize n_ends;

  node->params = p;
  if (node->opset >= 10)
    return TRUE;
  starts = cam_node_ints (node, "starts", &p->n);
  ends = cam_node_ints (node, "ends", &n_ends);
  axes = cam_node_ints (node, "axes", &p->n_axes);
  if (starts == NULL || ends == NULL || p->n != n_ends
      || (axes && p->n_axes != p->n))
    {
      cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                      _ ("attributes starts, ends and axes do not fit "
                         "together"));
      return FALSE;
    }
  p->starts = g_memdup2 (starts, p->n * sizeof *starts);
  p->ends = g_memdup2 (ends, p->n * sizeof *ends);
  if (axes)
    p->axes = g_memdup2 (axes, p->n * sizeof *axes);
  return TRUE;
}

/* One dimension of @n, as ONNX clamps it. */
static void
cut (Part *part, int axis, gint64 n, gint64 start, gint64 end, gint64 step)
{
  gint64 low = step > 0 ? 0 : -1, high = step > 0 ? n : n - 1;
  gint64 span;

  start = start < -n ? low : start < 0 ? start + n : start;
  end = end < -n ? low : end < 0 ? end + n : end;
  /* what lies before the first element when walking backwards */
  start = CLAMP (start, step > 0 ? 0 : -1, high);
  end = CLAMP (end, low, step > 0 ? n : n - 1);
  span = step > 0 ? end - start : start - end;
  step = CLAMP (step, -n - 1, n + 1);
  part->start[axis] = start;
  part->step[axis] = step;
  part->count[axis] = span > 0 && n > 0 ? (span - 1) / ABS (step) + 1 : 0;
}

/* Input @i's integers where it is there; FALSE where their number is not @n. */
static gboolean
list (const CamNode *node, guint i, gsize n, gint64 **values, GError **error)
{
  gsize count;

  if (! cam_op_has_input (node, i))
    return TRUE;
  *values = cam_op_constant_ints (node, i, &count, error);
  if (*values == NULL)
    return FALSE;
  if (count == n)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("starts, ends, axes and steps are not equally many"));
  return FALSE;
}

static gboolean
resolve (const CamNode *node, Part *part, GError **error)
{
  const SliceParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  g_autofree gint64 *starts = NULL, *ends = NULL, *axes = NULL, *steps = NULL;
  gsize n = p->n;
  guint seen = 0;

  for (int i = 0; i < x->n_dims; i++)
    cut (part, i, x->dims[i], 0, x->dims[i], 1);
  if (node->opset >= 10)
    {
      starts = cam_op_constant_ints (node, 1, &n, error);
      if (starts == NULL || ! list (node, 2, n, &ends, error)
          || ! list (node, 3, n, &axes, error)
          || ! list (node, 4, n, &steps, error))
        return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    {
      const gint64 *from = axes ? axes : p->axes;
      gint64 step = steps ? steps[i] : 1;
      int axis;

      if (! cam_op_axis (node, from ? from[i] : (gint64) i, x->n_dims, &axis,
                         error))
        return FALSE;
      if (step == 0 || (seen >> axis & 1))
        {
          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          step ? _ ("axis %d is named twice")
                               : _ ("the step of axis %d is 0"),
                          axis);
          return FALSE;
        }
      seen |= 1u << axis;
      cut (part, axis, x->dims[axis], starts ? starts[i] : p->starts[i],
           ends ? ends[i] : p->ends[i], step);
    }
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;
  Part part;

  if (! resolve (node, &part, error))
    return FALSE;
  for (int i = 0; i < shape.n_dims; i++)
    shape.dims[i] = part.count[i];
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

/* The move, and where it starts in the input. */
static gint64
move_of (const CamNode *node, gint64 n_seeds, CamMove *move)
{
  const CamShape *x = &node->inputs[0]->shape, *y = &node->outputs[0]->shape;
  gint64 from[CAM_MAX_DIMS], to[CAM_MAX_DIMS], first = 0;
  Part part;

  move->n_dims = 0;
  if (! resolve (node, &part, NULL))
    return 0;
  cam_move_steps (x, from);
  cam_move_steps (y, to);
  cam_move_add (move, n_seeds, cam_op_count (x, 0, x->n_dims),
                cam_op_count (y, 0, y->n_dims));
  for (int i = 0; i < x->n_dims; i++)
    {
      first += part.start[i] * from[i];
      cam_move_add (move, part.count[i], part.step[i] * from[i], to[i]);
    }
  return first;
}

static void
forward (const CamForward *f)
{
  CamMove move;
  gint64 first = move_of (f->node, 1, &move);
  gsize size = cam_dtype_size (f->outputs[0]->dtype);

  if (f->outputs[0]->n_elements > 0)
    cam_move_run (&move, size,
                  (const char *) f->inputs[0]->data + first * (gint64) size,
                  f->outputs[0]->data, f->threads);
}

static void
backward (const CamBackward *b)
{
  CamMove move;
  gint64 first = move_of (b->node, b->n_seeds, &move);

  cam_op_clear_gradients (b);
  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL
      || b->output_gradients[0]->n_elements == 0)
    return;
  move = cam_move_reverse (&move);
  cam_move_run (&move, sizeof (float), b->output_gradients[0]->data,
                cam_tensor_f32 (b->input_gradients[0]) + first, b->threads);
}

const CamOperator cam_ops_slice[] = {
  { .domain = "",
    .type = "Slice",
    .since = 1,
    .until = 9,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .parse = parse,
    .free_params = free_params,
    .infer = infer,
    .forward = forward,
    .backward = backward },
  { .domain = "",
    .type = "Slice",
    .since = 10,
    .min_inputs = 3,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .parse = parse,
    .free_params = free_params,
    .infer = infer,
    .forward = forward,
    .backward = backward },
  { .type = NULL },
};
