/* host-2.10.c -- what the shared code asks of GIMP 2.10: see host.h */
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
  switch (gimp_image_base_type (image))
    {
    case GIMP_RGB: return CAM_IMAGE_RGB;
    case GIMP_GRAY: return CAM_IMAGE_GRAY;
    default: return CAM_IMAGE_INDEXED;
    }
}

void
cam_host_layer_place (gint32 layer, int *x, int *y, int *width, int *height)
{
  gimp_drawable_offsets (layer, x, y);
  *width = gimp_drawable_width (layer);
  *height = gimp_drawable_height (layer);
}

gint32
cam_host_layer_of (gint32 drawable)
{
  return gimp_item_is_valid (drawable) && gimp_item_is_layer_mask (drawable)
             ? gimp_layer_from_mask (drawable)
             : drawable;
}

gboolean
cam_host_source (gint32 image, gint32 drawable, CamSource *source,
                 GError **error)
{
  int x, y;

  if (! gimp_image_is_valid (image) || ! gimp_item_is_valid (drawable)
      || gimp_item_get_image (drawable) != image)
    return source_error (error, _ ("There is no such layer in this image."));
  drawable = cam_host_layer_of (drawable);
  if (! gimp_item_is_layer (drawable))
    return source_error (error, _ ("This is a channel: choose a layer."));
  if (gimp_image_get_floating_sel (image) != -1)
    return source_error (error, _ ("There is a floating selection: anchor it "
                                   "or make it a layer first."));
  source->image = image;
  source->layer = drawable;
  source->type = cam_host_image_type (image);
  if (! gimp_drawable_mask_intersect (drawable, &source->x, &source->y,
                                      &source->width, &source->height))
    return source_error (error, _ ("The selection is empty on this layer: "
                                   "select a part of the layer, or nothing "
                                   "(Select > None) for the whole of it."));
  cam_host_layer_place (drawable, &x, &y, &source->layer_width,
                        &source->layer_height);
  source->image_x = x + source->x;
  source->image_y = y + source->y;
  return TRUE;
}

/* The space that the image's colours are meant in; NULL: sRGB. */
static const Babl *
profile_space (gint32 image)
{
  GimpColorProfile *profile = gimp_image_get_color_profile (image);
  const Babl *space = NULL;

  if (profile)
    {
      space = gimp_color_profile_get_space (
          profile, GIMP_COLOR_RENDERING_INTENT_RELATIVE_COLORIMETRIC, NULL);
      g_object_unref (profile);
    }
  return space;
}

/* A palette's numbers are colours of the space, too. */
static const Babl *
palette_from_space (gint32 image, const Babl *format, const Babl *space)
{
  int n_colours = 0;
  g_autofree guchar *colours = gimp_image_get_colormap (image, &n_colours);
  const Babl *srgb = babl_format ("R'G'B' u8");
  const Babl *opaque, *with_alpha, *palette;

  if (! colours)
    return format;
  babl_process (babl_fish (babl_format_with_space ("R'G'B' u8", space), srgb),
                colours, colours, n_colours);
  babl_new_palette (NULL, &opaque, &with_alpha);
  palette = babl_format_has_alpha (format) ? with_alpha : opaque;
  babl_palette_set_palette (palette, srgb, colours, n_colours);
  return palette;
}

/* 2.10 gives its plug-ins all pixels as if they were sRGB: the buffer is told
 * what they are, so that GEGL converts on the way in and out. */
GeglBuffer *
cam_host_buffer (gint32 drawable)
{
  GeglBuffer *buffer = gimp_drawable_get_buffer (drawable);
  const Babl *format = buffer ? gegl_buffer_get_format (buffer) : NULL;
  const Babl *space = NULL;
  gint32 image;

  if (format && gimp_item_is_layer (drawable))
    {
      image = gimp_item_get_image (drawable);
      space = profile_space (image);
    }
  if (space)
    gegl_buffer_set_format (
        buffer, babl_format_is_palette (format)
                    ? palette_from_space (image, format, space)
                    : babl_format_with_space (babl_format_get_encoding (format),
                                              space));
  return buffer;
}

gint32
cam_host_applied_mask (gint32 layer)
{
  gint32 mask = gimp_layer_get_mask (layer);

  return mask != -1 && gimp_layer_get_apply_mask (layer) ? mask : -1;
}

char *
cam_host_layer_name (gint32 layer)
{
  return gimp_item_get_name (layer);
}

gint32
cam_host_layer_below (gint32 layer)
{
  gint32 image = gimp_item_get_image (layer);
  gint32 parent = gimp_item_get_parent (layer);
  int place = gimp_image_get_item_position (image, layer) + 1, n = 0;
  g_autofree int *layers = parent == -1 ? gimp_image_get_layers (image, &n)
                                        : gimp_item_get_children (parent, &n);

  return layers && place > 0 && place < n ? layers[place] : -1;
}

/* In the order of CamImageType. */
static const GimpImageType with_alpha[] = { GIMP_RGBA_IMAGE, GIMP_GRAYA_IMAGE,
                                            GIMP_INDEXEDA_IMAGE };

