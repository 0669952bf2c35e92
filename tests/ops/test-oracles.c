/* test-oracles.c -- forward against naive loops in double, shapes at random
 *
 * Shapes are drawn from 1, small primes and powers of two, with pads up to
 * larger than the picture, and are written into the test's messages.  What must
 * be refused is refused with an error that names node, operator and opset.
 */
#include "config.h"

#include <math.h>
#include <string.h>

#include "tests/ops/case.h"

#define ROUNDS 60
#define TOLERANCE 2e-6 /* of the largest element */

static int
pick (GRand *rand)
{
  static const int sizes[] = { 1, 1, 2, 3, 4, 5, 7, 8, 11, 13, 16 };

  return sizes[g_rand_int_range (rand, 0, G_N_ELEMENTS (sizes))];
}

static int
upto (GRand *rand, int low, int high)
{
  return g_rand_int_range (rand, low, high + 1);
}

static void
check (const CamTensor *got, const double *wanted, const char *what)
{
  double most = 1e-3, worst = 0;

  for (gsize i = 0; i < got->n_elements; i++)
    most = MAX (most, fabs (wanted[i]));
  for (gsize i = 0; i < got->n_elements; i++)
    {
      double off = fabs (cam_tensor_f32 (got)[i] - wanted[i]) / most;

      worst = off > worst || isnan (off) ? off : worst;
    }
  if (! (worst <= TOLERANCE))
    g_test_message ("%s: off by %g", what, worst);
  g_assert_true (worst <= TOLERANCE);
}

/* A case that must be accepted, run with a crew of two. */
static Case *
run (const char *type, int opset, const char *inputs, const char *attributes)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (CamThreads) crew = cam_threads_new (2);
  Case *c = case_new (type, opset, inputs, attributes, 1, &error);

  if (error)
    g_test_message ("%s %s: %s", inputs, attributes, error->message);
  g_assert_no_error (error);
  case_forward (c, crew);
  return c;
}

typedef struct
{
  int n, c, m, groups, in[2], k[2], s[2], d[2], pad[4], out[2];
} Shape;

/* One whose kernel fits. */
static void
draw (GRand *rand, Shape *z)
{
  do
    {
      z->groups = upto (rand, 1, 3);
      z->n = upto (rand, 1, 3);
      z->c = z->groups * pick (rand);
      z->m = z->groups * pick (rand);
      for (int i = 0; i < 2; i++)
        {
          z->in[i] = pick (rand);
          z->k[i] = upto (rand, 1, 5);
          z->s[i] = upto (rand, 1, 3);
          z->d[i] = upto (rand, 1, 3);
          z->pad[i] = upto (rand, 0, 1) ? upto (rand, 0, 20) : 0;
          z->pad[i + 2] = upto (rand, 0, 2);
          z->out[i] = z->in[i] + z->pad[i] + z->pad[i + 2]
                      - (z->k[i] - 1) * z->d[i] - 1;
        }
    }
  while (z->out[0] < 0 || z->out[1] < 0);
  for (int i = 0; i < 2; i++)
    z->out[i] = z->out[i] / z->s[i] + 1;
}

/* y[n, m, oh, ow] += w[m, c, kh, kw] x[n, c, ih, iw] over all that is inside;
 * @back: x += w y, the transpose. */
