/* model.c -- opens a network with the settings it comes with */
#include "core/model/model.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/model/input-settings.h"
#include "core/model/installed.h"
#include "core/model/known-keys.h"
#include "core/model/model-embedding.h"
#include "core/model/model-inputs.h"

#define BUNDLED "objects"

G_DEFINE_QUARK (cam - model - error - quark, cam_model_error)

static void
model_clear (gpointer data)
{
  CamModel *model = data;

  g_free (model->path);
  g_free (model->name);
  g_free (model->title);
  g_free (model->licence);
  g_free (model->description);
  g_free (model->input_name);
  g_free (model->embedding);
  g_free (model->layer);
  g_strfreev (model->given_inputs);
  g_strfreev (model->guesses);
  g_strfreev (model->customs);
  g_strfreev (model->warnings);
  g_clear_pointer (&model->network, cam_network_unref);
}

CamModel *
cam_model_ref (CamModel *model)
{
  return g_atomic_rc_box_acquire (model);
}

void
cam_model_unref (CamModel *model)
{
  if (model != NULL)
    g_atomic_rc_box_release_full (model, model_clear);
}

const char *
cam_model_digest (const CamModel *model)
{
  return cam_network_digest (model->network);
}

static void
refuse_name (const char *name, GPtrArray *installed, GError **error)
{
  g_autoptr (GString) known = g_string_new (NULL);

  for (guint i = 0; i < installed->len; i++)
    {
      const CamInstalledModel *model = g_ptr_array_index (installed, i);

      g_string_append_printf (known, "%s%s", i == 0 ? "" : ", ", model->name);
    }
  if (known->len == 0)
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NOT_FOUND,
                 _ ("There is no model “%s”: neither a file nor an installed "
                    "model of that name (installed: none; “camlens models add” "
                    "installs one, and CAMLENS_MODEL_PATH names further "
                    "folders)."),
                 name);
  else
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NOT_FOUND,
                 _ ("There is no model “%s”: neither a file nor an installed "
                    "model of that name (installed: %s)."),
                 name, known->str);
}

char *
cam_model_find (const char *name, GError **error)
{
  g_autoptr (GPtrArray) installed = NULL;
  char *path;

  if (! g_str_has_suffix (name, ".onnx") && strchr (name, '/') == NULL)
    {
      installed = cam_models_installed ();
      for (guint i = 0; i < installed->len; i++)
        {
          const CamInstalledModel *model = g_ptr_array_index (installed, i);

          if (strcmp (model->name, name) == 0)
            return g_strdup (model->path);
        }
    }
  path = g_file_test (name, G_FILE_TEST_IS_DIR) ? cam_model_file_in (name)
                                                : NULL;
  if (path != NULL)
    return path;
  if (g_file_test (name, G_FILE_TEST_EXISTS)
      && ! g_file_test (name, G_FILE_TEST_IS_DIR))
    return g_strdup (name);
  if (g_file_test (name, G_FILE_TEST_IS_DIR))
    {
      g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NOT_FOUND,
                   _ ("The folder “%s” holds neither a model.onnx nor a single "
                      "other .onnx file: name the file."),
                   name);
      return NULL;
    }
  if (installed == NULL)
    installed = cam_models_installed ();
  refuse_name (name, installed, error);
  return NULL;
}

/* "objects" of .../objects/model.onnx, "bird" of .../bird.onnx */
static char *
short_name (const char *path)
{
  char *base = g_path_get_basename (path), *dot = strrchr (base, '.');

  if (strcmp (base, "model.onnx") == 0)
    {
      g_autofree char *real = g_canonicalize_filename (path, NULL);
      g_autofree char *folder = g_path_get_dirname (real);

      g_free (base);
      return g_path_get_basename (folder);
    }
  if (dot != NULL && dot != base)
    *dot = '\0';
  return base;
}

/* What input.size says, before it can be checked beside the input; 0: nothing
 * that can be */