gint32
cam_host_layer_new (gint32 image, const CamLayerSettings *settings)
{
  gint32 layer = gimp_layer_new (image, settings->name, settings->width,
                                 settings->height, with_alpha[settings->type],
                                 settings->opacity, settings->mode);

  if (layer == -1)
    return -1;
  gimp_layer_set_blend_space (layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
  gimp_layer_set_composite_space (layer, GIMP_LAYER_COLOR_SPACE_RGB_PERCEPTUAL);
  gimp_layer_set_offsets (layer, settings->x, settings->y);
  return layer;
}

void
cam_host_layer_delete (gint32 layer)
{
  gimp_item_delete (layer);
}

gboolean
cam_host_layer_insert (gint32 layer, gint32 image, gint32 below)
{
  return gimp_image_insert_layer (image, layer, gimp_item_get_parent (below),
                                  gimp_image_get_item_position (image, below));
}

gint32
cam_host_layer_copy_to (gint32 layer, gint32 image)
{
  gint32 copy = gimp_layer_new_from_drawable (layer, image);
  g_autofree char *name = gimp_item_get_name (layer);

  if (copy != -1)
    gimp_item_set_name (copy, name);
  return copy;
}

void
cam_host_layer_update (gint32 layer)
{
  gimp_drawable_update (layer, 0, 0, gimp_drawable_width (layer),
                        gimp_drawable_height (layer));
}

gboolean
cam_host_attach (gint32 layer, const char *name, const char *text)
{
  GimpParasite *parasite = gimp_parasite_new (name, GIMP_PARASITE_PERSISTENT,
                                              strlen (text) + 1, text);
  gboolean done = gimp_item_attach_parasite (layer, parasite);

  gimp_parasite_free (parasite);
  return done;
}

char *
cam_host_attached (gint32 layer, const char *name)
{
  GimpParasite *parasite = gimp_item_get_parasite (layer, name);
  char *text = parasite ? g_strndup (gimp_parasite_data (parasite),
                                     gimp_parasite_data_size (parasite))
                        : NULL;

  if (parasite)
    gimp_parasite_free (parasite);
  return text;
}

void
cam_host_undo_start (gint32 image)
{
  gimp_image_undo_group_start (image);
}

void
cam_host_undo_end (gint32 image)
{
  gimp_image_undo_group_end (image);
}

gboolean
cam_host_convert_rgb (gint32 image)
{
  return gimp_image_convert_rgb (image);
}

gint32
cam_host_image_copy (gint32 image, gint32 *top)
{
  gint32 copy = gimp_image_duplicate (image);
  g_autofree int *layers = NULL;
  int n = 0;

  if (copy == -1)
    return -1;
  gimp_image_undo_disable (copy);
  layers = gimp_image_get_layers (copy, &n);
  *top = n > 0 ? layers[0] : -1;
  return copy;
}

void
cam_host_flush (void)
{
  gimp_displays_flush ();
}

/* A group, then what is in it. */
static void
list_layers (GPtrArray *list, gint32 image, const int *layers, int n)
{
  g_autofree char *image_name = gimp_image_get_name (image);

  for (int i = 0; i < n; i++)
    {
      CamOpenLayer *open = g_new (CamOpenLayer, 1);
      g_autofree char *name = gimp_item_get_name (layers[i]);
      g_autofree int *children = NULL;
      int n_children = 0;

      open->image = image;
      open->layer = layers[i];
      open->title = g_strdup_printf ("%s: %s", image_name, name);
      g_ptr_array_add (list, open);
      if (gimp_item_is_group (layers[i]))
        children = gimp_item_get_children (layers[i], &n_children);
      list_layers (list, image, children, n_children);
    }
}

GPtrArray *
cam_host_layers (void)
{
  GPtrArray *list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_open_layer_free);
  int n_images;
  g_autofree int *images = gimp_image_list (&n_images);

  for (int i = 0; i < n_images; i++)
    {
      int n;
      g_autofree int *layers = gimp_image_get_layers (images[i], &n);

      list_layers (list, images[i], layers, n);
    }
  return list;
}

gint32
cam_host_layer_image (gint32 layer)
{
  return gimp_item_is_valid (layer) && gimp_item_is_layer (layer)
             ? gimp_item_get_image (layer)
             : -1;
}

/* In one layer.  GIMP merges nothing where no layer is visible: a clear one is
 * put on top. */
static gint32
as_it_shows (gint32 image)
{
  gint32 clear;

  if (gimp_image_base_type (image) == GIMP_INDEXED)
    gimp_image_convert_rgb (image);
  clear = gimp_layer_new (image, "", gimp_image_width (image),
                          gimp_image_height (image),
                          with_alpha[cam_host_image_type (image)], 100,
                          GIMP_LAYER_MODE_NORMAL);
  gimp_drawable_fill (clear, GIMP_FILL_TRANSPARENT);
  gimp_image_insert_layer (image, clear, -1, 0);
  return gimp_image_merge_visible_layers (image, GIMP_CLIP_TO_IMAGE);
}

gint32
cam_host_load (const char *path, gint32 *layer, GError **error)
{
  gint32 image = gimp_file_load (GIMP_RUN_NONINTERACTIVE, path, path);

  if (image == -1)
    {
      g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_IMAGE,
                   _ ("GIMP cannot open '%s': %s"), path,
                   gimp_get_pdb_error ());
      return -1;
    }
  *layer = as_it_shows (image);
  return image;
}

char *
cam_host_image_path (gint32 image)
{
  return gimp_image_get_filename (image);
}

void
cam_host_image_delete (gint32 image)
{
  gimp_image_delete (image);
}

gint32
cam_host_flat_copy (gint32 image, gint32 *layer)
{
  gint32 copy = gimp_image_duplicate (image);

  if (copy == -1)
    return -1;
  *layer = as_it_shows (copy);
  return copy;
}

void
cam_host_message (const char *text)
{
  gimp_message (text);
}

void
cam_host_progress_start (const char *text)
{
  gint32 display = gimp_default_display ();

  /* GIMP complains where the person has closed the display meanwhile */
  if (display < 0 || gimp_display_is_valid (display))
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
  gimp_ui_init ("camlens", FALSE);
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
