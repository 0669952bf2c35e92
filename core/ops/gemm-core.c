/* gemm-core.c -- matrix products shared out over the crew */
#include "config.h"

#include "core/ops/gemm-core.h"

#include "core/base/blas.h"

typedef struct
{
  const CamGemm *g;
  const float *a, *b;
  float *c;
  gint64 step_a, step_b, step_c;
  gint64 block, n_blocks; /* of rows, or of columns where by_columns */
  gboolean by_columns;
} Job;

static void
run_tile (gint64 tile, int thread, gpointer data)
{
  const Job *j = data;
  const CamGemm *g = j->g;
  gint64 item = tile / j->n_blocks, begin = tile % j->n_blocks * j->block;
  const float *a = j->a + item * j->step_a, *b = j->b + item * j->step_b;
  float *c = j->c + item * j->step_c;
  gint64 m = g->m, n = g->n;

  if (j->by_columns)
    {
      n = MIN (j->block, n - begin);
      b += g->trans_b ? begin * g->ldb : begin;
      c += begin;
    }
  else
    {
      m = MIN (j->block, m - begin);
      a += g->trans_a ? begin : begin * g->lda;
      c += begin * g->ldc;
    }
  cam_sgemm (g->trans_a, g->trans_b, (int) m, (int) n, (int) g->k, g->alpha, a,
             (int) g->lda, b, (int) g->ldb, g->beta, c, (int) g->ldc);
}

/* Up to eight blocks of a size that keeps BLAS efficient; small products stay
 * whole.  The size follows from the product alone. */
static void
choose_blocks (Job *j, gint64 batch)
{
  gint64 longest = MAX (j->g->m, j->g->n), parts = 8;
  double work = (double) j->g->m * (double) j->g->n * (double) j->g->k;

  j->by_columns = j->g->n >= j->g->m;
  if (work < 1e6 || batch >= 8)
    parts = 1;
  else if (work < 3e7)
    parts = 2;
  j->block = MAX ((longest + parts - 1) / parts, 64);
  j->block = MIN ((j->block + 15) / 16 * 16, MAX (longest, 1));
  j->n_blocks = (longest - 1) / j->block + 1;
}

void
cam_gemm_run (const CamGemm *gemm, CamThreads *threads, gint64 batch,
              const float *a, gint64 step_a, const float *b, gint64 step_b,
              float *c, gint64 step_c)
{
  Job job = { .g = gemm,
              .a = a,
              .b = b,
              .c = c,
              .step_a = step_a,
              .step_b = step_b,
              .step_c = step_c };

  if (gemm->m <= 0 || gemm->n <= 0 || batch <= 0)
    return;
  choose_blocks (&job, batch);
  cam_threads_run (threads, batch * job.n_blocks, run_tile, &job);
}
