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
#include <string.h>
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

/* Bytes that the allocator has handed out; a sanitizer's does not say */
static gsize
allocated (void)
{
  const struct mallinfo2 info = mallinfo2 ();

  return info.uordblks + info.hblkhd;
}

/* Four lanes of which the limit has room for two: two there are, and the
 * numbers are the same. */
static void
test_lanes (void)
{
  g_autoptr (CamNetwork) network = text_network (networks[0].text, 16, 64, 64,
                                                 1);
  const CamBinding binding = { "x", { 4, { 8, 16, 64, 64 } } };
  CamPlanOptions options = { .bindings = &binding, .n_bindings = 1 };
  g_autoptr (CamPlan) roomy = cam_plan_new (network, &options, NULL);
  gsize outer = 8 * 16 * 64 * 64 * sizeof (float), before = allocated ();
  gsize lane = cam_plan_workspace_bytes (roomy) - outer, taken[2];

  for (int i = 0; i < 2; i++)
    {
      g_autoptr (CamPlan) plan = NULL;
      g_autoptr (CamWorkspace) workspace = NULL;
      g_autoptr (GError) error = NULL;

      options.memory_limit = i ? cam_plan_weight_bytes (roomy) + outer
                                     + lane * 5 / 2
                               : 0;
      plan = cam_plan_new (network, &options, &error);
      g_assert_no_error (error);
      before = allocated ();
      workspace = cam_workspace_new (plan, THREADS, &error);
      g_assert_no_error (error);
      taken[i] = allocated () - before;
      g_assert_true (cam_workspace_run (workspace, NULL, &error));
    }
  g_test_message ("%zu and %zu bytes, a lane %zu", taken[0], taken[1], lane);
  if (allocated () == 0)
    {
      g_test_skip ("the allocator does not count");
      return;
    }
  g_assert_cmpuint (taken[0], >, outer + 4 * lane);
  g_assert_cmpuint (taken[1], <, outer + lane * 5 / 2);
}

/* What is told where there is no room: how much it is, and what to do */
static void
test_message (void)
{
  g_autoptr (CamNetwork) network = text_network (networks[0].text, 16, 64, 64,
                                                 1);
  const CamBinding binding = { "x", { 4, { 8, 16, 64, 64 } } };
  const CamPlanOptions options = { .bindings = &binding,
                                   .n_bindings = 1,
                                   .memory_limit = 1000000 };
  g_autoptr (GError) error = NULL;

  g_assert_null (cam_plan_new (network, &options, &error));
  g_assert_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_TOO_LARGE);
  g_test_message ("%s", error->message);
  g_assert_nonnull (strstr (error->message, "not enough memory"));
  g_assert_nonnull (strstr (error->message, "MB"));
  g_assert_nonnull (strstr (error->message, "smaller batch"));
}

int
main (int argc, char **argv)
{
  mallopt (M_ARENA_MAX, 1); /* arenas take addresses, too */
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/room/not asked for", test_not_asked);
  g_test_add_func ("/room/lanes", test_lanes);
  g_test_add_func ("/room/message", test_message);
  for (gsize i = 0; i < G_N_ELEMENTS (networks); i++)
    {
      g_autofree char *path = g_strdup_printf ("/room/asked for/%s",
                                               networks[i].name);

      g_test_add_data_func (path, networks[i].text, test_asked);
    }
  return g_test_run ();
}
