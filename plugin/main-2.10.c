/* main-2.10.c -- CamLens as a plug-in of GIMP 2.10: its procedures */
#include "config.h"
#include "core/base/blas.h"
#include "core/base/whole-file.h"
#include "plugin/host.h"
#include "plugin/procedures.h"
#include "plugin/room.h"
#include "plugin/run.h"
#include "ui/options.h"
#include <glib/gi18n.h>
#include <libgimp/gimp.h>
#include <string.h>

/* ---- registration ---- */

#define COMMON_ARGS                                                            \
  OWN_ARGS ("The layer to explain"),                                           \
  {                                                                            \
    GIMP_PDB_STRING, "model",                                                  \
        "Model: an installed one's name, a path, or \"\" for the bundled one"  \
  }

#define OWN_ARGS(what)                                                         \
  { GIMP_PDB_INT32, "run-mode",                                                \
    "RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1), RUN-WITH-LAST-VALS (2)" },   \
      { GIMP_PDB_IMAGE, "image", "The image" },                                \
  {                                                                            \
    GIMP_PDB_DRAWABLE, "drawable", what                                        \
  }

#define LOOK_ARGS                                                              \
  { GIMP_PDB_INT32, "top-k", "Channels to keep; 0: all" },                     \
      { GIMP_PDB_FLOAT, "opacity", "Opacity of the layer, 0 to 100" },         \
      { GIMP_PDB_INT32, "colormap",                                            \
        "Turbo (0), viridis (1), inferno (2), jet (3), gray (4)" },            \
      { GIMP_PDB_INT32, "layer-mode",                                          \
        "LAYER-MODE-NORMAL, -MULTIPLY, -SCREEN, -OVERLAY, -SOFTLIGHT, "        \
        "-HARDLIGHT or -ADDITION" },                                           \
  {                                                                            \
    GIMP_PDB_FLOAT, "threshold",                                               \
        "Transparent up to this part of the maximum, 0 to 1"                   \
  }

static const GimpParamDef overlay_args[] = {
  COMMON_ARGS,
  { GIMP_PDB_STRING, "database",
    "Cluster database: a name, a path, or \"\" for the model's own" },
  LOOK_ARGS,
  { GIMP_PDB_INT32, "transfer",
    "Weights of the nearest cluster (0) or neighbour (1)" },
};

static const GimpParamDef example_args[] = {
  COMMON_ARGS,
  { GIMP_PDB_STRING, "positive",
    "A picture that should be found alike: a path, or \"layer:NUMBER\"" },
  { GIMP_PDB_STRING, "negative", "One that should not; \"\": none" },
  LOOK_ARGS,
};

static const GimpParamDef export_args[] = {
  OWN_ARGS ("An overlay layer"),
  { GIMP_PDB_INT32, "what",
    "Overlay (0), composite (1), heat map as TIFF (2) or as NPY (3), "
    "provenance as JSON (4)" },
  { GIMP_PDB_STRING, "path", "The file to write" },
};

static const GimpParamDef build_args[] = {
  { GIMP_PDB_INT32, "run-mode", "RUN-INTERACTIVE (0), RUN-NONINTERACTIVE (1)" },
  { GIMP_PDB_STRING, "folder", "Folder of pictures, a subfolder a label" },
  { GIMP_PDB_STRING, "model",
    "Model: an installed one's name, a path, or \"\" for the bundled one" },
  { GIMP_PDB_STRING, "database", "The database file to write" },
  { GIMP_PDB_INT32, "clusters", "Number of clusters, usually 50" },
  { GIMP_PDB_INT32, "triplets", "Triplets a picture, usually 50" },
};

static const GimpParamDef layer_values[] = {
  { GIMP_PDB_LAYER, "layer", "The new layer" },
  { GIMP_PDB_INT32, "cluster", "Number of the nearest cluster" },
  { GIMP_PDB_FLOAT, "similarity", "Similarity to what lent the weights" },
};

