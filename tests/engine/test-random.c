/* test-random.c [FIRST COUNT] -- random networks, optimised beside plain
 *
 * Nodes of the kinds that the passes look for are strung together at random,
 * with parameters of any sign, branches that meet again, tensors read several
 * times, and sizes from one channel and one position on.  Every tensor, and the
 * gradient at three of them, must be what the reference plan makes of it.  Some
 * pictures have ties and both zeros, and some NaN and infinities, none of which
 * may get lost.  A failure prints the network; its number draws it again.
 */
#include "config.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "tests/engine/text-network.h"

#define NETWORKS 80
#define NODES 12
#define TOLERANCE 5e-5 /* of the largest element, after several layers */
#define LEAST 0.1      /* activations are near 1 */
#define GRADIENT_TOLERANCE 2e-4

typedef struct
{
  char name[8];
  int channels, height, width;
} Tensor;

typedef struct
{
  GRand *rand;
  GString *text;
  Tensor tensors[3 * NODES + 4];
  int n;
} Maker;

static int
upto (Maker *m, int low, int high)
{
  return g_rand_int_range (m->rand, low, high + 1);
}

/* A tensor, a late one more often than an early one */
static const Tensor *
any (Maker *m)
{
  int from = upto (m, 0, 2) ? MAX (m->n - 3, 0) : 0;

  return &m->tensors[upto (m, from, m->n - 1)];
}

static Tensor *
add (Maker *m, int channels, int height, int width)
{
  Tensor *t = &m->tensors[m->n];

  g_snprintf (t->name, sizeof t->name, "t%d", m->n++);
  t->channels = channels;
  t->height = height;
  t->width = width;
  return t;
}

/* A parameter of an activation: below, at and above 0 and 1 */
static double
number (Maker *m)
{
  static const double numbers[] = { -2.5, -1, -0.3, 0, 0.2, 0.7, 1, 3 };

  return numbers[upto (m, 0, G_N_ELEMENTS (numbers) - 1)];
}

/* One axis of a window over @size elements, which it fits */
typedef struct
{
  int kernel, stride, dilation, pad, pad_end;
} Axis;

static Axis
draw_axis (Maker *m, int size)
{
  Axis a;

  do
    {
      a.kernel = upto (m, 1, 5);
      a.stride = upto (m, 0, 2) ? 1 : upto (m, 1, 4);
      a.dilation = upto (m, 0, 3) ? 1 : upto (m, 1, 3);
      a.pad = upto (m, 0, a.kernel - 1);
      a.pad_end = upto (m, 0, 1) ? a.pad : upto (m, 0, a.kernel - 1);
    }
  while (size + a.pad + a.pad_end <= (a.kernel - 1) * a.dilation);
  return a;
}

/* Of an even window, as most networks have it */
static Axis
even_axis (Maker *m)
{
  int k = 1 + 2 * upto (m, 0, 2);

  return (Axis) { k, upto (m, 0, 3) ? 1 : 2, 1, k / 2, k / 2 };
}

static int
windows (const Axis *a, int size, gboolean ceil_mode)
{
  int room = size + a->pad + a->pad_end - (a->kernel - 1) * a->dilation - 1;
  int n = (room + (ceil_mode ? a->stride - 1 : 0)) / a->stride + 1;

  return n - (ceil_mode && (n - 1) * a->stride >= size + a->pad);
}

static char *
window_text (const Axis *h, const Axis *w)
{
  return g_strdup_printf ("strides=%d,%d dilations=%d,%d pads=%d,%d,%d,%d",
                          h->stride, w->stride, h->dilation, w->dilation,
                          h->pad, w->pad, h->pad_end, w->pad_end);
}

static const Tensor *
put_conv (Maker *m, const Tensor *x, gboolean depthwise)
{
  gboolean even = upto (m, 0, 2) > 0;
  Axis h = even ? even_axis (m) : draw_axis (m, x->height);
  Axis w = even ? h : draw_axis (m, x->width);
  gboolean halves = ! depthwise && x->channels % 2 == 0 && ! upto (m, 0, 2);
  int group = depthwise ? x->channels : halves ? 2 : 1;
  int out = group > 1 ? x->channels : upto (m, 0, 2) ? upto (m, 1, 9) : 16;
  Tensor *y = add (m, out, windows (&h, x->height, FALSE),
                   windows (&w, x->width, FALSE));
  g_autofree char *text = window_text (&h, &w);

  g_string_append_printf (m->text, "%s Conv %s $%d,%d,%d,%d%s group=%d %s\n",
                          y->name, x->name, out, x->channels / group, h.kernel,
                          w.kernel, upto (m, 0, 1) ? "" : " -", group, text);
  return y;
}

