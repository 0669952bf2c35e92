/* test-kernels.c -- every kernel of every level against a naive one in double
 *
 * Sizes are drawn from 1, primes and what lies around a vector's length; arrays
 * are exactly as long as the kernel may touch, so that AddressSanitizer sees
 * the first element too many.  Those of Winograd and of groups are tested as
 * convolutions, in test-fused.c: what lies between them has no meaning of its
 * own.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"
#include "core/ops/fused.h"

#define ROUNDS 150
#define TOLERANCE 3e-6 /* of the largest element */

static int
pick (GRand *rand)
{
  static const int sizes[] = { 1,  1,  2,  3,  4,  5,  7,  8, 9,
                               13, 15, 16, 17, 31, 32, 33, 67 };

  return sizes[g_rand_int_range (rand, 0, G_N_ELEMENTS (sizes))];
}

static float *
random_floats (GRand *rand, gsize n)
{
  float *x = g_new (float, n);

  for (gsize i = 0; i < n; i++)
    x[i] = (float) g_rand_double_range (rand, -4, 4);
  return x;
}

/* @least: what the largest element is taken for where it is smaller */
static void
check_of (double least, const float *got, const double *wanted, gsize n,
          const char *what)
{
  double most = least, worst = 0;

  for (gsize i = 0; i < n; i++)
    most = MAX (most, fabs (wanted[i]));
  for (gsize i = 0; i < n; i++)
    {
      double off = fabs (got[i] - wanted[i]) / most;

      worst = off > worst || isnan (off) ? off : worst;
    }
  if (! (worst <= TOLERANCE))
    g_test_message ("%s: off by %g", what, worst);
  g_assert_true (worst <= TOLERANCE);
}

static void
check (const float *got, const double *wanted, gsize n, const char *what)
{
  check_of (1e-3, got, wanted, n, what);
}

static CamActivation
draw_activation (GRand *rand)
{
  static const float numbers[] = { -2.5f, -1, -0.3f, 0, 0.2f, 0.5f, 1, 2.5f };
  CamActivation act = { g_rand_int_range (rand, 0, CAM_N_ACTIVATIONS), 0, 0 };

  act.a = numbers[g_rand_int_range (rand, 0, G_N_ELEMENTS (numbers))];
  act.b = numbers[g_rand_int_range (rand, 0, G_N_ELEMENTS (numbers))];
  return act;
}

static double
activate (const CamActivation *act, double x)
{
  switch (act->kind)
    {
    case CAM_ACTIVATION_RELU: return MAX (x, 0);
    case CAM_ACTIVATION_CLIP: return MIN (MAX (x, act->a), act->b);
    case CAM_ACTIVATION_LEAKY_RELU: return x < 0 ? act->a * x : x;
    case CAM_ACTIVATION_SIGMOID: return 1 / (1 + exp (-x));
    case CAM_ACTIVATION_HARD_SIGMOID: return CLAMP (act->a * x + act->b, 0, 1);
    case CAM_ACTIVATION_SILU: return x / (1 + exp (-x));
    case CAM_ACTIVATION_HARD_SWISH: return x * CLAMP (x / 6 + 0.5, 0, 1);
    case CAM_ACTIVATION_GELU: return x * 0.5 * (1 + erf (x / G_SQRT2));
    case CAM_ACTIVATION_MISH: return x * tanh (log1p (exp (x)));
    default: return x;
    }
}

static void
test_activate (const CamKernels *k, GRand *rand)
{
  gsize n = (gsize) pick (rand), rows = (gsize) pick (rand);
  gsize ldy = n + (gsize) g_rand_int_range (rand, 0, 2) * 5;
  gsize size = (rows - 1) * ldy + n;
  g_autofree float *y = random_floats (rand, size);
  g_autofree double *wanted = g_new (double, size);
  CamActivation act = draw_activation (rand);

  for (gsize i = 0; i < size; i++) /* between the rows: not touched */
    wanted[i] = i % ldy < n ? activate (&act, y[i]) : y[i];
  k->activate (y, ldy, rows, n, &act);
  check (y, wanted, size, "activate");
}

/* What is no number stays none, whatever is made of it; the largest and the
 * least numbers make numbers. */
