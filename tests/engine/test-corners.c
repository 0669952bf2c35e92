/* test-corners.c [FIRST COUNT] -- where two numbers are equal or one is none
 *
 * test-random.c keeps away from kinks, as rounding decides there which way a
 * gradient goes.  Here nothing is rounded differently: each number is made from
 * one other, so that ties, both zeros, infinities and NaN come to activations
 * and pools as they are, in optimised plans as in plain ones.  Every attribute is
 * drawn from negative, 0, 1, above 1 and large; every output of every node is
 * read, of several pictures together and apart, and the gradient at every
 * tensor.  A failure prints the network; its number draws it again.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/engine/text-network.h"

#define NETWORKS 150
#define NODES 5
#define TOLERANCE 1e-5 /* of a number, or of 1 where it is less */

typedef struct
{
  GRand *rand;
  GString *text;
  int n, channels, height, width; /* tensors so far; the last one's sizes */
} Maker;

static int
upto (Maker *m, int low, int high)
{
  return g_rand_int_range (m->rand, low, high + 1);
}

/* Not a power of two, so that a product tells the order of its factors */
static double
attribute (Maker *m)
{
  static const double drawn[] = { -40, -1.7, -1, -0.3, 0, 0.3, 1, 1.7, 40 };

  return drawn[upto (m, 0, G_N_ELEMENTS (drawn) - 1)];
}

static void
put_activation (Maker *m)
{
  static const struct
  {
    const char *type, *first, *second; /* NULL: no such attribute */
  } kinds[] = { { "Relu" },
                { "Abs" },
                { "LeakyRelu", "alpha" },
                { "LeakyRelu", "alpha" },
                { "LeakyRelu", "alpha" },
                { "Elu", "alpha" },
                { "Celu", "alpha" },
                { "Selu", "alpha", "gamma" },
                { "ThresholdedRelu", "alpha" },
                { "HardSigmoid", "alpha", "beta" },
                { "Clip" },
                { "PRelu" } };
  int k = upto (m, 0, G_N_ELEMENTS (kinds) - 1);
  double a = attribute (m), b = attribute (m);

  if (g_str_equal (kinds[k].type, "Celu") && a == 0)
    a = 1;
  g_string_append_printf (m->text, "t%d %s t%d", m->n, kinds[k].type, m->n - 1);
  if (g_str_equal (kinds[k].type, "PRelu"))
    g_string_append_printf (m->text, " $%d,1,1", m->channels);
  if (g_str_equal (kinds[k].type, "Clip"))
    g_string_append_printf (m->text, " =%g =%g", a, b);
  if (kinds[k].first)
    g_string_append_printf (m->text, " %s=%.2f", kinds[k].first, a);
  if (kinds[k].second)
    g_string_append_printf (m->text, " %s=%.2f", kinds[k].second, b);
  g_string_append_c (m->text, '\n');
  m->n++;
}

/* One product a number: of one channel, or channel by channel */
static void
put_product (Maker *m)
{
  int out = m->channels == 1 ? 16 : m->channels;

  g_string_append_printf (m->text, "t%d Conv t%d $%d,1,1,1 group=%d\n", m->n,
                          m->n - 1, out, m->channels);
  m->channels = out;
  m->n++;
}

/* As many windows as there are, the last ones' beginnings within the picture
 * or its padding before (what ceil_mode adds) */
static int
windows (int size, int kernel, int stride, int dilation, int begin, int end,
         gboolean ceil_mode)
{
  int room = size + begin + end - (kernel - 1) * dilation - 1;
  int n = room < 0 ? 0 : (room + (ceil_mode ? stride - 1 : 0)) / stride + 1;

  return ceil_mode && (n - 1) * stride >= size + begin ? n - 1 : n;
}

static void
put_pool (Maker *m)
{
  int k[2], s[2], d[2], p[4], out[2], sizes[2] = { m->height, m->width };
  gboolean ceil_mode = upto (m, 0, 1), indices = upto (m, 0, 2) == 0;

  do
    for (int i = 0; i < 2; i++)
      {
        k[i] = upto (m, 1, 4);
        s[i] = upto (m, 0, 5) ? upto (m, 1, 3) : 17;
        d[i] = upto (m, 1, 2);
        p[i] = upto (m, 0, k[i] - 1);
        p[i + 2] = upto (m, 0, k[i] - 1);
        out[i] = windows (sizes[i], k[i], s[i], d[i], p[i], p[i + 2],
                          ceil_mode);
      }
  while (out[0] < 1 || out[1] < 1);
  g_string_append_printf (
      m->text,
      "t%d%s MaxPool t%d kernel_shape=%d,%d strides=%d,%d dilations=%d,%d "
      "pads=%d,%d,%d,%d ceil_mode=%d storage_order=%d\n",
      m->n, indices ? ",i" : "", m->n - 1, k[0], k[1], s[0], s[1], d[0], d[1],
      p[0], p[1], p[2], p[3], ceil_mode, indices && upto (m, 0, 1));
  if (indices) /* another name for each */
    {
      g_autofree char *name = g_strdup_printf (",i%d", m->n);
      char *at = g_strrstr (m->text->str, ",i MaxPool");

      g_string_erase (m->text, at - m->text->str, 2);
      g_string_insert (m->text, at - m->text->str, name);
    }
  m->height = out[0];
  m->width = out[1];
  m->n++;
}

