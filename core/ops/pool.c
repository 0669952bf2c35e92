/* pool.c -- MaxPool, AveragePool, LpPool over windows, 1-D to 3-D */
#include "config.h"

#include "core/ops/window.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/ops/scalar.h"

typedef enum
{
  MAXIMUM,
  AVERAGE,
  NORM
} PoolKind;

typedef struct
{
  PoolKind kind;
  CamWindowAttributes window;
  gboolean count_include_pad; /* AVERAGE */
  gboolean column_major;      /* MAXIMUM: how its indices count */
  gint64 p;                   /* NORM */
} Pool;

static gboolean
unsupported (const CamNode *node, const char *name, GError **error)
{
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute %s has a value that is not supported"), name);
  return FALSE;
}

static gboolean
parse (CamNode *node, GError **error)
{
  Pool *p = g_new0 (Pool, 1);
  gboolean dilations, ceil_mode;

  node->params = p;
  p->kind = node->op_type[0] == 'M'   ? MAXIMUM
            : node->op_type[0] == 'A' ? AVERAGE
                                      : NORM;
  dilations = node->opset >= (p->kind == MAXIMUM   ? 10
                              : p->kind == AVERAGE ? 19
                                                   : 18);
  ceil_mode = node->opset >= (p->kind == NORM ? 18 : 10);
  if (! cam_window_parse (node, &p->window, dilations, error))
    return FALSE;
  if (ceil_mode)
    p->window.ceil_mode = cam_node_int (node, "ceil_mode", 0) != 0;
  if (p->kind == AVERAGE)
    p->count_include_pad = cam_node_int (node, "count_include_pad", 0) != 0;
  if (p->kind == MAXIMUM && node->opset >= 8)
    p->column_major = cam_node_int (node, "storage_order", 0) != 0;
  if (p->kind == NORM)
    p->p = cam_node_int (node, "p", 2);
  if (p->kind == NORM && p->p < 1)
    return unsupported (node, "p", error);
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Pool *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  guint kinds = CAM_OP_KINDS_FLOAT;
  CamWindow w;
  CamShape shape;

  if (p->kind == MAXIMUM)
    kinds |= 1u << CAM_DTYPE_INT8 | 1u << CAM_DTYPE_UINT8;
  if (! cam_op_check_dtype (node, 0, kinds, error)
      || ! cam_op_check_rank (node, 0, 3, 5, error)
      || ! cam_op_check_not_empty (node, 0, error)
      || ! cam_window_resolve (node, &p->window, x, NULL, &w, error))
    return FALSE;
  shape = cam_window_shape (&w, x->n_dims, x->dims[0], x->dims[1]);
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error)
         && cam_node_set_output (node, 1, CAM_DTYPE_INT64, &shape, error);
}

typedef struct
{
  const Pool *pool;
  CamWindow w;
  const CamTensor *x;
  CamTensor *y;
  gint64 *indices; /* MAXIMUM; may be NULL */
  gint64 n_in, n_out;
} Job;

/* The taps of one window that lie inside the input: first and one past the
 * last of each axis; *@padded counts those inside input and padding. */
typedef struct
{
  gint64 begin[3], end[3], origin[3];
  gint64 padded;
} Taps;

static Taps
taps_at (const CamWindow *w, gint64 position)
{
  Taps t = { .padded = 1 };

  for (int i = 2; i >= 0; i--)
    {
      gint64 d = w->dilation[i];
      gint64 first = position % w->out[i] * w->stride[i] - w->pad[i];
      gint64 inside = w->in[i] - first, room = inside + w->pad_end[i];

      t.origin[i] = first;
      t.begin[i] = MIN (first < 0 ? (-first + d - 1) / d : 0, w->kernel[i]);
      t.end[i] = inside <= 0 ? 0 : MIN ((inside - 1) / d + 1, w->kernel[i]);
      t.end[i] = MAX (t.end[i], t.begin[i]);
      t.padded *= room <= 0 ? 0 : MIN ((room - 1) / d + 1, w->kernel[i]);
      position /= w->out[i];
    }
  return t;
}

