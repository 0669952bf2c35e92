/* matmul.c -- MatMul (batched, broadcast, vectors too) and Gemm */
#include "config.h"

#include "core/ops/gemm-core.h"
#include "core/ops/walk.h"

#include <glib/gi18n.h>
#include <string.h>

/* A [batch..., m, k], B [batch..., k, n]: matrices under broadcast batches. */
typedef struct
{
  gint64 m, n, k;
  CamShape batch; /* of the result */
  CamShape batch_a, batch_b;
  gint64 n_batch;
  gboolean flat_a; /* B is one matrix: A's batch is just more rows */
} MatMul;

static gboolean
resolve (const CamNode *node, MatMul *p, GError **error)
{
  const CamShape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;
  gint64 inner;

  p->m = a->n_dims > 1 ? a->dims[a->n_dims - 2] : 1;
  p->k = a->dims[a->n_dims - 1];
  p->n = b->n_dims > 1 ? b->dims[b->n_dims - 1] : 1;
  inner = b->n_dims > 1 ? b->dims[b->n_dims - 2] : b->dims[0];
  p->batch_a = cam_shape_make (MAX (a->n_dims - 2, 0), a->dims);
  p->batch_b = cam_shape_make (MAX (b->n_dims - 2, 0), b->dims);
  if (inner != p->k)
    {
      g_autofree char *ta = cam_shape_to_string (a);
      g_autofree char *tb = cam_shape_to_string (b);

      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("the shapes %s and %s do not fit together"), ta, tb);
      return FALSE;
    }
  if (! cam_op_broadcast (node, &p->batch_a, &p->batch_b, &p->batch, error))
    return FALSE;
  p->n_batch = cam_op_count (&p->batch, 0, p->batch.n_dims);
  p->flat_a = cam_op_count (&p->batch_b, 0, p->batch_b.n_dims) == 1;
  return TRUE;
}

static gboolean
check_matrices (const CamNode *node, GError **error)
{
  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
      || ! cam_op_check_same_dtype (node, error))
    return FALSE;
  for (guint i = 0; i < 2; i++)
    {
      const CamShape *shape = &node->inputs[i]->shape;

      if (! cam_op_check_not_empty (node, i, error))
        return FALSE;
      if (cam_op_count (shape, 0, shape->n_dims) > G_MAXINT32)
        {
          cam_node_error (error, CAM_GRAPH_ERROR_TOO_LARGE, node,
                          _ ("more than 2^31 elements in a matrix"));
          return FALSE;
        }
    }
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  MatMul p;
  CamShape shape;

  if (! check_matrices (node, error)
      || ! cam_op_check_rank (node, 0, 1, CAM_MAX_DIMS, error)
      || ! cam_op_check_rank (node, 1, 1, CAM_MAX_DIMS, error)
      || ! resolve (node, &p, error))
    return FALSE;
  shape = p.batch;
  if (node->inputs[0]->shape.n_dims > 1)
    shape.dims[shape.n_dims++] = p.m;
  if (node->inputs[1]->shape.n_dims > 1)
    shape.dims[shape.n_dims++] = p.n;
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}

/* Calls @func for every matrix of the batch with its place in A and B. */
static inline void
batch_places (const CamWalk *walk, gint64 item, gsize places[2])
{
  gsize step[2], column = (gsize) item % walk->n_columns;

  cam_walk_row (walk, (gsize) item / walk->n_columns, places);
  for (int i = 0; i < 2; i++)
    {
      step[i] = walk->steps[i][walk->n_dims - 1];
      places[i] += column * step[i];
    }
}

static void
batch_walk (const MatMul *p, CamWalk *walk)
{
  const CamShape *shapes[2] = { &p->batch_a, &p->batch_b };

  cam_walk_init (walk, &p->batch, 2, shapes);
}