/* An activation with any parameters, or arithmetic with a number */
static void
append_activation (Maker *m, const char *x)
{
  double a = number (m), b = number (m);

  switch (upto (m, 0, 8))
    {
    case 0: g_string_append_printf (m->text, "LeakyRelu %s alpha=%.2f", x, a);
      break;
    case 1: g_string_append_printf (m->text, "Elu %s alpha=%.2f", x, a);
      break;
    case 2: g_string_append_printf (m->text, "Celu %s alpha=%.2f", x,
                                    fabs (a) + 0.5);
      break;
    case 3: g_string_append_printf (m->text, "Selu %s alpha=%.2f gamma=%.2f",
                                    x, a, b);
      break;
    case 4: g_string_append_printf (m->text,
                                    "HardSigmoid %s alpha=%.2f beta=%.2f", x,
                                    a, b);
      break;
    case 5: g_string_append_printf (m->text, "Clip %s =%g =%g", x, a, b);
      break;
    case 6: g_string_append_printf (m->text, "Clip %s %s=%g", x,
                                    upto (m, 0, 1) ? "- " : "", a);
      break;
    case 7: g_string_append_printf (m->text, "PRelu %s =%g", x, a);
      break;
    default: g_string_append_printf (m->text, "ThresholdedRelu %s alpha=0.0",
                                     x);
    }
  g_string_append_c (m->text, '\n');
}

static const Tensor *
put_unary (Maker *m, const Tensor *x)
{
  static const char *const kinds[] = {
    "Relu %s",     "Sigmoid %s",  "Tanh %s",      "HardSwish %s",
    "Mish %s",     "Softplus %s", "HardSigmoid %s", "Softsign %s",
    "Mul %s =0.7", "Add %s =0.4", "Sub %s =0.3",  "Div %s =1.6",
    "Mul %s =-1.3", "Sub =0.3 %s", "Max %s =-0.2", "Min %s =0.6",
  };
  Tensor *y = add (m, x->channels, x->height, x->width);
  g_autofree char *rest =
      g_strdup_printf (kinds[upto (m, 0, G_N_ELEMENTS (kinds) - 1)], x->name);

  g_string_append_printf (m->text, "%s ", y->name);
  if (upto (m, 0, 1))
    append_activation (m, x->name);
  else
    g_string_append_printf (m->text, "%s\n", rest);
  return y;
}

static const Tensor *
put_norm (Maker *m, const Tensor *x)
{
  int c = x->channels;
  Tensor *y = add (m, c, x->height, x->width);

  if (upto (m, 0, 2))
    g_string_append_printf (m->text,
                            "%s BatchNormalization %s $%d $%d $%d +%d\n",
                            y->name, x->name, c, c, c, c);
  else
    g_string_append_printf (m->text, "%s %s %s $%d,1,1\n", y->name,
                            upto (m, 0, 1) ? "Mul" : "Add", x->name, c);
  return y;
}

/* x sigmoid (x), spelt out, or another function of it */
static const Tensor *
put_idiom (Maker *m, const Tensor *x)
{
  int c = x->channels, h = x->height, w = x->width;
  const char *gate = add (m, c, h, w)->name;
  Tensor *y = add (m, c, h, w);

  g_string_append_printf (m->text, "%s %s %s\n%s Mul %s %s\n", gate,
                          upto (m, 0, 1) ? "Sigmoid" : "HardSigmoid", x->name,
                          y->name, upto (m, 0, 1) ? x->name : gate,
                          upto (m, 0, 1) ? gate : x->name);
  return y;
}

/* Squeeze and excite */
static const Tensor *
put_gate (Maker *m, const Tensor *x)
{
  int c = x->channels;
  const char *pooled = add (m, c, 1, 1)->name;
  const char *conv = add (m, c, 1, 1)->name, *gate = add (m, c, 1, 1)->name;
  Tensor *y = add (m, c, x->height, x->width);

  g_string_append_printf (m->text,
                          "%s GlobalAveragePool %s\n"
                          "%s Conv %s $%d,%d,1,1 $%d\n%s Sigmoid %s\n"
                          "%s Mul %s %s\n",
                          pooled, x->name, conv, pooled, c, c, c, gate, conv,
                          y->name, x->name, gate);
  return y;
}

/* With padding, dilated windows may see nothing else: -infinity */
static Axis
pool_axis (Maker *m, int size)
{
  Axis a = draw_axis (m, size);

  if (a.dilation > 1 && size > (a.kernel - 1) * a.dilation)
    a.pad = a.pad_end = 0;
  else if (a.dilation > 1)
    a = (Axis) { 3, 1, 1, 1, 1 };
  return a;
}

