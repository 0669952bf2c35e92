/* main-3.c -- CamLens as a plug-in of GIMP 3: its procedures */
#include "config.h"
#include "core/base/blas.h"
#include "core/base/whole-file.h"
#include "plugin/export.h"
#include "plugin/host.h"
#include "plugin/procedures.h"
#include "plugin/room.h"
#include "plugin/run.h"
#include "ui/options.h"
#include <glib/gi18n.h>
#include <libgimp/gimp.h>
#include <string.h>

#define LAYER(number) GIMP_LAYER (gimp_item_get_by_id (number))
#define ID(item) ((item) ? gimp_item_get_id (GIMP_ITEM (item)) : -1)

/* ---- registration ---- */

typedef struct
{
  GimpPlugIn parent;
} CamPlugIn;

typedef struct
{
  GimpPlugInClass parent;
} CamPlugInClass;

static GType cam_plug_in_get_type (void);
G_DEFINE_TYPE (CamPlugIn, cam_plug_in, GIMP_TYPE_PLUG_IN)

static void
add_string (GimpProcedure *p, const char *name, const char *nick,
            const char *blurb, const char *value)
{
  gimp_procedure_add_string_argument (p, name, nick, blurb, value,
                                      G_PARAM_READWRITE);
}

/* The choices are strings that are checked here: GIMP 3.0 takes a wrong name
 * for a GimpChoice and silently uses the default. */
static void
add_look (GimpProcedure *p, gboolean transfer)
{
  gimp_procedure_add_int_argument (p, "top-k", _ ("Top-k channels"),
                                   _ ("Channels to keep; 0: all"), 0, G_MAXINT,
                                   50, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (p, "opacity", _ ("Opacity"),
                                      _ ("Opacity of the layer"), 0, 100, 60,
                                      G_PARAM_READWRITE);
  add_string (p, "colormap", _ ("Colour map"),
              _ ("turbo, viridis, inferno, jet or gray"), "turbo");
  add_string (p, "layer-mode", _ ("Layer mode"),
              _ ("normal, multiply, screen, overlay, soft-light, hard-light or "
                 "addition"),
              "normal");
  gimp_procedure_add_double_argument (p, "threshold", _ ("Threshold"),
                                      _ ("Transparent up to this part of the "
                                         "maximum"),
                                      0, 1, 0, G_PARAM_READWRITE);
  if (transfer)
    add_string (p, "transfer", _ ("Transfer"),
                _ ("Weights of the nearest cluster or neighbour"), "cluster");
}

static void
add_layer_values (GimpProcedure *p)
{
  gimp_procedure_add_layer_return_value (p, "layer", _ ("Layer"),
                                         _ ("The new layer"), FALSE,
                                         G_PARAM_READWRITE);
  gimp_procedure_add_int_return_value (p, "cluster", _ ("Cluster"),
                                       _ ("Number of the nearest cluster"),
                                       G_MININT, G_MAXINT, 0,
                                       G_PARAM_READWRITE);
  gimp_procedure_add_double_return_value (p, "similarity", _ ("Similarity"),
                                          _ ("Similarity to what lent the "
                                             "weights"),
                                          -G_MAXDOUBLE, G_MAXDOUBLE, 0,
                                          G_PARAM_READWRITE);
}

static void
settings_from_config (CamOptions *settings, GimpProcedureConfig *config)
{
  g_clear_pointer (&settings->model, g_free);
  g_object_get (config, "model", &settings->model, "top-k", &settings->top_k,
                "opacity", &settings->opacity, "threshold",
                &settings->threshold, NULL);
  settings->model = settings->model ? settings->model : g_strdup ("");
}

/* A string argument; never NULL. */
static char *
config_string (GimpProcedureConfig *config, const char *name)
{
  char *text = NULL;

  g_object_get (config, name, &text, NULL);
  return text ? text : g_strdup ("");
}

static gboolean
choices_from_config (CamOptions *settings, GimpProcedureConfig *config,
                     GError **error)
{
  g_autofree char *map = config_string (config, "colormap");
  g_autofree char *mode = config_string (config, "layer-mode");

  return cam_options_set_colormap (settings, map, error)
         && cam_options_set_layer_mode (settings, mode, error);
}

/* GIMP cannot read its last values again, none of them, where one is not
 * UTF-8. */
static void
name_to_config (const char *name, const char *value,
                GimpProcedureConfig *config)
{
  g_object_set (config, name, g_utf8_validate (value, -1, NULL) ? value : "",
                NULL);
}

static void
look_to_config (const CamOptions *settings, GimpProcedureConfig *config)
{
  int n_modes;

  name_to_config ("model", settings->model, config);
  g_object_set (config, "top-k", settings->top_k, "opacity", settings->opacity,
                "threshold", settings->threshold, "colormap",
                cam_colormap_name (settings->colormap), "layer-mode",
                cam_layer_modes (&n_modes)[settings->layer_mode].name, NULL);
}

/* ---- calls ---- */

/* GIMP cuts a message off where a file's name is not UTF-8. */
static GimpValueArray *
give_error (GimpProcedure *procedure, GError *error)
{
  GimpPDBStatusType status = GIMP_PDB_EXECUTION_ERROR;
  char *message = g_utf8_make_valid (error->message, -1);

  g_free (error->message);
  error->message = message;
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (error);
      return gimp_procedure_new_return_values (procedure, GIMP_PDB_CANCEL,
                                               NULL);
    }
  if (error->domain == CAM_OPTIONS_ERROR)
    status = GIMP_PDB_CALLING_ERROR;
  return gimp_procedure_new_return_values (procedure, status, error);
}