static void
test_not_a_number (const CamKernels *k, GRand *rand)
{
  const int n = 37;

  for (int kind = 0; kind < CAM_N_ACTIVATIONS; kind++)
    {
      g_autofree float *c = random_floats (rand, n);
      CamActivation act = { kind, 0.2f, 0.5f };

      c[3] = c[20] = c[n - 1] = NAN;
      c[5] = 1e30f;
      c[6] = -1e30f;
      k->activate (c, n, 1, n, &act);
      for (int i = 0; i < n; i++)
        g_assert_true (isnan (c[i]) == (i == 3 || i == 20 || i == n - 1));
    }
}

static void
test_affine (const CamKernels *k, GRand *rand)
{
  int n = pick (rand), rows = pick (rand);
  gsize size = (gsize) (n * rows);
  g_autofree float *x = random_floats (rand, size);
  g_autofree float *y = g_new (float, size);
  g_autofree float *scale = random_floats (rand, (gsize) n);
  g_autofree float *shift = random_floats (rand, (gsize) n);
  g_autofree double *wanted = g_new (double, size);
  gboolean shifted = g_rand_boolean (rand);
  CamActivation act = draw_activation (rand);

  for (gsize i = 0; i < size; i++)
    wanted[i] = activate (&act, (double) x[i] * scale[i % (gsize) n]
                                    + (shifted ? shift[i % (gsize) n] : 0));
  k->affine (y, x, (gsize) rows, n, scale, shifted ? shift : NULL, &act);
  check (y, wanted, size, "affine");
  for (gsize i = 0; i < size; i++)
    wanted[i] = (double) x[i] + y[i];
  k->add (y, x, size);
  check (y, wanted, size, "add");
}

static void
derive (const CamActivation *act, const float *x, const float *dy, gsize n,
        double *wanted)
{
  const double h = 1e-5;

  for (gsize i = 0; i < n; i++)
    wanted[i] = dy[i]
                * (activate (act, x[i] + h) - activate (act, x[i] - h))
                / (2 * h);
}

/* Corners are left out: the derivative there is a choice. */
static gboolean
near_corner (const CamActivation *act, double x)
{
  double a = act->a, b = act->b;
  const double corners[] = { 0, -3, 3, a, b, -b / a, (1 - b) / a };

  for (guint i = 0; i < G_N_ELEMENTS (corners); i++)
    if (fabs (x - corners[i]) < 0.01)
      return TRUE;
  return FALSE;
}

static void
test_activation_backward (const CamKernels *k, GRand *rand)
{
  gsize n = (gsize) (pick (rand) * pick (rand));
  g_autofree float *x = random_floats (rand, n);
  g_autofree float *dy = random_floats (rand, n);
  g_autofree float *y = g_new (float, n);
  g_autofree double *wanted = g_new (double, n);
  CamActivation act = draw_activation (rand);

  for (gsize i = 0; i < n; i++)
    if (near_corner (&act, x[i]))
      x[i] += 0.03f;
  derive (&act, x, dy, n, wanted);
  k->activation_slope (y, dy, x, n, &act);
  check (y, wanted, n, "activation_slope");
  if (! cam_activation_from_output (&act))
    act.kind = CAM_ACTIVATION_RELU;
  derive (&act, x, dy, n, wanted);
  for (gsize i = 0; i < n; i++)
    y[i] = (float) activate (&act, x[i]);
  k->activation_backward (dy, dy, y, n, &act);
  check (dy, wanted, n, "activation_backward");
}

/* Far from 0, slopes are those of a line. */
static void
test_far_slopes (const CamKernels *k, GRand *rand)
{
  const float far[] = { 30, -50, 1e4f, -1e4f, 1e30f, -1e30f, INFINITY,
                        -INFINITY };

  for (int kind = CAM_ACTIVATION_SILU; kind < CAM_N_ACTIVATIONS; kind++)
    {
      CamActivation act = { kind, 0, 0 };
      float x[9], dx[9], dy[9];

      for (int i = 0; i < 8; i++)
        x[i] = far[i];
      for (int i = 0; i < 9; i++)
        dy[i] = 1;
      x[8] = NAN;
      k->activation_slope (dx, dy, x, 9, &act);
      for (int i = 0; i < 8; i++)
        g_assert_cmpfloat_with_epsilon (dx[i], x[i] > 0, 1e-6);
      g_assert_true (isnan (dx[8]));
    }
}

static void
test_sums (const CamKernels *k, GRand *rand)
{
  int n = pick (rand), rows = pick (rand);
  g_autofree float *m = random_floats (rand, (gsize) (rows * n));
  g_autofree float *y = g_new (float, n);
  g_autofree double *wanted = g_new0 (double, n);

  for (int i = 0; i < rows; i++)
    for (int j = 0; j < n; j++)
      wanted[j] += m[i * n + j];
  k->sum_rows (m, (gsize) rows, n, y);
  check (y, wanted, (gsize) n, "sum_rows");
}

