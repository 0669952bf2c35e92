/* last-words.c -- see last-words.h */
#include "tools/last-words.h"

#include <glib/gi18n.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"

static char no_memory[256]; /* translated while there was memory */

static void
say (const char *text)
{
  ssize_t written = write (STDERR_FILENO, text, strlen (text));

  (void) written;
}

static void
handle (const char *domain, GLogLevelFlags level, const char *text,
        gpointer data)
{
  if ((level & G_LOG_LEVEL_ERROR) == 0)
    {
      g_log_default_handler (domain, level, text, data);
      return;
    }
  say ("camlens: ");
  say (strstr (text, "failed to allocate") != NULL ? no_memory : text);
  say ("\n");
  _exit (COMMAND_FAILED); /* what exit () runs may ask for memory */
}

void
last_words_prepare (void)
{
  g_strlcpy (no_memory, _ ("there is not enough memory"), sizeof no_memory);
  g_log_set_default_handler (handle, NULL);
}
