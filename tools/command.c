/* command.c -- options, messages and lists of files */
#include "config.h"

#include "tools/advice.h"
#include "tools/command.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/foreign-text.h"
#include "core/base/json.h"
#include "core/base/threads.h"
#include "tools/picture.h"

/* An empty name would be made one by what is put behind it. */
static gboolean
has_empty_name (const char *command, const GOptionEntry *entries)
{
  for (const GOptionEntry *e = entries; e->long_name != NULL; e++)
    {
      gboolean empty = FALSE;

      if (e->arg == G_OPTION_ARG_FILENAME)
        empty = g_strcmp0 (*(char **) e->arg_data, "") == 0;
      else if (e->arg == G_OPTION_ARG_FILENAME_ARRAY)
        {
          const char *const *names = *(const char *const **) e->arg_data;

          empty = names != NULL && g_strv_contains (names, "");
        }
      if (empty)
        {
          command_misuse (command, _ ("--%s is empty: give it a name"),
                          e->long_name);
          return TRUE;
        }
    }
  return FALSE;
}

gboolean
command_parse (int *argc, char ***argv, const char *usage, const char *text,
               const GOptionEntry *entries)
{
  g_autoptr (GOptionContext) context = g_option_context_new (usage);
  g_autofree char *name = g_strdup ((*argv)[0]);
  g_autofree char *full = g_strdup_printf ("camlens %s", name);
  g_autoptr (GError) error = NULL;
  gboolean good;

  g_option_context_add_main_entries (context, entries, GETTEXT_PACKAGE);
  g_option_context_set_description (context, text != NULL ? _ (text) : NULL);
  g_set_prgname (full);
  good = g_option_context_parse (context, argc, argv, &error);
  g_set_prgname ("camlens");
  if (! good)
    command_misuse (name, "%s", error->message);
  /* what stood behind "--" is taken as it is, the mark itself is not */
  for (int i = 1; good && i < *argc; i++)
    if (strcmp ((*argv)[i], "--") == 0)
      {
        for (int j = i; j < *argc; j++)
          (*argv)[j] = (*argv)[j + 1];
        (*argc)--;
        break;
      }
  return good && ! has_empty_name (name, entries);
}

static guint
newlines_behind (const char *text)
{
  guint n = 0;

  for (gsize i = strlen (text); i > 0 && text[i - 1] == '\n'; i--)
    n++;
  return n;
}

void
command_print (FILE *out, const char *format, ...)
{
  gsize before = strspn (format, "\n");
  gsize behind = format[before] != '\0' ? newlines_behind (format) : 0;
  g_autofree char *text = NULL;
  g_auto (GStrv) cells = NULL;
  va_list args;

  va_start (args, format);
  text = g_strdup_vprintf (format, args);
  va_end (args);
  text[strlen (text) - behind] = '\0';
  cells = g_strsplit (text + before, "\t", -1);
  flockfile (out); /* no other thread's words in the line */
  fwrite (text, 1, before, out);
  for (guint i = 0; cells[i] != NULL; i++)
    {
      g_autofree char *shown = cam_foreign_text (cells[i]);

      fprintf (out, "%s%s", i > 0 ? "\t" : "", shown);
    }
  for (gsize i = 0; i < behind; i++)
    fputc ('\n', out);
  funlockfile (out);
}

int
command_fail (const char *name, GError *error)
{
  const char *advice = error != NULL ? advice_for (error) : NULL;

  command_print (stderr, "camlens %s: %s%s%s%s\n", name,
                 error != NULL ? error->message : _ ("failed"),
                 advice != NULL ? " (" : "", advice != NULL ? advice : "",
                 advice != NULL ? ")" : "");
  g_clear_error (&error);
  return COMMAND_FAILED;
}

int
command_done (gint64 n_left_out, gboolean skips_ok)
{
  return n_left_out > 0 && ! skips_ok ? COMMAND_LEFT_OUT : COMMAND_OK;
}

int
command_misuse (const char *name, const char *format, ...)
{
  g_autofree char *message = NULL, *shown = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  shown = cam_foreign_text (message);
  fprintf (stderr, _ ("camlens %s: %s\nTry “camlens %s --help”.\n"), name,
           shown, name);
  return COMMAND_USAGE;
}

gboolean
command_check_number (const char *name, const char *option, gint64 value,
                      gint64 least, gint64 most)
{
  if (value >= least && value <= most)
    return TRUE;
  command_misuse (name,
                  _ ("--%s is a whole number from %" PRId64 " to %" PRId64
                     ", not %" PRId64),
                  option, least, most, value);
  return FALSE;
}

gboolean
command_check_threads (const char *name, const char *option, int value)
{
  if (value >= 0 && value <= CAM_MOST_THREADS)
    return TRUE;
  command_misuse (name,
                  _ ("--%s is a whole number from 1 to %d, or 0 for all cores, "
                     "not %d"),
                  option, CAM_MOST_THREADS, value);
  return FALSE;
}

gboolean
command_max_pixels (const char *option, const char *value, gpointer data,
                    GError **error)
{
  static const char units[] = "KMG";
  char *end;
  double number = g_ascii_strtod (value, &end);
  const char *unit = *end != '\0' ? strchr (units, g_ascii_toupper (*end))
                                  : NULL;

  if (unit != NULL)
    number *= pow (1000, (double) (unit - units) + 1);
  if (end == value || ! (number >= 1 && number <= 1e12)
      || (*end != '\0' && (unit == NULL || end[1] != '\0')))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                   _ ("--max-pixels is a number like 500M, not “%s”"), value);
      return FALSE;
    }
  picture_limit ((gint64) number);
  return TRUE;
}

void
command_note (const char *format, ...)
{
  g_autofree char *message = NULL;
  va_list args;

  va_start (args, format);
  message = g_strdup_vprintf (format, args);
  va_end (args);
  command_print (stderr, "camlens: %s\n", message);
}

CamModel *
command_open_model (const char *name_or_path, GError **error)
{
  CamModel *model = cam_model_open (name_or_path, NULL, error);

  for (int i = 0; model != NULL && model->warnings[i] != NULL; i++)
    command_note ("%s", model->warnings[i]);
  return model;
}

int
command_width (const char *text)
{
  g_autofree char *shown = cam_foreign_text (text);
  int width = 0;

  for (const char *c = shown; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar character = g_utf8_get_char (c);

      if (! g_unichar_iszerowidth (character))
        width += g_unichar_iswide (character) ? 2 : 1;
    }
  return width;
}

void
command_cell (const char *text, int width)
{
  g_autofree char *shown = cam_foreign_text (text);
  int fill = MAX (ABS (width) - command_width (shown), 0);

  printf ("%*s%s%*s", width < 0 ? fill : 0, "", shown, width < 0 ? 0 : fill,
          "");
}

void
command_print_json (JsonBuilder *builder, gboolean pretty)
{
  g_autofree char *text = cam_json_text (builder, pretty);
  g_autofree char *shown = cam_foreign_json (text);

  printf ("%s\n", shown);
}
