/* evaluate-masks.c -- which mask is whose, and whether it fits
 *
 * A mask that holds nothing would give a column of zeros, and one that lies on
 * its side, as where a picture was turned and its mask was not, numbers that
 * mean nothing.
 */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "tools/command.h"
#include "tools/evaluate.h"

#define NEAR_SHAPE 0.02 /* of the ratio of the sides */

/* @name without its ending (transfer full) */
static char *
stem_of (const char *name)
{
  const char *slash = strrchr (name, '/'), *dot = strrchr (name, '.');

  return dot != NULL && (slash == NULL || dot > slash)
             ? g_strndup (name, (gsize) (dot - name))
             : g_strdup (name);
}

/* Of two masks with one name the one that is not lossy */
static gboolean
is_better (const char *path, const char *than)
{
  g_autofree char *a = g_ascii_strdown (path, -1);
  g_autofree char *b = g_ascii_strdown (than, -1);

  return g_str_has_suffix (a, ".png") && ! g_str_has_suffix (b, ".png");
}

/* MASKS/a/b.png by "a/b", with whatever ending (transfer full) */
static GHashTable *
index_masks (char *folder, GError **error)
{
  g_autoptr (GPtrArray) paths = command_list_pictures (&folder, 1, error);
  GHashTable *masks;

  if (paths == NULL)
    return NULL;
  masks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  for (guint i = 0; i < paths->len; i++)
    {
      const char *path = paths->pdata[i], *name = path, *other;
      char *stem;

      if (g_str_has_prefix (path, folder))
        for (name += strlen (folder); *name == '/';)
          name++;
      stem = stem_of (name);
      other = g_hash_table_lookup (masks, stem);
      if (other != NULL && ! is_better (path, other))
        g_free (stem);
      else
        g_hash_table_insert (masks, stem, g_strdup (path));
    }
  return masks;
}

static int
compare_paths (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
say_unmatched (EvaluateData *data, GHashTable *masks, GHashTable *used,
               const char *without)
{
  g_autoptr (GPtrArray) lost = g_ptr_array_new ();
  GHashTableIter iter;
  gpointer path;

  g_hash_table_iter_init (&iter, masks);
  while (g_hash_table_iter_next (&iter, NULL, &path))
    if (! g_hash_table_contains (used, path))
      g_ptr_array_add (lost, path);
  g_ptr_array_sort (lost, compare_paths);
  data->n_lost_masks = (int) lost->len;
  if (without != NULL)
    command_note (ngettext ("%d picture has no mask: %s",
                            "%d pictures have no mask: %s and others",
                            data->n_without_mask),
                  data->n_without_mask, without);
  if (lost->len > 0)
    command_note (ngettext ("%d mask is of no picture: %s",
                            "%d masks are of no picture: %s and others",
                            data->n_lost_masks),
                  data->n_lost_masks, (char *) lost->pdata[0]);
}

static gboolean
refuse_masks (const char *folder, const char *first, const PictureMask *mask,
              GError **error)
{
  const char *kind = evaluate_mask_kind (mask->kind);

  if (mask->n_object == 0)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("No mask in “%s” holds an object: all of them are nothing "
                    "but background, as “%s” is (%s)."),
                 folder, first, kind);
  else
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                 _ ("No mask in “%s” holds any background: all of them are "
                    "nothing but object, as “%s” is (%s)."),
                 folder, first, kind);
  return FALSE;
}

/* At least one mask holds an object before a background; as a rule the first
 * that is read does. */
static gboolean
check_masks (const EvaluateData *data, const char *folder, GError **error)
{
  const EvaluatePicture *first = NULL;
  g_autoptr (GError) unreadable = NULL;
  PictureMask mask, of_first;

  for (guint i = 0; i < data->pictures->len; i++)
    {
      const EvaluatePicture *picture = data->pictures->pdata[i];
      GError **why = unreadable == NULL ? &unreadable : NULL;
      g_autofree guint8 *values = NULL;

      if (picture->mask != NULL)
        values = picture_mask_load (picture->mask, &mask, why);
      if (values == NULL)
        continue;
      if (mask.n_object > 0 && mask.n_object < (gsize) mask.width * mask.height)
        return TRUE;
      if (first == NULL)
        of_first = mask;
      first = first != NULL ? first : picture;
    }
  if (first != NULL)
    return refuse_masks (folder, first->mask, &of_first, error);
  g_propagate_error (error, g_steal_pointer (&unreadable));
  return FALSE;
}

