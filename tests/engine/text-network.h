/* text-network.h -- networks for tests, a node a line
 *
 *   OUTPUT[,OUTPUT] OPERATOR INPUT... [ATTRIBUTE=VALUE]...
 *
 * An input is the name of a tensor, "-" (omitted), or a constant:
 *   $8,3,3,3  random floats    +8  random and positive    #1,2  int64 values
 *   =0.5      a float scalar
 * An attribute is a whole number, a number with a point, or a list of whole
 * numbers (one that ends with a comma has one), else a string.
 *
 * The graph's input is "x" [N, C, H, W]; the last line's first output is the
 * graph's.
 */
#pragma once

#include "core/engine/plan.h"

/* Random weights are of the size that keeps activations near 1.
 * (transfer full) */
CamNetwork *text_network (const char *text, int channels, int height, int width,
                          guint32 seed);
/* Names of all tensors that nodes make, NULL-ended (transfer full) */
char **text_network_tensors (const CamNetwork *network);
/* Uniform in -1 .. 1; @shape as of cam_shape_make (transfer full) */
CamTensor *random_tensor (GRand *rand, int n_dims, const gint64 *dims);

typedef struct
{
  const char *of, *at; /* NULL: no gradient */
  gboolean reference;
  const char *const *fetches;
  const char *const *targets; /* instead of @at: several, NULL-ended */
  gboolean whole_batch;
} RunKind;

/* A workspace that has run @network on @x. (transfer full) */
CamWorkspace *run_network (CamNetwork *network, const CamTensor *x,
                           const RunKind *kind, int n_threads);
/* Largest difference over the largest element, or over @least where that is
 * more (few elements may cancel); infinite where shapes differ or a number is
 * NaN */
double relative_error (const CamTensor *got, const CamTensor *wanted,
                       double least);
