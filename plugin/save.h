/* save.h -- pixels into picture files, checked */
#pragma once

#include <gegl.h>

/* Both write @path anew; FALSE where not all of the pixels are in it then.
 * PNG takes R'G'B'A u8, TIFF takes Y' float and keeps all its bits. */
gboolean cam_save_png (GeglBuffer *buffer, const char *path);
gboolean cam_save_tiff (GeglBuffer *buffer, const char *path);
