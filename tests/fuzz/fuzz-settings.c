/* fuzz-settings.c -- libFuzzer's target: a model.ini that may be anything
 *
 * The network beside it is small and right.  Its settings are read, a picture
 * goes in by them, and one like it explains it: to the overlay and the JSON.
 * Nothing may crash, hang, or make a number that is none.
 */
#include <glib/gstdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/method/score.h"
#include "tests/fuzz/explain.h"
#include "tests/fuzz/fuzz.h"
#include "tests/reader/model-writer.h"

#define WIDTH 13
#define HEIGHT 7

static char *folder; /* of the network */

static void
remove_folder (void)
{
  g_autofree char *path = g_build_filename (folder, "model.onnx", NULL);

  g_unlink (path);
  g_rmdir (folder);
  g_free (folder);
}

/* Made once */
static void
make_folder (void)
{
  g_autofree char *path = NULL;
  g_autoptr (GBytes) bytes = NULL;

  if (folder != NULL)
    return;
  folder = g_strdup_printf ("%s/camlens-fuzz-%d", g_get_tmp_dir (),
                            (int) getpid ());
  g_mkdir_with_parents (folder, 0700);
  path = g_build_filename (folder, "model.onnx", NULL);
  bytes = small_model ();
  g_file_set_contents (path, g_bytes_get_data (bytes, NULL),
                       (gssize) g_bytes_get_size (bytes), NULL);
  atexit (remove_folder);
}

/* @kind 0: stripes with transparency; 1: others; 2: black */
static CamTensor *
input_of (const CamModel *model, int kind, CamView *view)
{
  guint8 pixels[WIDTH * HEIGHT * 4];
  CamInputBuilder *builder =
      cam_input_builder_new (&model->input, WIDTH, HEIGHT, WIDTH, HEIGHT, NULL);

  if (builder == NULL)
    return NULL;
  for (guint i = 0; i < sizeof pixels; i++)
    pixels[i] = kind == 2 ? (i % 4 == 3) * 255
                          : (guint8) (i * (kind == 0 ? 37 : 91) + i / 52);
  cam_input_builder_add_rows (builder, CAM_PIXEL_RGBA8, pixels, WIDTH * 4,
                              HEIGHT);
  return cam_input_builder_finish (builder, view, NULL);
}

static CamObservation *
observe (const CamModel *model, CamExplainer *explainer, int kind)
{
  CamView view;
  g_autoptr (CamTensor) input = input_of (model, kind, &view);

  return input != NULL
             ? cam_explainer_observe (explainer, input, &view, NULL, NULL)
             : NULL;
}

static void
explain (CamModel *model)
{
  g_autoptr (CamExplainer)
      explainer = cam_explainer_new (model, NULL, TRUE, 1, NULL);
  g_autoptr (CamObservation) positive = NULL;

  if (explainer == NULL)
    return;
  positive = observe (model, explainer, 1);
  for (int kind = 0; positive != NULL && kind < 3; kind++)
    {
      g_autoptr (CamObservation) anchor = observe (model, explainer, kind);
      g_autofree float *alpha = NULL;

      if (anchor == NULL)
        continue;
      alpha = cam_explainer_triplet_weights (explainer, anchor,
                                             positive->embedding, NULL, NULL,
                                             NULL);
      if (alpha != NULL)
        fuzz_explain (anchor, alpha, cam_explainer_channels (explainer));
      cam_score_flat (cam_explainer_embedding_dim (explainer),
                      (const float *) anchor->embedding->data,
                      (const float *) positive->embedding->data, NULL);
      fuzz_parse (cam_provenance_json (model, cam_explainer_layer (explainer),
                                       NULL, NULL, 0));
    }
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autofree char *path = NULL, *settings = NULL;
  g_autoptr (CamModel) model = NULL;

  make_folder ();
  path = g_build_filename (folder, "model.onnx", NULL);
  settings = g_build_filename (folder, "model.ini", NULL);
  if (! g_file_set_contents_full (settings, (const char *) data, (gssize) size,
                                  G_FILE_SET_CONTENTS_NONE, 0600, NULL))
    return 0;
  model = cam_model_open (path, NULL, NULL);
  if (model != NULL)
    explain (model);
  g_unlink (settings);
  return 0;
}
