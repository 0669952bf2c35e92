/* test-plan.c -- the optimised plan beside the plain operators
 *
 * Each network below makes the passes do one thing or another: fold, fuse,
 * change the layout, choose Winograd's way or the depthwise kernels.  What must
 * hold of it: every tensor is what the reference plan makes of it, whether it
 * is fetched alone (with everything before it fused as ever) or with all the
 * others; gradients of two seeds at once are the reference plan's, at every
 * tensor that has one, asked for alone or together; and neither the number of
 * threads changes a byte nor the company of a picture more than rounding does.
 */
#include "config.h"

#include <string.h>

#include "tests/engine/plan-cases.h"
#include "tests/engine/text-network.h"

#define TOLERANCE 2e-5 /* of the largest element; float32 sums of some 1000 */
#define GRADIENT_TOLERANCE 1e-4

static CamTensor *
picture (const Case *c, gint64 batch)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (g_str_hash (c->name));
  const gint64 dims[] = { batch, c->channels, c->height, c->width };

  return random_tensor (rand, 4, dims);
}

static CamNetwork *
network_of (const Case *c)
{
  return text_network (c->text, c->channels, c->height, c->width,
                       g_str_hash (c->name));
}

static void
check_tensor (CamWorkspace *got, CamWorkspace *wanted, const char *name,
              const char *how)
{
  const CamTensor *a = cam_workspace_get (got, name);
  const CamTensor *b = cam_workspace_get (wanted, name);
  double error;

  if (b->dtype != CAM_DTYPE_FLOAT32)
    return;
  error = relative_error (a, b, 1e-30);
  if (! (error <= TOLERANCE))
    g_test_message ("'%s' %s: off by %g", name, how, error);
  g_assert_true (error <= TOLERANCE);
}

static void
test_forward (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (CamNetwork) network = network_of (c);
  g_auto (GStrv) all = text_network_tensors (network);
  const char *const *names = (const char *const *) all;

  for (gint64 batch = 1; batch <= 3; batch += 2)
    {
      g_autoptr (CamTensor) x = picture (c, batch);
      const RunKind plain = { .reference = TRUE, .fetches = names };
      const RunKind together = { .whole_batch = TRUE, .fetches = names };
      g_autoptr (CamWorkspace) wanted = run_network (network, x, &plain, 1);
      g_autoptr (CamWorkspace) got = run_network (network, x, &together, 2);

      for (int i = 0; names[i]; i++)
        {
          const char *alone[] = { names[i], NULL };
          const RunKind whole = { .whole_batch = TRUE, .fetches = alone };
          const RunKind kind = { .fetches = alone };
          g_autoptr (CamWorkspace) one = run_network (network, x, &whole, 2);
          g_autoptr (CamWorkspace) best = run_network (network, x, &kind, 2);

          check_tensor (got, wanted, names[i], "with all others");
          check_tensor (one, wanted, names[i], "alone");
          check_tensor (best, wanted, names[i], "picture by picture");
        }
    }
}

/* Seeds [2, ...] of a tensor's shape */
static CamTensor *
two_seeds (const CamTensor *of)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (77);
  gint64 dims[CAM_MAX_DIMS] = { 2 };

  memcpy (dims + 1, of->shape.dims, (size_t) of->shape.n_dims * sizeof *dims);
  return random_tensor (rand, of->shape.n_dims + 1, dims);
}

static CamTensor *
gradient_of (CamNetwork *network, const CamTensor *x, const RunKind *kind,
             int n_threads)
{
  g_autoptr (CamWorkspace)
      workspace = run_network (network, x, kind, n_threads);
  g_autoptr (CamTensor)
      seed = two_seeds (cam_workspace_get (workspace, kind->of));
  g_autoptr (GError) error = NULL;
  CamTensor *gradient = cam_workspace_gradient (workspace, seed, kind->at, NULL,
                                                &error);

  g_assert_no_error (error);
  return gradient;
}

/* Can a gradient be had there?  What is no float, or behind the last
 * tensor's way, has none. */
static gboolean
has_gradient (CamNetwork *network, const CamTensor *x, const RunKind *kind)
{
  const CamBinding binding = { "x", x->shape };
  const char *at[] = { kind->at, NULL };
  const CamPlanOptions options = { .bindings = &binding,
                                   .n_bindings = 1,
                                   .gradient_of = kind->of,
                                   .gradient_at = at,
                                   .reference = TRUE };
  g_autoptr (CamPlan) plan = cam_plan_new (network, &options, NULL);

  return plan != NULL;
}