static void
convolve (const Shape *z, const float *w, const float *from, double *to,
          gboolean back)
{
  int cg = z->c / z->groups, mg = z->m / z->groups;

  for (int n = 0; n < z->n; n++)
    for (int m = 0; m < z->m; m++)
      for (int c = 0; c < cg; c++)
        for (int oh = 0; oh < z->out[0]; oh++)
          for (int ow = 0; ow < z->out[1]; ow++)
            for (int kh = 0; kh < z->k[0]; kh++)
              for (int kw = 0; kw < z->k[1]; kw++)
                {
                  int ih = oh * z->s[0] - z->pad[0] + kh * z->d[0];
                  int iw = ow * z->s[1] - z->pad[1] + kw * z->d[1];
                  int channel = n * z->c + m / mg * cg + c;
                  int y = ((n * z->m + m) * z->out[0] + oh) * z->out[1] + ow;
                  int x = (channel * z->in[0] + ih) * z->in[1] + iw;
                  int v = ((m * cg + c) * z->k[0] + kh) * z->k[1] + kw;

                  if (ih < 0 || iw < 0 || ih >= z->in[0] || iw >= z->in[1])
                    continue;
                  if (back)
                    to[x] += (double) w[v] * from[y];
                  else
                    to[y] += (double) w[v] * from[x];
                }
}

static void
test_conv (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);

  for (int round = 0; round < ROUNDS; round++)
    {
      Shape z;
      g_autofree char *inputs = NULL, *attributes = NULL;
      g_autofree double *wanted = NULL;

      draw (rand, &z);
      inputs = g_strdup_printf ("x%d,%d,%d,%d w%d,%d,%d,%d w%d", z.n, z.c,
                                z.in[0], z.in[1], z.m, z.c / z.groups, z.k[0],
                                z.k[1], z.m);
      attributes = g_strdup_printf ("group=%d strides=%d,%d dilations=%d,%d "
                                    "pads=%d,%d,%d,%d",
                                    z.groups, z.s[0], z.s[1], z.d[0], z.d[1],
                                    z.pad[0], z.pad[1], z.pad[2], z.pad[3]);
      {
        g_autoptr (Case) c = run ("Conv", 13, inputs, attributes);
        gsize area = (gsize) (z.out[0] * z.out[1]);

        g_assert_cmpuint (c->outputs[0]->n_elements, ==,
                          (gsize) (z.n * z.m) * area);
        wanted = g_new (double, c->outputs[0]->n_elements);
        for (gsize i = 0; i < c->outputs[0]->n_elements; i++)
          wanted[i] = cam_tensor_f32 (c->inputs[2])[i / area % (gsize) z.m];
        convolve (&z, cam_tensor_f32 (c->inputs[1]),
                  cam_tensor_f32 (c->inputs[0]), wanted, FALSE);
        check (c->outputs[0], wanted, inputs);
      }
    }
}

/* Its picture is the convolution's output: in and out change places. */
static void
test_conv_transpose (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (4);

  for (int round = 0; round < ROUNDS; round++)
    {
      Shape z;
      g_autofree char *inputs = NULL, *attributes = NULL;
      g_autofree double *wanted = NULL;
      int extra[2];

      draw (rand, &z);
      for (int i = 0; i < 2; i++)
        {
          int full = (z.out[i] - 1) * z.s[i] + (z.k[i] - 1) * z.d[i] + 1;

          /* what the transposed convolution gives without output_padding */
          extra[i] = z.in[i] - (full - z.pad[i] - z.pad[i + 2]);
        }
      inputs = g_strdup_printf ("x%d,%d,%d,%d w%d,%d,%d,%d", z.n, z.m, z.out[0],
                                z.out[1], z.m, z.c / z.groups, z.k[0], z.k[1]);
      attributes = g_strdup_printf ("group=%d strides=%d,%d dilations=%d,%d "
                                    "pads=%d,%d,%d,%d "
                                    "output_padding=%d,%d",
                                    z.groups, z.s[0], z.s[1], z.d[0], z.d[1],
                                    z.pad[0], z.pad[1], z.pad[2], z.pad[3],
                                    extra[0], extra[1]);
      {
        g_autoptr (Case) c = run ("ConvTranspose", 13, inputs, attributes);

        wanted = g_new0 (double, c->outputs[0]->n_elements);
        g_assert_cmpint (c->outputs[0]->shape.dims[2], ==, z.in[0]);
        g_assert_cmpint (c->outputs[0]->shape.dims[3], ==, z.in[1]);
        convolve (&z, cam_tensor_f32 (c->inputs[1]),
                  cam_tensor_f32 (c->inputs[0]), wanted, TRUE);
        check (c->outputs[0], wanted, inputs);
      }
    }
}