static GimpValueArray *
give_layer (GimpProcedure *procedure, const CamResult *result)
{
  GimpValueArray *values =
      gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);

  GIMP_VALUES_SET_LAYER (values, 1, LAYER (result->layer));
  GIMP_VALUES_SET_INT (values, 2, result->cluster);
  GIMP_VALUES_SET_DOUBLE (values, 3, result->similarity);
  return values;
}

static gint32
one_layer (GimpDrawable **drawables, GError **error)
{
  if (gimp_core_object_array_get_length ((GObject **) drawables) == 1)
    return ID (drawables[0]);
  g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
               _ ("Choose one layer: the network looks at one picture at a "
                  "time."));
  return -1;
}

static gboolean
overlay_settings (CamOptions *settings, GimpProcedureConfig *config,
                  GError **error)
{
  g_autofree char *transfer = config_string (config, "transfer");

  settings_from_config (settings, config);
  g_free (settings->database);
  settings->database = config_string (config, "database");
  return choices_from_config (settings, config, error)
         && cam_options_set_transfer (settings, transfer, error);
}

static GimpValueArray *
run_overlay (GimpProcedure *procedure, GimpRunMode mode, GimpImage *image,
             GimpDrawable **drawables, GimpProcedureConfig *config,
             gpointer data)
{
  g_autoptr (CamOptions) settings = cam_options_new ();
  CamResult result = { -1, -1, 0 };
  GError *error = NULL;
  gint32 drawable = one_layer (drawables, &error);

  if (drawable == -1 || ! cam_room_start (&error)
      || ! overlay_settings (settings, config, &error)
      || ! cam_run_overlay ((CamRunMode) mode, gimp_image_get_id (image),
                            drawable, settings, &result, &error))
    return give_error (procedure, error);
  look_to_config (settings, config);
  name_to_config ("database", settings->database, config);
  g_object_set (config, "transfer", cam_transfer_name (settings->transfer),
                NULL);
  return give_layer (procedure, &result);
}

static GimpValueArray *
run_example (GimpProcedure *procedure, GimpRunMode mode, GimpImage *image,
             GimpDrawable **drawables, GimpProcedureConfig *config,
             gpointer data)
{
  g_autoptr (CamOptions) settings = cam_options_new ();
  CamResult result = { -1, -1, 0 };
  GError *error = NULL;
  gint32 drawable = one_layer (drawables, &error);

  settings_from_config (settings, config);
  g_free (settings->positive);
  g_free (settings->negative);
  settings->positive = config_string (config, "positive");
  settings->negative = config_string (config, "negative");
  if (drawable == -1 || ! cam_room_start (&error)
      || ! choices_from_config (settings, config, &error)
      || ! cam_run_example ((CamRunMode) mode, gimp_image_get_id (image),
                            drawable, settings, &result, &error))
    return give_error (procedure, error);
  look_to_config (settings, config);
  name_to_config ("positive", settings->positive, config);
  name_to_config ("negative", settings->negative, config);
  return give_layer (procedure, &result);
}

