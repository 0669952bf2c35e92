/* unary.h -- the table of functions of one number; private to core/ops */
#pragma once

#include "core/ops/ops.h"

typedef struct _CamUnary CamUnary;

typedef struct
{
  const char *type;
  guint kinds; /* of types */
  void (*row) (const float *x, float *y, gsize n, const CamUnary *u);
  double (*exact) (double x, const CamUnary *u);
  gint64 (*whole) (gint64 x, const CamUnary *u); /* NULL: floats only */
  float (*slope) (float x, float y, const CamUnary *u);
  const char *alpha_name;
  double alpha;
  const char *beta_name;
  double beta;
  gboolean is_gate; /* a slope of 0 lets no gradient through, not even a NaN */
} CamUnaryKind;

/* A node's params. */
struct _CamUnary
{
  const CamUnaryKind *kind;
  double alpha, beta; /* Clip: its limits; Gelu: alpha 1 is the tanh form */
};

extern const CamUnaryKind cam_unary_kinds[]; /* ends with a NULL type */
