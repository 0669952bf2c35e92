/* scatter.c -- ScatterND: a tensor with some slices replaced, added to ...
 *
 * Slices whose indices are outside are left out where the indices depend on
 * the picture; constant ones are checked when the shapes are inferred.
 */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

#include "core/ops/scalar.h"

typedef enum
{
  REPLACE,
  ADD,
  MULTIPLY,
  MAXIMUM,
  MINIMUM
} Reduction;

typedef struct
{
  int reduction;
} Scatter;

static gboolean
parse (CamNode *node, GError **error)
{
  static const char *const choices[] = { "none", "add", "mul",
                                         "max",  "min", NULL };
  Scatter *p = g_new0 (Scatter, 1);

  node->params = p;
  return node->opset < 16
         || cam_op_choice (node, "reduction", "none", choices, &p->reduction,
                           error);
}

/* @count slices of @size elements, each named by @depth indices. */
typedef struct
{
  gint64 count, depth, size;
} Slices;

static Slices
slices_of (const CamNode *node)
{
  const CamShape *x = &node->inputs[0]->shape, *k = &node->inputs[1]->shape;
  int last = k->n_dims - 1;
  int depth = (int) k->dims[last];

  return (Slices) { cam_op_count (k, 0, last), depth,
                    cam_op_count (x, depth, x->n_dims) };
}

/* First element of slice @i in the data, or -1. */
static gint64
slice_place (const CamNode *node, const CamTensor *indices, gint64 i)
{
  const CamShape *x = &node->inputs[0]->shape;
  Slices s = slices_of (node);
  gint64 place = 0;

  for (int d = 0; d < s.depth; d++)
    {
      gint64 k = cam_scalar_int (indices, (gsize) (i * s.depth + d));

      k = k < 0 ? k + x->dims[d] : k;
      if (k < 0 || k >= x->dims[d])
        return -1;
      place = place * x->dims[d] + k;
    }
  return place * s.size;
}

static gboolean
check_updates (const CamNode *node, GError **error)
{
  const CamShape *x = &node->inputs[0]->shape, *k = &node->inputs[1]->shape;
  CamShape wanted = { .n_dims = k->n_dims - 1 };
  gint64 depth = k->dims[k->n_dims - 1];
  g_autofree char *text = NULL;

  if (depth < 1 || depth > x->n_dims
      || wanted.n_dims + x->n_dims - depth > CAM_MAX_DIMS)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("%" PRId64 " indices for %d dimensions"), depth,
                      x->n_dims);
      return FALSE;
    }
  for (int i = 0; i < k->n_dims - 1; i++)
    wanted.dims[i] = k->dims[i];
  for (int i = (int) depth; i < x->n_dims; i++)
    wanted.dims[wanted.n_dims++] = x->dims[i];
  if (cam_shape_equal (&wanted, &node->inputs[2]->shape))
    return TRUE;
  text = cam_shape_to_string (&wanted);
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("its updates must have the shape %s"), text);
  return FALSE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Scatter *p = node->params;
  const CamTensor *indices = node->inputs[1]->constant;

  if (! cam_op_check_dtype (node, 0,
                            p->reduction == REPLACE ? CAM_OP_KINDS_ALL
                                                    : CAM_OP_KINDS_NUMBER,
                            error)
      || ! cam_op_check_dtype (node, 1, 1u << CAM_DTYPE_INT64, error)
      || ! cam_op_check_rank (node, 0, 1, CAM_MAX_DIMS, error)
      || ! cam_op_check_rank (node, 1, 1, CAM_MAX_DIMS, error)
      || ! check_updates (node, error))
    return FALSE;
  for (gint64 i = 0; indices && i < slices_of (node).count; i++)
    if (slice_place (node, indices, i) < 0)
      {
        cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                        _ ("the indices of slice %" PRId64
                           " are outside of the data"),
                        i);
        return FALSE;
      }
  return cam_op_infer_same (node, error);
}

static double
combine (int reduction, double a, double b)
{
  switch (reduction)
    {
    case ADD: return a + b;
    case MULTIPLY: return a * b;
    case MAXIMUM: return MAX (a, b);
    default: return MIN (a, b);
    }
}

static void
forward (const CamForward *f)
{
  const Scatter *p = f->node->params;
  CamTensor *y = f->outputs[0];
  Slices s = slices_of (f->node);
  gsize size = cam_dtype_size (y->dtype);

  cam_op_copy (y, f->inputs[0]);
  for (gint64 i = 0; i < s.count; i++)
    {
      gint64 place = slice_place (f->node, f->inputs[1], i);

      if (place < 0)
        continue;
      if (p->reduction == REPLACE)
        memcpy ((char *) y->data + (gsize) place * size,
                (const char *) f->inputs[2]->data + (gsize) (i * s.size) * size,
                (gsize) s.size * size);
      else
        for (gint64 e = 0; e < s.size; e++)
          cam_scalar_set_double (y, (gsize) (place + e),
                                 combine (p->reduction,
                                          cam_scalar_double (y, (gsize) (place
                                                                         + e)),
                                          cam_scalar_double (f->inputs[2],
                                                             (gsize) (i * s.size
                                                                      + e))));
    }
}