static void
test_rows (const CamKernels *k, GRand *rand)
{
  int n = pick (rand), rows = pick (rand);
  gsize size = (gsize) (n * rows);
  g_autofree float *x = random_floats (rand, size);
  g_autofree float *y = g_new (float, size);
  g_autofree float *scale = random_floats (rand, (gsize) n);
  g_autofree float *shift = random_floats (rand, (gsize) n);
  g_autofree double *norm = g_new (double, size);
  g_autofree double *soft = g_new (double, size);

  for (int r = 0; r < rows; r++)
    {
      const float *row = x + r * n;
      double mean = 0, squares = 0, most = row[0], sum = 0;

      for (int i = 0; i < n; i++)
        mean += row[i] / (double) n;
      for (int i = 0; i < n; i++)
        {
          squares += (row[i] - mean) * (row[i] - mean) / n;
          most = MAX (most, row[i]);
        }
      for (int i = 0; i < n; i++)
        sum += exp (row[i] - most);
      for (int i = 0; i < n; i++)
        {
          norm[r * n + i] = (row[i] - mean) / sqrt (squares + 1e-3) * scale[i]
                            + shift[i];
          soft[r * n + i] = exp (row[i] - most) / sum;
        }
    }
  k->layer_norm (y, x, (gsize) rows, n, scale, shift, 1e-3f);
  check (y, norm, size, "layer_norm");
  for (gsize i = 0; i < size; i++)
    norm[i] -= shift[i % (gsize) n];
  k->layer_norm (y, x, (gsize) rows, n, scale, NULL, 1e-3f);
  check (y, norm, size, "layer_norm without a shift");
  k->softmax (x, x, (gsize) rows, n);
  check (x, soft, size, "softmax");
}

typedef struct
{
  CamWindowRow row;
  float *weights, *bias;
  float *pixels;                /* [kernel_h, in_width, channels] */
  const float **rows;           /* some of them NULL              */
  double *product, *most, *sum; /* [out_width, channels] */
  gboolean reaches;             /* every window has a pixel */
} Window;

/* A row whose width follows from a random pad, stride and dilation; @dilated:
 * pooling has none in these kernels' callers but may. */
static void
draw_window (GRand *rand, Window *w)
{
  CamWindowRow *r = &w->row;
  int reach, right = g_rand_int_range (rand, 0, 4);
  gsize line;

  do
    {
      r->channels = pick (rand);
      r->kernel_h = g_rand_int_range (rand, 1, 8);
      r->kernel_w = g_rand_int_range (rand, 1, 8);
      r->stride_w = g_rand_int_range (rand, 1, 4);
      r->dilation_w = g_rand_int_range (rand, 0, 3) ? 1 : 2;
      r->pad_left = g_rand_int_range (rand, 0, 3)
                        ? g_rand_int_range (rand, 0, 4)
                        : g_rand_int_range (rand, 0, 40);
      r->in_width = pick (rand);
      reach = r->in_width + r->pad_left + right
              - (r->kernel_w - 1) * r->dilation_w - 1;
    }
  while (reach < 0);
  r->out_width = reach / r->stride_w + 1;
  line = (gsize) (r->in_width * r->channels);
  w->pixels = random_floats (rand, (gsize) r->kernel_h * line);
  w->weights = random_floats (rand, (gsize) (r->kernel_h * r->kernel_w
                                             * r->channels));
  w->bias = g_rand_boolean (rand) ? random_floats (rand, (gsize) r->channels)
                                  : NULL;
  r->weights = w->weights;
  r->bias = w->bias;
  w->rows = g_new0 (const float *, r->kernel_h);
  for (int i = 0; i < r->kernel_h; i++)
    w->rows[i] = g_rand_int_range (rand, 0, 5) || i == 0
                     ? w->pixels + (gsize) i * line
                     : NULL;
}

