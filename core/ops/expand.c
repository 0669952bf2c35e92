/* expand.c -- Expand and Tile: the same elements several times */
#include "config.h"

#include "core/ops/move.h"
#include "core/ops/walk.h"

#include <glib/gi18n.h>
#include <string.h>

static gboolean
infer_expand (CamNode *node, GError **error)
{
  gsize n;
  g_autofree gint64 *dims = cam_op_constant_ints (node, 1, &n, error);
  CamShape shape = { .n_dims = (int) MIN (n, CAM_MAX_DIMS) };

  if (dims == NULL)
    return FALSE;
  if (n > CAM_MAX_DIMS)
    shape.n_dims = CAM_MAX_DIMS + 1; /* refused with the output */
  else
    {
      for (gsize i = 0; i < n; i++)
        shape.dims[i] = dims[i];
      if (! cam_op_broadcast (node, &node->inputs[0]->shape, &shape, &shape,
                              error))
        return FALSE;
    }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static void
forward_expand (const CamForward *f)
{
  const CamShape *x = &f->inputs[0]->shape, *y = &f->outputs[0]->shape;
  gint64 from[CAM_MAX_DIMS], to[CAM_MAX_DIMS];
  CamMove move = { 0 };

  cam_move_steps (x, from);
  cam_move_steps (y, to);
  for (int i = 0; i < y->n_dims; i++)
    {
      int k = i - (y->n_dims - x->n_dims);

      cam_move_add (&move, y->dims[i], k < 0 || x->dims[k] == 1 ? 0 : from[k],
                    to[i]);
    }
  if (f->outputs[0]->n_elements > 0)
    cam_move_run (&move, cam_dtype_size (f->outputs[0]->dtype),
                  f->inputs[0]->data, f->outputs[0]->data, f->threads);
}

/* One double for every element of the input. */
static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  const CamShape *x = &node->inputs[0]->shape;

  return (gsize) cam_op_count (x, 0, x->n_dims) * sizeof (double);
}

static void
backward_expand (const CamBackward *b)
{
  const CamShape *x = &b->node->inputs[0]->shape;
  const CamShape *y = &b->node->outputs[0]->shape;
  gsize n = (gsize) cam_op_count (x, 0, x->n_dims);
  gsize m = (gsize) cam_op_count (y, 0, y->n_dims);

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  for (gsize s = 0; s < (gsize) b->n_seeds; s++)
    cam_walk_reduce (y, cam_tensor_f32 (b->output_gradients[0]) + s * m, x,
                     cam_tensor_f32 (b->input_gradients[0]) + s * n,
                     b->scratch);
}

static gboolean
infer_tile (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;
  gsize n;
  g_autofree gint64 *repeats = cam_op_constant_ints (node, 1, &n, error);

  if (repeats == NULL)
    return FALSE;
  if (n != (gsize) shape.n_dims)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      ngettext ("%zu repeats for %d dimension",
                                "%zu repeats for %d dimensions", shape.n_dims),
                      n, shape.n_dims);
      return FALSE;
    }
  for (gsize i = 0; i < n; i++)
    if (__builtin_mul_overflow (shape.dims[i], repeats[i], &shape.dims[i]))
      shape.dims[i] = -1; /* refused with the output */
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static void
forward_tile (const CamForward *f)
{
  const CamShape *x = &f->inputs[0]->shape, *y = &f->outputs[0]->shape;
  gint64 from[CAM_MAX_DIMS], to[CAM_MAX_DIMS];
  CamMove move = { 0 };

  if (f->outputs[0]->n_elements == 0)
    return;
  cam_move_steps (x, from);
  cam_move_steps (y, to);
  for (int i = 0; i < x->n_dims; i++)
    {
      cam_move_add (&move, y->dims[i] / x->dims[i], 0, to[i] * x->dims[i]);
      cam_move_add (&move, x->dims[i], from[i], to[i]);
    }
  cam_move_run (&move, cam_dtype_size (f->outputs[0]->dtype),
                f->inputs[0]->data, f->outputs[0]->data, f->threads);
}

/* Where in the input output element @i comes from. */
static gsize
tile_source (const CamShape *x, const CamShape *y, gsize i)
{
  gsize place = 0, step = 1;

  for (int d = x->n_dims - 1; d >= 0; d--)
    {
      place += i % (gsize) y->dims[d] % (gsize) x->dims[d] * step;
      step *= (gsize) x->dims[d];
      i /= (gsize) y->dims[d];
    }
  return place;
}

static void
backward_tile (const CamBackward *b)
{
  const CamShape *x = &b->node->inputs[0]->shape;
  const CamShape *y = &b->node->outputs[0]->shape;
  gsize n = (gsize) cam_op_count (x, 0, x->n_dims);
  gsize m = (gsize) cam_op_count (y, 0, y->n_dims);
  double *sums = b->scratch;

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  for (gsize s = 0; s < (gsize) b->n_seeds; s++)
    {
      const float *gy = cam_tensor_f32 (b->output_gradients[0]) + s * m;
      float *gx = cam_tensor_f32 (b->input_gradients[0]) + s * n;

      memset (sums, 0, n * sizeof *sums);
      for (gsize i = 0; i < m; i++)
        sums[tile_source (x, y, i)] += gy[i];
      for (gsize i = 0; i < n; i++)
        gx[i] = (float) sums[i];
    }
}

const CamOperator cam_ops_expand[] = {
  { .domain = "",
    .type = "Expand",
    .since = 8,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = infer_expand,
    .forward = forward_expand,
    .backward = backward_expand,
    .backward_scratch = backward_scratch },
  { .domain = "",
    .type = "Tile",
    .since = 6,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = infer_tile,
    .forward = forward_tile,
    .backward = backward_tile,
    .backward_scratch = backward_scratch },
  { .type = NULL },
};
