/* fused-pool.c -- camlens.MaxPool, AveragePool, GlobalAveragePool on NHWC */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/ops/fused.h"

#define MAX_KERNEL 64 /* rows */

typedef struct
{
  CamFusedWindow window;
  gboolean max, count_include_pad;
} Pool;

static gboolean
parse (CamNode *node, GError **error)
{
  Pool *pool = g_new0 (Pool, 1);

  node->params = pool;
  pool->max = strcmp (node->op_type, "MaxPool") == 0;
  pool->count_include_pad = cam_node_int (node, "count_include_pad", 0) != 0;
  cam_fused_parse_window (node, &pool->window);
  if (pool->window.kernel[0] <= MAX_KERNEL)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("the kernel is too high"));
  return FALSE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Pool *pool = node->params;

  return cam_fused_window_shape (node, &pool->window,
                                 node->inputs[0]->shape.dims[3], error);
}

typedef struct
{
  const Pool *pool;
  CamWindowRow row;
  int in_height, out_height;
  const float *x, *y, *dy;
  float *out;
  gint64 pictures; /* of one seed */
} Job;

static Job
describe (const CamNode *node)
{
  const Pool *pool = node->params;
  const CamFusedWindow *w = &pool->window;
  const gint64 *in = node->inputs[0]->shape.dims;
  const gint64 *out = node->outputs[0]->shape.dims;
  Job job = { pool,
              { .channels = (int) in[3],
                .kernel_h = w->kernel[0],
                .kernel_w = w->kernel[1],
                .stride_w = w->stride[1],
                .dilation_w = w->dilation[1],
                .pad_left = w->pad[1],
                .in_width = (int) in[2],
                .out_width = (int) out[2] },
              (int) in[1],
              (int) out[1] };

  job.pictures = in[0];
  return job;
}

/* Taps of window @o along @axis that lie in 0 .. size - 1. */
static int
taps_inside (const CamFusedWindow *w, int axis, int o, int size)
{
  int n = 0;

  for (int tap = 0; tap < w->kernel[axis]; tap++)
    {
      int at = o * w->stride[axis] - w->pad[axis] + tap * w->dilation[axis];

      n += at >= 0 && at < size;
    }
  return n;
}

/* The divisor of an average. */
static float
count (const Job *job, int oy, int ox)
{
  const CamFusedWindow *w = &job->pool->window;

  if (job->pool->count_include_pad)
    return (float) (w->kernel[0] * w->kernel[1]);
  return (float) MAX (taps_inside (w, 0, oy, job->in_height)
                        * taps_inside (w, 1, ox, job->row.in_width), 1);
}

static void
divide_row (const Job *job, int oy, float *out)
{
  for (int ox = 0; ox < job->row.out_width; ox++)
    {
      float inverse = 1 / count (job, oy, ox);

      for (int c = 0; c < job->row.channels; c++)
        *out++ *= inverse;
    }
}

static void
pool_row (gint64 line, int thread, gpointer data)
{
  const Job *job = data;
  const CamFusedWindow *w = &job->pool->window;
  const float *rows[MAX_KERNEL];
  gsize in_row = (gsize) job->row.in_width * job->row.channels;
  int oy = (int) (line % job->out_height);
  float *out = job->out + line * (gsize) job->row.out_width
                            * job->row.channels;

  for (int ky = 0; ky < w->kernel[0]; ky++)
    {
      int y = oy * w->stride[0] - w->pad[0] + ky * w->dilation[0];

      rows[ky] = y < 0 || y >= job->in_height
                   ? NULL
                   : job->x + (line / job->out_height * job->in_height + y)
                                * in_row;
    }
  if (job->pool->max)
    cam_kernels ()->max_pool_row (&job->row, rows, out);
  else
    {
      cam_kernels ()->sum_pool_row (&job->row, rows, out);
      divide_row (job, oy, out);
    }
}

static void
forward (const CamForward *f)
{
  Job job = describe (f->node);

  job.x = cam_tensor_f32 (f->inputs[0]);
  job.out = cam_tensor_f32 (f->outputs[0]);
  cam_threads_run (f->threads, job.pictures * job.out_height, pool_row, &job);
}

/* A window's place: what it sees of channel 0, in an input of one picture */
typedef struct
{
  const Job *job;
  int oy, ox;
} Window;

/* Where tap @tap of channel 0 lies in the picture; FALSE: in the padding. */
static inline gboolean
tap_place (const Window *window, int tap, gsize *at)
{
  const Job *job = window->job;
  const CamFusedWindow *w = &job->pool->window;
  int iy = window->oy * w->stride[0] - w->pad[0]
           + tap / w->kernel[1] * w->dilation[0];
  int ix = window->ox * w->stride[1] - w->pad[1]
           + tap % w->kernel[1] * w->dilation[1];

  *at = ((gsize) iy * job->row.in_width + ix) * job->row.channels;
  return iy >= 0 && iy < job->in_height && ix >= 0 && ix < job->row.in_width;
}

/* A maximum's gradient goes to its first place only; that of a NaN to the last
 * NaN, as the plain operator has it. */
