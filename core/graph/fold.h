/* fold.h -- computing a node when a graph is made ready, not when it runs */
#pragma once

#include "core/graph/operator.h"

/* Whether @node, inferred, can be computed now: its inputs are constant (or
 * it only asks for their shapes) and it neither takes long nor makes far more
 * bytes than it reads; @budget is what may still be made. */
gboolean cam_node_is_foldable (const CamNode *node, guint64 budget);

/* Computes @node and makes its outputs constants without a producer; @node is
 * then of no use.  FALSE where memory is short. */
gboolean cam_node_fold (CamNode *node, GError **error);
