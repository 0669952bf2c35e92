/* bind.h -- from a graph with symbolic sizes to one with concrete shapes
 *
 * A copy of the graph whose inputs have the shapes of the bindings (an input
 * that is not named gets 1 for a symbolic batch and what the file says else),
 * whose types and shapes are inferred node by node, whose constant parts are
 * computed as the walk meets them (so that shape inputs are constant when infer
 * looks at them), and which holds nothing that the kept tensors do not need.
 * The names of kept tensors stay: one that is a constant or another name of a
 * tensor (behind Identity or Dropout) can still be found by it.
 */
#pragma once

#include "core/graph/operator.h"

typedef struct
{
  const char *name; /* of a graph input, or of an inner float32 tensor: the
                       graph is cut there, and begins with it */
  CamShape shape;   /* concrete         */
} CamBinding;

/* @keep: names of tensors, NULL-ended; NULL: the graph's outputs, which are
 * kept only in that case.  Errors name a binding that does not fit, a tensor
 * that is not there (NOT_FOUND) or the node.  (transfer full) */
CamGraph *cam_graph_bind (const CamGraph *graph, const CamBinding *bindings,
                          guint n_bindings, const char *const *keep,
                          GError **error);
