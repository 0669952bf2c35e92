/* conv-core.c -- convolution and its transpose over NCHW */
#include "config.h"

#include "core/ops/conv-core.h"

#include <string.h>

#include "core/base/blas.h"

#define COLUMN_FLOATS 262144 /* in a tile, at most, but for 64 positions */

typedef struct
{
  const CamConv *conv;
  const float *x, *w, *bias, *y;
  float *out;
  float *columns; /* [threads][depth * tile] */
  gint64 depth;   /* rows of the column matrix */
  gint64 tile, n_tiles;
  gint64 n_in, n_out; /* positions of one channel */
} Job;

static gboolean
is_pointwise (const CamConv *c)
{
  for (int i = 0; i < 3; i++)
    if (c->window.kernel[i] != 1 || c->window.stride[i] != 1
        || c->window.pad[i] != 0 || c->window.in[i] != c->window.out[i])
      return FALSE;
  return TRUE;
}

static gboolean
is_depthwise (const CamConv *c)
{
  return c->c_in == c->groups && c->groups > 1;
}

static void
set_sizes (Job *job, const CamConv *c)
{
  gint64 fit;

  job->conv = c;
  job->n_in = cam_window_volume (c->window.in);
  job->n_out = cam_window_volume (c->window.out);
  job->depth = c->c_in / c->groups * cam_window_volume (c->window.kernel);
  fit = COLUMN_FLOATS / job->depth / 16 * 16;
  job->tile = MIN (MAX (fit, 64), MAX (job->n_out, 1));
  job->n_tiles = (job->n_out - 1) / job->tile + 1;
}

gsize
cam_conv_scratch (const CamConv *conv, int n_threads)
{
  Job job;

  set_sizes (&job, conv);
  if (is_depthwise (conv))
    return 0;
  return (gsize) (job.depth * job.tile) * (gsize) n_threads * sizeof (float);
}

/* One tap of one channel, along output positions @begin .. @end - 1; calls
 * itself row by row of the output's width.  Either copies x to the columns or
 * adds the columns to x. */
static inline __attribute__ ((always_inline)) void
walk_tap (const CamWindow *w, const gint64 tap[3], float *x, float *column,
          gint64 begin, gint64 end, gboolean unfold)
{
  gint64 first, last;

  cam_window_valid (w, 2, tap[2], &first, &last);
  for (gint64 at = begin; at < end;)
    {
      gint64 row = at / w->out[2], column_begin = at % w->out[2];
      gint64 n = MIN (w->out[2] - column_begin, end - at);
      gint64 depth = row / w->out[1] * w->stride[0] - w->pad[0]
                     + tap[0] * w->dilation[0];
      gint64 height = row % w->out[1] * w->stride[1] - w->pad[1]
                      + tap[1] * w->dilation[1];
      gboolean inside = depth >= 0 && depth < w->in[0] && height >= 0
                        && height < w->in[1];
      gint64 low = inside ? CLAMP (first - column_begin, 0, n) : n;
      gint64 high = inside ? CLAMP (last - column_begin, low, n) : n;
      float *to = column + (at - begin);
      gint64 shift = tap[2] * w->dilation[2] - w->pad[2];
      float *line = x + (depth * w->in[1] + height) * w->in[2]
                    + column_begin * w->stride[2] + shift;
      gint64 step = w->stride[2];

      if (unfold)
        {
          memset (to, 0, (gsize) low * sizeof *to);
          if (step == 1 && high > low)
            memcpy (to + low, line + low, (gsize) (high - low) * sizeof *to);
          else
            for (gint64 i = low; i < high; i++)
              to[i] = line[i * step];
          memset (to + high, 0, (gsize) (n - high) * sizeof *to);
        }
      else if (step == 1)
        for (gint64 i = low; i < high; i++)
          line[i] += to[i];
      else
        for (gint64 i = low; i < high; i++)
          line[i * step] += to[i];
      at += n;
    }
}

static inline __attribute__ ((always_inline)) void
walk_taps (const Job *job, float *x, float *columns, gint64 begin, gint64 end,
           gboolean unfold)
{
  const CamWindow *w = &job->conv->window;
  gint64 taps = cam_window_volume (w->kernel);

  for (gint64 r = 0; r < job->depth; r++)
    {
      gint64 k = r % taps;
      gint64 tap[3] = { k / (w->kernel[1] * w->kernel[2]),
                        k / w->kernel[2] % w->kernel[1], k % w->kernel[2] };

      walk_tap (w, tap, x + r / taps * job->n_in, columns + r * (end - begin),
                begin, end, unfold);
    }
}

