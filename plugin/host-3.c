/* host-3.c -- what the shared code asks of GIMP 3: see host.h */
#include "config.h"
#include "plugin/host.h"
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

static gboolean
source_error (GError **error, const char *message)
{
  g_set_error_literal (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                       message);
  return FALSE;
}

CamImageType
cam_host_image_type (gint32 image)
{
  switch (gimp_image_get_base_type (IMAGE (image)))
    {
    case GIMP_RGB: return CAM_IMAGE_RGB;
    case GIMP_GRAY: return CAM_IMAGE_GRAY;
    default: return CAM_IMAGE_INDEXED;
    }
}

void
cam_host_layer_place (gint32 layer, int *x, int *y, int *width, int *height)
{
  gimp_drawable_get_offsets (DRAWABLE (layer), x, y);
  *width = gimp_drawable_get_width (DRAWABLE (layer));
  *height = gimp_drawable_get_height (DRAWABLE (layer));
}

gint32
cam_host_layer_of (gint32 drawable)
{
  return gimp_item_id_is_valid (drawable)
                 && gimp_item_id_is_layer_mask (drawable)
             ? ID (gimp_layer_from_mask (GIMP_LAYER_MASK (ITEM (drawable))))
             : drawable;
}

gboolean
cam_host_source (gint32 image, gint32 drawable, CamSource *source,
                 GError **error)
{
  int x, y;

  if (! gimp_image_id_is_valid (image) || ! gimp_item_id_is_valid (drawable)
      || gimp_item_get_image (ITEM (drawable)) != IMAGE (image))
    return source_error (error, _ ("There is no such layer in this image."));
  drawable = cam_host_layer_of (drawable);
  if (! gimp_item_id_is_layer (drawable))
    return source_error (error, _ ("This is a channel: choose a layer."));
  if (gimp_image_get_floating_sel (IMAGE (image)))
    return source_error (error, _ ("There is a floating selection: anchor it "
                                   "or make it a layer first."));
  source->image = image;
  source->layer = drawable;
  source->type = cam_host_image_type (image);
  if (! gimp_drawable_mask_intersect (DRAWABLE (drawable), &source->x,
                                      &source->y, &source->width,
                                      &source->height))
    return source_error (error, _ ("The selection is empty on this layer: "
                                   "select a part of the layer, or nothing "
                                   "(Select > None) for the whole of it."));
  cam_host_layer_place (drawable, &x, &y, &source->layer_width,
                        &source->layer_height);
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
cam_host_layer_below (gint32 layer)
{
  GimpImage *image = gimp_item_get_image (ITEM (layer));
  GimpItem *parent = gimp_item_get_parent (ITEM (layer));
  int place = gimp_image_get_item_position (image, ITEM (layer)) + 1;
  g_autofree GimpItem **layers =
      parent ? gimp_item_get_children (parent)
             : (GimpItem **) gimp_image_get_layers (image);

  return layers && place > 0
                 && place
                        < (int) gimp_core_object_array_get_length ((GObject **)
                                                                       layers)
             ? ID (layers[place])
             : -1;
}

/* In the order of CamImageType. */
static const GimpImageType with_alpha[] = { GIMP_RGBA_IMAGE, GIMP_GRAYA_IMAGE,
                                            GIMP_INDEXEDA_IMAGE };

gint32
cam_host_layer_new (gint32 image, const CamLayerSettings *settings)
{
  GimpLayer *layer = gimp_layer_new (IMAGE (image), settings->name,
                                     settings->width, settings->height,
                                     with_alpha[settings->type],
                                     settings->opacity, settings->mode);

  if (! layer)
    return -1;
  gimp_layer_set_blend_space (layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
  gimp_layer_set_composite_space (layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
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

  return gimp_image_insert_layer (IMAGE (image), LAYER (layer),
                                  parent ? GIMP_LAYER (parent) : NULL,
                                  gimp_image_get_item_position (IMAGE (image),
                                                                ITEM (below)));
}

gint32
cam_host_layer_copy_to (gint32 layer, gint32 image)
{
  GimpLayer *copy = gimp_layer_new_from_drawable (DRAWABLE (layer),
                                                  IMAGE (image));
  g_autofree char *name = gimp_item_get_name (ITEM (layer));

  if (copy)
    gimp_item_set_name (GIMP_ITEM (copy), name);
  return ID (copy);
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
  GimpParasite *parasite = gimp_parasite_new (name, GIMP_PARASITE_PERSISTENT,
                                              strlen (text) + 1, text);
  gboolean done = gimp_item_attach_parasite (ITEM (layer), parasite);

  gimp_parasite_free (parasite);
  return done;
}

char *
cam_host_attached (gint32 layer, const char *name)
{
  GimpParasite *parasite = gimp_item_get_parasite (ITEM (layer), name);
  guint32 size = 0;
  const char *data = parasite ? gimp_parasite_get_data (parasite, &size) : NULL;
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

gint32
cam_host_image_copy (gint32 image, gint32 *top)
{
  GimpImage *copy = gimp_image_duplicate (IMAGE (image));
  g_autofree GimpLayer **layers = NULL;

  if (! copy)
    return -1;
  gimp_image_undo_disable (copy);
  layers = gimp_image_get_layers (copy);
  *top = layers ? ID (layers[0]) : -1;
  return gimp_image_get_id (copy);
}

void
cam_host_flush (void)
{
  gimp_displays_flush ();
}

/* A group, then what is in it. */
static void
list_layers (GPtrArray *list, GimpImage *image, GimpItem **layers)
{
  g_autofree char *image_name = gimp_image_get_name (image);

  for (int i = 0; layers && layers[i]; i++)
    {
      CamOpenLayer *open = g_new (CamOpenLayer, 1);
      g_autofree char *name = gimp_item_get_name (layers[i]);
      g_autofree GimpItem **children = NULL;

      open->image = gimp_image_get_id (image);
      open->layer = ID (layers[i]);
      open->title = g_strdup_printf ("%s: %s", image_name, name);
      g_ptr_array_add (list, open);
      if (gimp_item_is_group (layers[i]))
        children = gimp_item_get_children (layers[i]);
      list_layers (list, image, children);
    }
}

GPtrArray *
cam_host_layers (void)
{
  GPtrArray *list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_open_layer_free);
  g_autofree GimpImage **images = gimp_get_images ();

  for (int i = 0; images && images[i]; i++)
    {
      g_autofree GimpLayer **layers = gimp_image_get_layers (images[i]);

      list_layers (list, images[i], (GimpItem **) layers);
    }
  return list;
}

gint32
cam_host_layer_image (gint32 layer)
{
  return gimp_item_id_is_valid (layer) && gimp_item_id_is_layer (layer)
             ? gimp_image_get_id (gimp_item_get_image (ITEM (layer)))
             : -1;
}

/* In one layer.  GIMP merges nothing where no layer is visible: a clear one is
 * put on top. */
static gint32
as_it_shows (GimpImage *image)
{
  GimpLayer *clear;

  if (gimp_image_get_base_type (image) == GIMP_INDEXED)
    gimp_image_convert_rgb (image);
  clear = gimp_layer_new (image, "", gimp_image_get_width (image),
                          gimp_image_get_height (image),
                          with_alpha[cam_host_image_type (
                              gimp_image_get_id (image))],
                          100, GIMP_LAYER_MODE_NORMAL);
  gimp_drawable_fill (GIMP_DRAWABLE (clear), GIMP_FILL_TRANSPARENT);
  gimp_image_insert_layer (image, clear, NULL, 0);
  return ID (gimp_image_merge_visible_layers (image, GIMP_CLIP_TO_IMAGE));
}

gint32
cam_host_load (const char *path, gint32 *layer, GError **error)
{
  g_autoptr (GFile) file = g_file_new_for_path (path);
  GimpImage *image = gimp_file_load (GIMP_RUN_NONINTERACTIVE, file);

  if (! image)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                   _ ("GIMP cannot open '%s': %s"), path,
                   gimp_pdb_get_last_error (gimp_get_pdb ()));
      return -1;
    }
  *layer = as_it_shows (image);
  return gimp_image_get_id (image);
}

char *
cam_host_image_path (gint32 image)
{
  GFile *file = gimp_image_get_file (IMAGE (image));

  return file ? g_file_get_path (file) : NULL;
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
  *layer = as_it_shows (copy);
  return gimp_image_get_id (copy);
}

void
cam_host_message (const char *text)
{
  gimp_message (text);
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
  GtkWidget *dialog = gimp_dialog_new (title, role, NULL, 0, show_help, help,
                                       _ ("_Reset"), CAM_RESPONSE_RESET,
                                       accept ? _ ("_Cancel") : _ ("_Close"),
                                       GTK_RESPONSE_CANCEL, accept,
                                       GTK_RESPONSE_OK, NULL);

  /* GIMP's own catalogue does not have this word in every language */
  gtk_button_set_label (GTK_BUTTON (gtk_dialog_get_widget_for_response (
                            GTK_DIALOG (dialog), GTK_RESPONSE_HELP)),
                        _ ("_Help"));
  gtk_dialog_set_default_response (GTK_DIALOG (dialog),
                                   accept ? GTK_RESPONSE_OK
                                          : GTK_RESPONSE_CANCEL);
  gimp_window_set_transient (GTK_WINDOW (dialog));
  return dialog;
}

int
cam_host_dialog_run (GtkWidget *dialog)
{
  return gimp_dialog_run (GIMP_DIALOG (dialog));
}
