/* evaluate-data.c -- pictures with what is known of them */
#include <glib/gi18n.h>
#include <string.h>

#include "tools/command.h"
#include "tools/csv.h"
#include "tools/evaluate.h"

static void
free_picture (gpointer data)
{
  EvaluatePicture *picture = data;

  g_free (picture->path);
  g_free (picture->name);
  g_free (picture->mask);
  g_clear_pointer (&picture->boxes, g_array_unref);
  g_free (picture);
}

static int
label_number (EvaluateData *data, const char *label)
{
  for (guint i = 0; i < data->labels->len; i++)
    if (strcmp (g_ptr_array_index (data->labels, i), label) == 0)
      return (int) i;
  g_ptr_array_add (data->labels, g_strdup (label));
  return (int) data->labels->len - 1;
}

/* The folder that @name lies in, below the folder that was named */
static int
label_of_folder (EvaluateData *data, const char *name)
{
  g_autofree char *folder = g_path_get_dirname (name);
  g_autofree char *last = g_path_get_basename (folder);

  return strcmp (folder, ".") == 0 ? -1 : label_number (data, last);
}

static GPtrArray *
list_pictures (EvaluateData *data, char *folder, GError **error)
{
  g_autoptr (GPtrArray) paths = command_list_pictures (&folder, 1, error);
  GPtrArray *pictures;
  gsize skip = strlen (folder);

  if (paths == NULL)
    return NULL;
  if (paths->len == 0)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
                   _("There are no pictures in “%s”."), folder);
      return NULL;
    }
  pictures = g_ptr_array_new_with_free_func (free_picture);
  for (guint i = 0; i < paths->len; i++)
    {
      EvaluatePicture *picture = g_new0 (EvaluatePicture, 1);
      const char *path = g_ptr_array_index (paths, i), *name = path;

      if (g_str_has_prefix (path, folder))
        name += skip;
      while (*name == '/')
        name++;
      picture->path = g_strdup (path);
      picture->name = g_strdup (*name != '\0' ? name : path);
      picture->label = label_of_folder (data, picture->name);
      g_ptr_array_add (pictures, picture);
    }
  return pictures;
}

static EvaluatePicture *
find_picture (GPtrArray *pictures, const char *name)
{
  for (guint i = 0; pictures != NULL && i < pictures->len; i++)
    {
      EvaluatePicture *picture = g_ptr_array_index (pictures, i);

      if (strcmp (picture->name, name) == 0
          || strcmp (picture->path, name) == 0)
        return picture;
    }
  return NULL;
}

static gboolean
is_heading (guint line, char **row)
{
  return line == 0 && g_ascii_strcasecmp (g_strstrip (row[1]), "label") == 0;
}

static gboolean
read_labels (EvaluateData *data, const char *path, GError **error)
{
  g_autoptr (GPtrArray) rows = csv_read (path, 2, error);
  guint n = 0;

  if (rows == NULL)
    return FALSE;
  for (guint i = 0; i < rows->len; i++)
    {
      char **row = g_ptr_array_index (rows, i);
      EvaluatePicture *both[] = { find_picture (data->pictures, row[0]),
                                  find_picture (data->train, row[0]) };

      for (int j = 0; j < 2; j++)
        if (both[j] != NULL)
          {
            both[j]->label = label_number (data, row[1]);
            n++;
          }
      if (both[0] == NULL && both[1] == NULL && ! is_heading (i, row)
          && ! csv_names_file (path, row[0]) && data->n_unfound++ == 0)
        data->unfound = g_strdup (row[0]);
    }
  if (n > 0)
    csv_note_unfound (path, data->n_unfound, data->unfound);
  if (n > 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _("None of the paths in “%s” is one of the pictures; they should "
               "be relative to the folder of pictures."),
               path);
  return FALSE;
}

static gboolean
parse_box (char **row, CamBox *box)
{
  double v[4];

  for (int i = 0; i < 4; i++)
    {
      char *end;

      v[i] = g_ascii_strtod (g_strstrip (row[i + 1]), &end);
      if (end == row[i + 1] || *end != '\0')
        return FALSE;
    }
  *box = (CamBox) { (int) v[0], (int) v[1], (int) (v[0] + v[2]),
                    (int) (v[1] + v[3]) };
  return v[2] > 0 && v[3] > 0;
}

/* path,x,y,width,height; a picture may have several; a heading is passed */
static gboolean
read_boxes (EvaluateData *data, const char *path, GError **error)
{
  g_autoptr (GPtrArray) rows = csv_read (path, 5, error);

  for (guint i = 0; rows != NULL && i < rows->len; i++)
    {
      char **row = g_ptr_array_index (rows, i);
      EvaluatePicture *picture = find_picture (data->pictures, row[0]);
      CamBox box;

      if (picture == NULL)
        continue;
      if (! parse_box (row, &box))
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _("The box of “%s” in “%s” is not x, y, width, height."),
                       row[0], path);
          return FALSE;
        }
      if (picture->boxes == NULL)
        {
          picture->boxes = g_array_new (FALSE, FALSE, sizeof (CamBox));
          data->n_boxes++;
        }
      g_array_append_val (picture->boxes, box);
    }
  return rows != NULL;
}

gboolean
evaluate_read (EvaluateData *data, const EvaluateOptions *options,
               GError **error)
{
  data->labels = g_ptr_array_new_with_free_func (g_free);
  data->pictures = list_pictures (data, options->images, error);
  if (data->pictures == NULL)
    return FALSE;
  if (options->train != NULL)
    {
      data->train = list_pictures (data, options->train, error);
      if (data->train == NULL)
        return FALSE;
    }
  return (options->masks == NULL
          || evaluate_find_masks (data, options->masks, error))
         && (options->boxes == NULL || read_boxes (data, options->boxes, error))
         && (options->labels == NULL
             || read_labels (data, options->labels, error));
}

void
evaluate_data_clear (EvaluateData *data)
{
  g_clear_pointer (&data->pictures, g_ptr_array_unref);
  g_clear_pointer (&data->train, g_ptr_array_unref);
  g_clear_pointer (&data->labels, g_ptr_array_unref);
  g_free (data->train_embeddings);
  g_free (data->unfound);
}
