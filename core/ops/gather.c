/* gather.c -- Gather and GatherElements: elements by index
 *
 * Indices count from the end where they are negative.  One that is outside is
 * an error where the indices are constant; where they depend on the picture it
 * reads as 0.
 */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

#include "core/ops/scalar.h"

#define KINDS_INDEX (1u << CAM_DTYPE_INT64 | 1u << CAM_DTYPE_INT32)

typedef struct
{
  gint64 axis;
} GatherParams;

static gboolean
parse (CamNode *node, GError **error)
{
  GatherParams *p = g_new0 (GatherParams, 1);

  node->params = p;
  p->axis = cam_node_int (node, "axis", 0);
  return TRUE;
}

static gboolean
check_indices (const CamNode *node, gint64 n, GError **error)
{
  const CamTensor *indices = node->inputs[1]->constant;

  if (! cam_op_check_dtype (node, 1, KINDS_INDEX, error))
    return FALSE;
  for (gsize i = 0; indices && i < indices->n_elements; i++)
    {
      gint64 k = cam_scalar_int (indices, i);

      if (k < -n || k >= n)
        {
          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("index %" PRId64
                             " is outside of an axis of %" PRId64),
                          k, n);
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
infer_gather (CamNode *node, GError **error)
{
  const GatherParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  const CamShape *indices = &node->inputs[1]->shape;
  CamShape shape = { .n_dims = x->n_dims - 1 + indices->n_dims };
  int axis, d = 0;

  if (! cam_op_axis (node, p->axis, x->n_dims, &axis, error)
      || ! check_indices (node, x->dims[axis], error))
    return FALSE;
  if (shape.n_dims <= CAM_MAX_DIMS)
    {
      for (int i = 0; i < axis; i++)
        shape.dims[d++] = x->dims[i];
      for (int i = 0; i < indices->n_dims; i++)
        shape.dims[d++] = indices->dims[i];
      for (int i = axis + 1; i < x->n_dims; i++)
        shape.dims[d++] = x->dims[i];
    }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

/* [outer, n, inner] by [count] indices to [outer, count, inner] */
typedef struct
{
  gint64 outer, n, inner, count;
  const CamTensor *indices;
} Sizes;

static Sizes
gather_sizes (const CamNode *node, const CamTensor *indices)
{
  const GatherParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  const CamShape *k = &node->inputs[1]->shape;
  int axis = 0;

  cam_op_axis (node, p->axis, x->n_dims, &axis, NULL);
  return (Sizes) { .outer = cam_op_count (x, 0, axis),
                   .n = x->dims[axis],
                   .inner = cam_op_count (x, axis + 1, x->n_dims),
                   .count = cam_op_count (k, 0, k->n_dims),
                   .indices = indices };
}

/* -1 where it is outside */
static gint64
index_at (const CamTensor *indices, gsize i, gint64 n)
{
  gint64 k = cam_scalar_int (indices, i);

  k = k < 0 ? k + n : k;
  return k >= 0 && k < n ? k : -1;
}

static void
forward_gather (const CamForward *f)
{
  Sizes z = gather_sizes (f->node, f->inputs[1]);
  gsize bytes = cam_dtype_size (f->outputs[0]->dtype) * (gsize) z.inner;
  const char *x = f->inputs[0]->data;
  char *y = f->outputs[0]->data;

  for (gint64 o = 0; o < z.outer && bytes > 0; o++)
    for (gint64 i = 0; i < z.count; i++, y += bytes)
      {
        gint64 k = index_at (z.indices, (gsize) i, z.n);

        if (k < 0)
          memset (y, 0, bytes);
        else
          memcpy (y, x + (gsize) (o * z.n + k) * bytes, bytes);
      }
}

static void
backward_gather (const CamBackward *b)
{
  const CamTensor *indices = cam_op_backward_input (b, 1);
  Sizes z = gather_sizes (b->node, indices);
  const float *gy;

  cam_op_clear_gradients (b);
  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    return;
  gy = cam_tensor_f32 (b->output_gradients[0]);
  for (gint64 o = 0; o < b->n_seeds * z.outer; o++)
    for (gint64 i = 0; i < z.count; i++, gy += z.inner)
      {
        gint64 k = index_at (indices, (gsize) i, z.n);
        float *gx = cam_tensor_f32 (b->input_gradients[0])
                    + (o * z.n + k) * z.inner;

        for (gint64 e = 0; k >= 0 && e < z.inner; e++)
          gx[e] += gy[e];
      }
}

static gboolean
infer_elements (CamNode *node, GError **error)
{
  const GatherParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape, *k = &node->inputs[1]->shape;
  int axis;

  if (! cam_op_axis (node, p->axis, x->n_dims, &axis, error)
      || ! cam_op_check_rank (node, 1, x->n_dims, x->n_dims, error)
      || ! check_indices (node, x->dims[axis], error))
    return FALSE;
  for (int i = 0; i < x->n_dims; i++)
    if (i != axis && k->dims[i] > x->dims[i])
      {
        cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                        _ ("there are more indices than elements along axis "
                           "%d"),
                        i);
        return FALSE;
      }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, k, error);
}

/* The input's element that output element @i is, or -1. */
static gint64
element_source (const CamNode *node, const CamTensor *indices, gsize i)
{
  const GatherParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape, *k = &node->inputs[1]->shape;
  gint64 place = 0, step = 1;
  gsize rest = i;
  int axis = 0;

  cam_op_axis (node, p->axis, x->n_dims, &axis, NULL);
  for (int d = x->n_dims - 1; d >= 0; d--)
    {
      gint64 at = (gint64) (rest % (gsize) k->dims[d]);

      if (d == axis)
        at = index_at (indices, i, x->dims[d]);
      if (at < 0)
        return -1;
      place += at * step;
      step *= x->dims[d];
      rest /= (gsize) k->dims[d];
    }
  return place;
}

static void
forward_elements (const CamForward *f)
{
  gsize size = cam_dtype_size (f->outputs[0]->dtype);
  char *y = f->outputs[0]->data;

  for (gsize i = 0; i < f->outputs[0]->n_elements; i++)
    {
      gint64 k = element_source (f->node, f->inputs[1], i);

      if (k < 0)
        memset (y + i * size, 0, size);
      else
        memcpy (y + i * size,
                (const char *) f->inputs[0]->data + (gsize) k * size, size);
    }
}

static void
backward_elements (const CamBackward *b)
{
  const CamShape *x = &b->node->inputs[0]->shape;
  const CamTensor *indices = cam_op_backward_input (b, 1);
  gsize n = (gsize) cam_op_count (x, 0, x->n_dims);

  cam_op_clear_gradients (b);
  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    return;
  for (gsize s = 0; s < (gsize) b->n_seeds; s++)
    for (gsize i = 0; i < indices->n_elements; i++)
      {
        gint64 k = element_source (b->node, indices, i);

        if (k >= 0)
          cam_tensor_f32 (b->input_gradients[0])[s * n + (gsize) k] +=
              cam_tensor_f32 (b->output_gradients[0])[s * indices->n_elements
                                                      + i];
      }
}

const CamOperator cam_ops_gather[] = {
  { .domain = "",
    .type = "Gather",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS,
    .parse = parse,
    .infer = infer_gather,
    .forward = forward_gather,
    .backward = backward_gather },
  { .domain = "",
    .type = "GatherElements",
    .since = 11,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS,
    .parse = parse,
    .infer = infer_elements,
    .forward = forward_elements,
    .backward = backward_elements },
  { .type = NULL },
};