static void
forward (const CamForward *f)
{
  const float *a = cam_tensor_f32 (f->inputs[0]);
  const float *b = cam_tensor_f32 (f->inputs[1]);
  float *c = cam_tensor_f32 (f->outputs[0]);
  CamGemm gemm = { .alpha = 1 };
  MatMul p;
  CamWalk walk;

  if (! resolve (f->node, &p, NULL))
    return;
  gemm.n = gemm.ldb = gemm.ldc = p.n;
  gemm.k = gemm.lda = p.k;
  gemm.m = p.m;
  if (p.flat_a)
    {
      gemm.m = p.m * p.n_batch;
      cam_gemm_run (&gemm, f->threads, 1, a, 0, b, 0, c, 0);
      return;
    }
  batch_walk (&p, &walk);
  if (walk.n_rows == 1)
    cam_gemm_run (&gemm, f->threads, p.n_batch, a,
                  (gint64) walk.steps[0][walk.n_dims - 1] * p.m * p.k, b,
                  (gint64) walk.steps[1][walk.n_dims - 1] * p.k * p.n, c,
                  p.m * p.n);
  else
    for (gint64 i = 0; i < p.n_batch; i++)
      {
        gsize places[2];

        batch_places (&walk, i, places);
        cam_gemm_run (&gemm, f->threads, 1, a + places[0] * (gsize) (p.m * p.k),
                      0, b + places[1] * (gsize) (p.k * p.n), 0,
                      c + i * p.m * p.n, 0);
      }
}

/* gA = gC B^T, gB = A^T gC; summed over the batches that share a matrix. */
static void
gradient (const CamBackward *b, const MatMul *p, int which)
{
  const CamTensor *other = cam_op_backward_input (b, 1 - (guint) which);
  gint64 rows = which == 0 ? p->m : p->k, columns = which == 0 ? p->k : p->n;
  CamGemm gemm = { .trans_a = which == 1,
                   .trans_b = which == 0,
                   .m = rows,
                   .n = columns,
                   .k = which == 0 ? p->n : p->m,
                   .alpha = 1,
                   .beta = 1,
                   .ldc = columns };
  gsize n_in = b->input_gradients[which]->n_elements / (gsize) b->n_seeds;
  gsize area = (gsize) (p->m * p->n);
  CamWalk walk;

  batch_walk (p, &walk);
  cam_op_clear (b->input_gradients[which]);
  gemm.lda = which == 0 ? p->n : p->k;
  gemm.ldb = p->n;
  for (gint64 s = 0; s < b->n_seeds; s++)
    for (gint64 i = 0; i < p->n_batch; i++)
      {
        const float *gc = cam_tensor_f32 (b->output_gradients[0])
                          + (gsize) (s * p->n_batch + i) * area;
        float *g = cam_tensor_f32 (b->input_gradients[which])
                   + (gsize) s * n_in;
        const float *o = cam_tensor_f32 (other);
        gsize places[2];

        batch_places (&walk, i, places);
        g += places[which] * (gsize) (rows * columns);
        o += places[1 - which]
             * (gsize) (which == 0 ? p->k * p->n : p->m * p->k);
        cam_gemm_run (&gemm, b->threads, 1, which == 0 ? gc : o, 0,
                      which == 0 ? o : gc, 0, g, 0);
      }
}

static void
backward (const CamBackward *b)
{
  MatMul p;

  if (b->output_gradients[0] == NULL || ! resolve (b->node, &p, NULL))
    {
      cam_op_clear_gradients (b);
      return;
    }
  if (b->input_gradients[0] && p.flat_a)
    {
      CamGemm gemm = { .trans_b = TRUE,
                       .m = b->n_seeds * p.n_batch * p.m,
                       .n = p.k,
                       .k = p.n,
                       .alpha = 1,
                       .lda = p.n,
                       .ldb = p.n,
                       .ldc = p.k };

      cam_gemm_run (&gemm, b->threads, 1,
                    cam_tensor_f32 (b->output_gradients[0]), 0,
                    cam_tensor_f32 (cam_op_backward_input (b, 1)), 0,
                    cam_tensor_f32 (b->input_gradients[0]), 0);
    }
  else if (b->input_gradients[0])
    gradient (b, &p, 0);
  if (b->input_gradients[1])
    gradient (b, &p, 1);
}

static guint64
macs (const CamNode *node)
{
  const CamShape *a = &node->inputs[0]->shape;
  const CamShape *y = &node->outputs[0]->shape;

  return (guint64) cam_op_count (y, 0, y->n_dims)
         * (guint64) a->dims[a->n_dims - 1];
}

