/* blas.c -- OpenBLAS, the right kernels of it, one thread a call
 *
 * OpenBLAS reads OPENBLAS_CORETYPE in a constructor, before main (): the only
 * sure way to another choice is to run the program again.  What this file set
 * is written down in a guard variable; a value of OPENBLAS_CORETYPE that the
 * guard does not name is the user's, and stays.
 */
#include <glib/gi18n.h>
#include <cblas.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "core/base/blas.h"
#include "core/base/cpu.h"
#include "core/base/tensor.h"

#define CORETYPE "OPENBLAS_CORETYPE"
#define GUARD "CAMLENS_BLAS_CHOSEN"
#define TOLERANCE 1e-4
#define BUFFER_SIZE (136 << 20) /* OpenBLAS maps up to 128 MiB a caller */

extern char *openblas_get_corename (void);
extern char *openblas_get_config (void);
extern void openblas_set_num_threads (int n_threads);

/* Kernels by worth: a processor of a level wants the best row it can run, and
 * a row whose products are wrong gives way to the next one with `fallback`. */
static const struct
{
  const char *name;
  int worth;
  gboolean fallback;
} kernels[] = {
  { "SapphireRapids", 4, FALSE },
  { "Cooperlake", 4, FALSE },
  { "SkylakeX", 4, TRUE },
  { "Haswell", 3, TRUE },
  { "Zen", 2, FALSE }, /* half of Haswell's speed on narrow products */
  { "Sandybridge", 1, TRUE },
  { "Nehalem", 0, TRUE },
  { "Prescott", 0, TRUE },
};

static int
find_kernel (const char *name)
{
  for (int i = 0; i < (int) G_N_ELEMENTS (kernels); i++)
    if (strcasecmp (kernels[i].name, name) == 0)
      return i;
  return -1;
}

/* Ends only where the program could not be run again. */
static void
run_again (char **argv, const char *kernel)
{
  char path[4096];
  gssize length = readlink ("/proc/self/exe", path, sizeof path - 1);

  if (length <= 0 || !argv || !argv[0])
    return;
  path[length] = 0;
  setenv (CORETYPE, kernel, 1);
  setenv (GUARD, kernel, 1);
  setenv ("OPENBLAS_NUM_THREADS", "1", 1);
  execv (path, argv);
  unsetenv (CORETYPE);
  unsetenv (GUARD);
}

#if defined __x86_64__
/* The kernel to change to, or NULL where the present one is as good. */
static const char *
better_kernel (const char *present)
{
  static const char *const wanted[] = { NULL, "Haswell", "SkylakeX" };
  const char *want = wanted[cam_cpu_level ()];
  int now = find_kernel (present);

  if (!want || (now >= 0 && kernels[now].worth
                              >= kernels[find_kernel (want)].worth))
    return NULL;
  return want;
}

static const char *
safer_kernel (const char *present)
{
  int now = find_kernel (present);

  for (int i = now + 1; i < (int) G_N_ELEMENTS (kernels); i++)
    if (kernels[i].fallback)
      return kernels[i].name;
  return NULL;
}
#else
static const char *
better_kernel (const char *present)
{
  return NULL;
}

static const char *
safer_kernel (const char *present)
{
  return NULL;
}
#endif

gboolean
cam_blas_has_room (int n_threads)
{
  gsize size = (gsize) MAX (n_threads, 1) * BUFFER_SIZE;
  void *room = mmap (NULL, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

  return room != MAP_FAILED && munmap (room, size) == 0;
}

gboolean
cam_blas_check_room (int n_threads, GError **error)
{
  if (cam_blas_has_room (n_threads))
    return TRUE;
  g_set_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE,
               _ ("the memory for matrix products on %d threads is not to be "
                  "had: close other programs, or use fewer threads"),
               n_threads);
  return FALSE;
}

void
cam_blas_prepare_process (char **argv)
{
  const char *set = getenv (CORETYPE), *ours = getenv (GUARD);
  const char *next = NULL;
  gboolean users, wrong;

  if (!cam_blas_has_room (1))
    return; /* who multiplies says so where somebody listens */
  openblas_set_num_threads (1);
  users = set && *set && (!ours || strcmp (set, ours) != 0);
  wrong = cam_blas_check () > TOLERANCE;
  if (wrong && !users)
    next = safer_kernel (cam_blas_kernel ());
  else if (!users && !ours)
    next = better_kernel (cam_blas_kernel ());
  /* down the list only, once each: that ends */
  if (next && (!ours || find_kernel (next) > find_kernel (ours)))
    run_again (argv, next);
  if (wrong)
    fprintf (stderr,
             _ ("camlens: the %s kernels of OpenBLAS give wrong products; set "
                "%s to others\n"),
             cam_blas_kernel (), CORETYPE);
}

const char *
cam_blas_kernel (void)
{
  return openblas_get_corename ();
}

const char *
cam_blas_version (void)
{
  return openblas_get_config ();
}

static double
naive_product (gboolean trans_a, gboolean trans_b, int i, int j, int k,
               const float *a, int lda, const float *b, int ldb)
{
  double sum = 0;

  for (int q = 0; q < k; q++)
    sum += (double) (trans_a ? a[q * lda + i] : a[i * lda + q])
           * (trans_b ? b[j * ldb + q] : b[q * ldb + j]);
  return sum;
}

static double
check_product (gboolean trans_a, gboolean trans_b, int m, int n, int k)
{
  g_autofree float *a = g_new (float, m * k), *b = g_new (float, k * n);
  g_autofree float *c = g_new (float, m * n);
  int lda = trans_a ? m : k, ldb = trans_b ? k : n;
  double worst = 0;

  for (int i = 0; i < m * k; i++)
    a[i] = (i * 7 % 23 - 11) / 11.0f;
  for (int i = 0; i < k * n; i++)
    b[i] = (i * 5 % 19 - 9) / 9.0f;
  cam_sgemm (trans_a, trans_b, m, n, k, 1, a, lda, b, ldb, 0, c, n);
  for (int i = 0; i < m; i++)
    for (int j = 0; j < n; j++)
      {
        double right = naive_product (trans_a, trans_b, i, j, k, a, lda, b,
                                      ldb);
        double error = fabs (c[i * n + j] - right) / (1 + sqrt (k));

        if (!(error <= worst)) /* NaN counts */
          worst = isnan (error) ? INFINITY : error;
      }
  return worst;
}

double
cam_blas_check (void)
{
  static const int sizes[][3]
    = { { 1, 1, 1 }, { 5, 7, 3 }, { 33, 50, 70 }, { 64, 17, 129 } };
  double worst = 0;

  for (gsize i = 0; i < G_N_ELEMENTS (sizes); i++)
    for (int trans = 0; trans < 4; trans++)
      worst = MAX (worst, check_product (trans & 1, trans >> 1, sizes[i][0],
                                         sizes[i][1], sizes[i][2]));
  return worst;
}

void
cam_sgemm (gboolean trans_a, gboolean trans_b, int m, int n, int k,
           float alpha, const float *a, int lda, const float *b, int ldb,
           float beta, float *c, int ldc)
{
  cblas_sgemm (CblasRowMajor, trans_a ? CblasTrans : CblasNoTrans,
               trans_b ? CblasTrans : CblasNoTrans, m, n, k, alpha, a, lda, b,
               ldb, beta, c, ldc);
}
