/* fold.h -- computing a node when a graph is made ready, not when it runs */
#pragma once

#include "core/graph/operator.h"

/* What may still be folded.  A graph begins with 64 MiB to make and 256 MiB to
 * read, and 8 and 32 times the bytes of its constants; and with 2^30
 * multiply-adds.  What goes beyond stays a node that runs. */
typedef struct
{
  guint64 made, read; /* bytes */
  guint64 work;       /* multiply-adds */
} CamFoldBudget;

CamFoldBudget cam_fold_budget (const CamGraph *graph);

/* Whether @node, inferred, can be computed now: its inputs are constant (or
 * it only asks for their shapes) and it neither takes long nor makes far more
 * bytes than it reads.  Takes it off @budget; the few numbers that say shapes
 * are always computed, because nothing can be bound without them. */
gboolean cam_node_is_foldable (const CamNode *node, CamFoldBudget *budget);

/* Computes @node and makes its outputs constants without a producer; @node is
 * then of no use.  FALSE where memory is short. */
gboolean cam_node_fold (CamNode *node, GError **error);
