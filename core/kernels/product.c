/* product.c -- a matrix product with packed weights, its tail in registers
 *
 * Weights [k, n] lie in panels of 32 columns, [k, 32] each, the last of what is
 * left: so a product reads them in one stream, and nothing is packed when it
 * runs.  A block of the result stays in registers for all of k; bias, residual
 * and clipping are put on before it is written once.  Rows of x are read where
 * they are.  Every element is the sum over k in order, however the rows and
 * columns are cut into blocks.
 */
#include "core/kernels/vector.h"
#include "core/kernels/levels.h"

#if CAM_LANES == 16
#define ROWS 14 /* times 2 vectors: 28 of 32 registers */
#else
#define ROWS 6 /* times 2 vectors: 12 of 16 registers */
#endif
#define VECTORS 2
#define AHEAD 8 /* rows of a panel */

/* What is the same for all blocks of rows of one stripe of columns. */
typedef struct
{
  const CamPackedProduct *p;
  const float *w; /* first row of the stripe, rows @ldw floats apart */
  int ldw, column, columns;
  float bias[VECTORS * CAM_LANES];
} Stripe;

CAM_INLINE void
add_residual (const int rows, const int vecs, const Stripe *s, gsize row,
              CamVec (*sum)[VECTORS])
{
  const CamPackedProduct *p = s->p;
  const float *from = p->residual + row * p->ld_residual + s->column;
  float part[VECTORS * CAM_LANES] = { 0 };

#pragma GCC unroll 16
  for (int r = 0; r < rows; r++, from += p->ld_residual)
    {
      const float *at = from;

      if (s->columns < vecs * CAM_LANES)
        at = memcpy (part, from, s->columns * sizeof *part);
#pragma GCC unroll 2
      for (int v = 0; v < vecs; v++)
        sum[r][v] += cam_load (at + v * CAM_LANES);
    }
}

CAM_INLINE void
write_block (const int rows, const int vecs, const Stripe *s, gsize row,
             CamVec (*sum)[VECTORS])
{
  const CamPackedProduct *p = s->p;
  CamVec low = cam_splat (p->low), high = cam_splat (p->high);
  float *y = p->y + row * p->ldy + s->column;
  float part[ROWS * VECTORS * CAM_LANES];
  gboolean full = s->columns == vecs * CAM_LANES;
  float *to = full ? y : part;
  gsize ld = full ? p->ldy : VECTORS * CAM_LANES;

#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vecs; v++)
      cam_store (to + r * ld + v * CAM_LANES,
                 cam_activate (CAM_ACTIVATION_CLIP, sum[r][v], low, high));
  if (! full)
    for (int r = 0; r < rows; r++)
      memcpy (y + r * p->ldy, part + r * ld, s->columns * sizeof *y);
}

/* One row of weights times one column of x. */
CAM_INLINE void
step (const int rows, const int vecs, const float *x, gsize ldx, const float *w,
      CamVec (*sum)[VECTORS])
{
  CamVec b[VECTORS];

#pragma GCC unroll 2
  for (int v = 0; v < vecs; v++)
    b[v] = cam_load (w + v * CAM_LANES);
#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vecs; v++)
      sum[r][v] += x[r * ldx] * b[v];
}

/* @rows and @vecs are constants where this is inlined. */
CAM_INLINE void
block (const int rows, const int vecs, const Stripe *s, gsize row)
{
  const CamPackedProduct *p = s->p;
  const float *x = p->x + row * p->ldx, *w = s->w;
  CamVec sum[ROWS][VECTORS];
  int k = p->k, ldw = s->ldw;
  /* a vector at the end of a narrow panel reaches into the rows below it */
  int reach = s->column % CAM_PANEL + vecs * CAM_LANES;
  int whole = k - (reach + ldw - 1) / ldw + 1;

#pragma GCC unroll 16
  for (int r = 0; r < rows; r++)
#pragma GCC unroll 2
    for (int v = 0; v < vecs; v++)
      sum[r][v] = cam_load (s->bias + v * CAM_LANES);
  for (int q = 0; q < whole; q++, w += ldw)
    {
      __builtin_prefetch (w + AHEAD * ldw);
      __builtin_prefetch (w + AHEAD * ldw + 16);
      step (rows, vecs, x + q, p->ldx, w, sum);
    }
  for (int q = MAX (whole, 0); q < k; q++, w += ldw)
    {
      float part[VECTORS * CAM_LANES] = { 0 };

      memcpy (part, w, s->columns * sizeof *w);
      step (rows, vecs, x + q, p->ldx, part, sum);
    }
  if (p->residual)
    add_residual (rows, vecs, s, row, sum);
  write_block (rows, vecs, s, row, sum);
}

#define ROWS_CASE(n)                                                           \
  case n: block (n, vecs, s, row); break;

CAM_INLINE void
any_block (const int vecs, const Stripe *s, gsize row, int rows)
{
  switch (rows)
    {
      ROWS_CASE (1)
      ROWS_CASE (2)
      ROWS_CASE (3)
      ROWS_CASE (4)
      ROWS_CASE (5)
      ROWS_CASE (6)
#if ROWS > 6
      ROWS_CASE (7)
      ROWS_CASE (8)
      ROWS_CASE (9)
      ROWS_CASE (10)
      ROWS_CASE (11)
      ROWS_CASE (12)
      ROWS_CASE (13)
      ROWS_CASE (14)
#endif
    default: break;
    }
}

/* Blocks of rows as equal as they come. */
static void
stripe (const Stripe *s)
{
  gsize rows = s->p->rows, n_blocks = (rows + ROWS - 1) / ROWS, row = 0;

  for (gsize i = 0; i < n_blocks; i++)
    {
      gsize end = rows * (i + 1) / n_blocks;

      if (s->columns > CAM_LANES)
        any_block (2, s, row, (int) (end - row));
      else
        any_block (1, s, row, (int) (end - row));
      row = end;
    }
}

void
CAM_KERNEL (packed_product) (const CamPackedProduct *p)
{
  for (int panel = 0; panel < p->n; panel += CAM_PANEL)
    {
      int width = MIN (p->n - panel, CAM_PANEL);

      for (int at = 0; at < width; at += VECTORS * CAM_LANES)
        {
          Stripe s = {
            p,          p->w + (gsize) panel * p->k + at,      width,
            panel + at, MIN (width - at, VECTORS * CAM_LANES), { 0 }
          };

          if (p->bias)
            memcpy (s.bias, p->bias + s.column, s.columns * sizeof *s.bias);
          stripe (&s);
        }
    }
}