static void
test_gradient (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (CamNetwork) network = network_of (c);
  g_autoptr (CamTensor) x = picture (c, 2);
  g_auto (GStrv) all = text_network_tensors (network);
  const char *of = all[g_strv_length (all) - 1];
  int n_compared = 0;

  for (int i = -1; i < (int) g_strv_length (all); i++)
    {
      const char *at = i < 0 ? "x" : all[i];
      const char *fetches[] = { of, NULL };
      const RunKind plain = { of, at, TRUE, fetches };
      const RunKind fast = { of, at, FALSE, fetches };
      g_autoptr (CamTensor) wanted = NULL;
      g_autoptr (CamTensor) got = NULL;
      double error;

      if (! has_gradient (network, x, &plain))
        continue;
      wanted = gradient_of (network, x, &plain, 1);
      got = gradient_of (network, x, &fast, 2);
      error = relative_error (got, wanted, 1e-30);
      if (! (error <= GRADIENT_TOLERANCE))
        g_test_message ("at '%s': off by %g", at, error);
      g_assert_true (error <= GRADIENT_TOLERANCE);
      n_compared++;
    }
  g_assert_cmpint (n_compared, >, 0);
}

/* Gradients at every tensor that has one, all from one plan */
static void
test_targets (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (CamNetwork) network = network_of (c);
  g_autoptr (CamTensor) x = picture (c, 2);
  g_auto (GStrv) all = text_network_tensors (network);
  const char *of = all[g_strv_length (all) - 1];
  const char *fetches[] = { of, NULL };
  g_autoptr (GPtrArray) targets = g_ptr_array_new ();
  RunKind kind = { of, "x", FALSE, fetches };
  g_autoptr (CamWorkspace) workspace = NULL;
  g_autoptr (CamTensor) seed = NULL;

  if (has_gradient (network, x, &kind))
    g_ptr_array_add (targets, (gpointer) "x");
  for (int i = 0; all[i]; i++)
    {
      kind.at = all[i];
      if (has_gradient (network, x, &kind))
        g_ptr_array_add (targets, all[i]);
    }
  g_ptr_array_add (targets, NULL);
  kind.targets = (const char *const *) targets->pdata;
  workspace = run_network (network, x, &kind, 2);
  seed = two_seeds (cam_workspace_get (workspace, of));
  for (guint i = 0; i + 1 < targets->len; i++)
    {
      const char *at = targets->pdata[i];
      const RunKind plain = { of, at, TRUE, fetches };
      g_autoptr (CamTensor) wanted = gradient_of (network, x, &plain, 1);
      g_autoptr (CamTensor)
          got = cam_workspace_gradient (workspace, seed, at, NULL, NULL);
      double error = relative_error (got, wanted, 1e-30);

      if (! (error <= GRADIENT_TOLERANCE))
        g_test_message ("at '%s': off by %g", at, error);
      g_assert_true (error <= GRADIENT_TOLERANCE);
    }
}

static void
assert_same_bytes (const CamTensor *a, const CamTensor *b)
{
  g_assert_true (cam_shape_equal (&a->shape, &b->shape));
  g_assert_cmpmem (a->data, a->n_elements * sizeof (float), b->data,
                   b->n_elements * sizeof (float));
}

static void
test_threads (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (CamNetwork) network = network_of (c);
  g_autoptr (CamTensor) x = picture (c, 3);
  const GPtrArray *outputs = cam_network_graph (network)->outputs;
  const char *of = ((CamValue *) outputs->pdata[0])->name;
  const char *fetches[] = { of, NULL };
  const RunKind kind = { of, "x", FALSE, fetches };
  gboolean differentiable = has_gradient (network, x, &kind);
  const RunKind forward = { .whole_batch = TRUE, .fetches = fetches };
  g_autoptr (CamWorkspace) one = run_network (network, x, &forward, 1);
  g_autoptr (CamTensor)
      slope = differentiable ? gradient_of (network, x, &kind, 1) : NULL;

  for (int n = 2; n <= 3; n++)
    {
      g_autoptr (CamWorkspace) more = run_network (network, x, &forward, n);
      g_autoptr (CamTensor)
          again = differentiable ? gradient_of (network, x, &kind, n) : NULL;

      assert_same_bytes (cam_workspace_get (one, of),
                         cam_workspace_get (more, of));
      if (differentiable)
        assert_same_bytes (slope, again);
    }
}