static void
naive_window (Window *w)
{
  const CamWindowRow *r = &w->row;
  gsize size = (gsize) (r->out_width * r->channels);

  w->product = g_new0 (double, size);
  w->sum = g_new0 (double, size);
  w->most = g_new (double, size);
  w->reaches = TRUE;
  for (int o = 0; o < r->out_width; o++)
    for (int c = 0; c < r->channels; c++)
      {
        int at = o * r->channels + c;

        w->product[at] = w->bias ? w->bias[c] : 0;
        w->most[at] = -INFINITY;
        for (int y = 0; y < r->kernel_h; y++)
          for (int x = 0; x < r->kernel_w; x++)
            {
              int column = o * r->stride_w - r->pad_left + x * r->dilation_w;
              double v;

              if (! w->rows[y] || column < 0 || column >= r->in_width)
                continue;
              v = w->rows[y][column * r->channels + c];
              w->product[at] +=
                  v * w->weights[(y * r->kernel_w + x) * r->channels + c];
              if (v > w->most[at] || isnan (v))
                w->most[at] = v;
              w->sum[at] += v;
            }
        w->reaches &= isfinite (w->most[at]);
      }
}

static void
clear_window (Window *w)
{
  g_free (w->pixels);
  g_free (w->weights);
  g_free (w->bias);
  g_free (w->rows);
  g_free (w->product);
  g_free (w->sum);
  g_free (w->most);
}

static void
test_window (const CamKernels *k, GRand *rand)
{
  Window w = { { 0 } };
  g_autofree float *out = NULL;
  CamActivation act = draw_activation (rand);
  double most = 1e-3;
  gsize size;

  draw_window (rand, &w);
  naive_window (&w);
  size = (gsize) (w.row.out_width * w.row.channels);
  out = g_new (float, size);
  for (gsize i = 0; i < size; i++)
    {
      most = MAX (most, fabs (w.product[i])); /* an activation may cut it off */
      w.product[i] = activate (&act, w.product[i]);
    }
  k->depthwise_row (&w.row, w.rows, out, &act);
  check_of (most, out, w.product, size, "depthwise_row");
  k->sum_pool_row (&w.row, w.rows, out);
  check (out, w.sum, size, "sum_pool_row");
  k->max_pool_row (&w.row, w.rows, out);
  if (w.reaches)
    check (out, w.most, size, "max_pool_row");
  clear_window (&w);
}

/* Ties, both zeros, infinities and NaN: a NaN that lies in a window is what
 * comes out, wherever it lies. */
static void
test_hard_maximum (const CamKernels *k, GRand *rand)
{
  static const float hard[] = { NAN, -INFINITY, INFINITY, 0, -0.0f, 1 };
  Window w = { { 0 } };
  g_autofree float *out = NULL;
  gsize size, pixels;

  draw_window (rand, &w);
  pixels = (gsize) (w.row.kernel_h * w.row.in_width * w.row.channels);
  for (gsize i = 0; i < pixels; i++)
    if (g_rand_int_range (rand, 0, 3) == 0)
      w.pixels[i] = hard[g_rand_int_range (rand, 0, G_N_ELEMENTS (hard))];
  naive_window (&w);
  size = (gsize) (w.row.out_width * w.row.channels);
  out = g_new (float, size);
  k->max_pool_row (&w.row, w.rows, out);
  for (gsize i = 0; i < size; i++)
    g_assert_true (isnan (w.most[i]) ? isnan (out[i])
                                     : out[i] == (float) w.most[i]);
  clear_window (&w);
}

static guint8
weighted (gint64 sum)
{
  sum += G_GINT64_CONSTANT (1) << (CAM_BYTE_WEIGHT_BITS - 1);
  return (guint8) CLAMP (sum >> CAM_BYTE_WEIGHT_BITS, 0, 255);
}

/* Weights that sum to about 1, some of them negative as cubic ones are */
static void
draw_byte_weights (GRand *rand, int n, gint32 *weights)
{
  for (int i = 0; i < n; i++)
    weights[i] = (gint32) (g_rand_double_range (rand, -0.3, 1.5) / n
                           * (1 << CAM_BYTE_WEIGHT_BITS));
}

static void
test_sum_bytes (const CamKernels *k, GRand *rand)
{
  int n_rows = pick (rand), n = pick (rand) * pick (rand);
  g_autofree guint8 *bytes = g_malloc (n_rows * n), *out = g_malloc (n);
  g_autofree gint32 *weights = g_new (gint32, n_rows);
  g_autofree const guint8 **rows = g_new (const guint8 *, n_rows);

  for (int i = 0; i < n_rows * n; i++)
    bytes[i] = (guint8) g_rand_int_range (rand, 0, 256);
  for (int j = 0; j < n_rows; j++)
    rows[j] = bytes + j * n;
  draw_byte_weights (rand, n_rows, weights);
  k->sum_bytes (rows, weights, n_rows, n, out);
  for (int i = 0; i < n; i++)
    {
      gint64 sum = 0;

      for (int j = 0; j < n_rows; j++)
        sum += (gint64) rows[j][i] * weights[j];
      g_assert_cmpint (out[i], ==, weighted (sum));
    }
}

