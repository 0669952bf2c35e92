/* host-3.c -- CamLens as a plug-in of GIMP 3 */
#include "config.h"
#include "core/base/blas.h"
#include "plugin/host.h"
#include "plugin/procedures.h"
#include "plugin/run.h"
#include "ui/help.h"
#include "ui/options.h"
#include <glib/gi18n.h>
#include <libgimp/gimp.h>
#include <libgimp/gimpui.h>
#include <string.h>

/* ui/options.c names these modes by number. */
G_STATIC_ASSERT (GIMP_LAYER_MODE_NORMAL == 28);
G_STATIC_ASSERT (GIMP_LAYER_MODE_MULTIPLY == 30);
G_STATIC_ASSERT (GIMP_LAYER_MODE_SCREEN == 31);
G_STATIC_ASSERT (GIMP_LAYER_MODE_OVERLAY == 23);
G_STATIC_ASSERT (GIMP_LAYER_MODE_SOFTLIGHT == 45);
G_STATIC_ASSERT (GIMP_LAYER_MODE_HARDLIGHT == 44);
G_STATIC_ASSERT (GIMP_LAYER_MODE_ADDITION == 33);

#define IMAGE(number) gimp_image_get_by_id (number)
#define ITEM(number) gimp_item_get_by_id (number)
#define LAYER(number) GIMP_LAYER (gimp_item_get_by_id (number))
#define DRAWABLE(number) GIMP_DRAWABLE (gimp_item_get_by_id (number))
#define ID(item) ((item) ? gimp_item_get_id (GIMP_ITEM (item)) : -1)

/* ---- what is asked of GIMP: see host.h ---- */

static gboolean
source_error (GError **error, const char *message)
{
  g_set_error_literal (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                       message);
  return FALSE;
}

static CamImageType
image_type (gint32 image)
{
  switch (gimp_image_get_base_type (IMAGE (image)))
    {
    case GIMP_RGB:
      return CAM_IMAGE_RGB;
    case GIMP_GRAY:
      return CAM_IMAGE_GRAY;
    default:
      return CAM_IMAGE_INDEXED;
    }
}

gboolean
cam_host_source (gint32 image, gint32 drawable, CamSource *source,
                 GError **error)
{
  int x, y;

  if (! gimp_image_id_is_valid (image) || ! gimp_item_id_is_valid (drawable)
      || gimp_item_get_image (ITEM (drawable)) != IMAGE (image))
    return source_error (error, _("There is no such layer in this image."));
  if (gimp_item_id_is_layer_mask (drawable))
    drawable = ID (gimp_layer_from_mask (GIMP_LAYER_MASK (ITEM (drawable))));
  if (! gimp_item_id_is_layer (drawable))
    return source_error (error, _("This is a channel: choose a layer."));
  if (gimp_image_get_floating_sel (IMAGE (image)))
    return source_error (error, _("There is a floating selection: anchor it "
                                  "or make it a layer first."));
  source->image = image;
  source->layer = drawable;
  source->type = image_type (image);
  if (! gimp_drawable_mask_intersect (DRAWABLE (drawable), &source->x,
                                      &source->y, &source->width,
                                      &source->height))
    return source_error (error, _("The selection is empty on this layer: "
                                  "select a part of the layer, or nothing "
                                  "(Select > None) for the whole of it."));
  gimp_drawable_get_offsets (DRAWABLE (drawable), &x, &y);
  source->image_x = x + source->x;
  source->image_y = y + source->y;
  return TRUE;
}

GeglBuffer *
cam_host_buffer (gint32 drawable)
{
  return gimp_drawable_get_buffer (DRAWABLE (drawable));
}

gint32
cam_host_applied_mask (gint32 layer)
{
  GimpLayerMask *mask = gimp_layer_get_mask (LAYER (layer));

  return mask && gimp_layer_get_apply_mask (LAYER (layer)) ? ID (mask) : -1;
}

char *
cam_host_layer_name (gint32 layer)
{
  return gimp_item_get_name (ITEM (layer));
}