static void
fill_bias (const Job *job, float *out, gint64 stride, gint64 n, gint64 first,
           gint64 channels)
{
  for (gint64 c = 0; c < channels; c++)
    for (gint64 i = 0; i < n; i++)
      out[c * stride + i] = job->bias[first + c];
}

/* One tile of positions of one group of one picture. */
static void
forward_tile (gint64 t, int thread, gpointer data)
{
  const Job *job = data;
  const CamConv *c = job->conv;
  gint64 part = t % job->n_tiles, group = t / job->n_tiles % c->groups;
  gint64 n = t / job->n_tiles / c->groups;
  gint64 cg = c->c_in / c->groups, mg = c->c_out / c->groups;
  gint64 begin = part * job->tile, end = MIN (begin + job->tile, job->n_out);
  const float *x = job->x + (n * c->c_in + group * cg) * job->n_in;
  float *y = job->out + (n * c->c_out + group * mg) * job->n_out + begin;
  const float *columns = x + begin;
  gint64 stride = job->n_in;

  if (! is_pointwise (c))
    {
      float *own = job->columns + thread * job->depth * job->tile;

      walk_taps (job, (float *) x, own, begin, end, TRUE);
      columns = own;
      stride = end - begin;
    }
  if (job->bias)
    fill_bias (job, y, job->n_out, end - begin, group * mg, mg);
  cam_sgemm (FALSE, FALSE, (int) mg, (int) (end - begin), (int) job->depth, 1,
             job->w + group * mg * job->depth, (int) job->depth, columns,
             (int) stride, job->bias ? 1 : 0, y, (int) job->n_out);
}

/* One group of one picture. */
static void
transpose_tile (gint64 t, int thread, gpointer data)
{
  const Job *job = data;
  const CamConv *c = job->conv;
  gint64 group = t % c->groups, n = t / c->groups;
  gint64 cg = c->c_in / c->groups, mg = c->c_out / c->groups;
  const float *w = job->w + group * mg * job->depth;
  const float *y = job->y + (n * c->c_out + group * mg) * job->n_out;
  float *x = job->out + (n * c->c_in + group * cg) * job->n_in;
  float *columns = job->columns + thread * job->depth * job->tile;
  gboolean pointwise = is_pointwise (c);

  if (job->bias)
    fill_bias (job, x, job->n_in, job->n_in, group * cg, cg);
  else
    memset (x, 0, (gsize) (cg * job->n_in) * sizeof *x);
  for (gint64 begin = 0; begin < job->n_out; begin += job->tile)
    {
      gint64 end = MIN (begin + job->tile, job->n_out);

      cam_sgemm (TRUE, FALSE, (int) job->depth, (int) (end - begin), (int) mg,
                 1, w, (int) job->depth, y + begin, (int) job->n_out,
                 pointwise ? 1 : 0, pointwise ? x + begin : columns,
                 (int) (pointwise ? job->n_in : end - begin));
      if (! pointwise)
        walk_taps (job, x, columns, begin, end, FALSE);
    }
}

/* Adds @weight times the lines that a tap sees (@forth) or the other way. */
static inline __attribute__ ((always_inline)) void
add_tap (const CamWindow *w, const gint64 tap[3], float weight, float *x,
         float *y, gboolean forth)
{
  gint64 begin[3], end[3], step = w->stride[2];

  for (int i = 0; i < 3; i++)
    cam_window_valid (w, i, tap[i], &begin[i], &end[i]);
  for (gint64 d = begin[0]; d < end[0]; d++)
    for (gint64 h = begin[1]; h < end[1]; h++)
      {
        gint64 id = d * w->stride[0] - w->pad[0] + tap[0] * w->dilation[0];
        gint64 ih = h * w->stride[1] - w->pad[1] + tap[1] * w->dilation[1];
        float *xl = x + (id * w->in[1] + ih) * w->in[2] - w->pad[2]
                    + tap[2] * w->dilation[2];
        float *yl = y + (d * w->out[1] + h) * w->out[2];

        if (forth && step == 1)
          for (gint64 i = begin[2]; i < end[2]; i++)
            yl[i] += weight * xl[i];
        else if (forth)
          for (gint64 i = begin[2]; i < end[2]; i++)
            yl[i] += weight * xl[i * step];
        else if (step == 1)
          for (gint64 i = begin[2]; i < end[2]; i++)
            xl[i] += weight * yl[i];
        else
          for (gint64 i = begin[2]; i < end[2]; i++)
            xl[i * step] += weight * yl[i];
      }
}

