/* blas.h -- OpenBLAS with the right kernels for this processor, one thread
 *
 * OpenBLAS picks its kernels when it is loaded, and an older one picks its
 * oldest kernels on a newer processor.  cam_blas_prepare_process () is the very
 * first call of main (): it looks at the processor, sets OPENBLAS_CORETYPE and
 * OPENBLAS_NUM_THREADS=1 and runs the program again (once: a guard variable
 * ends a loop), unless the user has set OPENBLAS_CORETYPE or the choice is right
 * already.  cam_blas_check () proves the kernels with a small product against a
 * naive one; where they are wrong the process is run again with the next safer
 * type.
 */
#pragma once

#include <glib.h>

/* First thing in main (); before GLib, GEGL or GIMP are touched.  Returns where
 * nothing has to change or the re-exec is impossible; says on standard error
 * where the kernels are wrong all the same. */
void cam_blas_prepare_process (char **argv);
/* Name of the kernels in use, "SkylakeX" (static). */
const char *cam_blas_kernel (void);
/* Version of OpenBLAS as it names itself (static). */
const char *cam_blas_version (void);
/* Largest relative error of a few small products against naive ones in double;
 * about 1e-6 where all is well. */
double cam_blas_check (void);

/* Whether the work buffers that OpenBLAS maps for @n_threads callers at a time
 * can be had now.  Without them it tries again for ever, so who is about to
 * multiply asks first. */
gboolean cam_blas_has_room (int n_threads);
/* The same, with CAM_TENSOR_ERROR_TOO_LARGE where they cannot. */
gboolean cam_blas_check_room (int n_threads, GError **error);

/* C[m,n] = alpha * op(A) op(B) + beta * C, row-major, as cblas_sgemm, on the
 * caller's thread. */
void cam_sgemm (gboolean trans_a, gboolean trans_b, int m, int n, int k,
                float alpha, const float *a, int lda, const float *b, int ldb,
                float beta, float *c, int ldc);
