/* help.c -- see help.h */
#include "config.h"
#include "ui/help.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>
#include <string.h>

static const char overlay_help[] = N_ (
    "An embedding network turns a picture into a vector, and pictures that it "
    "finds alike get vectors that lie together. This dialog shows which parts "
    "of your picture decide where it is placed.\n\n"
    "Model: the network; installed ones by name, or any ONNX file.\n"
    "Database: channel weights, averaged over clusters of training pictures. "
    "It belongs to one model.\n"
    "Weights: those of the nearest cluster, or of the single nearest training "
    "picture (which a compact database does not have).\n"
    "Top-k channels: how many of the channels with the largest weights are "
    "kept; 0 keeps all. Few mark the object as a whole, all of them the "
    "hottest spot.\n"
    "Colour map: red, or the brightest colour, is where the channels speak "
    "most.\n"
    "Layer mode and opacity: of the new layer; they can be changed later.\n"
    "Threshold: what lies below this part of the maximum is transparent.\n\n"
    "With a selection, the network sees its bounding box only. The right side "
    "shows what the explanation rests on: the nearest cluster, its labels and "
    "pictures, and how similar they are. A warning says where the picture is "
    "unlike everything in the database.\n\n"
    "OK adds the heat map as a layer above the picture, in one undo step.");

static const char example_help[] = N_ (
    "This dialog explains a picture by example: which parts make it like the "
    "positive one, and unlike the negative one. It uses the network's own "
    "gradient and needs no database.\n\n"
    "Positive and negative: a layer of an open image, or a file. Without a "
    "negative, the likeness to the positive alone is explained.\n\n"
    "OK adds the heat map as a layer above the picture, in one undo step.");

static const char export_help[] = N_ (
    "This dialog saves what an overlay layer holds. Each file's name begins "
    "with the name that you give:\n\n"
    "NAME-overlay.png: the coloured heat map, with transparency.\n"
    "NAME-composite.png: the whole image as it shows now.\n"
    "NAME-heat-map.tif: the map's numbers, 32-bit float.\n"
    "NAME-heat-map.npy: the same as a NumPy array.\n"
    "NAME-provenance.json: which model, database, cluster and settings made "
    "it.");

static const char build_help[] = N_ (
    "This dialog makes a cluster database from a folder of pictures, with a "
    "subfolder for each label. It runs the program camlens build, which goes "
    "on when GIMP's dialog is closed.\n\n"
    "Clusters: how many groups the embeddings are divided into.\n"
    "Triplets: how many comparisons are averaged for each picture. More take "
    "hardly longer.\n\n"
    "Stop keeps what has been done; starting again with the same file goes on "
    "where it stopped.");

static const char *
page (const char *id)
{
  if (g_str_has_suffix (id, "-example"))
    return _ (example_help);
  if (g_str_has_suffix (id, "-export"))
    return _ (export_help);
  if (g_str_has_suffix (id, "-build"))
    return _ (build_help);
  return _ (overlay_help);
}

#define TERM 30 /* characters that a term may have */

/* "Opacity: ..." with its term in bold; not in the introduction. */
static void
add_line (GString *markup, const char *line, gboolean introduction)
{
  const char *colon = introduction ? NULL : strchr (line, ':');
  glong length = colon ? g_utf8_pointer_to_offset (line, colon) : TERM + 1;
  gsize bytes = length <= TERM ? (gsize) (colon - line) : 0;
  g_autofree char *term = g_markup_escape_text (line, (gssize) bytes);
  g_autofree char *rest = g_markup_escape_text (line + bytes, -1);

  g_string_append_printf (markup, bytes ? "<b>%s</b>%s\n" : "%s%s\n", term,
                          rest);
}

static char *
markup_of (const char *text)
{
  GString *markup = g_string_new (NULL);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean introduction = TRUE;

  for (int i = 0; lines[i]; i++)
    {
      introduction = introduction && lines[i][0];
      add_line (markup, lines[i], introduction);
    }
  g_string_truncate (markup, markup->len - 1);
  return g_string_free (markup, FALSE);
}

void
cam_help_show (const char *id)
{
  g_autofree char *markup = markup_of (page (id));
  GtkWidget *dialog = gtk_dialog_new_with_buttons (_ ("CamLens Help"), NULL,
                                                   GTK_DIALOG_MODAL,
                                                   _ ("_Close"),
                                                   GTK_RESPONSE_CLOSE, NULL);
  GtkWidget *text = cam_label_new (NULL, 64);
  GtkWidget *box = gtk_dialog_get_content_area (GTK_DIALOG (dialog));

  gtk_label_set_markup (GTK_LABEL (text), markup);
  gtk_label_set_selectable (GTK_LABEL (text), TRUE);
  gtk_window_set_position (GTK_WINDOW (dialog), GTK_WIN_POS_MOUSE);
  gtk_container_set_border_width (GTK_CONTAINER (dialog), 12);
  gtk_box_pack_start (GTK_BOX (box), text, TRUE, TRUE, 6);
  gtk_widget_show_all (dialog);
  gtk_label_select_region (GTK_LABEL (text), 0, 0);
  gtk_dialog_set_default_response (GTK_DIALOG (dialog), GTK_RESPONSE_CLOSE);
  gtk_dialog_run (GTK_DIALOG (dialog));
  gtk_widget_destroy (dialog);
}
