/* core-alone.c -- a program of all of core and nothing else
 *
 * It is linked with the whole of core and core's own libraries, so a call of
 * GTK, GEGL or libgimp from there would not link; libraries.py looks at what
 * it is linked with.
 */
#include "core/base/version.h"

int
main (void)
{
  return cam_version ()[0] == 0;
}
