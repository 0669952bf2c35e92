/* pictures.h -- does a graph treat the pictures of a batch apart?
 *
 * Then a plan for one picture, run on each, does the work of a plan for many.
 */
#pragma once

#include "core/graph/operator.h"

/* @many and @one are one graph, bound to inputs whose first dimensions are
 * a number of pictures and 1.  TRUE: whatever the graph makes of a picture
 * does not depend on the others, has it in its first dimension, and is what
 * @one makes of it.  Where that cannot be told, FALSE. */
gboolean cam_graph_treats_pictures_apart (const CamGraph *many,
                                          const CamGraph *one);
