/* fused-conv.c -- camlens.Conv: convolution of NHWC pictures as a product of
 * patches [rows, kh kw C] and weights [kh kw C, n]
 *
 * A row of patches is kh runs of kw C contiguous floats.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "core/ops/fused.h"

typedef struct
{
  CamFusedWindow window;
  CamActivation activation;
} Conv;

static gboolean
parse (CamNode *node, GError **error)
{
  Conv *conv = g_new0 (Conv, 1);

  node->params = conv;
  cam_fused_parse_window (node, &conv->window);
  cam_fused_parse_activation (node, &conv->activation);
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const Conv *conv = node->params;

  return cam_fused_window_shape (
    node, &conv->window, node->inputs[CAM_FUSED_WEIGHTS]->shape.dims[1], error);
}

typedef struct
{
  const CamFusedWindow *window;
  const float *x;
  int height, width, channels, out_height, out_width;
} Patches;

static Patches
describe_patches (const CamNode *node)
{
  const Conv *conv = node->params;
  const gint64 *in = node->inputs[0]->shape.dims;
  const gint64 *out = node->outputs[0]->shape.dims;
  Patches patches = { &conv->window, NULL, (int) in[1], (int) in[2],
                      (int) in[3], (int) out[1], (int) out[2] };

  return patches;
}

/* One run of kernel_w pixels; what lies outside is zero. */
static float *
copy_run (const Patches *p, const float *line, int x0, float *to)
{
  const CamFusedWindow *w = p->window;
  int channels = p->channels, kernel = w->kernel[1];

  if (line && w->dilation[1] == 1 && x0 >= 0 && x0 + kernel <= p->width)
    {
      memcpy (to, line + (gsize) x0 * channels,
              sizeof (float) * kernel * channels);
      return to + kernel * channels;
    }
  for (int kx = 0; kx < kernel; kx++, to += channels)
    {
      int x = x0 + kx * w->dilation[1];

      if (line && x >= 0 && x < p->width)
        memcpy (to, line + (gsize) x * channels, sizeof (float) * channels);
      else
        memset (to, 0, sizeof (float) * channels);
    }
  return to;
}

static void
patch_rows (const CamProduct *product, gint64 first, gint64 n, float *made)
{
  const Patches *p = product->source;
  const CamFusedWindow *w = p->window;

  for (gint64 row = first; row < first + n; row++)
    {
      int ox = (int) (row % p->out_width);
      gint64 line = row / p->out_width;
      int oy = (int) (line % p->out_height);
      const float *picture = p->x + line / p->out_height * p->height
                                      * (gsize) p->width * p->channels;
      float *to = made + (row - first) * product->ld_made;

      for (int ky = 0; ky < w->kernel[0]; ky++)
        {
          int y = oy * w->stride[0] - w->pad[0] + ky * w->dilation[0];
          const float *from = picture + (gssize) y * p->width * p->channels;

          to = copy_run (p, y >= 0 && y < p->height ? from : NULL,
                         ox * w->stride[1] - w->pad[1], to);
        }
    }
}

static CamProduct
describe (const CamNode *node)
{
  const Conv *conv = node->params;
  const CamShape *w = &node->inputs[CAM_FUSED_WEIGHTS]->shape;
  CamProduct product = { 0 };

  product.rows = cam_op_count (&node->outputs[0]->shape, 0, 3);
  product.k = (int) w->dims[0];
  product.n = (int) w->dims[1];
  product.activation = conv->activation;
  product.make_rows = patch_rows;
  cam_product_tiles (&product);
  return product;
}

static void
forward (const CamForward *f)
{
  CamProduct product = describe (f->node);
  Patches patches = describe_patches (f->node);

  patches.x = cam_tensor_f32 (f->inputs[0]);
  product.source = &patches;
  product.w = cam_fused_data (f->inputs, f->node, CAM_FUSED_WEIGHTS);
  product.bias = cam_fused_data (f->inputs, f->node, CAM_FUSED_BIAS);
  product.residual = cam_fused_data (f->inputs, f->node, CAM_FUSED_RESIDUAL);
  product.y = cam_tensor_f32 (f->outputs[0]);
  cam_product_run (&product, f->threads, f->scratch);
}

static gsize
scratch (const CamNode *node, int n_threads)
{
  CamProduct product = describe (node);

  return cam_product_scratch (&product, n_threads);
}

/* --- the way back: patches of gradients, added to where they came from --- */

#define GOOD_BLOCKS 8 /* so that a small crew has work for one picture */

typedef struct
{
  CamProduct product;
  Patches patches;
  const CamKernels *kernels;
  gint64 pictures, out_area; /* of one seed; rows of one picture   */
  int width;                 /* channels that a thread takes       */
  const float *w, *y, *dy;   /* w: [n, kh kw C] in panels          */
  float *dx, *dresidual, *scratch;
  gsize scratch_floats; /* of one thread */
} Back;

/* Blocks are whole panels of the weights. */
static int
block_width (int channels, gint64 pictures)
{
  gint64 panels = channels / CAM_PANEL;
  gint64 blocks = CLAMP (GOOD_BLOCKS / pictures, 1, MAX (panels, 1));

  return channels % CAM_PANEL
           ? channels : (int) ((panels + blocks - 1) / blocks) * CAM_PANEL;
}

/* Rows of the gradient behind the activation; those of all seeds have one y. */
static const float *
mask (const Back *back, gint64 picture, gint64 row, gint64 rows, float *to)
{
  int n = back->product.n;
  gsize at = (picture * back->out_area + row) * n;
  gsize y_at = (picture % back->pictures * back->out_area + row) * n;

  if (back->product.activation.kind == CAM_ACTIVATION_NONE)
    return back->dy + at;
  back->kernels->activation_backward (to, back->dy + at, back->y + y_at,
                                      rows * n, &back->product.activation);
  return to;
}