static void
back_maximum (const Window *window, const float *x, float y, float dy,
              float *dx)
{
  const CamFusedWindow *w = &window->job->pool->window;
  float *to = NULL;
  gsize at;

  for (int tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++)
    {
      if (!tap_place (window, tap, &at) || (x[at] != y && x[at] == x[at]))
        continue;
      to = dx + at;
      if (x[at] == y)
        break;
    }
  if (to)
    *to += dy;
}

static void
back_average (const Window *window, float dy, float *dx)
{
  const CamFusedWindow *w = &window->job->pool->window;
  float share = dy * (1 / count (window->job, window->oy, window->ox));
  gsize at;

  for (int tap = 0; tap < w->kernel[0] * w->kernel[1]; tap++)
    if (tap_place (window, tap, &at))
      dx[at] += share;
}

static void
back_window (const Job *job, gint64 picture, int oy, int ox, float *dx)
{
  const Window window = { job, oy, ox };
  int channels = job->row.channels;
  gsize out_at = ((picture % job->pictures * job->out_height + oy)
                    * job->row.out_width + ox) * channels;
  const float *dy = job->dy + ((picture * job->out_height + oy)
                                 * job->row.out_width + ox) * channels;
  const float *x = job->x + picture % job->pictures * job->in_height
                              * (gsize) job->row.in_width * channels;

  for (int c = 0; c < channels; c++)
    if (job->pool->max)
      back_maximum (&window, x + c, job->y[out_at + c], dy[c], dx + c);
    else
      back_average (&window, dy[c], dx + c);
}

static void
back_picture (gint64 picture, int thread, gpointer data)
{
  const Job *job = data;
  gsize in_size = (gsize) job->in_height * job->row.in_width
                  * job->row.channels;
  float *dx = job->out + picture * in_size;

  memset (dx, 0, in_size * sizeof *dx);
  for (int oy = 0; oy < job->out_height; oy++)
    for (int ox = 0; ox < job->row.out_width; ox++)
      back_window (job, picture, oy, ox, dx);
}

static void
backward (const CamBackward *b)
{
  Job job = describe (b->node);

  job.x = cam_tensor_f32 (b->inputs[0]);
  job.y = cam_tensor_f32 (b->outputs[0]);
  job.dy = cam_tensor_f32 (b->output_gradients[0]);
  job.out = cam_tensor_f32 (b->input_gradients[0]);
  cam_threads_run (b->threads, job.pictures * b->n_seeds, back_picture, &job);
}

static gboolean
global_infer (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;

  shape.dims[1] = shape.dims[2] = 1;
  return cam_node_set_output (node, 0, CAM_DTYPE_FLOAT32, &shape, error);
}

#define PARTS 8 /* of one picture, added up in their order */

typedef struct
{
  const float *x;
  float *sums; /* [pictures, PARTS, channels] */
  gint64 area;
  int channels;
} Global;

static void
global_part (gint64 tile, int thread, gpointer data)
{
  const Global *g = data;
  gint64 picture = tile / PARTS, part = tile % PARTS;
  gint64 begin = g->area * part / PARTS, end = g->area * (part + 1) / PARTS;

  cam_kernels ()->sum_rows (g->x + (picture * g->area + begin) * g->channels,
                            end - begin, g->channels,
                            g->sums + tile * g->channels);
}

static void
global_forward (const CamForward *f)
{
  const gint64 *in = f->inputs[0]->shape.dims;
  Global g = { cam_tensor_f32 (f->inputs[0]), f->scratch, in[1] * in[2],
               (int) in[3] };
  float *y = cam_tensor_f32 (f->outputs[0]);

  cam_threads_run (f->threads, in[0] * PARTS, global_part, &g);
  for (gint64 i = 0; i < in[0]; i++, y += g.channels)
    {
      cam_kernels ()->sum_rows (g.sums + i * PARTS * g.channels, PARTS,
                                g.channels, y);
      for (int c = 0; c < g.channels; c++)
        y[c] /= (float) g.area;
    }
}

static gsize
global_scratch (const CamNode *node, int n_threads)
{
  const gint64 *in = node->inputs[0]->shape.dims;

  return in[0] * PARTS * in[3] * sizeof (float);
}

static void
global_backward (const CamBackward *b)
{
  const gint64 *in = b->node->inputs[0]->shape.dims;
  gint64 area = in[1] * in[2], pictures = in[0] * b->n_seeds;
  const float *dy = cam_tensor_f32 (b->output_gradients[0]);
  float *dx = cam_tensor_f32 (b->input_gradients[0]);

  for (gint64 i = 0; i < pictures; i++, dy += in[3])
    for (gint64 j = 0; j < area; j++, dx += in[3])
      for (gint64 c = 0; c < in[3]; c++)
        dx[c] = dy[c] / (float) area;
}

#define POOL(kind)                                                            \
  .domain = CAM_FUSED_DOMAIN, .type = kind, .since = 1, .min_inputs = 1,      \
  .max_inputs = 1, .min_outputs = 1, .max_outputs = 1

const CamOperator cam_ops_fused_pool[] = {
  {
    POOL ("MaxPool"),
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BACKWARD_NEEDS_OUTPUTS,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward,
  },
  {
    POOL ("AveragePool"),
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_BACKWARD_NEEDS_OUTPUTS,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward,
  },
  {
    POOL ("GlobalAveragePool"),
    .infer = global_infer,
    .forward = global_forward,
    .backward = global_backward,
    .scratch = global_scratch,
  },
  { .type = NULL },
};