typedef struct
{
  gboolean trans_a, trans_b;
  float alpha, beta;
} GemmParams;

static gboolean
parse_gemm (CamNode *node, GError **error)
{
  GemmParams *p = g_new0 (GemmParams, 1);

  node->params = p;
  p->trans_a = cam_node_int (node, "transA", 0) != 0;
  p->trans_b = cam_node_int (node, "transB", 0) != 0;
  p->alpha = (float) cam_node_float (node, "alpha", 1);
  p->beta = (float) cam_node_float (node, "beta", 1);
  return TRUE;
}

static gboolean
infer_gemm (CamNode *node, GError **error)
{
  const GemmParams *p = node->params;
  const CamShape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;
  CamShape shape = { .n_dims = 2 }, whole;

  if (! check_matrices (node, error)
      || ! cam_op_check_rank (node, 0, 2, 2, error)
      || ! cam_op_check_rank (node, 1, 2, 2, error))
    return FALSE;
  shape.dims[0] = a->dims[p->trans_a ? 1 : 0];
  shape.dims[1] = b->dims[p->trans_b ? 0 : 1];
  if (a->dims[p->trans_a ? 0 : 1] != b->dims[p->trans_b ? 1 : 0])
    {
      g_autofree char *ta = cam_shape_to_string (a);
      g_autofree char *tb = cam_shape_to_string (b);

      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("the shapes %s and %s do not fit together"), ta, tb);
      return FALSE;
    }
  if (cam_op_has_input (node, 2))
    {
      if (! cam_op_broadcast (node, &shape, &node->inputs[2]->shape, &whole,
                              error))
        return FALSE;
      if (! cam_shape_equal (&shape, &whole))
        {
          cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                          _ ("'%s' is larger than the product"),
                          node->inputs[2]->name);
          return FALSE;
        }
    }
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}

/* The product of this node: m, n, k and leading dimensions. */
static CamGemm
gemm_of (const CamNode *node)
{
  const GemmParams *p = node->params;
  const CamShape *a = &node->inputs[0]->shape, *b = &node->inputs[1]->shape;

  return (CamGemm) { .trans_a = p->trans_a,
                     .trans_b = p->trans_b,
                     .m = node->outputs[0]->shape.dims[0],
                     .n = node->outputs[0]->shape.dims[1],
                     .k = a->dims[p->trans_a ? 0 : 1],
                     .alpha = p->alpha,
                     .lda = a->dims[1],
                     .ldb = b->dims[1],
                     .ldc = node->outputs[0]->shape.dims[1] };
}

static void
scale_row (gsize n, const gsize *at, const gsize *steps, gsize index,
           gpointer data)
{
  const CamForward *f = data;
  const float *c = cam_tensor_f32 (f->inputs[2]) + at[0];
  float beta = ((const GemmParams *) f->node->params)->beta;
  float *y = cam_tensor_f32 (f->outputs[0]) + index;

  for (gsize i = 0; i < n; i++)
    y[i] = beta * c[i * steps[0]];
}

static void
forward_gemm (const CamForward *f)
{
  CamGemm gemm = gemm_of (f->node);

  if (cam_op_has_input (f->node, 2))
    {
      const CamShape *shape = &f->inputs[2]->shape;
      CamWalk walk;

      cam_walk_init (&walk, &f->outputs[0]->shape, 1, &shape);
      cam_walk_run (&walk, f->threads, scale_row, (gpointer) f);
      gemm.beta = 1;
    }
  cam_gemm_run (&gemm, f->threads, 1, cam_tensor_f32 (f->inputs[0]), 0,
                cam_tensor_f32 (f->inputs[1]), 0,
                cam_tensor_f32 (f->outputs[0]), 0);
}

