/* case.h -- one node on its own, described in a line, for the operators' tests
 *
 * Inputs are words: a letter and a shape or values.
 *   x2,3   floats that a gradient is wanted for, each 0.11 from the next, none
 *          within 0.05 of 0 (so that maxima, corners and signs are stable)
 *   p2,3   the same, all positive
 *   w2,3   constant random floats        v2,3  constant and positive
 *   i:1,2  constant int64                s:1.5 constant float scalar
 *   f:1,2  constant floats               b2,3  random truth values
 *   n2,3:k integers from 0 to k - 1      -     omitted
 * A scalar is a letter alone.  Attributes are name=value: whole numbers,
 * numbers with a point, lists with commas, else strings.
 */
#pragma once

#include "core/graph/operator.h"

#define CASE_INPUTS 6
#define CASE_OUTPUTS 4

typedef struct
{
  CamGraph *graph;
  CamNode *node;
  guint n_inputs, n_outputs;
  CamTensor *inputs[CASE_INPUTS];
  CamTensor *outputs[CASE_OUTPUTS];
  gboolean wanted[CASE_INPUTS]; /* a gradient is */
  GRand *rand;
} Case;

/* NULL where the operator, its attributes or shapes are refused. */
Case *case_new (const char *type, int opset, const char *inputs,
                const char *attributes, guint n_outputs, GError **error);
void case_free (Case *c);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Case, case_free)
/* Outputs and scratch are full of NaN before. */
void case_forward (Case *c, CamThreads *threads);
/* Gradients [n_seeds, ...] of the wanted inputs (others NULL), full of NaN
 * before; @seeds of every output, may be NULL. */
void case_backward (Case *c, CamTensor *const *seeds, gint64 n_seeds,
                    CamTensor **gradients, CamThreads *threads);
/* Uniform in -1 .. 1; with @n_seeds in front of @shape where it is not 0. */
CamTensor *case_random (GRand *rand, const CamShape *shape, gint64 n_seeds);
