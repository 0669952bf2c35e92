/* fused-product.c -- products with a tail, tile by tile, and their way back
 *
 * The kernel is our own (core/kernels/product.c), because weights never change:
 * OpenBLAS packs them at every call, and wants a second pass for bias, residual
 * and activation (docs/SPEED.md).  The way back is the same product with the
 * transposed weights, packed too.
 *
 * A tile's rows of x stay in the second-level cache, and what is just written
 * of y.  Tiles follow from the sizes alone, so that results do not depend on the
 * crew.
 */
#include "config.h"

#include <string.h>

#include "core/ops/fused.h"

#define CACHE_FLOATS (96 * 1024) /* of x, and of y in a stripe, in one tile    */
#define STRIPE 64                /* columns: what is behind them is done with  */
#define LEAST_TILE_MACS 200000   /* below it a call costs too much             */
#define GOOD_TILES 16            /* so that any crew is shared out evenly      */
#define KERNEL_ROWS 14
#define SAME_SET 1024 /* rows of so many floats share lines of the cache */

static gint64
divide_up (gint64 a, gint64 b)
{
  return (a + b - 1) / b;
}

static gint64
round_up (gint64 a, gint64 b)
{
  return divide_up (a, b) * b;
}

static void
copy_rows (const CamProduct *product, gint64 first, gint64 n, float *to)
{
  for (gint64 i = 0; i < n; i++)
    memcpy (to + i * product->ld_made, product->x + (first + i) * product->k,
            product->k * sizeof *to);
}

/* Rows that have to be made are made once. */
void
cam_product_tiles (CamProduct *product)
{
  gint64 k = product->k, n = product->n, rows = product->rows;
  double macs = (double) rows * k * n;
  gint64 wanted = CLAMP ((gint64) (macs / LEAST_TILE_MACS), 1, GOOD_TILES);
  gint64 panels = divide_up (n, CAM_PANEL), across = 1;
  gint64 most = CLAMP (CACHE_FLOATS / (k + MIN (n, STRIPE)), 2 * KERNEL_ROWS, 2048);
  gint64 down = divide_up (rows, most);

  product->ld_made = product->k;
  if (product->k % SAME_SET == 0 && rows > KERNEL_ROWS / 2)
    {
      product->ld_made = product->k + 16;
      if (!product->make_rows)
        product->make_rows = copy_rows;
    }
  if (!product->make_rows)
    across = CLAMP (divide_up (wanted, MAX (down, 1)), 1, MAX (panels, 1));
  down = MAX (down, MIN (divide_up (wanted, across),
                         divide_up (rows, KERNEL_ROWS)));
  product->row_tile = (int) MAX (divide_up (rows, MAX (down, 1)), 1);
  product->column_tile = (int) (divide_up (panels, across) * CAM_PANEL);
}

/* Rows that have to be made or gated go to the thread's own scratch. */
gsize
cam_product_scratch (const CamProduct *product, int n_threads)
{
  if (!product->make_rows)
    return 0;
  return (gsize) round_up (product->row_tile * (gint64) product->ld_made, 16)
         * sizeof (float) * n_threads;
}

typedef struct
{
  const CamProduct *product;
  const CamKernels *kernels;
  float *scratch;
  gint64 across;
} Job;

static void
multiply (const Job *job, const float *x, gint64 first, gint64 rows,
          int column, int columns)
{
  const CamProduct *p = job->product;
  gsize at = (gsize) first * p->n + column;
  CamPackedProduct packed
      = { .rows = rows,
          .k = p->k,
          .n = columns,
          .x = x,
          .ldx = p->make_rows ? p->ld_made : p->k,
          .w = p->w + (gsize) column * p->k,
          .bias = p->bias ? p->bias + column : NULL,
          .residual = p->residual ? p->residual + at : NULL,
          .ld_residual = p->n,
          .y = p->y + at,
          .ldy = p->n };
  gboolean done = cam_activation_clip (&p->activation, &packed.low,
                                       &packed.high);

  job->kernels->packed_product (&packed);
  if (!done)
    job->kernels->activate (packed.y, p->n, rows, columns, &p->activation);
}

static void
product_tile (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  const CamProduct *p = job->product;
  gint64 first = tile / job->across * p->row_tile;
  gint64 rows = MIN (p->row_tile, p->rows - first);
  int column = (int) (tile % job->across) * p->column_tile;
  int columns = MIN (p->column_tile, p->n - column);
  const float *x;

  if (!p->make_rows)
    x = p->x + first * p->k;
  else
    {
      float *made = job->scratch
                    + thread
                          * round_up (p->row_tile * (gint64) p->ld_made, 16);

      p->make_rows (p, first, rows, made);
      x = made;
    }
  multiply (job, x, first, rows, column, columns);
}

void
cam_product_run (const CamProduct *product, CamThreads *threads,
                 gpointer scratch)
{
  gint64 across = divide_up (product->n, product->column_tile);
  Job job = { product, cam_kernels (), scratch, across };

  cam_threads_run (threads,
                   divide_up (product->rows, product->row_tile) * across,
                   product_tile, &job);
}

/* --- the way back: dx = (dy act' (y)) w' --- */

/* Rows of dy act' (y) that lie apart in @to; those of all seeds have one y. */
static void
mask (const CamProductBack *back, gint64 first, gint64 n, gint64 apart,
      float *to)
{
  for (gint64 row = first; row < first + n; row++, to += apart)
    cam_kernels ()->activation_backward (
      to, back->dy + row * back->n, back->y + row % back->rows * back->n,
      back->n, &back->activation);
}

static void
mask_rows (const CamProduct *product, gint64 first, gint64 n, float *to)
{
  mask (product->source, first, n, product->ld_made, to);
}

static CamProduct
describe_back (const CamProductBack *back)
{
  CamProduct product = { .rows = back->rows * back->n_seeds,
                         .k = back->n,
                         .n = back->k,
                         .x = back->dresidual ? back->dresidual : back->dy,
                         .source = back,
                         .w = back->w,
                         .y = back->dx };

  if (back->activation.kind != CAM_ACTIVATION_NONE && !back->dresidual)
    product.make_rows = mask_rows;
  cam_product_tiles (&product);
  return product;
}

gsize
cam_product_back_scratch (const CamProductBack *back, int n_threads)
{
  CamProduct product = describe_back (back);

  return cam_product_scratch (&product, n_threads);
}

static void
residual_row (gint64 row, int thread, gpointer data)
{
  const CamProductBack *back = data;

  mask (back, row, 1, back->n, back->dresidual + row * back->n);
}

void
cam_product_back (const CamProductBack *back, CamThreads *threads,
                  gpointer scratch)
{
  CamProduct product = describe_back (back);

  if (back->dresidual)
    cam_threads_run (threads, product.rows, residual_row, (gpointer) back);
  if (back->dx)
    cam_product_run (&product, threads, scratch);
}