static inline gint64
tap_place (const CamWindow *w, const Taps *t, gint64 d, gint64 h, gint64 v)
{
  return ((t->origin[0] + d * w->dilation[0]) * w->in[1] + t->origin[1]
          + h * w->dilation[1])
             * w->in[2]
         + t->origin[2] + v * w->dilation[2];
}

/* Calls the body for every place of the window's taps. */
#define FOR_TAPS(w, t, place)                                                  \
  for (gint64 d_ = (t)->begin[0]; d_ < (t)->end[0]; d_++)                      \
    for (gint64 h_ = (t)->begin[1]; h_ < (t)->end[1]; h_++)                    \
      for (gint64 v_ = (t)->begin[2], place = tap_place (w, t, d_, h_, v_);    \
           v_ < (t)->end[2]; v_++, place += (w)->dilation[2])

static gint64
divisor (const Job *j, const Taps *t)
{
  gint64 inside = (t->end[0] - t->begin[0]) * (t->end[1] - t->begin[1])
                  * (t->end[2] - t->begin[2]);

  return j->pool->count_include_pad ? t->padded : inside;
}

/* First place of the largest number (a NaN is the largest); -1 where the
 * window sees padding only. */
static gint64
largest (const Job *j, const Taps *t, const float *x)
{
  gint64 best = -1;

  FOR_TAPS (&j->w, t, place)
  if (best < 0 || x[place] > x[best] || x[place] != x[place])
    best = place;
  return best;
}

static float
pooled (const Job *j, const Taps *t, const float *x)
{
  double sum = 0;
  gint64 n;

  switch (j->pool->kind)
    {
    case AVERAGE:
      FOR_TAPS (&j->w, t, place)
      sum += x[place];
      n = divisor (j, t);
      return n > 0 ? (float) (sum / (double) n) : 0;
    case NORM:
      FOR_TAPS (&j->w, t, place)
      sum += pow (fabs (x[place]), (double) j->pool->p);
      return (float) pow (sum, 1.0 / (double) j->pool->p);
    default: n = largest (j, t, x); return n >= 0 ? x[n] : -INFINITY;
    }
}

/* An index into the whole tensor, as ONNX counts. */
static gint64
index_of (const Job *j, gint64 channel, gint64 place)
{
  const CamWindow *w = &j->w;
  gint64 v = place % w->in[2], h = place / w->in[2] % w->in[1];
  gint64 d = place / (w->in[1] * w->in[2]);

  if (j->pool->column_major)
    place = (v * w->in[1] + h) * w->in[0] + d;
  return channel * j->n_in + place;
}

static void
channel_tile (gint64 channel, int thread, gpointer data)
{
  const Job *j = data;
  const float *x = cam_tensor_f32 (j->x) + channel * j->n_in;
  float *y = cam_tensor_f32 (j->y) + channel * j->n_out;

  for (gint64 i = 0; i < j->n_out; i++)
    {
      Taps t = taps_at (&j->w, i);

      y[i] = pooled (j, &t, x);
      if (j->indices)
        j->indices[channel * j->n_out + i] =
            index_of (j, channel, MAX (largest (j, &t, x), 0));
    }
}

/* Other types: window by window through double. */
static void
channel_tile_any (gint64 channel, int thread, gpointer data)
{
  const Job *j = data;

  for (gint64 i = 0; i < j->n_out; i++)
    {
      Taps t = taps_at (&j->w, i);
      double sum = 0, most = -INFINITY;
      gint64 n = divisor (j, &t), best = -1;

      FOR_TAPS (&j->w, &t, place)
      {
        double v = cam_scalar_double (j->x,
                                      (gsize) (channel * j->n_in + place));

        sum += j->pool->kind == NORM ? pow (fabs (v), (double) j->pool->p) : v;
        if (best < 0 || v > most || isnan (v))
          {
            most = v;
            best = place;
          }
      }
      cam_scalar_set_double (j->y, (gsize) (channel * j->n_out + i),
                             j->pool->kind == MAXIMUM ? most
                             : j->pool->kind == AVERAGE
                                 ? (n > 0 ? sum / (double) n : 0)
                                 : pow (sum, 1.0 / (double) j->pool->p));
      if (j->indices)
        j->indices[channel * j->n_out + i] = index_of (j, channel, MAX (best, 0));
    }
}

