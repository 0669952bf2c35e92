/* fused-winograd.c -- camlens.WinogradConv: 3 x 3, stride 1, by F (m x m, 3 x 3)
 *
 * Weights come transformed, [(m + 2)^2, C, n], and packed.  Tiles are taken in chunks: all
 * of a chunk transformed, then (m + 2)^2 products, then transformed back with
 * bias, residual and activation.  No gradient: the passes choose Conv where
 * one is wanted.
 */
#include "config.h"

#include <math.h>

#include "core/ops/fused.h"

#define CHUNK_FLOATS (768 * 1024) /* of transformed input and output */

typedef struct
{
  int m;
  CamFusedWindow window;
  CamActivation activation;
} Winograd;

static gboolean
parse (CamNode *node, GError **error)
{
  Winograd *winograd = g_new0 (Winograd, 1);

  node->params = winograd;
  winograd->m = cam_node_int (node, "tile", 4);
  cam_fused_parse_window (node, &winograd->window);
  cam_fused_parse_activation (node, &winograd->activation);
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Winograd *winograd = node->params;

  return cam_fused_window_shape (
    node, &winograd->window, node->inputs[CAM_FUSED_WEIGHTS]->shape.dims[2],
    error);
}

typedef struct
{
  CamWinogradBlock block; /* of one picture */
  int planes;             /* (m + 2)^2 */
  gint64 tiles, chunk;    /* of one picture; of all pictures, a chunk */
  gint64 all;             /* tiles of all pictures */
  gsize v_plane, p_plane; /* floats from plane to plane */
  CamActivation activation;
  const CamKernels *kernels;
  const float *x, *w, *bias, *residual;
  float *y, *v, *p;
  gint64 first, n; /* the chunk at hand */
  int part;        /* tiles a thread takes at a time */
} Job;

static gint64
divide_up (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

/* Planes a whole number of pages apart would fight for the same lines. */
static gsize
plane_size (gint64 tiles, int channels)
{
  return ((gsize) (tiles * channels + 15) & ~(gsize) 15) + 16;
}

static Job
describe (const CamNode *node)
{
  const Winograd *winograd = node->params;
  const gint64 *in = node->inputs[0]->shape.dims;
  const gint64 *out = node->outputs[0]->shape.dims;
  int m = winograd->m, across = (int) divide_up (out[2], m);
  Job job = { { m, (int) in[1], (int) in[2], (int) in[3],
                winograd->window.pad[0], winograd->window.pad[1],
                (int) out[1], (int) out[2], (int) out[3], across } };
  gint64 most, n_chunks;

  job.planes = (m + 2) * (m + 2);
  job.tiles = across * divide_up (out[1], m);
  job.all = job.tiles * in[0];
  most = MAX (CHUNK_FLOATS / (job.planes * (in[3] + out[3])), 32);
  n_chunks = divide_up (job.all, most);
  job.chunk = divide_up (job.all, MAX (n_chunks, 1));
  job.v_plane = plane_size (job.chunk, (int) in[3]);
  job.p_plane = plane_size (job.chunk, (int) out[3]);
  job.activation = winograd->activation;
  job.kernels = cam_kernels ();
  job.part = 8;
  return job;
}

static gsize
scratch (const CamNode *node, int n_threads)
{
  Job job = describe (node);

  return (job.v_plane + job.p_plane) * job.planes * sizeof (float);
}

/* Calls @func for the runs of tiles of part @number of the chunk that lie in
 * one picture. */
typedef void (*RunFunc) (const Job *job, const CamWinogradBlock *block,
                         gint64 picture, gint64 at);

static void
for_runs (const Job *job, gint64 number, RunFunc func)
{
  gint64 at = number * job->part, end = MIN (at + job->part, job->n);

  while (at < end)
    {
      gint64 tile = job->first + at;
      CamWinogradBlock block = job->block;

      block.first = tile % job->tiles;
      block.n = MIN (end - at, job->tiles - block.first);
      func (job, &block, tile / job->tiles, at);
      at += block.n;
    }
}

static void
transform_run (const Job *job, const CamWinogradBlock *block, gint64 picture,
               gint64 at)
{
  CamWinogradBlock b = *block;

  b.plane = job->v_plane;
  job->kernels->winograd_input (
    &b, job->x + picture * ((gsize) b.height * b.width * b.channels),
    job->v + at * b.channels);
}

static void
transform_back_run (const Job *job, const CamWinogradBlock *block,
                    gint64 picture, gint64 at)
{
  CamWinogradBlock b = *block;
  gsize offset = picture * ((gsize) b.out_height * b.out_width
                            * b.out_channels);

  b.plane = job->p_plane;
  job->kernels->winograd_output (
    &b, job->p + at * b.out_channels, job->bias,
    job->residual ? job->residual + offset : NULL, job->y + offset,
    &job->activation);
}

static void
transform (gint64 tile, int thread, gpointer data)
{
  for_runs (data, tile, transform_run);
}

static void
transform_back (gint64 tile, int thread, gpointer data)
{
  for_runs (data, tile, transform_back_run);
}

static void
multiply (gint64 plane, int thread, gpointer data)
{
  const Job *job = data;
  int k = job->block.channels, n = job->block.out_channels;

  CamPackedProduct product = { .rows = job->n,
                               .k = k,
                               .n = n,
                               .x = job->v + plane * job->v_plane,
                               .ldx = k,
                               .w = job->w + plane * (gsize) k * n,
                               .y = job->p + plane * job->p_plane,
                               .ldy = n,
                               .low = -INFINITY,
                               .high = INFINITY };

  job->kernels->packed_product (&product);
}

static void
forward (const CamForward *f)
{
  Job job = describe (f->node);

  job.x = cam_tensor_f32 (f->inputs[0]);
  job.w = cam_fused_data (f->inputs, f->node, CAM_FUSED_WEIGHTS);
  job.bias = cam_fused_data (f->inputs, f->node, CAM_FUSED_BIAS);
  job.residual = cam_fused_data (f->inputs, f->node, CAM_FUSED_RESIDUAL);
  job.y = cam_tensor_f32 (f->outputs[0]);
  job.v = f->scratch;
  job.p = job.v + job.v_plane * job.planes;
  for (job.first = 0; job.first < job.all; job.first += job.chunk)
    {
      gint64 parts;

      job.n = MIN (job.chunk, job.all - job.first);
      parts = divide_up (job.n, job.part);
      cam_threads_run (f->threads, parts, transform, &job);
      cam_threads_run (f->threads, job.planes, multiply, &job);
      cam_threads_run (f->threads, parts, transform_back, &job);
    }
}

/* Those of the convolution that it stands for. */
static guint64
macs (const CamNode *node)
{
  return (guint64) cam_op_count (&node->outputs[0]->shape, 0, 4) * 9
         * node->inputs[0]->shape.dims[3];
}

const CamOperator cam_ops_fused_winograd[] = {
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "WinogradConv",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = CAM_FUSED_RESIDUAL + 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .scratch = scratch,
    .macs = macs,
  },
  { .type = NULL },
};
