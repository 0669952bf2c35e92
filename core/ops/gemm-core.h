/* gemm-core.h -- matrix products shared out over the crew; private to core/ops
 */
#pragma once

#include "core/ops/ops.h"

typedef struct
{
  gboolean trans_a, trans_b;
  gint64 m, n, k;
  float alpha, beta;
  gint64 lda, ldb, ldc;
} CamGemm;

/* C = alpha op(A) op(B) + beta C, @batch times: item i takes a + i * step_a
 * and so on.  Items and, where they are large, blocks of rows or columns of C
 * are the tiles. */
void cam_gemm_run (const CamGemm *gemm, CamThreads *threads, gint64 batch,
                   const float *a, gint64 step_a, const float *b, gint64 step_b,
                   float *c, gint64 step_c);
