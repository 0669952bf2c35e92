/* pad.c -- Pad: constant, reflect, edge or wrap; negative pads cut
 *
 * Every axis has a table of where its places come from (-1: the constant),
 * in scratch.
 */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/ops/scalar.h"

typedef enum
{
  CONSTANT,
  REFLECT,
  EDGE,
  WRAP
} PadMode;

typedef struct
{
  int mode;
  double value;
  gsize n_pads; /* before opset 11 */
  gint64 pads[2 * CAM_MAX_DIMS];
} Pad;

static gboolean
parse (CamNode *node, GError **error)
{
  static const char *const choices[] = { "constant", "reflect", "edge", "wrap",
                                         NULL };
  Pad *p = g_new0 (Pad, 1);
  const gint64 *pads;

  node->params = p;
  if (! cam_op_choice (node, "mode", "constant", choices, &p->mode, error))
    return FALSE;
  if (p->mode == WRAP && node->opset < 19)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute mode has the value 'wrap', which opset 19 "
                         "brought"));
      return FALSE;
    }
  if (node->opset >= 11)
    return TRUE;
  p->value = cam_node_float (node, "value", 0);
  pads = cam_node_ints (node, "pads", &p->n_pads);
  if (pads == NULL || p->n_pads > G_N_ELEMENTS (p->pads))
    {
      cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                      _ ("attribute pads is missing or too long"));
      return FALSE;
    }
  memcpy (p->pads, pads, p->n_pads * sizeof *pads);
  return TRUE;
}

/* Pads before and after every axis, from attribute or inputs. */
static gboolean
resolve (const CamNode *node, gint64 *before, gint64 *after, GError **error)
{
  const Pad *p = node->params;
  int rank = node->inputs[0]->shape.n_dims;
  g_autofree gint64 *given = NULL, *axes = NULL;
  const gint64 *pads = p->pads;
  gsize n = p->n_pads, n_axes = (gsize) rank;

  memset (before, 0, CAM_MAX_DIMS * sizeof *before);
  memset (after, 0, CAM_MAX_DIMS * sizeof *after);
  if (node->opset >= 11)
    {
      pads = given = cam_op_constant_ints (node, 1, &n, error);
      if (given == NULL)
        return FALSE;
    }
  if (cam_op_has_input (node, 3)
      && ! (axes = cam_op_constant_ints (node, 3, &n_axes, error)))
    return FALSE;
  if (n != 2 * n_axes)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("%zu pads for %zu dimensions"), n, n_axes);
      return FALSE;
    }
  for (gsize i = 0; i < n_axes; i++)
    {
      int axis;

      if (! cam_op_axis (node, axes ? axes[i] : (gint64) i, rank, &axis, error))
        return FALSE;
      before[axis] = pads[i];
      after[axis] = pads[n_axes + i];
    }
  return TRUE;
}

static gboolean
pads_error (const CamNode *node, int axis, GError **error)
{
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("the pads of axis %d do not fit the input"), axis);
  return FALSE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Pad *p = node->params;
  CamShape shape = node->inputs[0]->shape;
  gint64 before[CAM_MAX_DIMS], after[CAM_MAX_DIMS];

  if (! resolve (node, before, after, error))
    return FALSE;
  if (cam_op_has_input (node, 2)
      && (node->inputs[2]->dtype != node->inputs[0]->dtype
          || cam_op_count (&node->inputs[2]->shape, 0,
                           node->inputs[2]->shape.n_dims)
                 != 1))
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("its constant value must be one number of the input's "
                         "type"));
      return FALSE;
    }
  for (int i = 0; i < shape.n_dims; i++)
    {
      gint64 n = shape.dims[i];

      if (before[i] > G_MAXINT32 || after[i] > G_MAXINT32 || before[i] < -n
          || after[i] < -n
          || (p->mode != CONSTANT && n == 0 && (before[i] > 0 || after[i] > 0)))
        return pads_error (node, i, error);
      shape.dims[i] += before[i] + after[i];
      if (shape.dims[i] < 0)
        return pads_error (node, i, error);
    }
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

/* Where place @i of an axis of @n (before padding) comes from.  Reflections
 * repeat where the pad is longer than the axis. */
static gint64
source_of (int mode, gint64 i, gint64 n)
{
  gint64 period = 2 * (n - 1);

  if (i >= 0 && i < n)
    return i;
  switch (mode)
    {
    case EDGE: return i < 0 ? 0 : n - 1;
    case WRAP: return (i % n + n) % n;
    case REFLECT:
      if (period == 0)
        return 0;
      i = (i % period + period) % period;
      return i < n ? i : period - i;
    default: return -1;
    }
}

static gsize
scratch (const CamNode *node, int n_threads)
{
  const CamShape *y = &node->outputs[0]->shape;
  gsize n = 0;

  for (int i = 0; i < y->n_dims; i++)
    n += (gsize) y->dims[i];
  return n * sizeof (gint64);
}

static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  return scratch (node, n_threads);
}