static void
install (const char *name, const char *types, int n_args,
         const GimpParamDef *args, int n_values, const GimpParamDef *values)
{
  const CamProcedure *p = cam_procedure_find (name);

  gimp_install_procedure (name, p->blurb, p->help, CAM_AUTHORS, CAM_COPYRIGHT,
                          CAM_DATE, p->label, types, GIMP_PLUGIN, n_args,
                          n_values, args, values);
  gimp_plugin_menu_register (name, CAM_MENU);
}

static void
query (void)
{
  g_autofree char *locale = cam_locale_folder ();

  gimp_plugin_domain_register (GETTEXT_PACKAGE, locale);
  install (CAM_PROC_OVERLAY, "RGB*, GRAY*, INDEXED*",
           G_N_ELEMENTS (overlay_args), overlay_args,
           G_N_ELEMENTS (layer_values), layer_values);
  install (CAM_PROC_EXAMPLE, "RGB*, GRAY*, INDEXED*",
           G_N_ELEMENTS (example_args), example_args,
           G_N_ELEMENTS (layer_values), layer_values);
  install (CAM_PROC_EXPORT, "RGB*, GRAY*, INDEXED*", G_N_ELEMENTS (export_args),
           export_args, 0, NULL);
  install (CAM_PROC_BUILD, NULL, G_N_ELEMENTS (build_args), build_args, 0,
           NULL);
}

/* ---- calls ---- */

static int
mode_from_number (int number)
{
  return cam_layer_mode_by_number (number); /* -1 is refused later */
}

static void
look_from_params (CamOptions *settings, const GimpParam *param)
{
  settings->top_k = param[0].data.d_int32;
  settings->opacity = param[1].data.d_float;
  settings->colormap = param[2].data.d_int32;
  settings->layer_mode = mode_from_number (param[3].data.d_int32);
  settings->threshold = param[4].data.d_float;
}

static void
string_from_param (char **string, const GimpParam *param)
{
  g_free (*string);
  *string = g_strdup (param->data.d_string ? param->data.d_string : "");
}

static gboolean
right_count (int n_params, int expected, GError **error)
{
  if (n_params == expected)
    return TRUE;
  g_set_error (error, CAM_OPTIONS_ERROR, CAM_OPTIONS_ERROR_VALUE,
               _ ("The procedure takes %d arguments, not %d."), expected,
               n_params);
  return FALSE;
}

static gboolean
call_overlay (int n_params, const GimpParam *param, CamResult *result,
              GError **error)
{
  g_autoptr (CamOptions) settings = cam_options_new ();
  g_autofree char *path = cam_last_values_path ();
  CamRunMode mode = param[0].data.d_int32;

  if (mode == CAM_RUN_NONINTERACTIVE)
    {
      if (! right_count (n_params, G_N_ELEMENTS (overlay_args), error))
        return FALSE;
      string_from_param (&settings->model, &param[3]);
      string_from_param (&settings->database, &param[4]);
      look_from_params (settings, param + 5);
      settings->transfer = param[10].data.d_int32;
    }
  else
    cam_options_load (settings, path, CAM_PROC_OVERLAY);
  if (! cam_run_overlay (mode, param[1].data.d_image, param[2].data.d_drawable,
                         settings, result, error))
    return FALSE;
  if (mode == CAM_RUN_INTERACTIVE)
    cam_options_save (settings, path, CAM_PROC_OVERLAY, NULL);
  return TRUE;
}

static gboolean
call_example (int n_params, const GimpParam *param, CamResult *result,
              GError **error)
{
  g_autoptr (CamOptions) settings = cam_options_new ();
  g_autofree char *path = cam_last_values_path ();
  CamRunMode mode = param[0].data.d_int32;

  if (mode == CAM_RUN_NONINTERACTIVE)
    {
      if (! right_count (n_params, G_N_ELEMENTS (example_args), error))
        return FALSE;
      string_from_param (&settings->model, &param[3]);
      string_from_param (&settings->positive, &param[4]);
      string_from_param (&settings->negative, &param[5]);
      look_from_params (settings, param + 6);
    }
  else
    cam_options_load (settings, path, CAM_PROC_EXAMPLE);
  if (! cam_run_example (mode, param[1].data.d_image, param[2].data.d_drawable,
                         settings, result, error))
    return FALSE;
  if (mode == CAM_RUN_INTERACTIVE)
    cam_options_save (settings, path, CAM_PROC_EXAMPLE, NULL);
  return TRUE;
}

