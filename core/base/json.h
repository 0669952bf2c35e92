/* json.h -- what has been built, as text that every reader of JSON takes */
#pragma once

#include <json-glib/json-glib.h>

/* JSON has no infinity and nothing that is not a number: such become null.  It
 * is UTF-8, whatever names are in it. (transfer full) */
char *cam_json_text (JsonBuilder *builder, gboolean pretty);
