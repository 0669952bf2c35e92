/* transpose.c -- Transpose, DepthToSpace, SpaceToDepth: the same elements in
 * another order */
#include "config.h"

#include "core/ops/move.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

typedef struct
{
  gsize n_perm; /* 0: reversed */
  gint64 perm[CAM_MAX_DIMS];
  gint64 block; /* DepthToSpace, SpaceToDepth */
  int mode;     /* DepthToSpace: 1 is CRD */
} Order;

static gboolean
parse_transpose (CamNode *node, GError **error)
{
  Order *p = g_new0 (Order, 1);
  const gint64 *perm = cam_node_ints (node, "perm", &p->n_perm);

  node->params = p;
  if (p->n_perm > CAM_MAX_DIMS)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute perm has more than %d numbers"),
                      CAM_MAX_DIMS);
      return FALSE;
    }
  for (gsize i = 0; i < p->n_perm; i++)
    p->perm[i] = perm[i];
  return TRUE;
}

static int
source_axis (const Order *p, int rank, int i)
{
  return p->n_perm > 0 ? (int) p->perm[i] : rank - 1 - i;
}

static gboolean
infer_transpose (CamNode *node, GError **error)
{
  const Order *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  CamShape shape = { .n_dims = x->n_dims };
  guint seen = 0;

  for (int i = 0; i < x->n_dims; i++)
    {
      gint64 axis = p->n_perm == 0          ? x->n_dims - 1 - i
                    : (gsize) i < p->n_perm ? p->perm[i]
                                            : -1;

      if (axis < 0 || axis >= x->n_dims || (seen >> axis & 1)
          || (p->n_perm && p->n_perm != (gsize) x->n_dims))
        {
          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("attribute perm is no order of %d dimensions"),
                          x->n_dims);
          return FALSE;
        }
      seen |= 1u << axis;
      shape.dims[i] = x->dims[axis];
    }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

/* The move of @n_seeds tensors. */
static CamMove
transpose_move (const CamNode *node, gint64 n_seeds)
{
  const CamShape *x = &node->inputs[0]->shape;
  gint64 from[CAM_MAX_DIMS], to[CAM_MAX_DIMS];
  gint64 n = cam_op_count (x, 0, x->n_dims);
  CamMove move = { 0 };

  cam_move_steps (x, from);
  cam_move_steps (&node->outputs[0]->shape, to);
  cam_move_add (&move, n_seeds, n, n);
  for (int i = 0; i < x->n_dims; i++)
    cam_move_add (&move, node->outputs[0]->shape.dims[i],
                  from[source_axis (node->params, x->n_dims, i)], to[i]);
  return move;
}

static gboolean
parse_block (CamNode *node, GError **error)
{
  static const char *const modes[] = { "DCR", "CRD", NULL };
  Order *p = g_new0 (Order, 1);

  node->params = p;
  p->block = cam_node_int (node, "blocksize", 0);
  if (node->op_type[0] == 'D' && node->opset >= 11
      && ! cam_op_choice (node, "mode", "DCR", modes, &p->mode, error))
    return FALSE;
  if (p->block >= 1 && p->block <= G_MAXINT16)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute blocksize has the unsupported value %" PRId64),
                  p->block);
  return FALSE;
}

static gboolean
infer_block (CamNode *node, GError **error)
{
  const Order *p = node->params;
  CamShape shape = node->inputs[0]->shape;
  gboolean to_space = node->op_type[0] == 'D';
  gint64 area = p->block * p->block;

  if (! cam_op_check_rank (node, 0, 4, 4, error))
    return FALSE;
  if (to_space ? shape.dims[1] % area
               : shape.dims[2] % p->block || shape.dims[3] % p->block)
    {
      g_autofree char *text = cam_shape_to_string (&shape);

      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("the input %s does not divide into blocks of "
                         "%" PRId64),
                      text, p->block);
      return FALSE;
    }
  shape.dims[1] = to_space ? shape.dims[1] / area : shape.dims[1] * area;
  for (int i = 2; i < 4; i++)
    shape.dims[i] = to_space ? shape.dims[i] * p->block
                             : shape.dims[i] / p->block;
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

/* Deep [n, c, b, b, h, w] (or [n, b, b, c, h, w]) to wide [n, c, h, b, w, b];
 * SpaceToDepth is the DCR order the other way. */
static CamMove
block_move (const CamNode *node, gint64 n_seeds)
{
  const Order *p = node->params;
  gboolean to_space = node->op_type[0] == 'D';
  const CamShape *deep =
      &(to_space ? node->inputs[0] : node->outputs[0])->shape;
  gint64 b = p->block, h = deep->dims[2], w = deep->dims[3];
  gint64 c = deep->dims[1] / (b * b), area = h * w;
  gboolean crd = p->mode == 1;
  gint64 channel_step = crd ? b * b * area : area;
  gint64 block_step = crd ? area : c * area;
  CamMove move = { 0 };

  cam_move_add (&move, n_seeds * deep->dims[0], deep->dims[1] * area,
                deep->dims[1] * area);
  cam_move_add (&move, c, channel_step, b * b * area);
  cam_move_add (&move, h, w, b * b * w);
  cam_move_add (&move, b, b * block_step, b * w);
  cam_move_add (&move, w, 1, b);
  cam_move_add (&move, b, block_step, 1);
  return to_space ? move : cam_move_reverse (&move);
}

static CamMove
move_of (const CamNode *node, gint64 n_seeds)
{
  return node->op_type[0] == 'T' ? transpose_move (node, n_seeds)
                                 : block_move (node, n_seeds);
}

static void
forward (const CamForward *f)
{
  CamMove move = move_of (f->node, 1);

  if (f->outputs[0]->n_elements > 0)
    cam_move_run (&move, cam_dtype_size (f->outputs[0]->dtype),
                  f->inputs[0]->data, f->outputs[0]->data, f->threads);
}

static void
backward (const CamBackward *b)
{
  CamMove move = move_of (b->node, b->n_seeds);

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  move = cam_move_reverse (&move);
  cam_move_run (&move, sizeof (float), b->output_gradients[0]->data,
                b->input_gradients[0]->data, b->threads);
}

#define ORDER(name, parser, inference)                                         \
  {                                                                            \
    .domain = "", .type = name, .since = 1, .min_inputs = 1, .max_inputs = 1,  \
    .min_outputs = 1, .max_outputs = 1, .parse = parser, .infer = inference,   \
    .forward = forward, .backward = backward                                   \
  }

const CamOperator cam_ops_transpose[] = {
  ORDER ("Transpose", parse_transpose, infer_transpose),
  ORDER ("DepthToSpace", parse_block, infer_block),
  ORDER ("SpaceToDepth", parse_block, infer_block),
  { .type = NULL },
};