static void
test_resample_rgb (const CamKernels *k, GRand *rand)
{
  int width = pick (rand), n = pick (rand), capacity = MIN (width, 7);
  g_autofree guint8 *in = g_malloc (width * 3 + 1), *out = g_malloc (n * 3);
  g_autofree int *start = g_new (int, n), *count = g_new (int, n);
  g_autofree gint32 *weights = g_new0 (gint32, n * capacity);
  CamByteSums sums = { n, capacity, start, count, weights };

  for (int i = 0; i < width * 3 + 1; i++)
    in[i] = (guint8) g_rand_int_range (rand, 0, 256);
  for (int i = 0; i < n; i++)
    {
      count[i] = g_rand_int_range (rand, 1, capacity + 1);
      start[i] = g_rand_int_range (rand, 0, width - count[i] + 1);
      draw_byte_weights (rand, count[i], weights + i * capacity);
    }
  k->resample_rgb (&sums, in, out);
  for (int i = 0; i < 3 * n; i++)
    {
      gint64 sum = 0;

      for (int j = 0; j < count[i / 3]; j++)
        sum += (gint64) in[(start[i / 3] + j) * 3 + i % 3]
               * weights[i / 3 * capacity + j];
      g_assert_cmpint (out[i], ==, weighted (sum));
    }
}

/* A mean a thousand deviations large costs no more than the input's own digits;
 * what is no number makes its row none, and no other. */
static void
test_odd_rows (const CamKernels *k, GRand *rand)
{
  enum { N = 45 };
  float x[3 * N], y[3 * N], scale[N];
  double wanted[N], mean = 0, squares = 0;

  for (int i = 0; i < N; i++)
    {
      x[i] = (float) (1000 + g_rand_double (rand));
      scale[i] = 1;
      mean += x[i] / (double) N;
    }
  for (int i = 0; i < N; i++)
    squares += (x[i] - mean) * (x[i] - mean) / N;
  for (int i = 0; i < N; i++)
    wanted[i] = (x[i] - mean) / sqrt (squares);
  k->layer_norm (y, x, 1, N, scale, NULL, 0);
  check (y, wanted, N, "layer_norm of a large mean");
  for (int i = 0; i < 3 * N; i++)
    x[i] = (float) g_rand_double (rand);
  x[N + 40] = NAN;
  x[2 * N + 3] = -INFINITY;
  k->softmax (y, x, 3, N);
  for (int i = 0; i < 3 * N; i++)
    g_assert_true (isnan (y[i]) == (i >= N && i < 2 * N));
  g_assert_cmpfloat (y[2 * N + 3], <, 1e-37);
}

typedef struct
{
  const char *name;
  void (*func) (const CamKernels *k, GRand *rand);
} Kernel;

static const Kernel kernels[] = {
  { "activate", test_activate },
  { "activate what is no number", test_not_a_number },
  { "affine, add", test_affine },
  { "activation_backward, activation_slope", test_activation_backward },
  { "activation_slope far from 0", test_far_slopes },
  { "sum_rows", test_sums },
  { "layer_norm, softmax", test_rows },
  { "layer_norm of a large mean, softmax of what is no number", test_odd_rows },
  { "depthwise_row, max_pool_row, sum_pool_row", test_window },
  { "max_pool_row of what is no number", test_hard_maximum },
  { "sum_bytes", test_sum_bytes },
  { "resample_rgb", test_resample_rgb },
};

static void
test_kernel (gconstpointer data)
{
  const Kernel *kernel = data;

  for (int level = CAM_CPU_BASELINE; level <= CAM_CPU_V4; level++)
    {
      const CamKernels *k = cam_kernels_for (level);
      g_autoptr (GRand) rand = g_rand_new_with_seed (21);

      g_test_message ("%s%s", cam_cpu_level_name (level),
                      k ? "" : ": not on this processor");
      for (int i = 0; k && i < ROUNDS; i++)
        kernel->func (k, rand);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (guint i = 0; i < G_N_ELEMENTS (kernels); i++)
    {
      g_autofree char *path = g_strconcat ("/kernels/", kernels[i].name, NULL);

      g_test_add_data_func (path, &kernels[i], test_kernel);
    }
  return g_test_run ();
}