static gboolean
call_export (int n_params, const GimpParam *param, GError **error)
{
  CamRunMode mode = param[0].data.d_int32;
  const char *path = "";
  int what = 0;

  if (mode == CAM_RUN_NONINTERACTIVE)
    {
      if (! right_count (n_params, G_N_ELEMENTS (export_args), error))
        return FALSE;
      what = param[3].data.d_int32;
      path = param[4].data.d_string ? param[4].data.d_string : "";
    }
  return cam_run_export (mode, param[1].data.d_image, param[2].data.d_drawable,
                         what, path, error);
}

static const char *
text_of (const GimpParam *param)
{
  return param->data.d_string ? param->data.d_string : "";
}

static gboolean
call_build (int n_params, const GimpParam *param, GError **error)
{
  CamRunMode mode = param[0].data.d_int32;

  if (mode != CAM_RUN_NONINTERACTIVE)
    return cam_run_build (CAM_RUN_INTERACTIVE, "", "", "", 0, 0, error);
  return right_count (n_params, G_N_ELEMENTS (build_args), error)
         && cam_run_build (mode, text_of (&param[1]), text_of (&param[2]),
                           text_of (&param[3]), param[4].data.d_int32,
                           param[5].data.d_int32, error);
}

static void
give_layer (const CamResult *result, GimpParam *values, int *n_values)
{
  values[1].type = GIMP_PDB_LAYER;
  values[1].data.d_layer = result->layer;
  values[2].type = GIMP_PDB_INT32;
  values[2].data.d_int32 = result->cluster;
  values[3].type = GIMP_PDB_FLOAT;
  values[3].data.d_float = result->similarity;
  *n_values = 4;
}

/* The error goes to the person and to the script in the same words; GIMP cuts
 * them off where a file's name is not UTF-8. */
static void
give_error (const GError *error, GimpParam *values, int *n_values)
{
  static char *message;

  *n_values = 1;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      values[0].data.d_status = GIMP_PDB_CANCEL;
      return;
    }
  g_free (message);
  message = g_utf8_make_valid (error->message, -1);
  values[0].data.d_status = error->domain == CAM_OPTIONS_ERROR
                                ? GIMP_PDB_CALLING_ERROR
                                : GIMP_PDB_EXECUTION_ERROR;
  values[1].type = GIMP_PDB_STRING;
  values[1].data.d_string = message;
  *n_values = 2;
}

static void
run (const gchar *name, gint n_params, const GimpParam *param, gint *n_values,
     GimpParam **values)
{
  static GimpParam returned[4];
  g_autoptr (GError) error = NULL;
  CamResult result = { -1, -1, 0 };
  gboolean done = FALSE;

  cam_end_on_faults ();
  cam_bind_translations ();
  *values = returned;
  *n_values = 1;
  returned[0].type = GIMP_PDB_STATUS;
  returned[0].data.d_status = GIMP_PDB_SUCCESS;
  if (! cam_room_start (&error))
    done = FALSE;
  else if (! strcmp (name, CAM_PROC_OVERLAY))
    done = call_overlay (n_params, param, &result, &error);
  else if (! strcmp (name, CAM_PROC_EXAMPLE))
    done = call_example (n_params, param, &result, &error);
  else if (! strcmp (name, CAM_PROC_EXPORT))
    done = call_export (n_params, param, &error);
  else if (! strcmp (name, CAM_PROC_BUILD))
    done = call_build (n_params, param, &error);
  if (! done)
    give_error (error, returned, n_values);
  else if (result.layer != -1)
    give_layer (&result, returned, n_values);
}

const GimpPlugInInfo PLUG_IN_INFO = { NULL, NULL, query, run };

/* OpenBLAS chooses its kernels when it is loaded: before anything else.  To
 * read babl's cache takes longer than all that we convert without it. */
int
main (int argc, char **argv)
{
  cam_blas_prepare_process (argv);
  cam_whole_file_prepare_process ();
  g_setenv ("BABL_INHIBIT_CACHE", "1", FALSE);
  return gimp_main (&PLUG_IN_INFO, argc, argv);
}
