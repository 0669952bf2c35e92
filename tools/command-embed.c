/* command-embed.c -- "camlens embed": pictures to an array of embeddings */
#include <glib/gi18n.h>
#include <stdio.h>
#include <string.h>

#include "core/base/npy.h"
#include "core/base/threads.h"
#include "core/base/whole-file.h"
#include "core/method/embedder.h"
#include "tools/command.h"
#include "tools/commands.h"
#include "tools/picture.h"
#include "tools/places.h"

#define NAME "embed"

static const char text[] =
    N_("Writes [N, D] float32, a row for each picture in the order of the "
    "command line\n(folders: sorted, all below them), as the network gives "
    "it, not normalised.\nPictures that cannot be read are left out, and "
    "named; --names says what the rows\nare.\n\n"
    "--inputs writes what the network was fed instead ([N, C, H, W]), to "
    "compare with\nthe preprocessing that it was trained with.");

typedef struct
{
  char *model, *out, *names, *inputs;
  gboolean whole, skips_ok;
  int n_threads;
} Options;

typedef struct
{
  const Options *options;
  CamModel *model;
  CamEmbedder *embedder;
  GPtrArray *paths;
  int dim;
  gsize input_size;
  float *rows;     /* [N, dim]        */
  float *inputs;   /* [N, input_size] */
  GError **errors; /* [N]             */
} Run;

static void
embed_one (gint64 tile, int thread, gpointer data)
{
  Run *run = data;
  const char *path = g_ptr_array_index (run->paths, tile);
  g_autoptr (CamTensor) input = NULL;
  GError **error = &run->errors[tile];

  input = (run->options->whole
               ? picture_load_input_whole
               : picture_load_input) (path, &run->model->input, NULL, error);
  if (input == NULL)
    return;
  if (run->inputs != NULL)
    memcpy (run->inputs + tile * run->input_size, input->data,
            run->input_size * sizeof (float));
  if (! cam_embedder_run (run->embedder, thread, input,
                          run->rows + tile * run->dim, error))
    g_prefix_error (error, "%s: ", path);
}

/* Moves the rows that there are together; returns how many. */
static gint64
close_gaps (Run *run, GString *names)
{
  gint64 n = 0;

  for (guint i = 0; i < run->paths->len; i++)
    {
      if (run->errors[i] != NULL)
        {
          command_note ("%s", run->errors[i]->message);
          continue;
        }
      memmove (run->rows + n * run->dim, run->rows + (gsize) i * run->dim,
               run->dim * sizeof (float));
      if (run->inputs != NULL)
        memmove (run->inputs + n * run->input_size,
                 run->inputs + i * run->input_size,
                 run->input_size * sizeof (float));
      g_string_append_printf (names, "%s\n",
                              (char *) g_ptr_array_index (run->paths, i));
      n++;
    }
  return n;
}

static gboolean
write_results (Run *run, gint64 n, const GString *names, GError **error)
{
  const Options *o = run->options;
  const CamInputSettings *in = &run->model->input;
  gint64 n_channels = in->channels == CAM_CHANNELS_GRAY ? 1 : 3;
  CamShape rows = cam_shape_make (2, (gint64[]) { n, run->dim });
  CamShape nchw = cam_shape_make (4, (gint64[]) { n, n_channels, in->height,
                                                  in->width });
  CamShape nhwc = cam_shape_make (4, (gint64[]) { n, in->height, in->width,
                                                  n_channels });
  CamFilePiece text_of_names = { names->str, names->len };
  g_autoptr (CamTensor) all = NULL, inputs = NULL;

  all = cam_tensor_new_over (CAM_DTYPE_FLOAT32, &rows, run->rows, NULL, NULL);
  if (o->out != NULL && ! cam_npy_write (o->out, all, error))
    return FALSE;
  if (run->inputs != NULL)
    {
      inputs = cam_tensor_new_over (CAM_DTYPE_FLOAT32, in->nhwc ? &nhwc : &nchw,
                                    run->inputs, NULL, NULL);
      if (! cam_npy_write (o->inputs, inputs, error))
        return FALSE;
    }
  return o->names == NULL
         || cam_whole_file_write (o->names, &text_of_names, 1, error);
}

static gboolean
reserve (Run *run, GError **error)
{
  const CamInputSettings *in = &run->model->input;
  gsize n = run->paths->len;

  run->dim = cam_embedder_dim (run->embedder);
  run->input_size = (gsize) in->height * in->width
                    * (in->channels == CAM_CHANNELS_GRAY ? 1 : 3);
  run->errors = g_new0 (GError *, n);
  run->rows = g_try_malloc_n (n, run->dim * sizeof (float));
  if (run->options->inputs != NULL)
    run->inputs = g_try_malloc_n (n, run->input_size * sizeof (float));
  if (run->rows != NULL && (run->inputs != NULL || ! run->options->inputs))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               _("Too little memory for %zu pictures."), n);
  return FALSE;
}