gint32
cam_host_layer_new (gint32 image, const CamLayerSettings *settings)
{
  GimpLayer *layer = gimp_layer_new (
      IMAGE (image), settings->name, settings->width, settings->height,
      settings->gray ? GIMP_GRAYA_IMAGE : GIMP_RGBA_IMAGE, settings->opacity,
      settings->mode);

  if (! layer)
    return -1;
  gimp_layer_set_blend_space (layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
  gimp_layer_set_composite_space (layer,
                                  GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
  gimp_layer_set_offsets (layer, settings->x, settings->y);
  return ID (layer);
}

void
cam_host_layer_delete (gint32 layer)
{
  gimp_item_delete (ITEM (layer));
}

gboolean
cam_host_layer_insert (gint32 layer, gint32 image, gint32 below)
{
  GimpItem *parent = gimp_item_get_parent (ITEM (below));

  return gimp_image_insert_layer (
      IMAGE (image), LAYER (layer), parent ? GIMP_LAYER (parent) : NULL,
      gimp_image_get_item_position (IMAGE (image), ITEM (below)));
}

void
cam_host_layer_update (gint32 layer)
{
  GimpDrawable *drawable = DRAWABLE (layer);

  gimp_drawable_update (drawable, 0, 0, gimp_drawable_get_width (drawable),
                        gimp_drawable_get_height (drawable));
}

gboolean
cam_host_attach (gint32 layer, const char *name, const char *text)
{
  GimpParasite *parasite = gimp_parasite_new (
      name, GIMP_PARASITE_PERSISTENT, strlen (text) + 1, text);
  gboolean done = gimp_item_attach_parasite (ITEM (layer), parasite);

  gimp_parasite_free (parasite);
  return done;
}

char *
cam_host_attached (gint32 layer, const char *name)
{
  GimpParasite *parasite = gimp_item_get_parasite (ITEM (layer), name);
  guint32 size = 0;
  const char *data = parasite ? gimp_parasite_get_data (parasite, &size)
                              : NULL;
  char *text = data ? g_strndup (data, size) : NULL;

  if (parasite)
    gimp_parasite_free (parasite);
  return text;
}

void
cam_host_undo_start (gint32 image)
{
  gimp_image_undo_group_start (IMAGE (image));
}

void
cam_host_undo_end (gint32 image)
{
  gimp_image_undo_group_end (IMAGE (image));
}

gboolean
cam_host_convert_rgb (gint32 image)
{
  return gimp_image_convert_rgb (IMAGE (image));
}

void
cam_host_flush (void)
{
  gimp_displays_flush ();
}

static void
list_layers (GPtrArray *list, GimpImage *image)
{
  g_autofree char *image_name = gimp_image_get_name (image);
  g_autofree GimpLayer **layers = gimp_image_get_layers (image);

  for (int i = 0; layers && layers[i]; i++)
    {
      CamOpenLayer *open = g_new (CamOpenLayer, 1);
      g_autofree char *name = gimp_item_get_name (GIMP_ITEM (layers[i]));

      open->image = gimp_image_get_id (image);
      open->layer = ID (layers[i]);
      open->title = g_strdup_printf ("%s: %s", image_name, name);
      g_ptr_array_add (list, open);
    }
}

GPtrArray *
cam_host_layers (void)
{
  GPtrArray *list
      = g_ptr_array_new_with_free_func ((GDestroyNotify) cam_open_layer_free);
  g_autofree GimpImage **images = gimp_get_images ();

  for (int i = 0; images && images[i]; i++)
    list_layers (list, images[i]);
  return list;
}

gint32
cam_host_layer_image (gint32 layer)
{
  return gimp_item_id_is_layer (layer)
             ? gimp_image_get_id (gimp_item_get_image (ITEM (layer)))
             : -1;
}

gint32
cam_host_load (const char *path, gint32 *layer, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GimpImage *image = gimp_file_load (GIMP_RUN_NONINTERACTIVE, file);

  if (! image)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                   _("GIMP cannot open '%s': %s"), path,
                   gimp_pdb_get_last_error (gimp_get_pdb ()));
      return -1;
    }
  *layer = ID (gimp_image_merge_visible_layers (image, GIMP_CLIP_TO_IMAGE));
  return gimp_image_get_id (image);
}

void
cam_host_image_delete (gint32 image)
{
  gimp_image_delete (IMAGE (image));
}

gint32
cam_host_flat_copy (gint32 image, gint32 *layer)
{
  GimpImage *copy = gimp_image_duplicate (IMAGE (image));

  if (! copy)
    return -1;
  *layer = ID (gimp_image_merge_visible_layers (copy, GIMP_CLIP_TO_IMAGE));
  return gimp_image_get_id (copy);
}

void
cam_host_progress_start (const char *text)
{
  gimp_progress_init (text);
}

void
cam_host_progress (double fraction)
{
  gimp_progress_update (fraction);
}

void
cam_host_progress_end (void)
{
  gimp_progress_end ();
}

char *
cam_host_folder (void)
{
  return g_strdup (gimp_directory ());
}

void
cam_host_ui_init (void)
{
  gimp_ui_init ("camlens");
}

static void
show_help (const gchar *id, gpointer data)
{
  cam_help_show (id);
}

GtkWidget *
cam_host_dialog_new (const char *title, const char *role, const char *accept,
                     const char *help)
{
  GtkWidget *dialog = gimp_dialog_new (
      title, role, NULL, 0, show_help, help, _("_Reset"), CAM_RESPONSE_RESET,
      _("_Cancel"), GTK_RESPONSE_CANCEL, accept, GTK_RESPONSE_OK, NULL);

  gtk_dialog_set_default_response (GTK_DIALOG (dialog), GTK_RESPONSE_OK);
  gimp_window_set_transient (GTK_WINDOW (dialog));
  return dialog;
}