typedef struct
{
  const gint64 *tables[CAM_MAX_DIMS];
  const CamShape *x, *y;
  int last; /* axis, -1: scalars */
} Map;

static void
make_map (const CamNode *node, gint64 *scratch_memory, Map *map)
{
  const Pad *p = node->params;
  gint64 before[CAM_MAX_DIMS], after[CAM_MAX_DIMS];

  map->x = &node->inputs[0]->shape;
  map->y = &node->outputs[0]->shape;
  map->last = map->y->n_dims - 1;
  resolve (node, before, after, NULL);
  for (int d = 0; d < map->y->n_dims; d++)
    {
      map->tables[d] = scratch_memory;
      for (gint64 i = 0; i < map->y->dims[d]; i++)
        *scratch_memory++ = source_of (p->mode, i - before[d], map->x->dims[d]);
    }
}

/* First element of the input's row that row @row of the output shows; -1. */
static gint64
source_row (const Map *map, gint64 row)
{
  gint64 place = 0, step = map->last >= 0 ? map->x->dims[map->last] : 1;

  for (int d = map->last - 1; d >= 0; d--)
    {
      gint64 from = map->tables[d][row % map->y->dims[d]];

      if (from < 0)
        return -1;
      place += from * step;
      step *= map->x->dims[d];
      row /= map->y->dims[d];
    }
  return place;
}

typedef struct
{
  const CamForward *f;
  Map map;
  char fill[8];
} Job;

static void
row_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *j = data;
  gsize size = cam_dtype_size (j->f->outputs[0]->dtype);
  gint64 n = j->map.y->dims[j->map.last];

  for (gsize row = begin; row < end; row++)
    {
      gint64 from = source_row (&j->map, (gint64) row);
      const char *x = (const char *) j->f->inputs[0]->data
                      + from * (gint64) size;
      char *y = (char *) j->f->outputs[0]->data + row * (gsize) n * size;

      for (gint64 i = 0; i < n; i++)
        {
          gint64 k = from < 0 ? -1 : j->map.tables[j->map.last][i];

          memcpy (y + i * (gint64) size,
                  k < 0 ? j->fill : x + k * (gint64) size, size);
        }
    }
}

static void
forward (const CamForward *f)
{
  const Pad *p = f->node->params;
  CamShape one = { 0, { 0 } };
  Job job = { .f = f };

  if (f->outputs[0]->n_elements == 0)
    return;
  if (f->outputs[0]->shape.n_dims == 0)
    {
      cam_op_copy (f->outputs[0], f->inputs[0]);
      return;
    }
  if (cam_op_has_input (f->node, 2))
    memcpy (job.fill, f->inputs[2]->data,
            cam_dtype_size (f->outputs[0]->dtype));
  else
    {
      CamTensor value = { .dtype = f->outputs[0]->dtype,
                          .shape = one,
                          .n_elements = 1,
                          .data = job.fill };

      cam_scalar_set_double (&value, 0, p->value);
    }
  make_map (f->node, f->scratch, &job.map);
  cam_op_ranges (f->threads,
                 f->outputs[0]->n_elements
                     / (gsize) job.map.y->dims[job.map.last],
                 64, row_range, &job);
}

static void
backward (const CamBackward *b)
{
  Map map;
  gint64 n, rows;
  gsize n_in;

  cam_op_clear_gradients (b);
  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL
      || b->output_gradients[0]->n_elements == 0)
    return;
  if (b->node->outputs[0]->shape.n_dims == 0)
    {
      cam_op_copy (b->input_gradients[0], b->output_gradients[0]);
      return;
    }
  make_map (b->node, b->scratch, &map);
  n = map.y->dims[map.last];
  rows = cam_op_count (map.y, 0, map.last);
  n_in = b->input_gradients[0]->n_elements / (gsize) b->n_seeds;
  for (gint64 r = 0; r < b->n_seeds * rows; r++)
    {
      gint64 from = source_row (&map, r % rows);
      const float *gy = cam_tensor_f32 (b->output_gradients[0]) + r * n;
      float *gx = cam_tensor_f32 (b->input_gradients[0])
                  + (gsize) (r / rows) * n_in + from;

      for (gint64 i = 0; from >= 0 && i < n; i++)
        if (map.tables[map.last][i] >= 0)
          gx[map.tables[map.last][i]] += gy[i];
    }
}

#define PAD(first, last, most)                                                 \
  {                                                                            \
    .domain = "", .type = "Pad", .since = first, .until = last,                \
    .min_inputs = most > 1 ? 2 : 1, .max_inputs = most, .min_outputs = 1,      \
    .max_outputs = 1, .parse = parse, .infer = infer, .forward = forward,      \
    .backward = backward, .scratch = scratch,                                  \
    .backward_scratch = backward_scratch                                       \
  }

const CamOperator cam_ops_pad[] = {
  PAD (2, 10, 1),
  PAD (11, 17, 3),
  PAD (18, 0, 4),
  { .type = NULL },
};