static int
embed_all (Run *run, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL);
  g_autoptr (CamThreads) threads = cam_threads_new (run->options->n_threads);
  gint64 n;

  run->embedder = cam_embedder_new (run->model, cam_threads_count (threads),
                                    error);
  if (run->embedder == NULL || ! reserve (run, error))
    return COMMAND_FAILED;
  cam_threads_run (threads, run->paths->len, embed_one, run);
  n = close_gaps (run, names);
  if (n == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   ngettext ("The picture could not be embedded.",
                             "None of the %u pictures could be embedded.",
                             run->paths->len),
                   run->paths->len);
      return COMMAND_FAILED;
    }
  if (! write_results (run, n, names, error))
    return COMMAND_FAILED;
  printf (ngettext ("%ld embedding of %d numbers",
                    "%ld embeddings of %d numbers", n),
          (long) n, run->dim);
  if (run->options->out != NULL)
    command_print (stdout, " → %s", run->options->out);
  printf ("\n");
  if (n == run->paths->len)
    return COMMAND_OK;
  command_note (ngettext ("%ld of %u pictures was left out",
                          "%ld of %u pictures were left out",
                          run->paths->len - n),
                (long) (run->paths->len - n), run->paths->len);
  return command_done (run->paths->len - n, run->options->skips_ok);
}

static gboolean
check_names (GPtrArray *paths, GError **error)
{
  for (guint i = 0; i < paths->len; i++)
    if (strchr (paths->pdata[i], '\n') != NULL)
      {
        g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_FILENAME,
                     _ ("“%s” has a line break in its name, and --names has a "
                        "line for each picture: rename it."),
                     (char *) paths->pdata[i]);
        return FALSE;
      }
  return TRUE;
}

/* before any work */
static gboolean
check_places (const Options *o, GPtrArray *paths, GError **error)
{
  g_autoptr (Places) places = places_new ();

  places_read (places, o->model);
  for (guint i = 0; i < paths->len; i++)
    places_read (places, paths->pdata[i]);
  return (o->names == NULL || check_names (paths, error))
         && places_write (places, o->out, error)
         && places_write (places, o->names, error)
         && places_write (places, o->inputs, error);
}

static int
embed_paths (const Options *o, char **argv, int n)
{
  Run run = { .options = o };
  g_autoptr (GError) error = NULL;
  int status = COMMAND_FAILED;

  run.paths = command_list_pictures (argv, n, &error);
  if (run.paths != NULL && run.paths->len == 0)
    g_set_error (&error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                 _("There are no pictures in “%s”."), argv[0]);
  if (error == NULL && check_places (o, run.paths, &error))
    run.model = command_open_model (o->model, &error);
  if (run.model != NULL)
    status = embed_all (&run, &error);
  if (error != NULL)
    status = command_fail (NAME, g_steal_pointer (&error));
  for (guint i = 0; run.errors != NULL && i < run.paths->len; i++)
    g_clear_error (&run.errors[i]);
  g_free (run.errors);
  g_free (run.rows);
  g_free (run.inputs);
  g_clear_pointer (&run.embedder, cam_embedder_free);
  g_clear_pointer (&run.model, cam_model_unref);
  g_clear_pointer (&run.paths, g_ptr_array_unref);
  return status;
}

int
command_embed (int argc, char **argv)
{
  Options o = { 0 };
  const GOptionEntry entries[] = {
    { "model", 'm', 0, G_OPTION_ARG_FILENAME, &o.model,
      N_("Installed model or .onnx file (default: the bundled one)"), "MODEL" },
    { "output", 'o', 0, G_OPTION_ARG_FILENAME, &o.out, N_("The embeddings"),
      "FILE.npy" },
    { "names", 0, 0, G_OPTION_ARG_FILENAME, &o.names,
      N_("The pictures' paths, a line for each row"), "FILE.txt" },
    { "inputs", 0, 0, G_OPTION_ARG_FILENAME, &o.inputs,
      N_("What the network was fed"), "FILE.npy" },
    { "whole", 0, 0, G_OPTION_ARG_NONE, &o.whole,
      N_("Decode big JPEG and WebP pictures whole, not shrunk"), NULL },
    { "threads", 0, 0, G_OPTION_ARG_INT, &o.n_threads,
      N_("At once (default: all cores)"), "N" },
    { "skips-ok", 0, 0, G_OPTION_ARG_NONE, &o.skips_ok,
      N_("Exit status 0, not 3, where pictures had to be left out"), NULL },
    { "max-pixels", 0, 0, G_OPTION_ARG_CALLBACK, (gpointer) command_max_pixels,
      N_("Pixels that a picture may have, like 500M (default 200M)"), "N" },
    { NULL, 0, 0, 0, NULL, NULL, NULL },
  };
  int status = COMMAND_USAGE;

  if (! command_parse (&argc, &argv, "PICTURE|FOLDER…", text, entries))
    status = COMMAND_USAGE;
  else if (argc < 2)
    status = command_misuse (NAME, _("name at least one picture or folder"));
  else if (o.out == NULL && o.inputs == NULL)
    status = command_misuse (NAME, _("name the array to write with -o"));
  else if (command_check_threads (NAME, "threads", o.n_threads))
    status = embed_paths (&o, argv + 1, argc - 1);
  g_free (o.model);
  g_free (o.out);
  g_free (o.names);
  g_free (o.inputs);
  return status;
}