static inline __attribute__ ((always_inline)) void
add_taps (const Job *job, gint64 channel, float *x, float *y, gboolean forth)
{
  const CamWindow *w = &job->conv->window;

  for (gint64 k = 0; k < job->depth; k++)
    {
      gint64 tap[3] = { k / (w->kernel[1] * w->kernel[2]),
                        k / w->kernel[2] % w->kernel[1], k % w->kernel[2] };

      add_tap (w, tap, job->w[channel * job->depth + k], x, y, forth);
    }
}

/* One output channel of one picture; each reads one input channel. */
static void
depthwise_tile (gint64 t, int thread, gpointer data)
{
  const Job *job = data;
  const CamConv *c = job->conv;
  gint64 m = t % c->c_out, n = t / c->c_out;
  gint64 from = m / (c->c_out / c->groups);
  float *y = job->out + (n * c->c_out + m) * job->n_out;

  for (gint64 i = 0; i < job->n_out; i++)
    y[i] = job->bias ? job->bias[m] : 0;
  add_taps (job, m, (float *) job->x + (n * c->c_in + from) * job->n_in, y,
            TRUE);
}

/* One input channel of one picture. */
static void
depthwise_transpose_tile (gint64 t, int thread, gpointer data)
{
  const Job *job = data;
  const CamConv *c = job->conv;
  gint64 channel = t % c->c_in, n = t / c->c_in, mg = c->c_out / c->groups;
  float *x = job->out + (n * c->c_in + channel) * job->n_in;

  for (gint64 i = 0; i < job->n_in; i++)
    x[i] = job->bias ? job->bias[channel] : 0;
  for (gint64 m = channel * mg; m < (channel + 1) * mg; m++)
    add_taps (job, m, x, (float *) job->y + (n * c->c_out + m) * job->n_out,
              FALSE);
}

void
cam_conv_forward (const CamConv *c, const float *x, const float *w,
                  const float *bias, float *y, gpointer scratch,
                  CamThreads *threads)
{
  Job job = { .x = x, .w = w, .bias = bias, .out = y, .columns = scratch };

  set_sizes (&job, c);
  if (is_depthwise (c))
    cam_threads_run (threads, c->batch * c->c_out, depthwise_tile, &job);
  else
    cam_threads_run (threads, c->batch * c->groups * job.n_tiles, forward_tile,
                     &job);
}

void
cam_conv_transpose (const CamConv *c, const float *y, const float *w,
                    const float *bias, float *x, gpointer scratch,
                    CamThreads *threads)
{
  Job job = { .y = y, .w = w, .bias = bias, .out = x, .columns = scratch };

  set_sizes (&job, c);
  if (is_depthwise (c))
    cam_threads_run (threads, c->batch * c->c_in, depthwise_transpose_tile,
                     &job);
  else
    cam_threads_run (threads, c->batch * c->groups, transpose_tile, &job);
}

void
cam_conv_weight_gradient (const CamConv *c, const float *x, const float *y,
                          float *w, gpointer scratch)
{
  gint64 cg = c->c_in / c->groups, mg = c->c_out / c->groups;
  float *columns = scratch;
  Job job = { 0 };

  set_sizes (&job, c);
  memset (w, 0, (gsize) (c->c_out * job.depth) * sizeof *w);
  for (gint64 t = 0; t < c->batch * c->groups; t++)
    for (gint64 begin = 0; begin < job.n_out; begin += job.tile)
      {
        gint64 end = MIN (begin + job.tile, job.n_out);

        walk_taps (&job, (float *) x + t * cg * job.n_in, columns, begin, end,
                   TRUE);
        cam_sgemm (FALSE, TRUE, (int) mg, (int) job.depth, (int) (end - begin),
                   1, y + t * mg * job.n_out + begin, (int) job.n_out, columns,
                   (int) (end - begin), 1, w + t % c->groups * mg * job.depth,
                   (int) job.depth);
      }
}