/* The last of five pictures, in their company and alone */
static void
test_company (gconstpointer data)
{
  const Case *c = data;
  g_autoptr (CamNetwork) network = network_of (c);
  g_autoptr (CamTensor) five = picture (c, 5);
  CamShape shape = five->shape;
  const RunKind kind = { .whole_batch = TRUE };
  const GPtrArray *outputs = cam_network_graph (network)->outputs;
  const char *name = ((CamValue *) outputs->pdata[0])->name;
  gsize n = five->n_elements / 5;
  g_autoptr (CamTensor) last = NULL;
  g_autoptr (CamTensor) own = NULL;
  g_autoptr (CamWorkspace) together = run_network (network, five, &kind, 2);
  g_autoptr (CamWorkspace) alone = NULL;
  const CamTensor *all = cam_workspace_get (together, name);
  double error;

  shape.dims[0] = 1;
  last = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                              cam_tensor_f32 (five) + 4 * n, NULL, NULL);
  alone = run_network (network, last, &kind, 2);
  shape = all->shape;
  g_assert_cmpint (shape.dims[0], ==, 5);
  shape.dims[0] = 1;
  own = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &shape,
                             cam_tensor_f32 (all) + all->n_elements / 5 * 4,
                             NULL, NULL);
  error = relative_error (own, cam_workspace_get (alone, name), 1e-30);
  g_assert_cmpfloat (error, <=, TOLERANCE);
}

/* @text's gradient of "y" at @at; NULL: refused, with @code and @word */
static void
check_refusal (const char *text, const char *of, const char *at,
               CamGraphError code, const char *word)
{
  g_autoptr (CamNetwork) network = text_network (text, 2, 2, 2, 1);
  const char *targets[] = { at, NULL };

  for (int reference = 0; reference < 2; reference++)
    {
      const CamPlanOptions options = { .gradient_of = of,
                                       .gradient_at = targets,
                                       .reference = reference };
      g_autoptr (GError) error = NULL;
      g_autoptr (CamPlan) plan = cam_plan_new (network, &options, &error);

      g_assert_null (plan);
      g_assert_error (error, CAM_GRAPH_ERROR, (gint) code);
      g_test_message ("%s", error->message);
      g_assert_nonnull (strstr (error->message, word));
    }
}

static void
test_no_gradient (void)
{
  check_refusal ("a Relu x\nb Tanh x\ny Abs a", "y", "b",
                 CAM_GRAPH_ERROR_NO_GRADIENT, "'b'");
  check_refusal ("a Relu x\ny Abs a", "a", "y", CAM_GRAPH_ERROR_NO_GRADIENT,
                 "'y'");
  check_refusal ("a Relu x\ny Abs a", "y", "z", CAM_GRAPH_ERROR_NOT_FOUND,
                 "'z'");
  check_refusal ("a Relu x\nb Cast a to=7\nc Cast b to=1\ny Abs c", "y", "a",
                 CAM_GRAPH_ERROR_NO_GRADIENT, "float32");
  check_refusal ("y Add x $2,1,1", "y", "constant0",
                 CAM_GRAPH_ERROR_NO_GRADIENT, "is a constant");
  check_refusal ("a Reshape x #1,2,1,2,1,2,1,1\nb Relu a\ny Reshape b #8", "y",
                 "x", CAM_GRAPH_ERROR_NO_GRADIENT, "8 dimensions");
}

int
main (int argc, char **argv)
{
  static const struct
  {
    const char *name;
    GTestDataFunc func;
  } kinds[] = { { "forward", test_forward },
                { "gradient", test_gradient },
                { "targets", test_targets },
                { "threads", test_threads },
                { "company", test_company } };

  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/no-gradient", test_no_gradient);
  for (guint k = 0; k < G_N_ELEMENTS (kinds); k++)
    for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
      {
        g_autofree char *path = g_strdup_printf ("/plan/%s/%s", kinds[k].name,
                                                 cases[i].name);

        g_test_add_data_func (path, &cases[i], kinds[k].func);
      }
  return g_test_run ();
}