int
cam_host_dialog_run (GtkWidget *dialog)
{
  return gimp_dialog_run (GIMP_DIALOG (dialog));
}

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
  gimp_procedure_add_int_argument (p, "top-k", "Top-k channels",
                                   "Channels to keep; 0: all", 0, G_MAXINT,
                                   50, G_PARAM_READWRITE);
  gimp_procedure_add_double_argument (p, "opacity", "Opacity",
                                      "Opacity of the layer", 0, 100, 60,
                                      G_PARAM_READWRITE);
  add_string (p, "colormap", "Colour map",
              "turbo, viridis, inferno, jet or gray", "turbo");
  add_string (p, "layer-mode", "Layer mode",
              "normal, multiply, screen, overlay, soft-light, hard-light or "
              "addition",
              "normal");
  gimp_procedure_add_double_argument (
      p, "threshold", "Threshold",
      "Transparent up to this part of the maximum", 0, 1, 0,
      G_PARAM_READWRITE);
  if (transfer)
    add_string (p, "transfer", "Transfer",
                "Weights of the nearest cluster or neighbour", "cluster");
}

static void
add_layer_values (GimpProcedure *p)
{
  gimp_procedure_add_layer_return_value (p, "layer", "Layer", "The new layer",
                                         FALSE, G_PARAM_READWRITE);
  gimp_procedure_add_int_return_value (p, "cluster", "Cluster",
                                       "Number of the nearest cluster",
                                       G_MININT, G_MAXINT, 0,
                                       G_PARAM_READWRITE);
  gimp_procedure_add_double_return_value (
      p, "similarity", "Similarity", "Similarity to what lent the weights",
      -G_MAXDOUBLE, G_MAXDOUBLE, 0, G_PARAM_READWRITE);
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

static void
look_to_config (const CamOptions *settings, GimpProcedureConfig *config)
{
  int n_modes;

  g_object_set (config, "model", settings->model, "top-k", settings->top_k,
                "opacity", settings->opacity, "threshold",
                settings->threshold, "colormap",
                cam_colormap_name (settings->colormap), "layer-mode",
                cam_layer_modes (&n_modes)[settings->layer_mode].name, NULL);
}

/* ---- calls ---- */

static GimpValueArray *
give_error (GimpProcedure *procedure, GError *error)
{
  GimpPDBStatusType status = GIMP_PDB_EXECUTION_ERROR;

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
  GimpValueArray *values = gimp_procedure_new_return_values (
      procedure, GIMP_PDB_SUCCESS, NULL);

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
  source_error (error, _("Choose one layer: the network looks at one "
                         "picture at a time."));
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

  gegl_init (NULL, NULL);
  if (drawable == -1 || ! overlay_settings (settings, config, &error)
      || ! cam_run_overlay ((CamRunMode) mode, gimp_image_get_id (image),
                            drawable, settings, &result, &error))
    return give_error (procedure, error);
  look_to_config (settings, config);
  g_object_set (config, "database", settings->database, "transfer",
                cam_transfer_name (settings->transfer), NULL);
  return give_layer (procedure, &result);
}

static GimpProcedure *
image_procedure (GimpPlugIn *plug_in, const char *name,
                 GimpRunImageFunc run)
{
  GimpProcedure *p = gimp_image_procedure_new (
      plug_in, name, GIMP_PDB_PROC_TYPE_PLUGIN, run, NULL, NULL);

  gimp_procedure_set_image_types (p, "RGB*, GRAY*, INDEXED*");
  gimp_procedure_set_sensitivity_mask (p, GIMP_PROCEDURE_SENSITIVE_DRAWABLE);
  return p;
}

static GimpProcedure *
create_overlay (GimpPlugIn *plug_in)
{
  GimpProcedure *p = image_procedure (plug_in, CAM_PROC_OVERLAY, run_overlay);

  add_string (p, "model", "Model",
              "An installed model's name, a path, or \"\" for the bundled one",
              "");
  add_string (p, "database", "Database",
              "A cluster database's name, a path, or \"\" for the model's own",
              "");
  add_look (p, TRUE);
  add_layer_values (p);
  return p;
}

typedef struct
{
  const char *name;
  GimpProcedure *(*create) (GimpPlugIn *plug_in);
} Creator;

static const Creator creators[] = {
  { CAM_PROC_OVERLAY, create_overlay },
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

  for (guint i = 0; i < G_N_ELEMENTS (creators); i++)
    if (! strcmp (creators[i].name, name))
      p = creators[i].create (plug_in);
  if (! p)
    return NULL;
  gimp_procedure_set_menu_label (p, _(words->label));
  gimp_procedure_add_menu_path (p, CAM_MENU);
  gimp_procedure_set_documentation (p, _(words->blurb), words->help, name);
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

/* OpenBLAS chooses its kernels when it is loaded: before anything else. */
int
main (int argc, char **argv)
{
  cam_blas_prepare_process (argv);
  return gimp_main (cam_plug_in_get_type (), argc, argv);
}
