/* fused-grouped.c -- camlens.GroupedConv: convolution of NHWC pictures whose
 * channels are cut into groups (attribute group; channels: of the output)
 *
 * Weights are [panels, kh kw, C, 16], C the channels of a group.  A tile is a
 * panel, 16 outputs, of some rows of the output, done in strips of columns: the
 * input rows that a strip sees lie in a ring, each brought there once, with
 * zeros beside the picture and, where groups are narrow, spread over the lanes
 * (core/kernels/grouped.c).
 */
#include "config.h"

#include <string.h>

#include "core/ops/fused.h"

#define STRIP 14         /* columns of the output                          */
#define TILE_MACS 200000 /* less is not worth handing out                  */
#define MOST_TILES 8     /* of a panel of a picture                        */

typedef struct
{
  CamFusedWindow window;
  CamActivation activation;
  int group, channels;
} Grouped;

gboolean
cam_groups_share (const CamGroups *groups)
{
  return groups->in == groups->out
         && (groups->in == 2 || groups->in == 4 || groups->in == 8);
}

static int
panels_of (int channels)
{
  return (channels + CAM_GROUP_LANES - 1) / CAM_GROUP_LANES;
}

int
cam_groups_count_panels (const CamGroups *groups)
{
  return cam_groups_share (groups) ? panels_of (groups->group * groups->out)
                                   : groups->group * panels_of (groups->out);
}

CamGroupPanel
cam_groups_panel (const CamGroups *groups, int i)
{
  gboolean share = cam_groups_share (groups);
  int outputs = share ? groups->group * groups->out : groups->out;
  int panels = panels_of (outputs);
  int at = i % panels * CAM_GROUP_LANES;
  CamGroupPanel panel = { share ? at : i / panels * groups->in,
                          i / panels * outputs + at,
                          MIN (outputs - at, CAM_GROUP_LANES) };

  return panel;
}

static gboolean
parse (CamNode *node, GError **error)
{
  Grouped *grouped = g_new0 (Grouped, 1);

  node->params = grouped;
  cam_fused_parse_window (node, &grouped->window);
  cam_fused_parse_activation (node, &grouped->activation);
  grouped->group = (int) cam_node_int (node, "group", 1);
  grouped->channels = (int) cam_node_int (node, "channels", 0);
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Grouped *grouped = node->params;

  return cam_fused_window_shape (node, &grouped->window, grouped->channels,
                                 error);
}

typedef struct
{
  const CamFusedWindow *window;
  CamGroups groups;
  const CamKernels *kernels;
  CamActivation activation;
  gboolean clips;        /* that is all that the activation does */
  CamGroupedStrip strip; /* but for n, weights and bias */
  const float *x, *weights, *bias;
  float *y, *scratch;
  int height, width, out_height, out_width;
  int panels, rows_a_tile, tiles; /* tiles of a panel of a picture    */
  int ring_rows, ring_pixels;     /* input rows and columns of a strip */
  gsize pixel; /* floats of a pixel of the ring */
} Job;

static gsize
ring_floats (const Job *job)
{
  return (job->ring_rows * job->ring_pixels * job->pixel + 15) / 16 * 16;
}

/* As equal as they come; nothing but the sizes counts. */
static void
cut_tiles (Job *job)
{
  gint64 macs = (gint64) job->out_height * job->out_width * job->groups.in
                * job->window->kernel[0] * job->window->kernel[1]
                * CAM_GROUP_LANES;
  int most = MIN (MAX (job->out_height, 1), MOST_TILES);
  int tiles = (int) CLAMP (macs / TILE_MACS, 1, most);

  job->rows_a_tile = MAX ((job->out_height + tiles - 1) / tiles, 1);
  job->tiles = (job->out_height + job->rows_a_tile - 1) / job->rows_a_tile;
}

static Job
describe (const CamNode *node)
{
  const Grouped *grouped = node->params;
  const CamFusedWindow *w = &grouped->window;
  const gint64 *in = node->inputs[0]->shape.dims;
  const gint64 *out = node->outputs[0]->shape.dims;
  Job job = { .window = w,
              .groups = { grouped->group, (int) in[3] / grouped->group,
                          grouped->channels / grouped->group },
              .kernels = cam_kernels (),
              .activation = grouped->activation,
              .height = (int) in[1],
              .width = (int) in[2],
              .out_height = (int) out[1],
              .out_width = (int) out[2],
              .ring_rows = (w->kernel[0] - 1) * w->dilation[0] + 1,
              .ring_pixels = (STRIP - 1) * w->stride[1]
                             + (w->kernel[1] - 1) * w->dilation[1] + 1 };

  job.strip = (CamGroupedStrip) { .group = job.groups.in,
                                  .spread = cam_groups_share (&job.groups),
                                  .kernel_h = w->kernel[0],
                                  .kernel_w = w->kernel[1],
                                  .stride_w = w->stride[1],
                                  .dilation_w = w->dilation[1] };
  job.pixel = (gsize) job.groups.in
              * (job.strip.spread ? CAM_GROUP_LANES : 1);
  job.panels = cam_groups_count_panels (&job.groups);
  cut_tiles (&job);
  return job;
}