static int
export_kind (GimpProcedureConfig *config)
{
  g_autofree char *name = config_string (config, "what");
  int what = 0;

  while (what < CAM_N_EXPORTS && strcmp (cam_export_name (what), name))
    what++;
  return what; /* one too many is refused later */
}

static GimpValueArray *
run_export (GimpProcedure *procedure, GimpRunMode mode, GimpImage *image,
            GimpDrawable **drawables, GimpProcedureConfig *config,
            gpointer data)
{
  g_autofree char *path = config_string (config, "path");
  GError *error = NULL;
  gint32 drawable = one_layer (drawables, &error);

  if (drawable == -1 || ! cam_room_start (&error)
      || ! cam_run_export ((CamRunMode) mode, gimp_image_get_id (image),
                           drawable, export_kind (config), path, &error))
    return give_error (procedure, error);
  return gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
}

static GimpValueArray *
run_build (GimpProcedure *procedure, GimpProcedureConfig *config, gpointer data)
{
  g_autofree char *folder = config_string (config, "folder");
  g_autofree char *model = config_string (config, "model");
  g_autofree char *database = config_string (config, "database");
  GimpRunMode mode = GIMP_RUN_NONINTERACTIVE;
  int clusters = 0, triplets = 0;
  GError *error = NULL;

  g_object_get (config, "run-mode", &mode, "clusters", &clusters, "triplets",
                &triplets, NULL);
  if (! cam_run_build ((CamRunMode) mode, folder, model, database, clusters,
                       triplets, &error))
    return give_error (procedure, error);
  return gimp_procedure_new_return_values (procedure, GIMP_PDB_SUCCESS, NULL);
}

static GimpProcedure *
image_procedure (GimpPlugIn *plug_in, const char *name, GimpRunImageFunc run)
{
  GimpProcedure *p = gimp_image_procedure_new (plug_in, name,
                                               GIMP_PDB_PROC_TYPE_PLUGIN, run,
                                               NULL, NULL);

  gimp_procedure_set_image_types (p, "RGB*, GRAY*, INDEXED*");
  gimp_procedure_set_sensitivity_mask (p, GIMP_PROCEDURE_SENSITIVE_DRAWABLE);
  return p;
}

static GimpProcedure *
create_overlay (GimpPlugIn *plug_in)
{
  GimpProcedure *p = image_procedure (plug_in, CAM_PROC_OVERLAY, run_overlay);

  add_string (p, "model", _ ("Model"),
              _ ("An installed model's name, a path, or \"\" for the bundled "
                 "one"),
              "");
  add_string (p, "database", _ ("Database"),
              _ ("A cluster database's name, a path, or \"\" for the model's "
                 "own"),
              "");
  add_look (p, TRUE);
  add_layer_values (p);
  return p;
}

static GimpProcedure *
create_example (GimpPlugIn *plug_in)
{
  GimpProcedure *p = image_procedure (plug_in, CAM_PROC_EXAMPLE, run_example);

  add_string (p, "model", _ ("Model"),
              _ ("An installed model's name, a path, or \"\" for the bundled "
                 "one"),
              "");
  add_string (p, "positive", _ ("Positive"),
              _ ("A picture that should be found alike: a path, or "
                 "\"layer:NUMBER\""),
              "");
  add_string (p, "negative", _ ("Negative"),
              _ ("One that should not; \"\": none"), "");
  add_look (p, FALSE);
  add_layer_values (p);
  return p;
}

static GimpProcedure *
create_export (GimpPlugIn *plug_in)
{
  GimpProcedure *p = image_procedure (plug_in, CAM_PROC_EXPORT, run_export);

  add_string (p, "what", _ ("What"),
              _ ("overlay, composite, heat-map (TIFF), array (NPY) or "
                 "provenance"),
              "overlay");
  add_string (p, "path", _ ("Path"), _ ("The file to write"), "");
  return p;
}