/* gA = alpha gY op(B)^T, or its transpose where A is transposed. */
static CamGemm
gradient_of_a (const CamGemm *g)
{
  CamGemm r = { .alpha = g->alpha, .k = g->n, .ldc = g->lda };

  r.m = g->trans_a ? g->k : g->m;
  r.n = g->trans_a ? g->m : g->k;
  r.trans_a = g->trans_a && g->trans_b;
  r.trans_b = g->trans_a || ! g->trans_b;
  r.lda = g->trans_a ? g->ldb : g->ldc;
  r.ldb = g->trans_a ? g->ldc : g->ldb;
  return r;
}

/* gB = alpha op(A)^T gY, or its transpose where B is transposed. */
static CamGemm
gradient_of_b (const CamGemm *g)
{
  CamGemm r = { .alpha = g->alpha, .k = g->m, .ldc = g->ldb };

  r.m = g->trans_b ? g->n : g->k;
  r.n = g->trans_b ? g->k : g->n;
  r.trans_a = g->trans_b || ! g->trans_a;
  r.trans_b = g->trans_b && g->trans_a;
  r.lda = g->trans_b ? g->ldc : g->lda;
  r.ldb = g->trans_b ? g->lda : g->ldc;
  return r;
}

static void
gradient_of_c (const CamBackward *b, const CamGemm *g)
{
  float beta = ((const GemmParams *) b->node->params)->beta;
  const CamShape *shape = &b->node->inputs[2]->shape;
  CamTensor *gc = b->input_gradients[2];
  gsize n = gc->n_elements / (gsize) b->n_seeds;

  for (gint64 s = 0; s < b->n_seeds; s++)
    cam_walk_reduce (&b->node->outputs[0]->shape,
                     cam_tensor_f32 (b->output_gradients[0]) + s * g->m * g->n,
                     shape, cam_tensor_f32 (gc) + (gsize) s * n, b->scratch);
  for (gsize i = 0; i < gc->n_elements; i++)
    cam_tensor_f32 (gc)[i] *= beta;
}

static gsize
backward_scratch_gemm (const CamNode *node, int n_threads, gint64 n_seeds)
{
  return (gsize) cam_op_count (&node->outputs[0]->shape, 0, 2)
         * sizeof (double);
}

static void
backward_gemm (const CamBackward *b)
{
  CamGemm gemm = gemm_of (b->node), r;
  const CamTensor *ta = cam_op_backward_input (b, 0);
  const CamTensor *tb = cam_op_backward_input (b, 1);
  gint64 step_y = gemm.m * gemm.n;
  const float *gy;

  if (b->output_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  gy = cam_tensor_f32 (b->output_gradients[0]);
  if (b->input_gradients[0])
    {
      const float *vb = cam_tensor_f32 (tb);

      r = gradient_of_a (&gemm);
      cam_gemm_run (&r, b->threads, b->n_seeds, gemm.trans_a ? vb : gy,
                    gemm.trans_a ? 0 : step_y, gemm.trans_a ? gy : vb,
                    gemm.trans_a ? step_y : 0,
                    cam_tensor_f32 (b->input_gradients[0]), gemm.m * gemm.k);
    }
  if (b->input_gradients[1])
    {
      const float *va = cam_tensor_f32 (ta);

      r = gradient_of_b (&gemm);
      cam_gemm_run (&r, b->threads, b->n_seeds, gemm.trans_b ? gy : va,
                    gemm.trans_b ? step_y : 0, gemm.trans_b ? va : gy,
                    gemm.trans_b ? 0 : step_y,
                    cam_tensor_f32 (b->input_gradients[1]), gemm.k * gemm.n);
    }
  if (b->node->n_inputs > 2 && b->input_gradients[2])
    gradient_of_c (b, &gemm);
}

static guint64
macs_gemm (const CamNode *node)
{
  CamGemm g = gemm_of (node);

  return (guint64) g.m * (guint64) g.n * (guint64) g.k;
}

const CamOperator cam_ops_matmul[] = {
  { .domain = "",
    .type = "MatMul",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BLAS,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .macs = macs },
  { .domain = "",
    .type = "Gemm",
    .since = 7,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BLAS,
    .parse = parse_gemm,
    .infer = infer_gemm,
    .forward = forward_gemm,
    .backward = backward_gemm,
    .backward_scratch = backward_scratch_gemm,
    .macs = macs_gemm },
  { .type = NULL }
};
