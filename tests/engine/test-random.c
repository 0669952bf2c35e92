/* test-random.c [FIRST COUNT] -- random networks, optimised beside plain
 *
 * Nodes of the kinds that the passes look for are strung together at random,
 * with branches that meet again, tensors read several times, and sizes from one
 * channel and one position on.  Every tensor, and the gradient at three of
 * them, must be what the reference plan makes of it.  A failure prints the
 * network; its number draws it again.
 */
#include "config.h"

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

static const Tensor *
put_conv (Maker *m, const Tensor *x, gboolean depthwise)
{
  int k = 1 + 2 * upto (m, 0, 2), s = upto (m, 0, 3) ? 1 : 2, p = k / 2;
  gboolean halves = ! depthwise && x->channels % 2 == 0 && ! upto (m, 0, 2);
  int group = depthwise ? x->channels : halves ? 2 : 1;
  int out = group > 1 ? x->channels : upto (m, 0, 2) ? upto (m, 1, 9) : 16;
  Tensor *y = add (m, out, (x->height + 2 * p - k) / s + 1,
                   (x->width + 2 * p - k) / s + 1);

  g_string_append_printf (m->text,
                          "%s Conv %s $%d,%d,%d,%d strides=%d,%d "
                          "pads=%d,%d,%d,%d group=%d\n",
                          y->name, x->name, out, x->channels / group, k, k, s,
                          s, p, p, p, p, group);
  return y;
}

static const Tensor *
put_unary (Maker *m, const Tensor *x)
{
  static const char *const kinds[] = {
    "Sigmoid %s",  "Tanh %s",     "HardSwish %s", "LeakyRelu %s alpha=0.3",
    "Mish %s",     "Elu %s",      "Softplus %s",  "HardSigmoid %s",
    "Mul %s =0.7", "Add %s =0.4", "Sub %s =0.3",  "Div %s =1.6",
  };
  Tensor *y = add (m, x->channels, x->height, x->width);
  g_autofree char *rest =
      g_strdup_printf (kinds[upto (m, 0, G_N_ELEMENTS (kinds) - 1)], x->name);

  g_string_append_printf (m->text, "%s %s\n", y->name, rest);
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

static const Tensor *
put_pool (Maker *m, const Tensor *x)
{
  int s = upto (m, 1, 2);
  Tensor *y = add (m, x->channels, (x->height - 1) / s + 1,
                   (x->width - 1) / s + 1);

  g_string_append_printf (m->text,
                          "%s %s %s kernel_shape=3,3 strides=%d,%d "
                          "pads=1,1,1,1\n",
                          y->name, upto (m, 0, 1) ? "MaxPool" : "AveragePool",
                          x->name, s, s);
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