static const Tensor *
put_pool (Maker *m, const Tensor *x)
{
  gboolean ceil_mode = ! upto (m, 0, 2), most = upto (m, 0, 1);
  Axis h = upto (m, 0, 1) ? (Axis) { 3, 2, 1, 1, 1 }
                          : pool_axis (m, x->height);
  Axis w = pool_axis (m, x->width);
  Tensor *y;
  g_autofree char *text = NULL;

  if (! most) /* of an average, only opset 19 has them */
    {
      h.dilation = w.dilation = 1;
      h.pad_end = MIN (h.pad_end, h.kernel - 1);
    }
  text = window_text (&h, &w);
  y = add (m, x->channels, windows (&h, x->height, ceil_mode),
           windows (&w, x->width, ceil_mode));
  if (! most)
    *strstr (text, "dilations") = '\0';
  g_string_append_printf (m->text, "%s %s %s kernel_shape=%d,%d ceil_mode=%d "
                                   "%s",
                          y->name, most ? "MaxPool" : "AveragePool", x->name,
                          h.kernel, w.kernel, ceil_mode, text);
  if (! most)
    g_string_append_printf (m->text, "pads=%d,%d,%d,%d count_include_pad=%d",
                            h.pad, w.pad, h.pad_end, w.pad_end,
                            upto (m, 0, 1));
  g_string_append_c (m->text, '\n');
  return y;
}

/* With another tensor of its size, where there is one */
static const Tensor *
put_join (Maker *m, const Tensor *x)
{
  const Tensor *other = NULL;
  gboolean sum = upto (m, 0, 2) > 0;
  Tensor *y;

  for (int i = 0; i < m->n; i++)
    {
      const Tensor *t = &m->tensors[i];

      if (t->height == x->height && t->width == x->width
          && (! sum || t->channels == x->channels)
          && (! other || upto (m, 0, 1)))
        other = t;
    }
  y = add (m, sum ? x->channels : x->channels + other->channels, x->height,
           x->width);
  if (sum)
    g_string_append_printf (m->text, "%s Add %s %s\n", y->name, x->name,
                            other->name);
  else
    g_string_append_printf (m->text, "%s Concat %s %s axis=1\n", y->name,
                            x->name, other->name);
  return y;
}

static char *
make_text (Maker *m)
{
  for (int i = 0; i < NODES; i++)
    {
      const Tensor *x = any (m);

      switch (upto (m, 0, 9))
        {
        case 0:
        case 1:
        case 2: put_conv (m, x, FALSE); break;
        case 3: put_conv (m, x, TRUE); break;
        case 4: put_norm (m, x); break;
        case 5: put_idiom (m, x); break;
        case 6: put_gate (m, x); break;
        case 7: put_pool (m, x); break;
        case 8: put_join (m, x); break;
        default: put_unary (m, x); break;
        }
    }
  {
    const Tensor *x = &m->tensors[m->n - 1];

    g_string_append_printf (m->text,
                            "pooled GlobalAveragePool %s\nflat Flatten pooled\n"
                            "y Gemm flat $%d,5 $5",
                            x->name, x->channels);
  }
  return g_string_free (m->text, FALSE);
}

static void
check (const char *text, const char *what, double error, double tolerance)
{
  if (! (error <= tolerance))
    g_test_message ("%s\n%s: off by %g", text, what, error);
  g_assert_true (error <= tolerance);
}

/* What is no number in @wanted is none in @got.  (A product that goes tile by
 * tile may spread it to its neighbours.) */
static void
check_hard (const CamTensor *got, const CamTensor *wanted, const char *text,
            const char *what)
{
  g_assert_true (cam_shape_equal (&got->shape, &wanted->shape));
  for (gsize i = 0; i < wanted->n_elements; i++)
    if (! isfinite (cam_tensor_f32 (wanted)[i])
        && isfinite (cam_tensor_f32 (got)[i]))
      {
        g_test_message ("%s\n%s: %g got lost", text, what,
                        cam_tensor_f32 (wanted)[i]);
        g_assert_not_reached ();
      }
}

static void
check_hard_numbers (CamNetwork *network, const CamTensor *x, const char *text)
{
  g_auto (GStrv) all = text_network_tensors (network);
  const RunKind plain = { .reference = TRUE,
                          .fetches = (const char *const *) all };
  g_autoptr (CamWorkspace) wanted = run_network (network, x, &plain, 1);

  for (int i = 0; all[i]; i++)
    {
      const char *alone[] = { all[i], NULL };
      const RunKind kind = { .fetches = alone };
      g_autoptr (CamWorkspace) one = run_network (network, x, &kind, 2);

      check_hard (cam_workspace_get (one, all[i]),
                  cam_workspace_get (wanted, all[i]), text, all[i]);
    }
}

