/* evidence.c -- see evidence.h */
#include "config.h"
#include "ui/evidence.h"
#include "core/method/cam.h"
#include "ui/widgets.h"
#include <glib/gi18n.h>
#include <string.h>

#define WIDTH 44 /* characters */
#define THUMBNAIL 64
#define N_EXEMPLARS 5
#define N_LABELS 3
#define ROWS 3 /* of names */

typedef struct
{
  GtkWidget *cluster, *labels, *similarity, *nearest, *exemplars;
} Evidence;

static Evidence *
get (GtkWidget *widget)
{
  return g_object_get_data (G_OBJECT (widget), "cam-evidence");
}

static GtkWidget *
line (GtkWidget *box)
{
  GtkWidget *label = cam_label_new (NULL, WIDTH);

  gtk_box_pack_start (GTK_BOX (box), label, FALSE, FALSE, 0);
  return label;
}

GtkWidget *
cam_evidence_new (void)
{
  GtkWidget *box = cam_vbox_new (4);
  Evidence *e = g_new0 (Evidence, 1);

  g_object_set_data_full (G_OBJECT (box), "cam-evidence", e, g_free);
  e->cluster = line (box);
  e->labels = cam_label_new (NULL, WIDTH);
  gtk_box_pack_start (GTK_BOX (box), cam_reserve_new (e->labels, 2), FALSE,
                      FALSE, 0);
  e->similarity = line (box);
  e->nearest = line (box);
  e->exemplars = cam_hbox_new (6);
  gtk_widget_set_size_request (e->exemplars, -1, THUMBNAIL);
  gtk_box_pack_start (GTK_BOX (box), e->exemplars, FALSE, FALSE, 0);
  gtk_widget_show_all (box);
  cam_evidence_set (box, NULL);
  return box;
}

static void
set_text (GtkWidget *label, char *text)
{
  gtk_label_set_text (GTK_LABEL (label), text);
  g_free (text);
}

static char *
label_line (const CamCluster *members)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < members->labels->len && i < N_LABELS; i++)
    {
      const CamLabelCount *label = &g_array_index (members->labels,
                                                   CamLabelCount, i);

      g_string_append_printf (text, "%s%s (%d)", i ? ", " : "", label->label,
                              label->count);
    }
  if (members->labels->len > N_LABELS)
    g_string_append_printf (text, _ (" and %d more"),
                            members->labels->len - N_LABELS);
  return g_string_free (text, FALSE);
}

static GdkPixbuf *
thumbnail (GBytes *bytes)
{
  g_autoptr (GInputStream) stream = NULL;

  if (! bytes)
    return NULL;
  stream = g_memory_input_stream_new_from_bytes (bytes);
  return gdk_pixbuf_new_from_stream_at_scale (stream, THUMBNAIL, THUMBNAIL,
                                              TRUE, NULL, NULL);
}

static char *
tip_of (const CamExemplar *exemplar)
{
  return exemplar->label
             ? g_strdup_printf ("%s\n%s", exemplar->name, exemplar->label)
             : g_strdup (exemplar->name);
}

/* "insects-bee/04.jpg": the folder says more than the file's name does. */
static GtkWidget *
name_new (const CamExemplar *exemplar)
{
  g_autofree char *text = g_filename_display_name (exemplar->name);
  g_autofree char *tip = tip_of (exemplar);
  const char *from = text + strlen (text);
  GtkWidget *label;
  int slashes = 0;

  while (from > text && (from[-1] != '/' || ++slashes < 2))
    from--;
  label = cam_label_new (from, -1);
  gtk_label_set_line_wrap (GTK_LABEL (label), FALSE);
  gtk_label_set_ellipsize (GTK_LABEL (label), PANGO_ELLIPSIZE_MIDDLE);
  gtk_widget_set_tooltip_text (label, tip);
  return label;
}

/* A database without pictures has their names: in columns, nearest first. */
static void
add_names (GtkWidget *box, const CamExemplar *const *list, guint n)
{
  GtkWidget *column = NULL;

  for (guint i = 0; i < n; i++)
    {
      if (i % ROWS == 0)
        {
          column = cam_vbox_new (4);
          gtk_box_pack_start (GTK_BOX (box), column, TRUE, TRUE, 0);
        }
      gtk_box_pack_start (GTK_BOX (column), name_new (list[i]), FALSE, FALSE,
                          0);
    }
  gtk_widget_show_all (box);
}

