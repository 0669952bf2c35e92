/* needs.h -- which tensors a tensor is made of, and which are made of it */
#pragma once

#include "core/graph/graph.h"

/* The graph's inputs whose numbers go into @name, in the graph's order; one
 * that is asked for its shape alone does not.  Empty where there is no such
 * tensor. (transfer full) array of CamValue, borrowed */
GPtrArray *cam_graph_inputs_of (const CamGraph *graph, const char *name);

/* All values that @from flows into, itself among them; 2 at those where an
 * operator of the NULL-ended @types lies between, else 1. (transfer full)
 * [n_values], by index; the values must be numbered */
guint8 *cam_graph_flow (const CamGraph *graph, const CamValue *from,
                        const char *const *types);
