/* labelled.c -- pictures with their labels */
#include "tools/labelled.h"

#include <glib/gi18n.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/plain-file.h"
#include "tools/command.h"
#include "tools/csv.h"

void
labelled_free (Labelled *labelled)
{
  if (labelled == NULL)
    return;
  g_array_unref (labelled->pictures);
  g_string_chunk_free (labelled->text);
  g_free (labelled->unfound);
  g_free (labelled);
}

typedef struct /* what a labels' file says */
{
  GHashTable *labels; /* path -> label; owns both */
  GPtrArray *paths;   /* in the file's order, borrowed */
  GHashTable *places; /* absolute path -> label, borrowed */
  GHashTable *used;   /* labels that a picture has got */
} LabelsFile;

static void
labels_file_clear (LabelsFile *file)
{
  g_clear_pointer (&file->places, g_hash_table_unref);
  g_clear_pointer (&file->used, g_hash_table_unref);
  g_clear_pointer (&file->paths, g_ptr_array_unref);
  g_clear_pointer (&file->labels, g_hash_table_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LabelsFile, labels_file_clear)

/* One field of a line of CSV from *@at on, which moves behind its comma (NULL
 * at the end); quotes are doubled in quoted ones (transfer full).  NULL: a
 * quote is not closed. */
static char *
next_field (const char **at)
{
  GString *field = g_string_new (NULL);
  const char *c = *at + strspn (*at, " \t");
  gboolean quoted = *c == '"';

  for (c += quoted; *c != '\0' && (quoted || *c != ','); c++)
    {
      if (quoted && *c == '"')
        {
          if (c[1] != '"')
            {
              quoted = FALSE;
              continue;
            }
          c++;
        }
      g_string_append_c (field, *c);
    }
  if (quoted)
    {
      g_string_free (field, TRUE);
      return NULL;
    }
  *at = *c == ',' ? c + 1 : NULL;
  return g_strstrip (g_string_free (field, FALSE));
}

static gboolean
refuse_line (const char *file, int line, const char *what, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("%s, line %d: %s"), file, line + 1, what);
  return FALSE;
}

static gboolean
is_number (const char *text, double *value)
{
  char *end;

  *value = g_ascii_strtod (text, &end);
  return *text != '\0' && *end == '\0' && isfinite (*value);
}

/* Takes "./" away in front, which says nothing. */
static void
strip_here (char *path)
{
  while (path[0] == '.' && path[1] == '/')
    {
      gsize n = 2 + strspn (path + 2, "/");

      memmove (path, path + n, strlen (path + n) + 1);
    }
}

static gboolean
read_line (const char *file, int number, const char *line, gboolean continuous,
           LabelsFile *read, GError **error)
{
  const char *at = line;
  g_autofree char *path = next_field (&at);
  g_autofree char *label = path != NULL && at != NULL ? next_field (&at) : NULL;
  const char *other;
  double value;

  if (label == NULL)
    return refuse_line (file, number, _ ("should be “path,label”"), error);
  if (number == 0 && g_ascii_strcasecmp (label, "label") == 0)
    return TRUE;
  if (continuous && ! is_number (label, &value))
    {
      if (number == 0 && ! csv_names_file (file, path))
        return TRUE; /* names of the columns */
      return refuse_line (file, number, _ ("the label is no number"), error);
    }
  if (*label == '\0')
    return TRUE; /* a picture without a label */
  strip_here (path);
  other = g_hash_table_lookup (read->labels, path);
  if (other != NULL && strcmp (other, label) != 0)
    return refuse_line (file, number,
                        _ ("this picture has another label further up"), error);
  if (other == NULL)
    {
      g_ptr_array_add (read->paths, path);
      g_hash_table_insert (read->labels, g_steal_pointer (&path),
                           g_steal_pointer (&label));
    }
  return TRUE;
}

/* @path without links, as far as there is something (transfer full) */
static char *
place_of (const char *path, const char *folder)
{
  char *place = g_canonicalize_filename (path, folder);
  char *real = realpath (place, NULL);

  if (real == NULL)
    return place;
  g_free (place);
  place = g_strdup (real);
  free (real);
  return place;
}