/* patches [rows, kh kw, channels] = dy w, for channels from @first on */
static void
multiply_back (const Back *back, const float *dy, gint64 rows, int first,
               int channels, float *patches)
{
  int k = back->product.k, all = back->patches.channels;
  int columns = channels < all ? channels : k;
  CamPackedProduct product = { .rows = rows,
                               .k = back->product.n,
                               .n = columns,
                               .x = dy,
                               .ldx = back->product.n,
                               .ldy = (gsize) k / all * channels,
                               .low = -INFINITY,
                               .high = INFINITY };

  for (int at = 0; at < k; at += channels < all ? all : k)
    {
      product.w = back->w + (gsize) (at + first) * back->product.n;
      product.y = patches;
      back->kernels->packed_product (&product);
      patches += columns;
    }
}

/* The reverse of patch_rows; @dx at the first of @channels. */
static void
add_patch (const Back *back, gint64 row, const float *patch, int channels,
           float *dx)
{
  const Patches *p = &back->patches;
  const CamFusedWindow *w = p->window;
  int oy = (int) (row / p->out_width), ox = (int) (row % p->out_width);

  for (int ky = 0; ky < w->kernel[0]; ky++)
    for (int kx = 0; kx < w->kernel[1]; kx++, patch += channels)
      {
        int y = oy * w->stride[0] - w->pad[0] + ky * w->dilation[0];
        int x = ox * w->stride[1] - w->pad[1] + kx * w->dilation[1];

        if (y >= 0 && y < p->height && x >= 0 && x < p->width)
          back->kernels->add (dx + ((gsize) y * p->width + x) * p->channels,
                              patch, channels);
      }
}

/* A block of channels of one picture */
static void
back_tile (gint64 tile, int thread, gpointer data)
{
  const Back *back = data;
  const CamProduct *p = &back->product;
  int all = back->patches.channels, blocks = (all - 1) / back->width + 1;
  int first = (int) (tile % blocks) * back->width;
  int channels = MIN (back->width, all - first);
  float *masked = back->scratch + thread * back->scratch_floats;
  float *patches = masked + (gsize) p->row_tile * p->n;
  gsize area = (gsize) back->patches.height * back->patches.width;
  float *dx = back->dx + tile / blocks * area * all + first;

  for (gsize i = 0; i < area; i++)
    memset (dx + i * all, 0, channels * sizeof *dx);
  for (gint64 row = 0; row < back->out_area; row += p->row_tile)
    {
      gint64 rows = MIN (p->row_tile, back->out_area - row);
      const float *dy = mask (back, tile / blocks, row, rows, masked);

      multiply_back (back, dy, rows, first, channels, patches);
      for (gint64 i = 0; i < rows; i++)
        add_patch (back, row + i, patches + i * (p->k / all * channels),
                   channels, dx);
    }
}

static void
residual_tile (gint64 picture, int thread, gpointer data)
{
  const Back *back = data;
  gsize n = (gsize) back->out_area * back->product.n;
  float *to = back->dresidual + picture * n;
  const float *from = mask (back, picture, 0, back->out_area, to);

  if (from != to)
    memcpy (to, from, n * sizeof *to);
}

static gsize
back_floats (const CamProduct *product)
{
  return (gsize) product->row_tile * (product->k + product->n);
}

static void
backward (const CamBackward *b)
{
  Back back = { describe (b->node), describe_patches (b->node),
                cam_kernels () };
  CamTensor *dx = b->input_gradients[0];
  CamTensor *dresidual = b->node->n_inputs > CAM_FUSED_RESIDUAL
                           ? b->input_gradients[CAM_FUSED_RESIDUAL] : NULL;
  int channels = back.patches.channels;
  gint64 n_pictures;

  back.w = cam_fused_data (b->inputs, b->node, CAM_FUSED_BACK);
  back.y = cam_tensor_f32 (b->outputs[0]);
  back.dy = cam_tensor_f32 (b->output_gradients[0]);
  back.dx = dx ? cam_tensor_f32 (dx) : NULL;
  back.dresidual = dresidual ? cam_tensor_f32 (dresidual) : NULL;
  back.pictures = b->node->inputs[0]->shape.dims[0];
  back.out_area = (gint64) back.patches.out_height * back.patches.out_width;
  back.scratch = b->scratch;
  back.scratch_floats = back_floats (&back.product);
  n_pictures = back.pictures * b->n_seeds;
  back.width = block_width (channels, n_pictures);
  if (back.dresidual)
    cam_threads_run (b->threads, n_pictures, residual_tile, &back);
  if (back.dx)
    cam_threads_run (b->threads,
                     n_pictures * ((channels - 1) / back.width + 1), back_tile,
                     &back);
}

static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  CamProduct product = describe (node);

  return back_floats (&product) * sizeof (float) * n_threads;
}

static guint64
macs (const CamNode *node)
{
  CamProduct product = describe (node);

  return (guint64) product.rows * product.k * product.n;
}

const CamOperator cam_ops_fused_conv[] = {
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "Conv",
    .since = 1,
    .min_inputs = 2,
    .max_inputs = CAM_FUSED_N_INPUTS,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_OUTPUTS,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward,
    .scratch = scratch,
    .backward_scratch = backward_scratch,
    .macs = macs,
  },
  { .type = NULL },
};
