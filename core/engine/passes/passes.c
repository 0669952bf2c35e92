/* passes.c -- the order of the passes */
#include "core/engine/passes/passes.h"

gboolean
cam_passes_run (CamGraph *graph, const char *const *keep, gboolean gradient,
                GError **error)
{
  return TRUE;
}

CamValue *
cam_pass_layout_source (CamValue *value)
{
  return value;
}
