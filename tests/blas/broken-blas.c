/* broken-blas.c -- an OpenBLAS that misbehaves, preloaded before the real one
 *
 *   BLAS_OLD=1           names itself Prescott unless OPENBLAS_CORETYPE is set,
 *                        as an old release does on a processor it does not know
 *   BLAS_WRONG=A,B       the kernels of these names multiply wrongly; * for all
 *   BLAS_STARTS=FILE     a line for every start of a program
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef void (*SgemmFunc) (int order, int trans_a, int trans_b, int m, int n,
                           int k, float alpha, const float *a, int lda,
                           const float *b, int ldb, float beta, float *c,
                           int ldc);

char *openblas_get_corename (void);
void cblas_sgemm (int order, int trans_a, int trans_b, int m, int n, int k,
                  float alpha, const float *a, int lda, const float *b, int ldb,
                  float beta, float *c, int ldc);

__attribute__ ((constructor)) static void
count_start (void)
{
  const char *path = getenv ("BLAS_STARTS");
  FILE *file = path ? fopen (path, "a") : NULL;

  if (file)
    {
      fprintf (file, "start\n");
      fclose (file);
    }
}

__attribute__ ((visibility ("default"))) char *
openblas_get_corename (void)
{
  char *(*real) (void) = (char *(*) (void) ) dlsym (RTLD_NEXT,
                                                    "openblas_get_corename");
  char *set = getenv ("OPENBLAS_CORETYPE");

  if (getenv ("BLAS_OLD"))
    return set && *set ? set : "Prescott";
  return real ();
}

__attribute__ ((visibility ("default"))) void
cblas_sgemm (int order, int trans_a, int trans_b, int m, int n, int k,
             float alpha, const float *a, int lda, const float *b, int ldb,
             float beta, float *c, int ldc)
{
  SgemmFunc real = (SgemmFunc) dlsym (RTLD_NEXT, "cblas_sgemm");
  const char *wrong = getenv ("BLAS_WRONG");

  real (order, trans_a, trans_b, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc);
  if (wrong && (*wrong == '*' || strstr (wrong, openblas_get_corename ())))
    c[0] += 1;
}
