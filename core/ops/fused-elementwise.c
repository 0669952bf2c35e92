/* fused-elementwise.c -- camlens.Affine (x scale + shift by channel, then an
 * activation), camlens.Gate (x g, g [N, 1, 1, C]), camlens.Activation */
#include "config.h"

#include <string.h>

#include "core/ops/fused.h"

#define GRAIN 16384

static gboolean
parse (CamNode *node, GError **error)
{
  CamActivation *activation = g_new0 (CamActivation, 1);

  node->params = activation;
  cam_fused_parse_activation (node, activation);
  return TRUE;
}

typedef struct
{
  const float *x, *scale, *shift, *y, *dy;
  float *out;
  gint64 rows, area; /* rows; rows of one picture (Gate) */
  int n;
  gsize tile_rows;
  gint64 y_rows; /* rows of the forward tensors, for backward */
  const CamActivation *activation;
} Job;

static Job
describe (const CamNode *node)
{
  const CamShape *x = &node->inputs[0]->shape;
  Job job = { .activation = node->params };

  job.n = (int) x->dims[x->n_dims - 1];
  job.rows = job.y_rows = cam_op_count (x, 0, x->n_dims - 1);
  job.area = cam_op_count (x, 1, x->n_dims - 1);
  job.tile_rows = MAX (GRAIN / MAX (job.n, 1), 1);
  return job;
}

static void
run (Job *job, CamTileFunc func, gint64 rows, CamThreads *threads)
{
  cam_threads_run (threads, (rows + job->tile_rows - 1) / job->tile_rows, func,
                   job);
}

static void
affine_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  gint64 first = tile * job->tile_rows;
  gint64 rows = MIN ((gint64) job->tile_rows, job->rows - first);

  cam_kernels ()->affine (job->out + first * job->n, job->x + first * job->n,
                          rows, job->n, job->scale, job->shift,
                          job->activation);
}

static void
affine_forward (const CamForward *f)
{
  Job job = describe (f->node);

  job.x = cam_tensor_f32 (f->inputs[0]);
  job.scale = cam_fused_data (f->inputs, f->node, 1);
  job.shift = cam_fused_data (f->inputs, f->node, 2);
  job.out = cam_tensor_f32 (f->outputs[0]);
  run (&job, affine_tile, job.rows, f->threads);
}

static void
affine_back_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  gint64 first = tile * job->tile_rows;
  gint64 rows = MIN ((gint64) job->tile_rows, job->rows - first);

  for (gint64 i = first; i < first + rows; i++)
    {
      float *dx = job->out + i * job->n;

      cam_kernels ()->activation_backward (
        dx, job->dy + i * job->n, job->y + i % job->y_rows * job->n, job->n,
        job->activation);
      for (int c = 0; c < job->n; c++)
        dx[c] *= job->scale[c];
    }
}

static void
affine_backward (const CamBackward *b)
{
  Job job = describe (b->node);

  job.rows *= b->n_seeds;
  job.y = cam_tensor_f32 (b->outputs[0]);
  job.dy = cam_tensor_f32 (b->output_gradients[0]);
  job.out = cam_tensor_f32 (b->input_gradients[0]);
  job.scale = cam_fused_data (b->inputs, b->node, 1);
  run (&job, affine_back_tile, job.rows, b->threads);
}

static void
gate_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  gint64 first = tile * job->tile_rows;
  gint64 end = MIN (first + (gint64) job->tile_rows, job->rows);

  while (first < end)
    {
      gint64 picture = first / job->area;
      gint64 rows = MIN (end, (picture + 1) * job->area) - first;

      cam_kernels ()->affine (job->out + first * job->n,
                              job->x + first * job->n, rows, job->n,
                              job->scale + picture * job->n, NULL,
                              job->activation);
      first += rows;
    }
}

static void
gate_forward (const CamForward *f)
{
  Job job = describe (f->node);

  job.x = cam_tensor_f32 (f->inputs[0]);
  job.scale = cam_tensor_f32 (f->inputs[1]);
  job.out = cam_tensor_f32 (f->outputs[0]);
  run (&job, gate_tile, job.rows, f->threads);
}

/* dg of one picture: sum over its area of dy x */
static void
gate_gradient (const Job *job, gint64 picture, gint64 from, float *dg)
{
  memset (dg, 0, job->n * sizeof *dg);
  for (gint64 i = 0; i < job->area; i++)
    for (int c = 0; c < job->n; c++)
      dg[c] += job->dy[(picture * job->area + i) * job->n + c]
               * job->x[(from * job->area + i) * job->n + c];
}

static void
gate_backward (const CamBackward *b)
{
  Job job = describe (b->node);
  gint64 pictures = b->node->inputs[0]->shape.dims[0];
  CamTensor *dx = b->input_gradients[0], *dg = b->input_gradients[1];

  job.x = cam_tensor_f32 (b->inputs[0]);
  job.scale = cam_tensor_f32 (b->inputs[1]);
  job.dy = cam_tensor_f32 (b->output_gradients[0]);
  for (gint64 i = 0; i < pictures * b->n_seeds; i++)
    {
      gsize at = i * job.area * job.n;

      if (dx)
        cam_kernels ()->affine (cam_tensor_f32 (dx) + at, job.dy + at,
                                job.area, job.n,
                                job.scale + i % pictures * job.n, NULL,
                                job.activation);
      if (dg)
        gate_gradient (&job, i, i % pictures,
                       cam_tensor_f32 (dg) + i * job.n);
    }
}

static void
activation_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  gint64 first = tile * GRAIN;
  gint64 n = MIN (GRAIN, job->rows * job->n - first);

  if (job->out != job->x)
    memcpy (job->out + first, job->x + first, n * sizeof (float));
  cam_kernels ()->activate (job->out + first, n, 1, n, job->activation);
}

static void
activation_forward (const CamForward *f)
{
  Job job = describe (f->node);

  job.x = cam_tensor_f32 (f->inputs[0]);
  job.out = cam_tensor_f32 (f->outputs[0]);
  cam_threads_run (f->threads, (job.rows * job.n + GRAIN - 1) / GRAIN,
                   activation_tile, &job);
}

static void
slope_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  gint64 all = job->rows * job->n, tiles = (all + GRAIN - 1) / GRAIN;
  gint64 seed = tile / tiles, first = tile % tiles * GRAIN;
  gint64 n = MIN (GRAIN, all - first);

  cam_kernels ()->activation_slope (job->out + seed * all + first,
                                    job->dy + seed * all + first,
                                    job->x + first, n, job->activation);
}

static void
activation_backward (const CamBackward *b)
{
  Job job = describe (b->node);

  job.x = cam_tensor_f32 (b->inputs[0]);
  job.dy = cam_tensor_f32 (b->output_gradients[0]);
  job.out = cam_tensor_f32 (b->input_gradients[0]);
  cam_threads_run (b->threads,
                   (job.rows * job.n + GRAIN - 1) / GRAIN * b->n_seeds,
                   slope_tile, &job);
}

const CamOperator cam_ops_fused_elementwise[] = {
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "Affine",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_OUTPUTS | CAM_OP_IN_PLACE,
    .parse = parse,
    .infer = cam_op_infer_same,
    .forward = affine_forward,
    .backward = affine_backward,
  },
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "Gate",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 2,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_IN_PLACE,
    .parse = parse,
    .infer = cam_op_infer_same,
    .forward = gate_forward,
    .backward = gate_backward,
  },
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "Activation",
    .since = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_IN_PLACE,
    .parse = parse,
    .infer = cam_op_infer_same,
    .forward = activation_forward,
    .backward = activation_backward,
  },
  { .type = NULL },
};