static void
test_pool (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (5);
  static const char *const types[] = { "MaxPool", "AveragePool", "LpPool" };

  for (int round = 0; round < 3 * ROUNDS; round++)
    {
      const char *type = types[round % 3];
      int include = round % 3 == 1 && round % 2;
      Shape z;
      g_autofree char *inputs = NULL, *attributes = NULL;
      g_autofree double *wanted = NULL;

      draw (rand, &z);
      for (int i = 0; i < 4; i++) /* a pad below the reach, as PyTorch asks */
        z.pad[i] = MIN (z.pad[i], (z.k[i % 2] - 1) / 2);
      for (int i = 0; i < 2; i++)
        {
          z.in[i] += 12;
          z.out[i] = (z.in[i] + z.pad[i] + z.pad[i + 2] - (z.k[i] - 1) * z.d[i]
                      - 1)
                         / z.s[i]
                     + 1;
        }
      inputs = g_strdup_printf ("x%d,%d,%d,%d", z.n, z.c, z.in[0], z.in[1]);
      attributes = g_strdup_printf (
          "kernel_shape=%d,%d strides=%d,%d dilations=%d,%d pads=%d,%d,%d,%d%s",
          z.k[0], z.k[1], z.s[0], z.s[1], z.d[0], z.d[1], z.pad[0], z.pad[1],
          z.pad[2], z.pad[3], include ? " count_include_pad=1" : "");
      {
        g_autoptr (Case) c = run (type, 19, inputs, attributes);
        const float *x = cam_tensor_f32 (c->inputs[0]);

        wanted = g_new (double, c->outputs[0]->n_elements);
        for (gsize i = 0; i < c->outputs[0]->n_elements; i++)
          {
            int ow = (int) i % z.out[1], oh = (int) i / z.out[1] % z.out[0];
            int channel = (int) i / z.out[1] / z.out[0], count = 0;
            double sum = 0, most = -INFINITY;

            for (int k = 0; k < z.k[0] * z.k[1]; k++)
              {
                int ih = oh * z.s[0] - z.pad[0] + k / z.k[1] * z.d[0];
                int iw = ow * z.s[1] - z.pad[1] + k % z.k[1] * z.d[1];
                double v;

                if (ih < 0 || iw < 0 || ih >= z.in[0] || iw >= z.in[1])
                  continue;
                v = x[(channel * z.in[0] + ih) * z.in[1] + iw];
                most = MAX (most, v);
                sum += *type == 'L' ? v * v : v;
                count++;
              }
            wanted[i] = *type == 'M' ? most
                        : *type == 'L'
                            ? sqrt (sum)
                            : sum / (include ? z.k[0] * z.k[1] : count);
          }
        check (c->outputs[0], wanted, inputs);
      }
    }
}

static void
test_matmul (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (6);

  for (int round = 0; round < ROUNDS; round++)
    {
      int batch = pick (rand), m = pick (rand) * 5, k = pick (rand) * 9;
      int n = pick (rand) * 7, shared = upto (rand, 0, 2);
      g_autofree char *inputs = g_strdup_printf ("x%d,%d,%d w%d,%d,%d",
                                                 shared == 1 ? 1 : batch, m, k,
                                                 shared == 2 ? 1 : batch, k, n);
      g_autoptr (Case) c = run ("MatMul", 13, inputs, "");
      g_autofree double *wanted = g_new0 (double, c->outputs[0]->n_elements);

      for (int i = 0; i < batch * m * n; i++)
        for (int e = 0; e < k; e++)
          {
            int b = i / n / m;
            int row = (shared == 1 ? 0 : b) * m + i / n % m;
            int at = ((shared == 2 ? 0 : b) * k + e) * n + i % n;

            wanted[i] += (double) cam_tensor_f32 (c->inputs[0])[row * k + e]
                         * cam_tensor_f32 (c->inputs[1])[at];
          }
      check (c->outputs[0], wanted, inputs);
    }
}

