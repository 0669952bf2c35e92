/* advice.h -- what to do about an error, in the words of this program
 *
 * Core serves GIMP, too, where nobody has a command line: its messages say what
 * is wrong, and its codes what could be done.  The plug-in has menus in the
 * place of these commands (plugin/advice.h).
 */
#pragma once

#include <glib.h>

/* NULL: the message says all there is (static) */
const char *advice_for (const GError *error);
