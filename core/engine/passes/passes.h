/* passes.h -- rewriting a bound graph into one that runs fast
 *
 * Every pass replaces runs of nodes by others that compute the same; the
 * graph's outputs, which are all tensors that anybody wants, stay under their
 * names, shapes and layouts.
 */
#pragma once

#include "core/graph/operator.h"

/* @gradient_at: names, NULL-ended, or NULL: what depends on them gets no
 * operator without a gradient.  The weights that are packed are let go of one
 * by one. */
gboolean cam_passes_run (CamGraph *graph, const char *const *gradient_at,
                         GError **error);
/* The tensor that @value is only a transposed copy of, made by the layout pass
 * for whoever wants ONNX's order; else @value itself. */
CamValue *cam_pass_layout_source (CamValue *value);