static void
check_forward (CamNetwork *network, const CamTensor *x, const char *text)
{
  g_auto (GStrv) all = text_network_tensors (network);
  const RunKind plain = { .reference = TRUE,
                          .fetches = (const char *const *) all };
  const RunKind fast = { .whole_batch = TRUE,
                         .fetches = (const char *const *) all };
  g_autoptr (CamWorkspace) wanted = run_network (network, x, &plain, 1);
  g_autoptr (CamWorkspace) together = run_network (network, x, &fast, 2);

  for (int i = 0; all[i]; i++)
    {
      const char *alone[] = { all[i], NULL };
      const RunKind kind = { .fetches = alone };
      g_autoptr (CamWorkspace) one = run_network (network, x, &kind, 2);
      const CamTensor *right = cam_workspace_get (wanted, all[i]);

      check (text, all[i],
             relative_error (cam_workspace_get (one, all[i]), right, LEAST),
             TOLERANCE);
      check (text, all[i],
             relative_error (cam_workspace_get (together, all[i]), right,
                             LEAST),
             TOLERANCE);
    }
}

static CamTensor *
gradient (CamNetwork *network, const CamTensor *x, const char *at,
          gboolean reference)
{
  const char *targets[] = { at, NULL };
  const CamBinding binding = { "x", x->shape };
  const CamPlanOptions options = { .bindings = &binding,
                                   .n_bindings = 1,
                                   .gradient_of = "y",
                                   .gradient_at = targets,
                                   .reference = reference };
  g_autoptr (CamPlan) plan = cam_plan_new (network, &options, NULL);
  g_autoptr (CamWorkspace) workspace = plan ? cam_workspace_new (plan, 2, NULL)
                                            : NULL;
  g_autoptr (GRand) rand = g_rand_new_with_seed (3);
  const gint64 dims[] = { 2, x->shape.dims[0], 5 };
  g_autoptr (CamTensor) seed = random_tensor (rand, 3, dims);

  if (! workspace) /* what does not lead to y */
    return NULL;
  cam_workspace_set_input (workspace, "x", x, NULL);
  cam_workspace_run (workspace, NULL, NULL);
  return cam_workspace_gradient (workspace, seed, at, NULL, NULL);
}

static void
check_gradients (Maker *m, CamNetwork *network, const CamTensor *x,
                 const char *text)
{
  for (int i = 0; i < 3; i++)
    {
      const char *at = any (m)->name;
      g_autoptr (CamTensor) wanted = gradient (network, x, at, TRUE);
      g_autoptr (CamTensor) got = gradient (network, x, at, FALSE);

      g_assert_true ((got == NULL) == (wanted == NULL));
      if (got)
        check (text, at, relative_error (got, wanted, 1e-30),
               GRADIENT_TOLERANCE);
    }
}

/* Every @share-th element becomes one of the first @n of the hard ones. */
static void
harden (GRand *rand, CamTensor *x, int share, int n)
{
  static const float hard[] = { 0, -0.0f, 1, -1, NAN, INFINITY, -INFINITY };

  for (gsize i = 0; i < x->n_elements; i++)
    if (g_rand_int_range (rand, 0, share) == 0)
      cam_tensor_f32 (x)[i] = hard[g_rand_int_range (rand, 0, n)];
}

static void
test_network (gconstpointer number)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (GPOINTER_TO_UINT (number));
  Maker m = { rand, g_string_new (NULL), { { "x" } }, 1 };
  Tensor *x = m.tensors;
  const int sizes[] = { 1, 2, 5, 8, 12 };
  g_autofree char *text = NULL;
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamTensor) picture = NULL;
  gint64 dims[4];

  x->channels = upto (&m, 1, 4);
  x->height = sizes[upto (&m, 0, 4)];
  x->width = sizes[upto (&m, 0, 4)];
  dims[0] = upto (&m, 1, 3);
  dims[1] = x->channels;
  dims[2] = x->height;
  dims[3] = x->width;
  picture = random_tensor (rand, 4, dims);
  text = make_text (&m);
  network = text_network (text, x->channels, x->height, x->width, 9);
  check_forward (network, picture, text);
  check_gradients (&m, network, picture, text);
  harden (rand, picture, 3, 4);
  check_forward (network, picture, text);
  harden (rand, picture, 40, 7);
  check_hard_numbers (network, picture, text);
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
      g_autofree char *path = g_strdup_printf ("/random/%u", i);

      g_test_add_data_func (path, GUINT_TO_POINTER (i), test_network);
    }
  return g_test_run ();
}