gboolean
evaluate_find_masks (EvaluateData *data, char *folder, GError **error)
{
  g_autoptr (GHashTable) masks = index_masks (folder, error);
  g_autoptr (GHashTable) used = g_hash_table_new (g_str_hash, g_str_equal);
  const char *without = NULL;

  if (masks == NULL)
    return FALSE;
  for (guint i = 0; i < data->pictures->len; i++)
    {
      EvaluatePicture *picture = data->pictures->pdata[i];
      g_autofree char *stem = stem_of (picture->name);
      const char *mask = g_hash_table_lookup (masks, stem);

      if (mask != NULL)
        {
          picture->mask = g_strdup (mask);
          g_hash_table_add (used, (gpointer) mask);
          data->n_masks++;
        }
      else if (data->n_without_mask++ == 0)
        without = picture->name;
    }
  if (data->n_masks > 0)
    {
      say_unmatched (data, masks, used, without);
      return check_masks (data, folder, error);
    }
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               _ ("No mask in “%s” has the name of a picture: MASKS/a/b.png "
                  "belongs to IMAGES/a/b.jpg."),
               folder);
  return FALSE;
}

const char *
evaluate_mask_kind (MaskKind kind)
{
  static const char *const texts[N_MASK_KINDS] = {
    N_ ("gray: all but 0 is the object"),
    N_ ("colour: all but black is the object"),
    N_ ("palette: all but its first colour is the object"),
    N_ ("alpha: all that is not transparent is the object"),
    N_ ("lossy: what is at least a quarter as light as the lightest is the "
        "object")
  };

  return _ (texts[kind]);
}

const char *
evaluate_mask_kind_name (MaskKind kind)
{
  static const char *const names[N_MASK_KINDS] = { "gray", "colour", "palette",
                                                   "alpha", "lossy" };

  return names[kind];
}

static gboolean
is_near (double a, double b)
{
  return fabs (a / b - 1.0) <= NEAR_SHAPE;
}

static gboolean
has_size (const PictureMask *mask, int width, int height)
{
  return mask->whole_width == width && mask->whole_height == height;
}

/* Masks may be smaller than their pictures, rounded to whole pixels. */
static gboolean
has_shape (const PictureMask *mask, int width, int height)
{
  double across = (double) mask->whole_width / width;
  double down = (double) mask->whole_height / height;

  return is_near (across, down)
         || fabs (across - down) * MIN (width, height) <= 1.0;
}

static gboolean
check_shape (const PictureMask *mask, const EvaluatePicture *picture,
             const CamView *view, gboolean quiet, GError **error)
{
  gboolean turned = has_size (mask, view->height, view->width)
                    || has_shape (mask, view->height, view->width);

  if (has_size (mask, view->width, view->height)
      || (has_shape (mask, view->width, view->height)
          && ! has_size (mask, view->height, view->width)))
    return TRUE;
  if (turned)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _ ("the mask “%s” is %d x %d and its picture, upright, %d x "
                      "%d: turn it as the picture's EXIF orientation does"),
                   picture->mask, mask->whole_width, mask->whole_height,
                   view->width, view->height);
      return FALSE;
    }
  if (! quiet)
    command_note (_ ("the mask “%s” is %d x %d and its picture %d x %d: it is "
                     "stretched"),
                  picture->mask, mask->whole_width, mask->whole_height,
                  view->width, view->height);
  return TRUE;
}

float *
evaluate_read_mask (EvaluateData *data, const EvaluatePicture *picture,
                    const CamView *view, int *width, int *height,
                    GError **error)
{
  PictureMask mask;
  g_autofree guint8 *values = picture_mask_load (picture->mask, &mask, error);
  float *out;
  gsize n;

  if (values == NULL
      || ! check_shape (&mask, picture, view, data == NULL, error))
    return NULL;
  if (data != NULL)
    g_atomic_int_inc (&data->mask_kinds[mask.kind]);
  *width = mask.width;
  *height = mask.height;
  n = (gsize) mask.width * mask.height;
  out = g_new (float, n);
  for (gsize i = 0; i < n; i++)
    out[i] = values[i];
  return out;
}

void
evaluate_say_empty (EvaluateData *data, const EvaluatePicture *picture)
{
  g_atomic_int_inc (&data->n_empty_masks);
  command_note (_ ("the mask “%s” holds no object where the network looks: "
                   "“%s” is measured without it"),
                picture->mask, picture->name);
}