static gboolean
set_sizes (Job *job, const CamNode *node)
{
  job->pool = node->params;
  if (! cam_window_resolve (node, &job->pool->window, &node->inputs[0]->shape,
                            NULL, &job->w, NULL))
    return FALSE;
  job->n_in = cam_window_volume (job->w.in);
  job->n_out = cam_window_volume (job->w.out);
  return TRUE;
}

static void
forward (const CamForward *f)
{
  Job job = { .x = f->inputs[0], .y = f->outputs[0] };

  if (! set_sizes (&job, f->node))
    return;
  if (f->node->n_outputs > 1 && f->outputs[1])
    job.indices = cam_tensor_i64 (f->outputs[1]);
  cam_threads_run (f->threads, cam_op_count (&job.x->shape, 0, 2),
                   job.x->dtype == CAM_DTYPE_FLOAT32 ? channel_tile
                                                     : channel_tile_any,
                   &job);
}

typedef struct
{
  Job job;
  const float *x, *y, *gy;
  float *gx;
  gint64 n_channels; /* of all pictures */
} Gradient;

/* The gradient @g of one window's result. */
static void
spread (const Gradient *k, const Taps *t, const float *x, float y, float g,
        float *gx)
{
  const Job *j = &k->job;
  gint64 n;

  switch (j->pool->kind)
    {
    case AVERAGE:
      n = divisor (j, t);
      FOR_TAPS (&j->w, t, place)
      gx[place] += g / (float) n;
      break;
    case NORM:
      FOR_TAPS (&j->w, t, place)
      if (y > 0)
        gx[place] += (float) (g
                              * copysign (pow (fabs (x[place]) / y,
                                               (double) (j->pool->p - 1)),
                                          x[place]));
      break;
    default:
      n = largest (j, t, x);
      if (n >= 0)
        gx[n] += g;
    }
}

static void
gradient_tile (gint64 tile, int thread, gpointer data)
{
  const Gradient *k = data;
  const Job *j = &k->job;
  gint64 channel = tile % k->n_channels;
  const float *x = k->x ? k->x + channel * j->n_in : NULL;
  float *gx = k->gx + tile * j->n_in;

  memset (gx, 0, (gsize) j->n_in * sizeof *gx);
  for (gint64 i = 0; i < j->n_out; i++)
    {
      Taps t = taps_at (&j->w, i);

      spread (k, &t, x, k->y ? k->y[channel * j->n_out + i] : 0,
              k->gy[tile * j->n_out + i], gx);
    }
}

static void
backward (const CamBackward *b)
{
  Gradient k = { 0 };

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL
      || ! set_sizes (&k.job, b->node))
    {
      cam_op_clear_gradients (b);
      return;
    }
  if (k.job.pool->kind != AVERAGE)
    k.x = cam_tensor_f32 (b->inputs[0]);
  if (k.job.pool->kind == NORM)
    k.y = cam_tensor_f32 (b->outputs[0]);
  k.gy = cam_tensor_f32 (b->output_gradients[0]);
  k.gx = cam_tensor_f32 (b->input_gradients[0]);
  k.n_channels = cam_op_count (&b->node->inputs[0]->shape, 0, 2);
  cam_threads_run (b->threads, b->n_seeds * k.n_channels, gradient_tile, &k);
}

#define X CAM_OP_BACKWARD_NEEDS_INPUTS
#define Y CAM_OP_BACKWARD_NEEDS_OUTPUTS
#define POOL(name, many, look)                                                 \
  {                                                                            \
    .domain = "", .type = name, .since = 1, .min_inputs = 1, .max_inputs = 1,  \
    .min_outputs = 1, .max_outputs = many, .flags = look, .parse = parse,      \
    .infer = infer, .forward = forward, .backward = backward                   \
  }

const CamOperator cam_ops_pool[] = {
  POOL ("MaxPool", 2, X),
  POOL ("AveragePool", 1, 0),
  POOL ("LpPool", 1, X | Y),
  { .type = NULL },
};
