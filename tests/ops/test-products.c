/* test-products.c -- products by packed weights, at every level that this
 * processor has, against naive loops in double
 *
 * Sizes are drawn from 1, primes and what lies just beside multiples of the
 * vectors' width; buffers end where the data ends, so that a sanitizer sees
 * what reaches too far; what lies between rows must stay untouched.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"

#define ROUNDS 80
#define TOLERANCE 2e-6 /* of the sum of absolute terms */
#define UNTOUCHED 12345.0f

typedef struct
{
  const CamKernels *kernels;
  GRand *rand;
} Setting;

static int
pick (Setting *s)
{
  static const int sizes[] = { 1,  2,  3,  5,  7,  8,  13, 15, 16, 17, 24,
                               29, 31, 32, 33, 40, 47, 48, 64, 65, 97 };

  return sizes[g_rand_int_range (s->rand, 0, G_N_ELEMENTS (sizes))];
}

static gboolean
toss (Setting *s)
{
  return g_rand_boolean (s->rand);
}

static float *
random_floats (Setting *s, gsize n)
{
  float *values = g_new (float, MAX (n, 1));

  for (gsize i = 0; i < n; i++)
    values[i] = (float) g_rand_double_range (s->rand, -1, 1);
  return values;
}

static void
close_to (float got, double wanted, double scale, const char *what)
{
  double off = fabs (got - wanted) / (scale + 1);

  if (! (off <= TOLERANCE))
    g_test_message ("%s: %g, not %g", what, got, wanted);
  g_assert_true (off <= TOLERANCE);
}

static double
clip (double x, double low, double high)
{
  return x < low ? low : x > high ? high : x;
}

/* [k, n] in panels of CAM_PANEL columns, as product.c says */
static float *
pack (const float *w, int k, int n)
{
  float *packed = g_new (float, k * n), *to = packed;

  for (int panel = 0; panel < n; panel += CAM_PANEL)
    for (int q = 0; q < k; q++)
      for (int j = panel; j < MIN (panel + CAM_PANEL, n); j++)
        *to++ = w[q * n + j];
  return packed;
}

static void
check_product (const CamPackedProduct *p, const float *w)
{
  for (gsize i = 0; i < p->rows; i++)
    for (int j = 0; j < (int) p->ldy; j++)
      {
        double sum = 0, scale = 0;

        if (j >= p->n)
          {
            if (i + 1 < p->rows)
              g_assert_cmpfloat (p->y[i * p->ldy + j], ==, UNTOUCHED);
            continue;
          }
        for (int q = 0; q < p->k; q++)
          {
            double term = (double) p->x[i * p->ldx + q] * w[q * p->n + j];

            sum += term;
            scale += fabs (term);
          }
        sum += p->bias ? p->bias[j] : 0;
        sum += p->residual ? p->residual[i * p->ld_residual + j] : 0;
        close_to (p->y[i * p->ldy + j], clip (sum, p->low, p->high), scale,
                  "packed product");
      }
}

static void
one_product (Setting *s, gsize rows, int k, int n)
{
  gsize ldx = k + (toss (s) ? 5 : 0), ldy = n + (toss (s) ? 3 : 0);
  gboolean clipped = toss (s);
  gsize n_y = (rows - 1) * ldy + n;
  g_autofree float *x = random_floats (s, (rows - 1) * ldx + k);
  g_autofree float *w = random_floats (s, (gsize) k * n);
  g_autofree float *packed = pack (w, k, n);
  g_autofree float *bias = toss (s) ? random_floats (s, n) : NULL;
  g_autofree float *residual = toss (s) ? random_floats (s, rows * n) : NULL;
  g_autofree float *y = g_new (float, n_y);
  CamPackedProduct p = { .rows = rows,
                         .k = k,
                         .n = n,
                         .x = x,
                         .ldx = ldx,
                         .w = packed,
                         .bias = bias,
                         .residual = residual,
                         .ld_residual = n,
                         .y = y,
                         .ldy = ldy,
                         .low = clipped ? -0.5f : -INFINITY,
                         .high = clipped ? 0.75f : INFINITY };

  for (gsize i = 0; i < n_y; i++)
    y[i] = UNTOUCHED;
  s->kernels->packed_product (&p);
  check_product (&p, w);
}

static void
test_product (gconstpointer level)
{
  Setting s = { cam_kernels_for (GPOINTER_TO_INT (level)),
                g_rand_new_with_seed (1) };

  for (int rows = 1; rows <= 31; rows++) /* every height of a block */
    one_product (&s, rows, 9, 40);
  for (int n = 1; n <= 70; n++) /* every width of a stripe */
    one_product (&s, 3, 1 + n % 4, n);
  for (int i = 0; i < ROUNDS; i++)
    one_product (&s, pick (&s), pick (&s), pick (&s));
  one_product (&s, 20, 2304, 33);
  g_rand_free (s.rand);
}

/* What is not a number stays so, whatever it is clipped to. */
static void
test_product_nan (gconstpointer level)
{
  const CamKernels *kernels = cam_kernels_for (GPOINTER_TO_INT (level));
  float x[2] = { NAN, 1 }, w[2 * 3] = { 1, 2, 3, 4, 5, 6 }, y[3] = { 0 };
  CamPackedProduct p = { .rows = 1,
                         .k = 2,
                         .n = 3,
                         .x = x,
                         .ldx = 2,
                         .w = w,
                         .y = y,
                         .ldy = 3,
                         .low = 0,
                         .high = 6 };

  kernels->packed_product (&p);
  for (int j = 0; j < 3; j++)
    g_assert_true (isnan (y[j]));
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    void (*func) (gconstpointer level);
  } tests[] = { { "shapes", test_product }, { "nan", test_product_nan } };

  g_test_init (&argc, &argv, NULL);
  for (int level = CAM_CPU_BASELINE; cam_kernels_for (level); level++)
    for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
      {
        g_autofree char *path = g_strdup_printf ("/products/%s/%s",
                                                 cam_cpu_level_name (level),
                                                 tests[i].name);

        g_test_add_data_func (path, GINT_TO_POINTER (level), tests[i].func);
      }
  return g_test_run ();
}
