/* command-bench.c -- how long a forward pass takes here, and with what */
#include "config.h"

#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "core/base/blas.h"
#include "core/base/cpu.h"
#include "core/base/threads.h"
#include "core/engine/plan.h"
#include "tools/command.h"
#include "tools/commands.h"

#define LARGEST 65536 /* of batches and sides */

typedef struct
{
  int threads, batch, repeat, size;
  gboolean json, profile, reference;
  char *gradient_at;
} Options;

typedef struct
{
  double median, min;                   /* milliseconds, forward */
  double backward_median, backward_min; /* 0: not asked for      */
  double load, plan;
  gint64 batch; /* what the plan has; the file may fix it */
} Times;

static double
seconds (void)
{
  return g_get_monotonic_time () * 1e-6;
}

static int
compare (gconstpointer a, gconstpointer b)
{
  double x = *(const double *) a, y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
median (double *values, int n)
{
  qsort (values, n, sizeof *values, compare);
  return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

/* Symbolic sizes: the batch, then --size (224 where none is given). */
static CamShape
bind_shape (const CamValue *input, const Options *options)
{
  CamShape shape = input->shape;

  for (int i = 0; i < shape.n_dims; i++)
    if (i == 0 && (shape.dims[0] < 0 || options->batch != 1))
      shape.dims[0] = options->batch;
    else if (shape.dims[i] < 0 || (options->size && i >= shape.n_dims - 2))
      shape.dims[i] = i == 1 && shape.n_dims == 4 ? 3
                      : options->size             ? options->size
                                                  : 224;
  return shape;
}

static gboolean
fill_inputs (CamWorkspace *workspace, CamPlan *plan, GPtrArray *names,
             GError **error)
{
  g_autoptr (GRand) random = g_rand_new_with_seed (1);

  for (guint i = 0; i < names->len; i++)
    {
      g_autoptr (CamTensor) tensor = NULL;
      CamDType dtype;
      CamShape shape;

      if (!cam_plan_shape (plan, names->pdata[i], &dtype, &shape))
        continue;
      tensor = cam_tensor_new (dtype, &shape, error);
      if (!tensor)
        return FALSE;
      for (gsize j = 0; dtype == CAM_DTYPE_FLOAT32 && j < tensor->n_elements;
           j++)
        cam_tensor_f32 (tensor)[j] = g_rand_double_range (random, -2, 2);
      if (!cam_workspace_set_input (workspace, names->pdata[i], tensor, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
time_forward (CamWorkspace *workspace, int repeat, Times *times,
              GError **error)
{
  g_autofree double *values = g_new (double, repeat);

  for (int i = -1; i < repeat; i++) /* one run to warm up */
    {
      double begin = seconds ();

      if (!cam_workspace_run (workspace, NULL, error))
        return FALSE;
      if (i >= 0)
        values[i] = (seconds () - begin) * 1e3;
    }
  times->median = median (values, repeat);
  times->min = values[0];
  return TRUE;
}

static gboolean
time_backward (CamWorkspace *workspace, CamPlan *plan, const char *of,
               const char *at, int repeat, Times *times, GError **error)
{
  g_autofree double *values = g_new (double, repeat);
  g_autoptr (CamTensor) seed = NULL;
  CamShape shape;

  cam_plan_shape (plan, of, NULL, &shape);
  seed = cam_tensor_new (CAM_DTYPE_FLOAT32, &shape, error);
  if (!seed)
    return FALSE;
  for (gsize i = 0; i < seed->n_elements; i++)
    cam_tensor_f32 (seed)[i] = 1.0f / (1 + i % 7);
  for (int i = -1; i < repeat; i++)
    {
      double begin = seconds ();
      g_autoptr (CamTensor) gradient
        = cam_workspace_gradient (workspace, seed, at, NULL, error);

      if (!gradient)
        return FALSE;
      if (i >= 0)
        values[i] = (seconds () - begin) * 1e3;
    }
  times->backward_median = median (values, repeat);
  times->backward_min = values[0];
  return TRUE;
}

static gint64
peak_rss_bytes (void)
{
  struct rusage usage;

  getrusage (RUSAGE_SELF, &usage);
  return (gint64) usage.ru_maxrss * 1024;
}

static void
print_json (const Options *options, const Times *times)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();

#define NUMBER(name, value)                                                   \
  json_builder_set_member_name (b, name);                                     \
  json_builder_add_double_value (b, value)
#define INTEGER(name, value)                                                  \
  json_builder_set_member_name (b, name);                                     \
  json_builder_add_int_value (b, value)
  json_builder_begin_object (b);
  NUMBER ("forward_ms_median", times->median);
  NUMBER ("forward_ms_min", times->min);
  if (options->gradient_at)
    {
      NUMBER ("backward_ms_median", times->backward_median);
      NUMBER ("backward_ms_min", times->backward_min);
    }
  NUMBER ("load_ms", times->load);
  NUMBER ("plan_ms", times->plan);
  INTEGER ("threads", options->threads);
  INTEGER ("batch", times->batch);
  json_builder_set_member_name (b, "blas_kernel");
  json_builder_add_string_value (b, cam_blas_kernel ());
  INTEGER ("peak_rss_bytes", peak_rss_bytes ());
  json_builder_end_object (b);
#undef NUMBER
#undef INTEGER
  command_print_json (b, TRUE);
}

static void
print_text (const Options *options, const Times *times)
{
  g_autofree char *rss = g_format_size (peak_rss_bytes ());

  printf (_("forward   %.2f ms median, %.2f ms at best of %d\n"), times->median,
          times->min, options->repeat);
  if (options->gradient_at)
    command_print (stdout,
                   _("backward  %.2f ms median, %.2f ms at best, to %s\n"),
                   times->backward_median, times->backward_min,
                   options->gradient_at);
  printf (_("batch     %d, threads %d\n"), (int) times->batch,
          options->threads);
  printf (_("load      %.0f ms, plan %.0f ms\n"), times->load, times->plan);
  printf (_("memory    %s at most\n"), rss);
  printf (_("OpenBLAS  %s; own kernels %s\n"), cam_blas_kernel (),
          cam_cpu_level_name (cam_cpu_level ()));
}

static CamPlan *
make_plan (const char *path, const Options *options, GPtrArray *names,
           char **of, Times *times, GError **error)
{
  double begin = seconds ();
  CamNetwork *network = cam_network_load (path, 0, NULL, error);
  const char *at[2] = { options->gradient_at, NULL };
  CamPlanOptions plan_options = { .consume = TRUE,
                                  .reference = options->reference };
  g_autofree CamBinding *bindings = NULL;
  CamPlan *plan;

  if (!network)
    return NULL;
  times->load = (seconds () - begin) * 1e3;
  begin = seconds ();
  plan_options.n_bindings = cam_network_graph (network)->inputs->len;
  bindings = g_new0 (CamBinding, plan_options.n_bindings);
  for (guint i = 0; i < plan_options.n_bindings; i++)
    {
      const CamValue *input = cam_network_graph (network)->inputs->pdata[i];

      g_ptr_array_add (names, g_strdup (input->name));
      bindings[i].name = names->pdata[i];
      bindings[i].shape = bind_shape (input, options);
      if (i == 0 && bindings[0].shape.n_dims > 0)
        times->batch = bindings[0].shape.dims[0];
    }
  plan_options.bindings = bindings;
  if (options->gradient_at)
    {
      *of = g_strdup (cam_network_embedding (network));
      plan_options.gradient_of = *of;
      plan_options.gradient_at = at;
    }
  plan = cam_plan_new (network, &plan_options, error);
  times->plan = (seconds () - begin) * 1e3;
  return plan;
}

static gboolean
measure (const char *path, const Options *options, Times *times,
         GError **error)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autofree char *of = NULL;
  g_autoptr (CamPlan) plan = make_plan (path, options, names, &of, times,
                                        error);
  g_autoptr (CamWorkspace) workspace
    = plan ? cam_workspace_new (plan, options->threads, error) : NULL;

  if (!workspace || !fill_inputs (workspace, plan, names, error)
      || !time_forward (workspace, options->repeat, times, error)
      || (options->gradient_at
          && !time_backward (workspace, plan, of, options->gradient_at,
                             options->repeat, times, error)))
    return FALSE;
  if (options->profile)
    cam_workspace_profile (workspace, options->repeat, stdout);
  return TRUE;
}

int
command_bench (int argc, char **argv)
{
  Options options = { .threads = 1, .batch = 1, .repeat = 20 };
  Times times = { 0 };
  GError *error = NULL;
  const GOptionEntry entries[] = {
    { "threads", 't', 0, G_OPTION_ARG_INT, &options.threads,
      N_("Threads; 0: as many as there are cores (default 1)"), "N" },
    { "batch", 'b', 0, G_OPTION_ARG_INT, &options.batch,
      N_("Pictures at a time (default 1)"), "N" },
    { "repeat", 'r', 0, G_OPTION_ARG_INT, &options.repeat,
      N_("Runs (default 20)"), "N" },
    { "size", 's', 0, G_OPTION_ARG_INT, &options.size,
      N_("Height and width of the input (default 0: as the file has them)"),
      "PIXELS" },
    { "gradient-at", 0, 0, G_OPTION_ARG_STRING, &options.gradient_at,
      N_("Time the gradient of the embedding there, too"), "LAYER" },
    { "profile", 0, 0, G_OPTION_ARG_NONE, &options.profile,
      N_("Print the time of every node"), NULL },
    { "reference", 0, 0, G_OPTION_ARG_NONE, &options.reference,
      N_("Plain operators, as the file has them"), NULL },
    { "json", 0, 0, G_OPTION_ARG_NONE, &options.json,
      N_("Print JSON"), NULL },
    { NULL }
  };

  if (!command_parse (&argc, &argv, "MODEL",
                      _("Times forward passes of a network on random input."),
                      entries))
    return COMMAND_USAGE;
  if (argc != 2)
    return command_misuse ("bench", _("wants one model"));
  if (! command_check_threads ("bench", "threads", options.threads)
      || ! command_check_number ("bench", "batch", options.batch, 1, LARGEST)
      || ! command_check_number ("bench", "repeat", options.repeat, 1,
                                 COMMAND_MANY)
      || ! command_check_number ("bench", "size", options.size, 0, LARGEST))
    return COMMAND_USAGE;
  options.threads = cam_threads_resolve (options.threads);
  if (!measure (argv[1], &options, &times, &error))
    return command_fail ("bench", error);
  if (options.json)
    print_json (&options, &times);
  else
    print_text (&options, &times);
  g_free (options.gradient_at);
  return COMMAND_OK;
}
