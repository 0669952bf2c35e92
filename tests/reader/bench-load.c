/* bench-load.c -- how long a 100 MB model takes until it can run, and what it
 * occupies then
 *
 *   bench-load [MODEL.onnx]
 *
 * Without a model it writes one of 100 weights of 1 MiB, as exporters lay them
 * out.  Loads it and makes a plan of it, in a fresh process each time, warm,
 * and prints medians.  The digest is computed when first asked for, apart.
 */
#include "core/engine/plan.h"
#include "tests/reader/model-writer.h"
#include <glib/gstdio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define N_WEIGHTS 100
#define SIDE 512 /* a weight is SIDE x SIDE floats, 1 MiB */
#define REPEAT 9

typedef struct
{
  double load_ms, plan_ms, digest_ms;
  double resident_bytes; /* more than before loading, once planned */
  double weight_bytes;   /* of the plan, as it reckons them */
} Measurement;

/* x [N, 3, 8, 8] -> Flatten -> Gemm 192 x 512 -> Gemm 512 x 512 ... */
static GBytes *
make_model (void)
{
  g_autofree float *values = g_new (float, SIDE * SIDE);
  const gint64 dims[] = { SIDE, SIDE, -1 };
  const gint64 first[] = { 192, SIDE, -1 };
  Model model = model_new (13);

  for (int i = 0; i < SIDE * SIDE; i++)
    values[i] = (float) i / (SIDE * SIDE);
  model_add_node (&model, node_new ("Flatten", "x", "h0"));
  for (int i = 0; i < N_WEIGHTS; i++)
    {
      g_autofree char *name = g_strdup_printf ("layer.%d.weight", i);
      g_autofree char *in = g_strdup_printf ("h%d %s", i, name);
      g_autofree char *out = g_strdup_printf ("h%d", i + 1);
      GByteArray *tensor = tensor_new (name, DTYPE_FLOAT, i ? dims : first);

      put_bytes (tensor, 9, values,
                 (gsize) (i ? SIDE : 192) * SIDE * sizeof *values);
      model_add_weight (&model, tensor);
      model_add_node (&model, node_new ("MatMul", in, out));
    }
  model_add_output (&model, "h100");
  return model_finish (&model);
}

static double
resident_bytes (void)
{
  FILE *file = fopen ("/proc/self/statm", "r");
  long pages = 0;

  if (! file || fscanf (file, "%*d %ld", &pages) != 1)
    pages = 0;
  if (file)
    fclose (file);
  return (double) pages * (double) sysconf (_SC_PAGESIZE);
}

static double
milliseconds (void)
{
  return (double) g_get_monotonic_time () / 1e3;
}

static Measurement
measure (const char *path)
{
  CamPlanOptions options = { .consume = TRUE };
  Measurement m;
  double before = resident_bytes (), start = milliseconds ();
  CamNetwork *network = cam_network_load (path, 0, NULL, NULL);
  CamPlan *plan;

  g_assert_nonnull (network);
  m.load_ms = milliseconds () - start;
  start = milliseconds ();
  plan = cam_plan_new (network, &options, NULL);
  g_assert_nonnull (plan);
  m.plan_ms = milliseconds () - start;
  m.resident_bytes = resident_bytes () - before;
  m.weight_bytes = (double) cam_plan_weight_bytes (plan);
  cam_plan_unref (plan);
  network = cam_network_load (path, 0, NULL, NULL);
  start = milliseconds ();
  g_assert_cmpint (strlen (cam_network_digest (network)), ==, 64);
  m.digest_ms = milliseconds () - start;
  cam_network_unref (network);
  return m;
}

/* In a process of its own, so that memory is counted from nothing. */
static Measurement
measure_apart (const char *path)
{
  Measurement m = { 0 };
  int ends[2];
  int status = 1;
  pid_t child;

  g_assert_cmpint (pipe (ends), ==, 0);
  child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      m = measure (path);
      _exit (write (ends[1], &m, sizeof m) == sizeof m ? 0 : 1);
    }
  close (ends[1]);
  g_assert_cmpint (read (ends[0], &m, sizeof m), ==, sizeof m);
  close (ends[0]);
  waitpid (child, &status, 0);
  g_assert_cmpint (status, ==, 0);
  return m;
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a;
  double y = *(const double *) b;

  return (x > y) - (x < y);
}

static double
median (double *values)
{
  qsort (values, REPEAT, sizeof *values, compare);
  return values[REPEAT / 2];
}

static char *
write_model (void)
{
  g_autoptr (GBytes) bytes = make_model ();
  char *path = NULL;
  int fd = g_file_open_tmp ("camlens-load-XXXXXX.onnx", &path, NULL);

  g_assert_cmpint (fd, >=, 0);
  close (fd);
  g_assert_true (g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
                                      (gssize) g_bytes_get_size (bytes), NULL));
  return path;
}

int
main (int argc, char **argv)
{
  g_autofree char *path = argc > 1 ? g_strdup (argv[1]) : write_model ();
  double ready[REPEAT], load[REPEAT], digest[REPEAT], resident[REPEAT];
  double size, weights = 0;
  GStatBuf status;

  g_assert_cmpint (g_stat (path, &status), ==, 0);
  size = (double) status.st_size;
  measure_apart (path); /* warms the page cache */
  for (int i = 0; i < REPEAT; i++)
    {
      Measurement m = measure_apart (path);

      load[i] = m.load_ms;
      ready[i] = m.load_ms + m.plan_ms;
      weights = m.weight_bytes / size;
      digest[i] = m.digest_ms;
      resident[i] = m.resident_bytes / size;
    }
  if (argc < 2)
    g_remove (path);
  printf ("file      %8.1f MB\n", size / 1e6);
  printf ("load      %8.1f ms (median of %d, warm)\n", median (load), REPEAT);
  printf ("ready     %8.1f ms, with the plan\n", median (ready));
  printf ("digest    %8.1f ms, when first asked for\n", median (digest));
  printf ("resident  %8.2f times the file, once ready\n", median (resident));
  printf ("weights   %8.2f times the file, repacked and transformed\n",
          weights);
  return 0;
}