static void
test_gemm (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);

  for (int round = 0; round < ROUNDS; round++)
    {
      int m = pick (rand) * 3, k = pick (rand) * 9, n = pick (rand) * 7;
      int ta = upto (rand, 0, 1), tb = upto (rand, 0, 1);
      g_autofree char *inputs = g_strdup_printf ("x%d,%d w%d,%d w%d",
                                                 ta ? k : m, ta ? m : k,
                                                 tb ? n : k, tb ? k : n, n);
      g_autofree char *attributes =
          g_strdup_printf ("transA=%d transB=%d alpha=0.5 beta=1.5", ta, tb);
      g_autoptr (Case) c = run ("Gemm", 13, inputs, attributes);
      g_autofree double *wanted = g_new0 (double, c->outputs[0]->n_elements);
      const float *a = cam_tensor_f32 (c->inputs[0]);
      const float *b = cam_tensor_f32 (c->inputs[1]);

      for (int i = 0; i < m * n; i++)
        {
          int row = i / n, column = i % n;

          wanted[i] = 1.5 * cam_tensor_f32 (c->inputs[2])[column];
          for (int e = 0; e < k; e++)
            wanted[i] += 0.5 * a[ta ? e * m + row : row * k + e]
                         * b[tb ? column * k + e : e * n + column];
        }
      check (c->outputs[0], wanted, inputs);
    }
}

/* Rows of @n, the inner of three dimensions: softmax and layer norm. */
static void
test_rows (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (8);

  for (int round = 0; round < ROUNDS; round++)
    {
      int rows = pick (rand) * pick (rand), n = pick (rand) * pick (rand);
      g_autofree char *inputs = g_strdup_printf ("x%d,%d w%d w%d", rows, n, n,
                                                 n);
      g_autofree char *first = g_strdup_printf ("x%d,%d", rows, n);
      g_autoptr (Case) norm = run ("LayerNormalization", 17, inputs, "");
      g_autoptr (Case) soft = run ("Softmax", 13, first, "");
      g_autoptr (Case) logs = run ("LogSoftmax", 13, first, "");
      g_autofree double *a = g_new (double, rows * n);
      g_autofree double *b = g_new (double, rows * n);
      g_autofree double *l = g_new (double, rows * n);

      for (int r = 0; r < rows; r++)
        {
          const float *x = cam_tensor_f32 (norm->inputs[0]) + r * n;
          const float *y = cam_tensor_f32 (soft->inputs[0]) + r * n;
          double mean = 0, squares = 0, sum = 0, most = y[0];

          for (int i = 0; i < n; i++)
            mean += x[i] / (double) n;
          for (int i = 0; i < n; i++)
            squares += (x[i] - mean) * (x[i] - mean) / n;
          for (int i = 0; i < n; i++)
            most = MAX (most, y[i]);
          for (int i = 0; i < n; i++)
            sum += exp (y[i] - most);
          for (int i = 0; i < n; i++)
            {
              a[r * n + i] = (x[i] - mean) / sqrt (squares + 1e-5)
                                 * cam_tensor_f32 (norm->inputs[1])[i]
                             + cam_tensor_f32 (norm->inputs[2])[i];
              b[r * n + i] = exp (y[i] - most) / sum;
              l[r * n + i] = y[i] - most - log (sum);
            }
        }
      check (norm->outputs[0], a, inputs);
      check (soft->outputs[0], b, first);
      check (logs->outputs[0], l, first);
    }
}

