/* bench-stages.c -- how fast pictures are decoded, and how fast they go forward
 * and back
 *
 *   bench-stages MODEL.onnx LAYER FOLDER THREADS
 *
 * By THREADS threads each: decodes all of FOLDER's folders' files to the
 * network's input; runs as many forward passes; then as many of both passes of
 * a build, forward and from LAYER on and back to it.  Prints all three in
 * pictures a second.  They bound a build; bench-build.py holds it against them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/blas.h"
#include "core/base/threads.h"
#include "core/method/embedder.h"
#include "core/method/split.h"
#include "tools/picture.h"

typedef struct
{
  CamModel *model;
  CamEmbedder *embedder;
  GPtrArray *paths;
  CamSplit *split;
  GPtrArray *runs;   /* of CamSplitRun, one a thread */
  CamTensor *input;  /* some picture's */
  float *embeddings; /* [threads, dim] */
} Stages;

static void
list_files (GPtrArray *paths, const char *folder)
{
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      char *path = g_build_filename (folder, name, NULL);

      if (g_file_test (path, G_FILE_TEST_IS_DIR))
        list_files (paths, path);
      if (g_file_test (path, G_FILE_TEST_IS_REGULAR))
        g_ptr_array_add (paths, path);
      else
        g_free (path);
    }
}

static void
decode (gint64 tile, int thread, gpointer data)
{
  Stages *s = data;
  g_autoptr (CamTensor)
      input = picture_load_input (s->paths->pdata[tile], &s->model->input, NULL,
                                  NULL);

  (void) thread;
  if (input == NULL)
    g_printerr ("cannot read %s\n", (char *) s->paths->pdata[tile]);
}

static void
forward (gint64 tile, int thread, gpointer data)
{
  Stages *s = data;

  (void) tile;
  cam_embedder_run (s->embedder, thread, s->input,
                    s->embeddings
                        + (gsize) thread * cam_embedder_dim (s->embedder),
                    NULL);
}

static void
both_passes (gint64 tile, int thread, gpointer data)
{
  Stages *s = data;
  int dim = cam_split_embedding_dim (s->split);
  float *embedding = s->embeddings + (gsize) thread * dim;
  g_autofree float *kept = g_new (float, cam_split_kept (s->split));
  g_autofree float *alpha = g_new (float, cam_split_channels (s->split));
  gsize n_below = 0;

  (void) tile;
  if (! cam_split_forward (s->runs->pdata[thread], s->input, embedding, kept,
                           NULL, NULL)
      || ! cam_split_weights (s->runs->pdata[thread], kept, CAM_METHOD_GRADCAM,
                              1e-6, embedding, 1, alpha, &n_below, NULL, NULL))
    g_printerr ("no channel weights\n");
}

static double
rate (CamThreads *threads, CamTileFunc func, Stages *stages)
{
  gint64 start = g_get_monotonic_time ();

  cam_threads_run (threads, stages->paths->len, func, stages);
  return stages->paths->len * (double) G_USEC_PER_SEC
         / (double) (g_get_monotonic_time () - start);
}

static gboolean
open_stages (Stages *s, char **argv, int n_threads, GError **error)
{
  if (! picture_init (argv[0], error)
      || (s->model = cam_model_open (argv[1], NULL, error)) == NULL
      || (s->embedder = cam_embedder_new (s->model, n_threads, error)) == NULL)
    return FALSE;
  s->split = cam_split_new (s->model, argv[2], error);
  for (int i = 0; s->split != NULL && i < n_threads; i++)
    g_ptr_array_add (s->runs, cam_split_run_new (s->split, error));
  if (s->split == NULL || s->runs->pdata[n_threads - 1] == NULL)
    return FALSE;
  list_files (s->paths, argv[3]);
  if (s->paths->len == 0)
    return FALSE;
  s->input = picture_load_input (s->paths->pdata[0], &s->model->input, NULL,
                                 error);
  s->embeddings = g_new (float,
                         (gsize) n_threads * cam_embedder_dim (s->embedder));
  return s->input != NULL;
}

int
main (int argc, char **argv)
{
  Stages stages = { .paths = g_ptr_array_new_with_free_func (g_free),
                    .runs = g_ptr_array_new_with_free_func (
                      (GDestroyNotify) cam_split_run_free) };
  int n_threads = argc == 5 ? atoi (argv[4]) : 0;
  g_autoptr (CamThreads) threads = NULL;
  g_autoptr (GError) error = NULL;
  int status = 1;

  cam_blas_prepare_process (argv);
  if (n_threads > 0 && open_stages (&stages, argv, n_threads, &error))
    {
      double decoding, passing, both;

      threads = cam_threads_new (n_threads);
      decoding = rate (threads, decode, &stages);
      passing = rate (threads, forward, &stages);
      both = rate (threads, both_passes, &stages);
      printf ("%.1f %.1f %.1f\n", decoding, passing, both);
      status = 0;
    }
  else
    fprintf (stderr, "%s\n",
             error != NULL ? error->message
                           : "bench-stages MODEL.onnx LAYER FOLDER THREADS");
  g_clear_pointer (&stages.input, cam_tensor_unref);
  g_ptr_array_unref (stages.runs);
  g_clear_pointer (&stages.split, cam_split_free);
  g_clear_pointer (&stages.embedder, cam_embedder_free);
  g_clear_pointer (&stages.model, cam_model_unref);
  g_ptr_array_unref (stages.paths);
  g_free (stages.embeddings);
  return status;
}