/* Input row @line, from column @x0 on, as the kernel reads it. */
static void
bring_row (const Job *job, const CamGroupPanel *panel, const float *line,
           int x0, float *to)
{
  int channels = job->groups.group * job->groups.in;
  int begin = CLAMP (-x0, 0, job->ring_pixels);
  int end = CLAMP (job->width - x0, begin, job->ring_pixels);
  const float *from;

  memset (to, 0, begin * job->pixel * sizeof *to);
  memset (to + end * job->pixel, 0,
          (job->ring_pixels - end) * job->pixel * sizeof *to);
  if (begin == end)
    return;
  to += begin * job->pixel;
  from = line + (gsize) (x0 + begin) * channels + panel->first_in;
  if (job->strip.spread)
    job->kernels->spread_groups (from, channels, panel->n, end - begin,
                                 job->groups.in, to);
  else
    for (int i = begin; i < end; i++, from += channels, to += job->pixel)
      memcpy (to, from, job->pixel * sizeof *to);
}

/* Output rows @first to @end of the columns from @column on. */
static void
convolve_strip (const Job *job, const CamGroupPanel *panel,
                const CamGroupedStrip *strip, const float *x, float *y,
                int first, int end, int column, float *ring)
{
  const CamFusedWindow *w = job->window;
  int pixels = MIN (STRIP, job->out_width - column);
  int channels = job->groups.group * job->groups.out, next = 0;
  gsize row_floats = job->ring_pixels * job->pixel;
  gsize line = (gsize) job->width * job->groups.group * job->groups.in;
  const float *rows[CAM_FUSED_KERNEL_ROWS];

  for (int oy = first; oy < end; oy++)
    {
      int top = oy * w->stride[0] - w->pad[0];
      int bottom = MIN (top + job->ring_rows, job->height);
      float *to = y + ((gsize) oy * job->out_width + column) * channels;

      for (next = MAX (next, top); next < bottom; next++)
        bring_row (job, panel, x + next * line,
                   column * w->stride[1] - w->pad[1],
                   ring + next % job->ring_rows * row_floats);
      for (int ky = 0; ky < w->kernel[0]; ky++)
        {
          int iy = top + ky * w->dilation[0];

          rows[ky] = iy >= 0 && iy < job->height
                       ? ring + iy % job->ring_rows * row_floats : NULL;
        }
      job->kernels->grouped_strip (strip, rows, pixels, to, channels);
      if (!job->clips)
        job->kernels->activate (to, channels, pixels, panel->n,
                                &job->activation);
    }
}

static void
convolve_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  int i = (int) (tile / job->tiles % job->panels);
  gint64 picture = tile / job->tiles / job->panels;
  CamGroupPanel panel = cam_groups_panel (&job->groups, i);
  CamGroupedStrip strip = job->strip;
  int first = (int) (tile % job->tiles) * job->rows_a_tile;
  int end = MIN (first + job->rows_a_tile, job->out_height);
  const float *x = job->x + picture * job->height * job->width
                              * (gsize) job->groups.group * job->groups.in;
  float *y = job->y + picture * job->out_height * job->out_width
                        * (gsize) job->groups.group * job->groups.out
             + panel.first_out;

  strip.n = panel.n;
  strip.weights = job->weights
                  + (gsize) i * strip.kernel_h * strip.kernel_w
                      * job->groups.in * CAM_GROUP_LANES;
  strip.bias = job->bias ? job->bias + panel.first_out : NULL;
  for (int column = 0; column < job->out_width; column += STRIP)
    convolve_strip (job, &panel, &strip, x, y, first, end, column,
                    job->scratch + thread * ring_floats (job));
}

static void
forward (const CamForward *f)
{
  Job job = describe (f->node);

  job.clips = cam_activation_clip (&job.activation, &job.strip.low,
                                   &job.strip.high);
  job.weights = cam_fused_data (f->inputs, f->node, CAM_FUSED_WEIGHTS);
  job.bias = cam_fused_data (f->inputs, f->node, CAM_FUSED_BIAS);
  job.x = cam_tensor_f32 (f->inputs[0]);
  job.y = cam_tensor_f32 (f->outputs[0]);
  job.scratch = f->scratch;
  cam_threads_run (f->threads,
                   f->inputs[0]->shape.dims[0] * job.panels * job.tiles,
                   convolve_tile, &job);
}

static gsize
scratch (const CamNode *node, int n_threads)
{
  Job job = describe (node);

  return ring_floats (&job) * sizeof (float) * n_threads;
}

static guint64
macs (const CamNode *node)
{
  const Grouped *grouped = node->params;

  return (guint64) cam_op_count (&node->outputs[0]->shape, 0, 4)
         * node->inputs[0]->shape.dims[3] / grouped->group
         * grouped->window.kernel[0] * grouped->window.kernel[1];
}

const CamOperator cam_ops_fused_grouped[] = {
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "GroupedConv",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = 3,
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