/* It needs no image, so it is no image procedure, and is never greyed out. */
static GimpProcedure *
create_build (GimpPlugIn *plug_in)
{
  GimpProcedure *p = gimp_procedure_new (plug_in, CAM_PROC_BUILD,
                                         GIMP_PDB_PROC_TYPE_PLUGIN, run_build,
                                         NULL, NULL);

  gimp_procedure_add_enum_argument (p, "run-mode", _ ("Run mode"),
                                    _ ("The run mode"), GIMP_TYPE_RUN_MODE,
                                    GIMP_RUN_NONINTERACTIVE, G_PARAM_READWRITE);
  add_string (p, "folder", _ ("Folder"),
              _ ("Folder of pictures, a subfolder a label"), "");
  add_string (p, "model", _ ("Model"),
              _ ("An installed model's name, a path, or \"\" for the bundled "
                 "one"),
              "");
  add_string (p, "database", _ ("Database"), _ ("The database file to write"),
              "");
  gimp_procedure_add_int_argument (p, "clusters", _ ("Clusters"),
                                   _ ("Number of clusters"), 1, 1000000, 50,
                                   G_PARAM_READWRITE);
  gimp_procedure_add_int_argument (p, "triplets", _ ("Triplets"),
                                   _ ("Triplets a picture"), 1, 1000000, 50,
                                   G_PARAM_READWRITE);
  return p;
}

typedef struct
{
  const char *name;
  GimpProcedure *(*create) (GimpPlugIn *plug_in);
} Creator;

static const Creator creators[] = {
  { CAM_PROC_OVERLAY, create_overlay },
  { CAM_PROC_EXAMPLE, create_example },
  { CAM_PROC_EXPORT, create_export },
  { CAM_PROC_BUILD, create_build },
};

static GList *
query_procedures (GimpPlugIn *plug_in)
{
  GList *names = NULL;

  for (guint i = 0; i < G_N_ELEMENTS (creators); i++)
    names = g_list_append (names, g_strdup (creators[i].name));
  return names;
}

static GimpProcedure *
create_procedure (GimpPlugIn *plug_in, const gchar *name)
{
  const CamProcedure *words = cam_procedure_find (name);
  GimpProcedure *p = NULL;

  cam_end_on_faults ();
  for (guint i = 0; i < G_N_ELEMENTS (creators); i++)
    if (! strcmp (creators[i].name, name))
      p = creators[i].create (plug_in);
  if (! p)
    return NULL;
  gimp_procedure_set_menu_label (p, _ (words->label));
  gimp_procedure_add_menu_path (p, CAM_MENU);
  gimp_procedure_set_documentation (p, _ (words->blurb), _ (words->help), name);
  gimp_procedure_set_attribution (p, CAM_AUTHORS, CAM_COPYRIGHT, CAM_DATE);
  return p;
}

static gboolean
set_i18n (GimpPlugIn *plug_in, const gchar *procedure, gchar **domain,
          gchar **folder)
{
  g_autofree char *locale = cam_locale_folder ();

  *domain = g_strdup (GETTEXT_PACKAGE);
  *folder = NULL; /* "locale" beside the program */
  return g_file_test (locale, G_FILE_TEST_IS_DIR);
}

static void
cam_plug_in_class_init (CamPlugInClass *class)
{
  GimpPlugInClass *plug_in = GIMP_PLUG_IN_CLASS (class);

  plug_in->query_procedures = query_procedures;
  plug_in->create_procedure = create_procedure;
  plug_in->set_i18n = set_i18n;
}

static void
cam_plug_in_init (CamPlugIn *plug_in)
{
}

/* OpenBLAS chooses its kernels when it is loaded: before anything else.  To
 * read babl's cache takes longer than all that we convert without it. */
int
main (int argc, char **argv)
{
  cam_blas_prepare_process (argv);
  cam_whole_file_prepare_process ();
  g_setenv ("BABL_INHIBIT_CACHE", "1", FALSE);
  return gimp_main (cam_plug_in_get_type (), argc, argv);
}
