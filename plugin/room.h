/* room.h -- whether there is memory to go on
 *
 * GLib, GEGL and the C library end the process where a small allocation or a
 * thread fails, so a plug-in that is nearly out of memory would vanish without
 * a word.  It is asked before each step that allocates in them.
 */
#pragma once

#include <glib.h>

/* Megabytes: to start GEGL, whose plug-ins and tables take most of it; and for
 * the stacks of a few threads, tiles, and what GIMP sends. */
#define CAM_ROOM_TO_START 512
#define CAM_ROOM_TO_GO_ON 128

/* FALSE with an error that says what to do. */
gboolean cam_room_check (int megabytes, GError **error);
/* Starts GEGL, where there is room. */
gboolean cam_room_start (GError **error);
