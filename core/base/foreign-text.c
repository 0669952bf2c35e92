/* foreign-text.c -- see foreign-text.h */
#include "config.h"
#include "core/base/foreign-text.h"
#include <glib/gi18n.h>
#include <string.h>

#define JOINERS(c) ((c) == 0x200c || (c) == 0x200d) /* of scripts and emoji */

static gboolean
steers (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_CONTROL:
    case G_UNICODE_LINE_SEPARATOR:
    case G_UNICODE_PARAGRAPH_SEPARATOR:
    case G_UNICODE_SURROGATE: return TRUE;
    case G_UNICODE_FORMAT: return ! JOINERS (c);
    default: return FALSE;
    }
}

static void
append_escaped (GString *out, gunichar c)
{
  static const char letters[] = "\n\t\r", names[] = "ntr";
  const char *letter = c < 0x20 && c != 0 ? strchr (letters, (int) c) : NULL;

  if (letter != NULL)
    g_string_append_printf (out, "\\%c", names[letter - letters]);
  else if (c < 0x80)
    g_string_append_printf (out, "\\x%02x", c);
  else if (c < 0x10000)
    g_string_append_printf (out, "\\u%04x", c);
  else
    g_string_append_printf (out, "\\U%08x", c);
}

/* Appends what is at @at, a whole character or a byte that is none; returns
 * where the next begins. */
static const char *
append_next (GString *out, const char *at)
{
  gunichar c = g_utf8_get_char_validated (at, -1);
  const char *next;

  if (c == (gunichar) -1 || c == (gunichar) -2)
    {
      g_string_append_printf (out, "\\x%02x", (guint8) *at);
      return at + 1;
    }
  next = g_utf8_next_char (at);
  if (steers (c))
    append_escaped (out, c);
  else
    g_string_append_len (out, at, next - at);
  return next;
}

char *
cam_foreign_text (const char *text)
{
  g_autoptr (GString) out = g_string_new (NULL);
  const char *at = text != NULL ? text : "";
  gsize length = strlen (at);

  if (length > CAM_FOREIGN_MOST)
    {
      const char *end = at + length - CAM_FOREIGN_MOST / 16;
      gsize left_out;

      for (int i = 0; i < CAM_FOREIGN_MOST / 8; i++)
        at = append_next (out, at);
      while (((guint8) *end & 0xc0) == 0x80) /* not amid a character */
        end++;
      left_out = (gsize) (end - at);
      g_string_append_printf (out,
                              ngettext (" … (%zu byte left out) … ",
                                        " … (%zu bytes left out) … ", left_out),
                              left_out);
      at = end;
    }
  while (*at != '\0')
    at = append_next (out, at);
  return g_string_free (g_steal_pointer (&out), FALSE);
}

char *
cam_foreign_json (const char *text)
{
  GString *out = g_string_sized_new (strlen (text));

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (c < 0x7f || ! steers (c))
        g_string_append_len (out, at, g_utf8_next_char (at) - at);
      else if (c < 0x10000)
        g_string_append_printf (out, "\\u%04x", c);
      else
        g_string_append_printf (out, "\\u%04x\\u%04x",
                                0xd800 + ((c - 0x10000) >> 10),
                                0xdc00 + ((c - 0x10000) & 0x3ff));
    }
  return g_string_free (out, FALSE);
}
