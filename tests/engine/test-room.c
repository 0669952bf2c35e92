/* test-room.c -- OpenBLAS's buffers are asked for by the plans that multiply
 * with it, and by no others
 *
 * They take 136 MB of addresses a thread.  Under a limit that leaves less than
 * that, a plan whose products are our own kernels' runs, and one of the plain
 * operators is refused before OpenBLAS is called.
 */
#include "config.h"

#include <malloc.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include "tests/engine/text-network.h"

#define THREADS 4
#define LEFT ((rlim_t) 400 << 20) /* buffers for two threads, and all the rest */

/* What the process has mapped, in bytes */
static rlim_t
addresses (void)
{
  unsigned long pages = 0;
  FILE *file = fopen ("/proc/self/statm", "r");

  g_assert_nonnull (file);
  g_assert_cmpint (fscanf (file, "%lu", &pages), ==, 1);
  fclose (file);
  return (rlim_t) pages * (rlim_t) sysconf (_SC_PAGESIZE);
}

static CamPlan *
plan_of (const char *text, gint64 batch, gboolean reference)
{
  g_autoptr (CamNetwork) network = text_network (text, 16, 12, 12, 1);
  const CamBinding binding = { "x", { 4, { batch, 16, 12, 12 } } };
  const CamPlanOptions options = { .bindings = &binding,
                                   .n_bindings = 1,
                                   .reference = reference };
  GError *error = NULL;
  CamPlan *plan = cam_plan_new (network, &options, &error);

  g_assert_no_error (error);
  return plan;
}

/* FALSE with TOO_LARGE: there is no room.  The limit is lifted again. */
static gboolean
runs (CamPlan *plan, GError **error)
{
  struct rlimit before, little;
  CamWorkspace *workspace;
  gboolean good;

  g_assert_cmpint (getrlimit (RLIMIT_AS, &before), ==, 0);
  little = before;
  little.rlim_cur = addresses () + LEFT;
  g_assert_cmpint (setrlimit (RLIMIT_AS, &little), ==, 0);
  workspace = cam_workspace_new (plan, THREADS, error);
  good = workspace != NULL && cam_workspace_run (workspace, NULL, error);
  cam_workspace_free (workspace);
  g_assert_cmpint (setrlimit (RLIMIT_AS, &before), ==, 0);
  return good;
}

static const struct
{
  const char *name, *text;
} networks[] = {
  { "conv", "a Conv x $32,16,3,3 pads=1,1,1,1\nb Relu a\n"
            "c GlobalAveragePool b\nd Flatten c\ny Gemm d $32,8 $8" },
  { "conv transpose", "y ConvTranspose x $16,8,2,2 strides=2,2" },
  { "product", "a Flatten x\nb Transpose a perm=1,0\ny MatMul a b" },
};

/* With the plain operators all of them multiply with OpenBLAS. */
static void
test_asked (gconstpointer data)
{
  const char *text = data;

  for (gint64 batch = 1; batch <= 2 * THREADS; batch += 2 * THREADS - 1)
    {
      g_autoptr (CamPlan) plan = plan_of (text, batch, TRUE);
      g_autoptr (GError) error = NULL;
      g_autoptr (CamWorkspace) workspace = NULL;

      g_assert_false (runs (plan, &error));
      g_assert_error (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE);
      g_clear_error (&error);
      workspace = cam_workspace_new (plan, THREADS, &error);
      g_assert_no_error (error);
      g_assert_true (cam_workspace_run (workspace, NULL, &error));
    }
}

static void
test_not_asked (void)
{
  for (gint64 batch = 1; batch <= 2 * THREADS; batch += 2 * THREADS - 1)
    {
      g_autoptr (CamPlan) plan = plan_of (networks[0].text, batch, FALSE);
      g_autoptr (GError) error = NULL;

      runs (plan, &error);
      g_assert_no_error (error);
    }
}

int
main (int argc, char **argv)
{
  mallopt (M_ARENA_MAX, 1); /* arenas take addresses, too */
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/room/not asked for", test_not_asked);
  for (gsize i = 0; i < G_N_ELEMENTS (networks); i++)
    {
      g_autofree char *path = g_strdup_printf ("/room/asked for/%s",
                                               networks[i].name);

      g_test_add_data_func (path, networks[i].text, test_asked);
    }
  return g_test_run ();
}
