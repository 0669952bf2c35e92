/* help.h -- what the Help button and F1 show: a page for each dialog, which is
 * there without a browser or a network */
#pragma once

#include <gtk/gtk.h>

/* @id: the name of the procedure whose dialog asks. */
void cam_help_show (const char *id);