/* For replacing and adding; of slices that are named twice the last one counts,
 * so they are walked backwards. */
static void
backward_seed (const CamBackward *b, const CamTensor *indices, const float *g,
               float *gx, float *gu)
{
  const Scatter *p = b->node->params;
  const CamShape *x = &b->node->inputs[0]->shape;
  gsize n = (gsize) cam_op_count (x, 0, x->n_dims);
  Slices s = slices_of (b->node);
  float *rest = b->scratch;

  memcpy (rest, g, n * sizeof *g);
  for (gint64 i = s.count - 1; i >= 0; i--)
    {
      gint64 place = slice_place (b->node, indices, i);

      if (gu && place >= 0)
        memcpy (gu + i * s.size, rest + place, (gsize) s.size * sizeof *gu);
      else if (gu)
        memset (gu + i * s.size, 0, (gsize) s.size * sizeof *gu);
      if (p->reduction == REPLACE && place >= 0)
        memset (rest + place, 0, (gsize) s.size * sizeof *rest);
    }
  if (gx)
    memcpy (gx, rest, n * sizeof *gx);
}

/* What the data's element @at (@which -1) or slice @which's share of it gets
 * of the gradient where slices are multiplied or compared: the product of all
 * the others, or an equal share of the extreme. */
static float
share_of (const CamBackward *b, const CamTensor *indices, gint64 which,
          gint64 place, gint64 e)
{
  const Scatter *p = b->node->params;
  const float *x = cam_tensor_f32 (cam_op_backward_input (b, 0));
  const float *u = cam_tensor_f32 (cam_op_backward_input (b, 2));
  Slices s = slices_of (b->node);
  float own = which < 0 ? x[place + e] : u[which * s.size + e];
  double product = 1;
  int equal = 0;

  for (gint64 j = -1; j < s.count; j++)
    if (j < 0 || slice_place (b->node, indices, j) == place)
      {
        float other = j < 0 ? x[place + e] : u[j * s.size + e];

        product *= j == which ? 1 : other;
        equal += other == own;
        if (p->reduction == MAXIMUM ? other > own : other < own)
          equal = G_MININT;
      }
  if (p->reduction == MULTIPLY)
    return (float) product;
  return equal > 0 ? 1.0f / (float) equal : 0;
}

static void
backward_combined (const CamBackward *b, const CamTensor *indices,
                   const float *g, float *gx, float *gu)
{
  Slices s = slices_of (b->node);
  const CamShape *x = &b->node->inputs[0]->shape;

  if (gx)
    memcpy (gx, g, (gsize) cam_op_count (x, 0, x->n_dims) * sizeof *g);
  for (gint64 i = 0; i < s.count; i++)
    {
      gint64 place = slice_place (b->node, indices, i);

      for (gint64 e = 0; e < s.size; e++)
        {
          if (gx && place >= 0)
            gx[place + e] = g[place + e] * share_of (b, indices, -1, place, e);
          if (gu)
            gu[i * s.size + e] = place < 0
                                     ? 0
                                     : g[place + e]
                                           * share_of (b, indices, i, place, e);
        }
    }
}

static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  const CamShape *x = &node->inputs[0]->shape;

  return (gsize) cam_op_count (x, 0, x->n_dims) * sizeof (float);
}

static void
backward (const CamBackward *b)
{
  const Scatter *p = b->node->params;
  const CamTensor *indices = cam_op_backward_input (b, 1);
  Slices s = slices_of (b->node);

  if (b->output_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  for (gint64 k = 0; k < b->n_seeds; k++)
    {
      gsize n = b->output_gradients[0]->n_elements / (gsize) b->n_seeds;
      const float *g = cam_tensor_f32 (b->output_gradients[0]) + (gsize) k * n;
      CamTensor *tx = b->input_gradients[0], *tu = b->input_gradients[2];
      float *gx = tx ? cam_tensor_f32 (tx) + (gsize) k * n : NULL;
      float *gu = tu ? cam_tensor_f32 (tu) + k * s.count * s.size : NULL;

      if (p->reduction <= ADD)
        backward_seed (b, indices, g, gx, gu);
      else
        backward_combined (b, indices, g, gx, gu);
    }
}

const CamOperator cam_ops_scatter[] = {
  { .domain = "",
    .type = "ScatterND",
    .since = 11,
    .min_inputs = 3,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .backward_scratch = backward_scratch },
  { .type = NULL },
};