static void
test_reduce (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (9);

  for (int round = 0; round < ROUNDS; round++)
    {
      int d[4] = { pick (rand), pick (rand), pick (rand), pick (rand) };
      int mask = upto (rand, 1, 15), n = d[0] * d[1] * d[2] * d[3], m = 1;
      g_autofree char *inputs = g_strdup_printf ("x%d,%d,%d,%d", d[0], d[1],
                                                 d[2], d[3]);
      g_autoptr (GString) axes = g_string_new ("axes=");
      g_autofree double *wanted = NULL;

      for (int i = 0; i < 4; i++)
        if (mask >> i & 1)
          g_string_append_printf (axes, "%d,", i - (round % 2 ? 4 : 0));
        else
          m *= d[i];
      {
        g_autoptr (Case) c = run ("ReduceMean", 13, inputs, axes->str);

        g_assert_cmpuint (c->outputs[0]->n_elements, ==, (gsize) m);
        wanted = g_new0 (double, m);
        for (int i = 0; i < n; i++)
          {
            int rest = i, to = 0, step = 1;

            for (int k = 3; k >= 0; k--)
              {
                to += mask >> k & 1 ? 0 : rest % d[k] * step;
                step *= mask >> k & 1 ? 1 : d[k];
                rest /= d[k];
              }
            wanted[to] += cam_tensor_f32 (c->inputs[0])[i] / ((double) n / m);
          }
        check (c->outputs[0], wanted, inputs);
      }
    }
}

static void
test_transpose (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (10);

  for (int round = 0; round < ROUNDS; round++)
    {
      int d[4], p[4] = { 0, 1, 2, 3 };
      g_autofree char *inputs = NULL, *perm = NULL;
      g_autofree double *wanted = NULL;

      for (int i = 0; i < 4; i++)
        {
          int k = upto (rand, 0, i), was = p[k];

          d[i] = pick (rand) * upto (rand, 1, 5);
          p[k] = p[i];
          p[i] = was;
        }
      inputs = g_strdup_printf ("w%d,%d,%d,%d", d[0], d[1], d[2], d[3]);
      perm = g_strdup_printf ("perm=%d,%d,%d,%d", p[0], p[1], p[2], p[3]);
      {
        g_autoptr (Case) c = run ("Transpose", 13, inputs, perm);
        gsize n = c->outputs[0]->n_elements;

        wanted = g_new (double, n);
        for (gsize i = 0; i < n; i++)
          {
            int at[4], rest = (int) i;

            for (int k = 3; k >= 0; k--)
              {
                at[p[k]] = rest % d[p[k]];
                rest /= d[p[k]];
              }
            wanted[i] = cam_tensor_f32 (c->inputs[0])
                [((at[0] * d[1] + at[1]) * d[2] + at[2]) * d[3] + at[3]];
          }
        check (c->outputs[0], wanted, inputs);
      }
    }
}