static gboolean
refuse_two (const char *file, const char *path, const char *label,
            const char *other, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
               _ ("%s gives %s two labels, “%s” and “%s”"), file, path, label,
               other);
  return FALSE;
}

/* The same labels by absolute path, of paths that are relative to the file's
 * folder or, where there is nothing, to the working folder.  Two ways to one
 * picture must say the same of it. */
static gboolean
place_labels (LabelsFile *read, const char *file, GError **error)
{
  g_autofree char *beside = g_path_get_dirname (file);
  g_autofree char *folder = g_canonicalize_filename (beside, NULL);

  read->places = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < read->paths->len; i++)
    {
      const char *path = read->paths->pdata[i];
      const char *label = g_hash_table_lookup (read->labels, path), *other;
      char *place = place_of (path, folder);

      if (! g_file_test (place, G_FILE_TEST_EXISTS))
        {
          g_free (place);
          place = place_of (path, NULL);
        }
      other = g_hash_table_lookup (read->places, place);
      if (other != NULL && strcmp (other, label) != 0)
        {
          g_free (place);
          return refuse_two (file, path, other, label, error);
        }
      g_hash_table_insert (read->places, place, (gpointer) label);
    }
  return TRUE;
}

static gboolean
read_labels (LabelsFile *read, const char *file, gboolean continuous,
             GError **error)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;

  read->labels = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                        g_free);
  read->paths = g_ptr_array_new ();
  read->used = g_hash_table_new (NULL, NULL);
  text = cam_plain_file_text (file, CAM_PLAIN_TABLE, error);
  if (text == NULL)
    return FALSE;
  if (! g_utf8_validate (text, -1, NULL))
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                   _ ("%s is not UTF-8"), file);
      return FALSE;
    }
  lines = g_strsplit (text, "\n", -1);
  for (int i = 0; lines[i] != NULL; i++)
    if (*g_strstrip (lines[i]) != '\0'
        && ! read_line (file, i, lines[i], continuous, read, error))
      return FALSE;
  return place_labels (read, file, error);
}

/* @path without the folder @root (NULL: as it is) */
static const char *
name_of (const char *path, const char *root)
{
  gsize n = root != NULL ? strlen (root) : 0;

  if (n == 0 || strncmp (path, root, n) != 0)
    return path;
  for (path += n; *path == '/';)
    path++;
  return path;
}

/* The label of picture @path in @file by its whole name, however written, into
 * *@label; NULL: there is none. */
static gboolean
look_up (const LabelsFile *file, const char *labels_file, const char *path,
         const char *name, const char **label, GError **error)
{
  g_autofree char *place = place_of (path, NULL);
  const char *found[] = { g_hash_table_lookup (file->labels, name),
                          g_hash_table_lookup (file->labels, path),
                          g_hash_table_lookup (file->places, place) };

  *label = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (found); i++)
    {
      if (found[i] == NULL)
        continue;
      if (*label != NULL && strcmp (*label, found[i]) != 0)
        return refuse_two (labels_file, path, *label, found[i], error);
      *label = *label != NULL ? *label : found[i];
      g_hash_table_add (file->used, (gpointer) found[i]);
    }
  return TRUE;
}

/* The labels of all @files, borrowed, NULL where there is none: by their whole
 * names, else by the name without folders that @labels_file gives, which must
 * not be that of several.  (transfer container) */