static char *
make_text (Maker *m)
{
  g_string_append (m->text, "t0 Identity x\n");
  for (int i = 0; i < NODES; i++)
    switch (upto (m, 0, 5))
      {
      case 0:
      case 1: put_activation (m); break;
      case 2: put_pool (m); break;
      default:
        put_product (m);
        put_activation (m);
      }
  g_string_append_printf (m->text, "y Identity t%d", m->n - 1);
  return g_string_free (m->text, FALSE);
}

/* Few numbers, so that many are equal; infinities and NaN in some */
static CamTensor *
draw_picture (Maker *m, gint64 pictures)
{
  static const float values[] = { -2, -1, -0.5, -0.0f, 0, 0, 0.5, 1, 2 };
  static const float odd[] = { NAN, INFINITY, -INFINITY };
  const gint64 dims[] = { pictures, m->channels, m->height, m->width };
  gboolean is_odd = upto (m, 0, 2) == 0;
  CamTensor *x = random_tensor (m->rand, 4, dims);

  for (gsize i = 0; i < x->n_elements; i++)
    cam_tensor_f32 (x)[i] = is_odd && upto (m, 0, 5) == 0
                                ? odd[upto (m, 0, G_N_ELEMENTS (odd) - 1)]
                                : values[upto (m, 0, G_N_ELEMENTS (values)
                                                         - 1)];
  return x;
}

static gboolean
same (double a, double b)
{
  return (isnan (a) && isnan (b)) || a == b
         || fabs (a - b) <= TOLERANCE * MAX (fabs (b), 1);
}

static void
check (const CamTensor *got, const CamTensor *wanted, const char *text,
       const char *name, const char *what)
{
  g_assert_true (got && wanted);
  g_assert_true (cam_shape_equal (&got->shape, &wanted->shape));
  g_assert_cmpint (got->dtype, ==, wanted->dtype);
  for (gsize i = 0; i < got->n_elements; i++)
    {
      gboolean whole = got->dtype == CAM_DTYPE_INT64;
      double a = whole ? (double) cam_tensor_i64 (got)[i]
                       : (double) cam_tensor_f32 (got)[i];
      double b = whole ? (double) cam_tensor_i64 (wanted)[i]
                       : (double) cam_tensor_f32 (wanted)[i];

      if (! same (a, b))
        g_test_message ("%s\n%s of %s, number %zu: %g instead of %g", text,
                        what, name, i, a, b);
      g_assert_true (same (a, b));
    }
}

static void
check_forward (CamNetwork *network, const CamTensor *x, const char *text)
{
  g_auto (GStrv) all = text_network_tensors (network);
  const RunKind plain = { .reference = TRUE, .whole_batch = TRUE,
                          .fetches = (const char *const *) all };
  g_autoptr (CamWorkspace) wanted = run_network (network, x, &plain, 1);
  g_autoptr (CamWorkspace) last = NULL;
  const RunKind best = { .fetches = NULL };

  for (int i = 0; all[i]; i++)
    {
      const char *alone[] = { all[i], NULL };
      const RunKind kind = { .fetches = alone };
      g_autoptr (CamWorkspace) one = run_network (network, x, &kind, 2);

      check (cam_workspace_get (one, all[i]),
             cam_workspace_get (wanted, all[i]), text, all[i], "value");
    }
  last = run_network (network, x, &best, 2);
  check (cam_workspace_get (last, "y"), cam_workspace_get (wanted, "y"), text,
         "y", "value");
}

static CamTensor *
gradient (CamNetwork *network, const CamTensor *x, const CamTensor *seed,
          const char *at, gboolean reference)
{
  const RunKind kind = { .of = "y", .at = at, .reference = reference };
  g_autoptr (CamWorkspace) workspace = run_network (network, x, &kind, 2);

  return cam_workspace_gradient (workspace, seed, at, NULL, NULL);
}

static void
check_gradients (Maker *m, CamNetwork *network, const CamTensor *x,
                 const char *text)
{
  const gint64 dims[] = { x->shape.dims[0], m->channels, m->height, m->width };
  g_autoptr (CamTensor) seed = random_tensor (m->rand, 4, dims);

  for (int i = 0; i < m->n - 1; i++)
    {
      g_autofree char *at = g_strdup_printf ("t%d", i);
      g_autoptr (CamTensor) wanted = gradient (network, x, seed, at, TRUE);
      g_autoptr (CamTensor) got = gradient (network, x, seed, at, FALSE);

      check (got, wanted, text, at, "gradient");
    }
}

static void
test_network (gconstpointer number)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (number));
  Maker m = { rand, g_string_new (NULL), 1, 0, 0, 0 };
  g_autofree char *text = NULL;
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamTensor) x = NULL;

  m.channels = upto (&m, 0, 2) ? upto (&m, 1, 20) : 1;
  m.height = upto (&m, 1, 9);
  m.width = upto (&m, 1, 9);
  x = draw_picture (&m, upto (&m, 1, 4));
  text = make_text (&m);
  network = text_network (text, (int) x->shape.dims[1],
                          (int) x->shape.dims[2], (int) x->shape.dims[3], 9);
  check_forward (network, x, text);
  check_gradients (&m, network, x, text);
}

int
main (int argc, char **argv)
{
  guint first = 0, count = NETWORKS;

  g_test_init (&argc, &argv, NULL);
  if (argc == 3)
    {
      first = (guint) atoi (argv[1]);
      count = (guint) atoi (argv[2]);
    }
  for (guint i = first; i < first + count; i++)
    {
      g_autofree char *path = g_strdup_printf ("/kinks/%u", i);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_network);
    }
  return g_test_run ();
}
