/* version.c -- what the library calls itself */
#include "config.h"
#include "core/base/version.h"

const char *
cam_version (void)
{
  return CAMLENS_VERSION;
}
