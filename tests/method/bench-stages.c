/* bench-stages.c -- how fast pictures are decoded, and how fast they go forward
 *
 *   bench-stages MODEL.onnx FOLDER THREADS
 *
 * Decodes all of FOLDER's folders' files to the network's input by THREADS
 * threads, then runs as many forward passes by as many; prints both in pictures
 * a second.  The two bounds of a build; bench-build.py holds it against them.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/blas.h"
#include "core/base/threads.h"
#include "core/method/embedder.h"
#include "tools/picture.h"

typedef struct
{
  CamModel *model;
  CamEmbedder *embedder;
  GPtrArray *paths;
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
  list_files (s->paths, argv[2]);
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
  Stages stages = { .paths = g_ptr_array_new_with_free_func (g_free) };
  int n_threads = argc == 4 ? atoi (argv[3]) : 0;
  g_autoptr (CamThreads) threads = NULL;
  g_autoptr (GError) error = NULL;
  int status = 1;

  cam_blas_prepare_process (argv);
  if (n_threads > 0 && open_stages (&stages, argv, n_threads, &error))
    {
      double decoding, passing;

      threads = cam_threads_new (n_threads);
      decoding = rate (threads, decode, &stages);
      passing = rate (threads, forward, &stages);
      printf ("%.1f %.1f\n", decoding, passing);
      status = 0;
    }
  else
    fprintf (stderr, "%s\n",
             error != NULL ? error->message
                           : "bench-stages MODEL.onnx FOLDER THREADS");
  g_clear_pointer (&stages.input, cam_tensor_unref);
  g_clear_pointer (&stages.embedder, cam_embedder_free);
  g_clear_pointer (&stages.model, cam_model_unref);
  g_ptr_array_unref (stages.paths);
  g_free (stages.embeddings);
  return status;
}
