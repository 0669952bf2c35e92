/* passes.h -- rewriting a bound graph into one that runs fast
 *
 * Every pass replaces runs of nodes by others that compute the same; a tensor
 * whose name is in @keep stays, under its name, shape and layout.  The order is
 * that of cam_passes_run.
 */
#pragma once

#include "core/graph/operator.h"

/* @gradient: activations whose gradient needs their own input are not fused. */
gboolean cam_passes_run (CamGraph *graph, const char *const *keep,
                         gboolean gradient, GError **error);
/* The tensor that @value is only a transposed copy of, made by the layout pass
 * for whoever wants ONNX's order; else @value itself. */
CamValue *cam_pass_layout_source (CamValue *value);
