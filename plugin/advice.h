/* advice.h -- what to do about an error of core, in the words of GIMP's menus
 */
#pragma once

#include <glib.h>

/* Adds it to the message of *@error, where there is something to be added. */
void cam_advice_add (GError **error);
