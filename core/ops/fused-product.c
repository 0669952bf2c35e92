/* fused-product.c -- products with a tail, tile by tile
 *
 * Packed weights go to our own kernel, which beats OpenBLAS because it packs
 * nothing when it runs and puts the tail on in registers (docs/SPEED.md).  Where
 * a gradient is wanted the weights stay as they are, and OpenBLAS does both
 * ways.
 *
 * A tile is small enough that its rows of x and y stay in the second-level
 * cache: bias, residual and activation are put on while they are there.  Tiles
 * follow from the sizes alone, so that results do not depend on the crew.
 */
#include "config.h"

#include <string.h>

#include "core/base/blas.h"
#include "core/ops/fused.h"

#define CACHE_FLOATS (96 * 1024) /* of x and y in one tile          */
#define LEAST_TILE_MACS 1000000  /* below it a call costs too much   */
#define GOOD_TILES 4             /* so that a small crew has work    */
#define LEAST_PACKED_MACS 200000 /* the same for our own kernel      */
#define GOOD_PACKED_TILES 16
#define KERNEL_ROWS 14
#define SAME_SET 1024 /* rows of so many floats share lines of the cache */
#define FEW_ROWS 3               /* up to here row by row, no GEMM   */

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

static int
tile_rows (gint64 rows, int k, int n)
{
  gint64 most = CLAMP (CACHE_FLOATS / (k + n), 48, 2048);

  if (rows <= most)
    return (int) MAX (rows, 1);
  /* as equal as they come */
  return (int) round_up (divide_up (rows, divide_up (rows, most)), 4);
}

/* Our kernel's calls are cheap: more and smaller tiles, so that they are shared
 * out evenly.  Rows that have to be made are made once. */
static void
packed_tiles (CamProduct *p)
{
  double macs = (double) p->rows * p->k * p->n;
  gint64 wanted = CLAMP ((gint64) (macs / LEAST_PACKED_MACS), 1,
                         GOOD_PACKED_TILES);
  gint64 panels = divide_up (p->n, CAM_PANEL), across = 1;
  gint64 most = CLAMP (CACHE_FLOATS / (p->k + p->n), 2 * KERNEL_ROWS, 2048);
  gint64 down = divide_up (p->rows, most);

  if (!p->make_rows)
    across = CLAMP (divide_up (wanted, MAX (down, 1)), 1, MAX (panels, 1));
  down = MAX (down, MIN (divide_up (wanted, across),
                         divide_up (p->rows, KERNEL_ROWS)));
  p->row_tile = (int) MAX (divide_up (p->rows, MAX (down, 1)), 1);
  p->column_tile = (int) (divide_up (panels, across) * CAM_PANEL);
}

static void
copy_rows (const CamProduct *product, gint64 first, gint64 n, float *to)
{
  for (gint64 i = 0; i < n; i++)
    memcpy (to + i * product->ld_made, product->x + (first + i) * product->k,
            product->k * sizeof *to);
}

void
cam_product_tiles (CamProduct *product)
{
  double macs = (double) product->rows * product->k * product->n;
  gint64 across = 1, down;

  product->ld_made = product->k;
  if (product->packed && product->k % SAME_SET == 0
      && product->rows > KERNEL_ROWS / 2)
    {
      product->ld_made = product->k + 16;
      if (!product->make_rows)
        product->make_rows = copy_rows;
    }
  if (product->packed)
    {
      packed_tiles (product);
      return;
    }
  product->row_tile = tile_rows (product->rows, product->k, product->n);
  down = divide_up (product->rows, product->row_tile);
  if (down < GOOD_TILES)
    across = CLAMP ((gint64) (macs / LEAST_TILE_MACS / down), 1,
                    divide_up (GOOD_TILES, down));
  product->column_tile = (int) round_up (divide_up (product->n, across), 32);
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
multiply (const Job *job, const float *x, gint64 rows, int column, int columns,
          float *y)
{
  const CamProduct *p = job->product;

  if (rows > FEW_ROWS)
    cam_sgemm (FALSE, FALSE, (int) rows, columns, p->k, 1, x, p->k,
               p->w + column, p->n, 0, y, p->n);
  else
    for (gint64 i = 0; i < rows; i++)
      job->kernels->vector_times_matrix (x + i * p->k, p->w + column, p->k,
                                         columns, p->n, y + i * p->n);
}

static void
multiply_packed (const Job *job, const float *x, gint64 first, gint64 rows,
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
    job->kernels->epilogue (packed.y, p->n, rows, columns, NULL, NULL, 0,
                            &p->activation);
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
  float *y = p->y + first * p->n + column;
  const float *x;

  if (p->make_rows)
    {
      float *made = job->scratch
                    + thread
                          * round_up (p->row_tile * (gint64) p->ld_made, 16);

      p->make_rows (p, first, rows, made);
      x = made;
    }
  else
    x = p->x + first * p->k;
  if (p->packed)
    {
      multiply_packed (job, x, first, rows, column, columns);
      return;
    }
  multiply (job, x, rows, column, columns, y);
  job->kernels->epilogue (y, p->n, rows, columns,
                          p->bias ? p->bias + column : NULL,
                          p->residual ? p->residual + first * p->n + column
                                      : NULL,
                          p->n, &p->activation);
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

gsize
cam_product_back_scratch (gint64 rows, int k, int n, int n_threads)
{
  return (gsize) round_up ((gint64) tile_rows (rows, k, n) * n, 16)
         * sizeof (float) * n_threads;
}

typedef struct
{
  const CamProductBack *back;
  const CamKernels *kernels;
  float *scratch;
  gint64 tiles; /* of one seed */
} BackJob;

static void
back_tile (gint64 tile, int thread, gpointer data)
{
  const BackJob *job = data;
  const CamProductBack *b = job->back;
  gint64 seed = tile / job->tiles;
  gint64 row = tile % job->tiles * b->row_tile;
  gint64 rows = MIN (b->row_tile, b->rows - row);
  gint64 at = seed * b->rows + row;
  const float *dy = b->dy + at * b->n;

  if (b->activation.kind != CAM_ACTIVATION_NONE || b->dresidual)
    {
      float *masked = b->dresidual
                        ? b->dresidual + at * b->n
                        : job->scratch
                            + thread * round_up ((gint64) b->row_tile * b->n,
                                                 16);

      job->kernels->activation_backward (masked, dy, b->y + row * b->n,
                                         rows * b->n, &b->activation);
      dy = masked;
    }
  if (b->dx)
    cam_sgemm (FALSE, TRUE, (int) rows, b->k, b->n, 1, dy, b->n, b->w, b->n,
               0, b->dx + at * b->k, b->k);
}

/* Without an activation and with nothing else to write, all seeds are one
 * product, and their rows make common tiles. */
void
cam_product_back (CamProductBack *back, CamThreads *threads, gpointer scratch)
{
  BackJob job = { back, cam_kernels (), scratch, 0 };

  back->row_tile = tile_rows (back->rows, back->k, back->n);
  if (back->activation.kind == CAM_ACTIVATION_NONE && !back->dresidual)
    {
      back->rows *= back->n_seeds;
      back->n_seeds = 1;
      back->row_tile = tile_rows (back->rows, back->k, back->n);
    }
  job.tiles = divide_up (back->rows, back->row_tile);
  cam_threads_run (threads, job.tiles * back->n_seeds, back_tile, &job);
}
