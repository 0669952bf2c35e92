/* fused-depthwise.c -- camlens.DepthwiseConv: weights [kh kw, C], one filter a
 * channel, NHWC
 *
 * Backward, a stride of 1 makes it the same convolution with the filter turned
 * round; else each input pixel gathers what windows it lies in.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/ops/fused.h"

#define TILE_MACS 100000  /* some 2 to 4 us: less is not worth handing out */
#define MOST_TILES 32     /* of a picture                                  */

typedef struct
{
  CamFusedWindow window;
  CamActivation activation;
} Depthwise;

static gboolean
parse (CamNode *node, GError **error)
{
  Depthwise *depthwise = g_new0 (Depthwise, 1);

  node->params = depthwise;
  cam_fused_parse_window (node, &depthwise->window);
  cam_fused_parse_activation (node, &depthwise->activation);
  if (depthwise->window.kernel[0] <= CAM_FUSED_KERNEL_ROWS)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("the kernel is too high"));
  return FALSE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Depthwise *depthwise = node->params;

  return cam_fused_window_shape (node, &depthwise->window,
                                 node->inputs[0]->shape.dims[3], error);
}

/* Convolves pictures [n, height, width, channels] row by row. */
typedef struct
{
  CamWindowRow row;
  const CamFusedWindow *window;
  CamActivation activation;
  const CamKernels *kernels;
  const float *x;
  float *y;
  int in_height, out_height, pad_top, rows_a_tile;
} Job;

static void
convolve_row (const Job *job, gint64 line)
{
  const float *rows[CAM_FUSED_KERNEL_ROWS];
  gsize in_row = (gsize) job->row.in_width * job->row.channels;
  gint64 picture = line / job->out_height;
  int oy = (int) (line % job->out_height);

  for (int ky = 0; ky < job->row.kernel_h; ky++)
    {
      int y = oy * job->window->stride[0] - job->pad_top
              + ky * job->window->dilation[0];

      rows[ky] = y >= 0 && y < job->in_height
                   ? job->x + (picture * job->in_height + y) * in_row : NULL;
    }
  job->kernels->depthwise_row (
    &job->row, rows,
    job->y + line * (gsize) job->row.out_width * job->row.channels,
    &job->activation);
}

static void
convolve_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  int tiles = (job->out_height + job->rows_a_tile - 1) / job->rows_a_tile;
  gint64 picture = tile / tiles;
  int first = (int) (tile % tiles) * job->rows_a_tile;
  int end = MIN (first + job->rows_a_tile, job->out_height);

  for (int oy = first; oy < end; oy++)
    convolve_row (job, picture * job->out_height + oy);
}

static void
convolve (Job *job, gint64 pictures, CamThreads *threads)
{
  gint64 work = (gint64) job->row.out_width * job->row.channels
                * job->row.kernel_h * job->row.kernel_w;
  int tiles;

  /* as equal as they come */
  tiles = (int) CLAMP (job->out_height * work / TILE_MACS, 1,
                       MIN (job->out_height, MOST_TILES));
  job->rows_a_tile = (job->out_height + tiles - 1) / tiles;
  tiles = (job->out_height + job->rows_a_tile - 1) / job->rows_a_tile;
  cam_threads_run (threads, pictures * tiles, convolve_tile, job);
}

static Job
describe (const CamNode *node)
{
  const Depthwise *depthwise = node->params;
  const CamFusedWindow *w = &depthwise->window;
  const gint64 *in = node->inputs[0]->shape.dims;
  const gint64 *out = node->outputs[0]->shape.dims;
  Job job = { { .channels = (int) in[3],
                .kernel_h = w->kernel[0],
                .kernel_w = w->kernel[1],
                .stride_w = w->stride[1],
                .dilation_w = w->dilation[1],
                .pad_left = w->pad[1],
                .in_width = (int) in[2],
                .out_width = (int) out[2] },
              .window = w,
              .activation = depthwise->activation,
              .kernels = cam_kernels (),
              .in_height = (int) in[1],
              .out_height = (int) out[1],
              .pad_top = w->pad[0] };

  return job;
}

static void
forward (const CamForward *f)
{
  Job job = describe (f->node);

  job.row.weights = cam_fused_data (f->inputs, f->node, CAM_FUSED_WEIGHTS);
  job.row.bias = cam_fused_data (f->inputs, f->node, CAM_FUSED_BIAS);
  job.x = cam_tensor_f32 (f->inputs[0]);
  job.y = cam_tensor_f32 (f->outputs[0]);
  convolve (&job, f->inputs[0]->shape.dims[0], f->threads);
}

static void
turn_round (const float *weights, int taps, int channels, float *turned)
{
  for (int i = 0; i < taps; i++)
    memcpy (turned + (gsize) i * channels,
            weights + (gsize) (taps - 1 - i) * channels,
            channels * sizeof *weights);
}