static void
read_size_hint (const CamSettings *settings, int *height, int *width)
{
  double size[2];
  gboolean found;

  *height = *width = 0;
  if (! cam_settings_numbers (settings, "input.size", 2, size, &found, NULL)
      || ! found || MIN (size[0], size[1]) < 1
      || MAX (size[0], size[1]) > 16384)
    return;
  *height = (int) size[0];
  *width = (int) size[1];
}

/* Embedding, inputs and how the picture goes in: each needs what was found
 * before it. */
static gboolean
read_network (CamModel *model, const CamSettings *settings, GPtrArray *guesses,
              GPtrArray *customs, GPtrArray *warnings, GError **error)
{
  const CamValue *picture;
  int height, width;

  read_size_hint (settings, &height, &width);
  if (! cam_model_inputs_apply (model->network, settings, height, width,
                                &model->given_inputs, error)
      || ! cam_model_inputs_check (model->network, error))
    return FALSE;
  model->embedding = cam_model_embedding_choose (model->network, settings,
                                                 height, width, guesses, error);
  if (model->embedding == NULL)
    return FALSE;
  picture = cam_model_inputs_picture (model->network, model->embedding, error);
  if (picture == NULL
      || ! cam_input_settings_read (settings, picture, &model->input, guesses,
                                    customs, warnings, error))
    return FALSE;
  cam_model_inputs_warn (model->network, model->given_inputs, model->embedding,
                         warnings);
  model->input_name = g_strdup (picture->name);
  cam_network_settle (model->network, picture->name, model->input.height,
                      model->input.width, model->embedding);
  return cam_model_embedding_verify (model->network, model->embedding, warnings,
                                     error);
}

static gboolean
read_layer (CamModel *model, const CamSettings *settings, GError **error)
{
  static const char *const layouts[] = { "nchw", "nhwc", "tokens", "tokens+cls",
                                         NULL };
  int layout = CAM_LAYOUT_NCHW;

  if (! cam_settings_choice (settings, "layer.layout", layouts, &layout,
                             &model->layout_given, error))
    return FALSE;
  model->layout = (CamLayout) layout;
  model->layer = cam_settings_get (settings, "layer");
  if (model->layer == NULL
      || cam_graph_find (cam_network_graph (model->network), model->layer))
    return TRUE;
  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_LAYER,
               _ ("The network has no layer “%s”, which its settings name."),
               model->layer);
  return FALSE;
}

/* NULL-ended; @sentences is freed. */
static char **
take_sentences (GPtrArray *sentences)
{
  g_ptr_array_add (sentences, NULL);
  return (char **) g_ptr_array_free (sentences, FALSE);
}

static gboolean
read_settings (CamModel *model, GError **error)
{
  GPtrArray *guesses, *customs, *warnings;
  CamSettings settings;
  gboolean good;

  if (! cam_settings_open (&settings, model->path, model->network, error))
    return FALSE;
  guesses = g_ptr_array_new ();
  customs = g_ptr_array_new ();
  warnings = g_ptr_array_new ();
  cam_known_keys_check (&settings, model->path, warnings);
  model->title = cam_settings_get (&settings, "name");
  model->licence = cam_settings_get (&settings, "licence");
  model->description = cam_settings_get (&settings, "description");
  good = read_network (model, &settings, guesses, customs, warnings, error)
         && read_layer (model, &settings, error);
  model->guesses = take_sentences (guesses);
  model->customs = take_sentences (customs);
  model->warnings = take_sentences (warnings);
  cam_settings_clear (&settings);
  return good;
}

CamModel *
cam_model_open (const char *name_or_path, GCancellable *cancellable,
                GError **error)
{
  const char *name = name_or_path != NULL && *name_or_path != '\0'
                         ? name_or_path
                         : BUNDLED;
  g_autofree char *path = cam_model_find (name, error);
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (CamModel) model = NULL;

  if (path == NULL)
    return NULL;
  network = cam_network_load (path, 0, cancellable, error);
  if (network == NULL)
    return NULL;
  model = g_atomic_rc_box_new0 (CamModel);
  model->name = short_name (path);
  model->path = g_steal_pointer (&path);
  model->network = g_steal_pointer (&network);
  if (! read_settings (model, error))
    return NULL;
  return g_steal_pointer (&model);
}
