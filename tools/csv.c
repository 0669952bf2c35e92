/* csv.c -- RFC 4180, with \n or \r\n */
#include "tools/csv.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/base/plain-file.h"
#include "tools/command.h"

/* One field from *@at on, which moves behind it and its comma */
static char *
take_field (const char **at, gboolean *last)
{
  g_autoptr (GString) field = g_string_new (NULL);
  const char *p = *at;
  gboolean quoted = *p == '"';

  p += quoted;
  while (*p != '\0')
    {
      if (quoted && p[0] == '"' && p[1] == '"')
        p++;
      else if (quoted && p[0] == '"')
        {
          quoted = FALSE;
          p++;
          continue;
        }
      else if (! quoted && (*p == ',' || *p == '\n' || *p == '\r'))
        break;
      g_string_append_c (field, *p++);
    }
  *last = *p != ',';
  if (*p == '\r')
    p++;
  if (*p != '\0')
    p++;
  *at = p;
  return g_strdup (field->str);
}

GPtrArray *
csv_read (const char *path, guint n_fields, GError **error)
{
  g_autoptr (GPtrArray)
      rows = g_ptr_array_new_with_free_func ((GDestroyNotify) g_strfreev);
  g_autofree char *text = NULL;
  const char *at;

  text = cam_plain_file_text (path, CAM_PLAIN_TABLE, error);
  if (text == NULL)
    return NULL;
  at = text;
  for (guint line = 1; *at != '\0'; line++)
    {
      GPtrArray *fields = g_ptr_array_new ();
      gboolean last = FALSE, blank;
      char **row;

      while (! last)
        g_ptr_array_add (fields, take_field (&at, &last));
      g_ptr_array_add (fields, NULL);
      row = (char **) g_ptr_array_free (fields, FALSE);
      blank = g_strv_length (row) == 1 && *row[0] == '\0';
      if (! blank && g_strv_length (row) < n_fields)
        {
          g_set_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA,
                       _("Line %u of “%s” has fewer than %u fields."), line, path,
                       n_fields);
          g_strfreev (row);
          return NULL;
        }
      if (blank)
        g_strfreev (row);
      else
        g_ptr_array_add (rows, row);
    }
  return g_steal_pointer (&rows);
}

gboolean
csv_names_file (const char *csv, const char *name)
{
  g_autofree char *folder = g_path_get_dirname (csv);
  g_autofree char *beside = g_path_is_absolute (name)
                                ? g_strdup (name)
                                : g_build_filename (folder, name, NULL);

  return g_file_test (beside, G_FILE_TEST_EXISTS)
         || g_file_test (name, G_FILE_TEST_EXISTS);
}

void
csv_note_unfound (const char *csv, int n, const char *first)
{
  g_autofree char *valid = g_utf8_make_valid (first != NULL ? first : "", -1);

  if (n > 0)
    command_note (ngettext ("%d name in %s is of no picture: “%s”",
                            "%d names in %s are of no picture; the first is "
                            "“%s”",
                            n),
                  n, csv, valid);
}