static void
add_exemplar (GtkWidget *box, const CamExemplar *exemplar)
{
  g_autoptr (GdkPixbuf) pixbuf = thumbnail (exemplar->thumbnail);
  g_autofree char *tip = tip_of (exemplar);
  GtkWidget *widget = pixbuf ? gtk_image_new_from_pixbuf (pixbuf)
                             : name_new (exemplar);

  gtk_widget_set_tooltip_text (widget, tip);
  cam_name (widget, tip);
  gtk_box_pack_start (GTK_BOX (box), widget, ! pixbuf, TRUE, 0);
  gtk_widget_show (widget);
}

static void
destroy_child (GtkWidget *child, gpointer data)
{
  gtk_widget_destroy (child);
}

static void
add_exemplars (GtkWidget *box, const CamExemplar *const *list, guint n)
{
  gboolean pictures = FALSE;

  for (guint i = 0; i < n; i++)
    pictures = pictures || list[i]->thumbnail;
  if (! pictures)
    add_names (box, list, n);
  else
    for (guint i = 0; i < n; i++)
      add_exemplar (box, list[i]);
}

static void
set_exemplars (Evidence *e, const CamEvidence *evidence)
{
  const GPtrArray *list = evidence && evidence->members
                              ? evidence->members->exemplars
                              : NULL;

  gtk_container_foreach (GTK_CONTAINER (e->exemplars), destroy_child, NULL);
  if (evidence && evidence->neighbour)
    add_exemplars (e->exemplars, &evidence->neighbour, 1);
  else if (list && list->len)
    add_exemplars (e->exemplars, (const CamExemplar *const *) list->pdata,
                   MIN (list->len, N_EXEMPLARS));
}

char *
cam_evidence_warning (const CamEvidence *evidence)
{
  if (evidence->empty == CAM_EMPTY_AGAINST && evidence->helped)
    return g_strdup (_ ("The heat map is empty: none of the kept channels "
                        "speaks for this picture. Keep more channels."));
  if (evidence->empty != CAM_EMPTY_NOT)
    return g_strdup_printf (_ ("The heat map is empty: %s."),
                            cam_empty_reason (evidence->empty));
  if (evidence->far)
    return g_strdup (_ ("This picture is far from everything the database was "
                        "made of: take the explanation with care."));
  return NULL;
}

static const char *
pictures_line (const CamEvidence *evidence)
{
  if (evidence->neighbour)
    return _ ("Weights of this picture:");
  if (evidence->members && evidence->members->exemplars->len)
    return _ ("Its nearest pictures:");
  return _ ("The database names no pictures.");
}

static char *
cluster_line (const CamEvidence *evidence)
{
  const CamCluster *members = evidence->members;
  GString *text = g_string_new (NULL);

  if (! members)
    g_string_printf (text, _ ("Cluster %d of %d"), evidence->cluster,
                     evidence->n_clusters);
  else
    g_string_printf (text,
                     ngettext ("Cluster %d of %d, with %d picture",
                               "Cluster %d of %d, with %d pictures",
                               members->n_members),
                     evidence->cluster, evidence->n_clusters,
                     members->n_members);
  if (members && members->lent_from >= 0 && ! evidence->neighbour)
    {
      g_string_append (text, "; ");
      g_string_append_printf (text, _ ("weights lent by cluster %d"),
                              members->lent_from);
    }
  return g_string_free (text, FALSE);
}

static char *
similarity_line (const CamEvidence *evidence)
{
  GString *text = g_string_new (NULL);

  g_string_printf (text, _ ("Similarity %.3f (at most 1)"),
                   evidence->similarity);
  if (evidence->far_unknown)
    {
      g_string_append (text, "; ");
      g_string_append (text, _ ("whether that is far is unknown"));
    }
  return g_string_free (text, FALSE);
}

static void
set_lines (Evidence *e, const CamEvidence *evidence)
{
  const CamCluster *members = evidence->members;

  set_text (e->cluster, cluster_line (evidence));
  set_text (e->labels, members && members->labels->len
                           ? label_line (members)
                           : g_strdup (_ ("No labels")));
  set_text (e->similarity, similarity_line (evidence));
  gtk_label_set_text (GTK_LABEL (e->nearest), pictures_line (evidence));
}

void
cam_evidence_set (GtkWidget *widget, const CamEvidence *evidence)
{
  Evidence *e = get (widget);

  set_exemplars (e, evidence);
  if (evidence)
    set_lines (e, evidence);
  else
    {
      gtk_label_set_text (GTK_LABEL (e->cluster), _ ("Nothing to show yet"));
      gtk_label_set_text (GTK_LABEL (e->labels), "");
      gtk_label_set_text (GTK_LABEL (e->similarity), "");
      gtk_label_set_text (GTK_LABEL (e->nearest), "");
    }
}