/* What must be refused, and a word that the error must have. */
static const struct
{
  const char *type;
  int opset;
  const char *inputs, *attributes, *word;
} refused[] = {
  { "Conv", 13, "x0,3,4,4 w2,3,1,1", "", "empty" },
  { "Conv", 13, "x1,3,4,4 w2,3,5,5", "", "window" },
  { "Conv", 13, "x1,4,4,4 w2,3,1,1", "", "groups" },
  { "Conv", 13, "x1,4,4,4 w3,2,1,1", "group=2", "groups" },
  { "Conv", 13, "x1,3,4,4 w2,3,1,1", "auto_pad=WRONG", "auto_pad" },
  { "Conv", 13, "x1,3,4,4 w2,3,1,1", "pads=-1,0,0,0", "pads" },
  { "Conv", 13, "x1,3,4,4 w2,3,1,1", "strides=0,1", "strides" },
  { "Conv", 13, "x1,3,4,4 w2,3,1,1", "unheard_of=1", "unheard_of" },
  { "MaxPool", 13, "x0,3,4,4", "kernel_shape=2,2", "empty" },
  { "AveragePool", 13, "x1,3,4,4", "kernel_shape=2,2 dilations=2,2",
    "dilations" },
  { "MatMul", 13, "x2,3 w4,5", "", "fit" },
  { "MatMul", 13, "x0,3 w3,5", "", "empty" },
  { "Gemm", 13, "x2,3 w4,5", "", "fit" },
  { "Einsum", 12, "x2,3 w4,5", "equation=ij,jk->ik", "different sizes" },
  { "Einsum", 12, "x2,3", "equation=ij,jk->ik", "more inputs" },
  { "Einsum", 12, "x2,3 w3", "equation=ij->i", "fewer" },
  { "Einsum", 12, "x2,3", "equation=ijk->i", "dimensions" },
  { "Einsum", 12, "x2,3", "equation=ij->ik", "in no input" },
  { "Einsum", 12, "x2,3", "equation=i?->i", "not understood" },
  { "Einsum", 12, "x2,3", "", "equation" },
  { "Einsum", 12, "x2,0", "equation=ij->i", "empty" },
  { "Add", 13, "x2,3 w4", "", "fit" },
  { "BatchNormalization", 15, "x1,3,2 w3 w3 w3 v3", "training_mode=1",
    "training_mode" },
  { "Reshape", 13, "x2,3 i:4,-1", "", "shape" },
  { "Reshape", 13, "x2,3 i:-1,-1", "", "size" },
  { "Squeeze", 13, "x2,3 i:0", "", "left out" },
  { "Transpose", 13, "x2,3", "perm=0,0", "perm" },
  { "Concat", 13, "x2,3 x3,2", "axis=0", "joined" },
  { "Split", 18, "x5", "num_outputs=2", "split" },
  { "Slice", 13, "x5 i:0 i:3 i:0 i:0", "", "step" },
  { "Gather", 13, "x5 i:5", "", "outside" },
  { "Pad", 13, "x5 i:1,1", "mode=wrap", "wrap" },
  { "Pad", 13, "x5 i:-6,1", "", "pads" },
  { "Resize", 13, "x1,1,4,4 - f:1,1,2,2", "mode=lanczos", "mode" },
  { "Resize", 13, "x1,1,4,4 - f:1,1,0,2", "", "resized" },
  { "Tile", 13, "x2,3 i:9223372036854775807,2", "", "shape" },
  { "Expand", 13, "x2,3 i:4,3", "", "fit" },
  { "HardSwish", 13, "x3", "", "HardSwish" },
  { "Gelu", 20, "x3", "approximate=erf", "approximate" },
};

static void
test_refused (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (refused); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *opset = g_strdup_printf ("opset %d", refused[i].opset);
      Case *c = case_new (refused[i].type, refused[i].opset, refused[i].inputs,
                          refused[i].attributes, 1, &error);

      g_test_message ("%s", error ? error->message : refused[i].type);
      g_assert_null (c);
      g_assert_true (error->domain == CAM_GRAPH_ERROR);
      g_assert_nonnull (strstr (error->message, refused[i].word));
      g_assert_nonnull (strstr (error->message, refused[i].type));
      g_assert_nonnull (strstr (error->message, opset));
      g_assert_nonnull (strstr (error->message, "'node'"));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/ops/oracle/conv", test_conv);
  g_test_add_func ("/ops/oracle/conv-transpose", test_conv_transpose);
  g_test_add_func ("/ops/oracle/pool", test_pool);
  g_test_add_func ("/ops/oracle/matmul", test_matmul);
  g_test_add_func ("/ops/oracle/gemm", test_gemm);
  g_test_add_func ("/ops/oracle/rows", test_rows);
  g_test_add_func ("/ops/oracle/reduce", test_reduce);
  g_test_add_func ("/ops/oracle/transpose", test_transpose);
  g_test_add_func ("/ops/refused", test_refused);
  return g_test_run ();
}