static const char **
look_up_all (const LabelsFile *file, const char *labels_file, GPtrArray *files,
             const char *root, GError **error)
{
  g_autofree const char **labels = g_new0 (const char *, files->len + 1);
  g_autoptr (GHashTable)
      counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (guint i = 0; i < files->len; i++)
    {
      const char *path = files->pdata[i];
      char *base = g_path_get_basename (path);
      int n = GPOINTER_TO_INT (g_hash_table_lookup (counts, base));

      g_hash_table_insert (counts, base, GINT_TO_POINTER (n + 1));
      if (! look_up (file, labels_file, path, name_of (path, root), &labels[i],
                     error))
        return NULL;
    }
  for (guint i = 0; i < files->len; i++)
    {
      g_autofree char *base = g_path_get_basename (files->pdata[i]);
      const char *label = g_hash_table_lookup (file->labels, base);
      int n = GPOINTER_TO_INT (g_hash_table_lookup (counts, base));

      if (labels[i] != NULL || label == NULL
          || (n > 1 && g_hash_table_contains (file->used, label)))
        continue;
      if (n > 1)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       ngettext ("%s: “%s” is the name of %d picture: give "
                                 "paths instead",
                                 "%s: “%s” is the name of %d pictures: give "
                                 "paths instead",
                                 n),
                       labels_file, base, n);
          return NULL;
        }
      labels[i] = label;
      g_hash_table_add (file->used, (gpointer) label);
    }
  return g_steal_pointer (&labels);
}

/* @label NULL: none */
static void
add_picture (Labelled *labelled, const char *path, const char *name,
             const char *label, gboolean continuous, GHashTable *seen)
{
  g_autofree char *valid = NULL;
  CamBuildPicture picture = { 0 };

  labelled->n_unlabelled += label == NULL;
  if (continuous && (label == NULL || ! is_number (label, &picture.value)))
    return;
  picture.path = g_string_chunk_insert (labelled->text, path);
  valid = g_utf8_make_valid (name, -1);
  picture.name = g_string_chunk_insert (labelled->text, valid);
  if (label != NULL)
    {
      g_free (valid);
      valid = g_utf8_make_valid (label, -1);
      picture.label = g_string_chunk_insert_const (labelled->text, valid);
      g_hash_table_add (seen, (gpointer) picture.label);
    }
  g_array_append_val (labelled->pictures, picture);
}

/* Counts what @labels_file names and nobody has. */
static void
count_unfound (Labelled *labelled, const LabelsFile *file,
               const char *labels_file)
{
  for (guint i = 0; i < file->paths->len; i++)
    {
      const char *path = file->paths->pdata[i];
      const char *label = g_hash_table_lookup (file->labels, path);

      if (g_hash_table_contains (file->used, label)
          || csv_names_file (labels_file, path))
        continue;
      if (labelled->n_unfound++ == 0)
        labelled->unfound = g_strdup (path);
    }
}

Labelled *
labelled_new (char *const *paths, int n_paths, const char *labels_file,
              gboolean continuous, GError **error)
{
  g_autoptr (GPtrArray) files = command_list_pictures (paths, n_paths, error);
  g_auto (LabelsFile) file = { NULL };
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (Labelled) labelled = NULL;
  gboolean one_folder = n_paths == 1
                        && g_file_test (paths[0], G_FILE_TEST_IS_DIR);
  const char *root = one_folder ? paths[0] : NULL;
  g_autofree const char **labels = NULL;

  if (files == NULL)
    return NULL;
  if (labels_file != NULL
      && (! read_labels (&file, labels_file, continuous, error)
          || ! (labels = look_up_all (&file, labels_file, files, root, error))))
    return NULL;
  labelled = g_new0 (Labelled, 1);
  labelled->pictures = g_array_new (FALSE, FALSE, sizeof (CamBuildPicture));
  labelled->text = g_string_chunk_new (1 << 16);
  for (guint i = 0; i < files->len; i++)
    {
      const char *path = files->pdata[i];
      g_autofree char *folder = g_path_get_dirname (path);
      g_autofree char *folder_name = g_path_get_basename (folder);

      add_picture (labelled, path, name_of (path, root),
                   labels != NULL ? labels[i] : folder_name, continuous, seen);
    }
  if (labels_file != NULL)
    count_unfound (labelled, &file, labels_file);
  labelled->n_labels = (int) g_hash_table_size (seen);
  if (labelled->pictures->len > 0)
    return g_steal_pointer (&labelled);
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
               files->len == 0
                   ? _ ("there are no pictures in %s")
                   : _ ("no picture in %s has a value in the labels' "
                        "file"),
               paths[0]);
  return NULL;
}
