/* foreign-text.h -- text from files, for a terminal
 *
 * A name in a model, a database or a folder is a stranger's.  Raw on a terminal
 * it could clear the screen, set the window's title, print one thing and mean
 * another, or fill the screen for minutes.
 */
#pragma once

#include <glib.h>

#define CAM_FOREIGN_MOST 16000 /* bytes that are shown whole */

/* @text with every character that steers a terminal written out: \n, \t, \r,
 * \x1b, \u202e; bytes that are no UTF-8 as \xff.  These are controls (C0, DEL,
 * C1), separators of lines, and marks of direction and other invisible ones.
 * Of what is longer than CAM_FOREIGN_MOST, an eighth is shown of its beginning
 * and a little of its end, and how much is left out is said.  NULL gives "".
 * (transfer full) */
char *cam_foreign_text (const char *text);
/* The same for a text that a program reads on: \uXXXX as in JSON, of whatever
 * length.  @text is valid UTF-8, and such characters are only in its strings.
 * (transfer full) */
char *cam_foreign_json (const char *text);