/* Stride 1: dy convolved with the filter turned round. */
static void
back_by_convolution (Job *job, const float *dy, float *turned, float *dx,
                     gint64 pictures, CamThreads *threads)
{
  const CamFusedWindow *w = job->window;
  int in_height = job->in_height, in_width = job->row.in_width;

  turn_round (job->row.weights, w->kernel[0] * w->kernel[1],
              job->row.channels, turned);
  job->row.weights = turned;
  job->row.bias = NULL;
  job->row.pad_left = (w->kernel[1] - 1) * w->dilation[1] - w->pad[1];
  job->pad_top = (w->kernel[0] - 1) * w->dilation[0] - w->pad[0];
  job->in_height = job->out_height;
  job->row.in_width = job->row.out_width;
  job->out_height = in_height;
  job->row.out_width = in_width;
  job->activation.kind = CAM_ACTIVATION_NONE;
  job->x = dy;
  job->y = dx;
  convolve (job, pictures, threads);
}

/* Any stride, one picture: scatters every dy over its window. */
static void
scatter_picture (gint64 picture, int thread, gpointer data)
{
  const Job *job = data; /* x: dy, y: dx */
  const CamFusedWindow *w = job->window;
  int channels = job->row.channels;
  gsize in_size = (gsize) job->in_height * job->row.in_width * channels;
  gsize out_size = (gsize) job->out_height * job->row.out_width * channels;
  float *dx = job->y + picture * in_size;
  const float *dy = job->x + picture * out_size;

  memset (dx, 0, in_size * sizeof *dx);
  for (gint64 i = 0; i < (gint64) job->out_height * job->row.out_width; i++)
    for (int tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++)
      {
        int y = (int) (i / job->row.out_width) * w->stride[0] - job->pad_top
                + tap / w->kernel[1] * w->dilation[0];
        int x = (int) (i % job->row.out_width) * w->stride[1] - w->pad[1]
                + tap % w->kernel[1] * w->dilation[1];
        const float *weight = job->row.weights + (gsize) tap * channels;
        float *to = dx + ((gssize) y * job->row.in_width + x) * channels;

        if (y < 0 || y >= job->in_height || x < 0 || x >= job->row.in_width)
          continue;
        for (int c = 0; c < channels; c++)
          to[c] += dy[i * channels + c] * weight[c];
      }
}

typedef struct
{
  const CamBackward *b;
  const CamActivation *activation;
  gsize size; /* of one seed */
  float *masked;
} Mask;

static void
mask_seed (gint64 seed, int thread, gpointer data)
{
  const Mask *mask = data;

  cam_kernels ()->activation_backward (
    mask->masked + seed * mask->size,
    cam_tensor_f32 (mask->b->output_gradients[0]) + seed * mask->size,
    cam_tensor_f32 (mask->b->outputs[0]), mask->size, mask->activation);
}

static void
backward (const CamBackward *b)
{
  Job job = describe (b->node);
  gsize size = b->outputs[0]->n_elements;
  gint64 pictures = b->n_seeds * b->node->inputs[0]->shape.dims[0];
  float *turned = (float *) b->scratch + b->n_seeds * size;
  Mask mask = { b, &job.activation, size, b->scratch };
  const float *dy = cam_tensor_f32 (b->output_gradients[0]);
  float *dx = cam_tensor_f32 (b->input_gradients[0]);

  if (job.activation.kind != CAM_ACTIVATION_NONE)
    {
      cam_threads_run (b->threads, b->n_seeds, mask_seed, &mask);
      dy = mask.masked;
    }
  job.row.weights = cam_fused_data (b->inputs, b->node, CAM_FUSED_WEIGHTS);
  if (job.window->stride[0] == 1 && job.window->stride[1] == 1)
    back_by_convolution (&job, dy, turned, dx, pictures, b->threads);
  else
    {
      job.x = dy;
      job.y = dx;
      cam_threads_run (b->threads, pictures, scatter_picture, &job);
    }
}

static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  gsize size = cam_op_count (&node->outputs[0]->shape, 0, 4);
  gsize weights = cam_op_count (&node->inputs[CAM_FUSED_WEIGHTS]->shape, 0, 2);

  return (size * n_seeds + weights) * sizeof (float);
}

static guint64
macs (const CamNode *node)
{
  const Depthwise *depthwise = node->params;

  return (guint64) cam_op_count (&node->outputs[0]->shape, 0, 4)
         * depthwise->window.kernel[0] * depthwise->window.kernel[1];
}

const CamOperator cam_ops_fused_depthwise[] = {
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "DepthwiseConv",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 3,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_OUTPUTS,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .backward_scratch = backward_scratch,
    .macs = macs,
  },
  { .type = NULL },
};
