/* unary-kinds.c -- the functions themselves, each with its slope
 *
 * The slopes are those of the formulas in ONNX's operator descriptions.
 */
#include "config.h"

#include "core/ops/unary.h"

#include <math.h>

/* One row of @f: inlined, so that the compiler sees one plain loop. */
static inline __attribute__ ((always_inline)) void
row (float (*f) (float x, const CamUnary *u), const float *x, float *y, gsize n,
     const CamUnary *u)
{
  for (gsize i = 0; i < n; i++)
    y[i] = f (x[i], u);
}

/* float f, its row, and f for every other float type through double. */
#define FUNCTION(name, type, expression)                                       \
  static inline type name (type x, const CamUnary *u)                          \
  {                                                                            \
    return expression;                                                         \
  }
#define FLOAT_ONLY(name, single, twofold)                                      \
  FUNCTION (name##_f, float, single)                                           \
  FUNCTION (name##_d, double, twofold)                                         \
  static void name##_row (const float *x, float *y, gsize n,                   \
                          const CamUnary *u)                                   \
  {                                                                            \
    row (name##_f, x, y, n, u);                                                \
  }
#define SLOPE(name, expression)                                                \
  static float name##_slope (float x, float y, const CamUnary *u)              \
  {                                                                            \
    return expression;                                                         \
  }

#define A ((float) u->alpha)
#define B ((float) u->beta)
#define SELU_ALPHA 1.67326319217681884765625
#define SELU_GAMMA 1.05070102214813232421875

FLOAT_ONLY (relu, x < 0 ? 0 : x, x < 0 ? 0 : x)
FUNCTION (relu_i, gint64, x < 0 ? 0 : x)
SLOPE (relu, y > 0 ? 1 : 0)

FLOAT_ONLY (leaky, x < 0 ? A * x : x, x < 0 ? u->alpha * x : x)
SLOPE (leaky, x > 0 ? 1 : A)

FLOAT_ONLY (thresholded, x <= A ? 0 : x, x <= u->alpha ? 0 : x)
SLOPE (thresholded, x <= A ? 0 : 1)

FLOAT_ONLY (elu, x < 0 ? A * expm1f (x) : x, x < 0 ? u->alpha * expm1 (x) : x)
SLOPE (elu, x > 0 ? 1 : A * expf (x))

FLOAT_ONLY (celu, x < 0 ? A * expm1f (x / A) : x,
            x < 0 ? u->alpha * expm1 (x / u->alpha) : x)
SLOPE (celu, x < 0 ? expf (x / A) : 1)

FLOAT_ONLY (selu, x > 0 ? B * x : B * A * expm1f (x),
            x > 0 ? u->beta * x : u->beta * u->alpha * expm1 (x))
SLOPE (selu, x > 0 ? B : B * A * expf (x))

FLOAT_ONLY (sigmoid, 1 / (1 + expf (-x)), 1 / (1 + exp (-x)))
SLOPE (sigmoid, y *(1 - y))

static inline double
clamp (double x, double low, double high)
{
  x = x < low ? low : x;
  return x > high ? high : x;
}

static inline float
clampf (float x, float low, float high)
{
  x = x < low ? low : x;
  return x > high ? high : x;
}

FLOAT_ONLY (hard_sigmoid, clampf (A *x + B, 0, 1),
            clamp (u->alpha *x + u->beta, 0, 1))
SLOPE (hard_sigmoid, y > 0 && y < 1 ? A : 0)

FLOAT_ONLY (hard_swish, x *clampf (x / 6 + 0.5f, 0, 1),
            x *clamp (x / 6 + 0.5, 0, 1))
SLOPE (hard_swish, x <= -3 ? 0 : x >= 3 ? 1 : x / 3 + 0.5f)

static inline double
softplus (double x)
{
  return fmax (x, 0) + log1p (exp (-fabs (x)));
}

static inline float
softplusf (float x)
{
  return (x > 0 ? x : 0) + log1pf (expf (-fabsf (x)));
}

/* d mish = tanh (s) + x (1 - tanh (s)^2) sigmoid (x), s = softplus (x) */
static inline float
mish_slope_of (float x)
{
  float t = tanhf (softplusf (x));

  return t + x * (1 - t * t) / (1 + expf (-x));
}

FLOAT_ONLY (mish, x *tanhf (softplusf (x)), x *tanh (softplus (x)))
SLOPE (mish, mish_slope_of (x))

#define GELU_TANH_SCALE 0.79788456080286535588 /* sqrt (2 / pi) */
#define GELU_TANH_CUBE 0.044715

static inline float
gelu_tanh_slope (float x)
{
  float c = (float) GELU_TANH_SCALE, k = (float) GELU_TANH_CUBE;
  float t = tanhf (c * (x + k * x * x * x));

  return 0.5f * (1 + t) + 0.5f * x * (1 - t * t) * c * (1 + 3 * k * x * x);
}

static inline float
gelu_slope_of (float x)
{
  return 0.5f * erfcf (-x * (float) M_SQRT1_2)
         + x * expf (-0.5f * x * x) * 0.39894228040143267794f;
}

static inline double
gelu_tanh (double x)
{
  return 0.5 * x
         * (1 + tanh (GELU_TANH_SCALE * (x + GELU_TANH_CUBE * x * x * x)));
}

FLOAT_ONLY (gelu_erf, 0.5f * x * erfcf (-x * (float) M_SQRT1_2),
            0.5 * x * erfc (-x * M_SQRT1_2))
FLOAT_ONLY (gelu_tan, (float) gelu_tanh (x), gelu_tanh (x))

static void
gelu_row (const float *x, float *y, gsize n, const CamUnary *u)
{
  if (u->alpha != 0)
    gelu_tan_row (x, y, n, u);
  else
    gelu_erf_row (x, y, n, u);
}
FUNCTION (gelu_d, double, u->alpha != 0 ? gelu_tan_d (x, u) : gelu_erf_d (x, u))
SLOPE (gelu, u->alpha != 0 ? gelu_tanh_slope (x) : gelu_slope_of (x))

FLOAT_ONLY (tanh, tanhf (x), tanh (x))
SLOPE (tanh, 1 - y * y)

FLOAT_ONLY (softplus, softplusf (x), softplus (x))
SLOPE (softplus, 1 / (1 + expf (-x)))

FLOAT_ONLY (softsign, x / (1 + fabsf (x)), x / (1 + fabs (x)))
SLOPE (softsign, 1 / ((1 + fabsf (x)) * (1 + fabsf (x))))

FLOAT_ONLY (erf, erff (x), erf (x))
SLOPE (erf, (float) M_2_SQRTPI *expf (-x * x))

FLOAT_ONLY (exp, expf (x), exp (x))
SLOPE (exp, y)

FLOAT_ONLY (log, logf (x), log (x))
SLOPE (log, 1 / x)

FLOAT_ONLY (sqrt, sqrtf (x), sqrt (x))
SLOPE (sqrt, 0.5f / y)

FLOAT_ONLY (reciprocal, 1 / x, 1 / x)
SLOPE (reciprocal, -y * y)

FLOAT_ONLY (abs, fabsf (x), fabs (x))
FUNCTION (abs_i, gint64, x < 0 ? (gint64) (0 - (guint64) x) : x)
SLOPE (abs, x > 0 ? 1 : x < 0 ? -1 : 0)

FLOAT_ONLY (neg, -x, -x)
FUNCTION (neg_i, gint64, (gint64) (0 - (guint64) x))
SLOPE (neg, -1)

FLOAT_ONLY (sign, x > 0 ? 1 : x < 0 ? -1 : x, x > 0 ? 1 : x < 0 ? -1 : x)
FUNCTION (sign_i, gint64, x > 0 ? 1 : x < 0 ? -1 : 0)
FLOAT_ONLY (floor, floorf (x), floor (x))
FLOAT_ONLY (ceil, ceilf (x), ceil (x))
FLOAT_ONLY (round, rintf (x), rint (x))
SLOPE (step, 0)

FLOAT_ONLY (sin, sinf (x), sin (x))
SLOPE (sin, cosf (x))
FLOAT_ONLY (cos, cosf (x), cos (x))
SLOPE (cos, -sinf (x))

FLOAT_ONLY (clip, clampf (x, A, B), clamp (x, u->alpha, u->beta))

/* Where the limits cross, the upper one holds. */
static inline gint64
clip_i (gint64 x, const CamUnary *u)
{
  x = (double) x < u->alpha ? (gint64) u->alpha : x;
  return (double) x > u->beta ? (gint64) u->beta : x;
}

SLOPE (clip, y > A && y < B ? 1 : 0)

#define F CAM_OP_KINDS_FLOAT
#define N CAM_OP_KINDS_NUMBER
#define ROW(name) name##_row, name##_d

const CamUnaryKind cam_unary_kinds[] = {
  { "Relu", N, ROW (relu), relu_i, relu_slope, NULL, 0, NULL, 0, TRUE },
  { "LeakyRelu", F, ROW (leaky), NULL, leaky_slope, "alpha", 0.01, NULL, 0 },
  { "ThresholdedRelu", F, ROW (thresholded), NULL, thresholded_slope, "alpha",
    1, NULL, 0, TRUE },
  { "Elu", F, ROW (elu), NULL, elu_slope, "alpha", 1, NULL, 0 },
  { "Celu", F, ROW (celu), NULL, celu_slope, "alpha", 1, NULL, 0 },
  { "Selu", F, ROW (selu), NULL, selu_slope, "alpha", SELU_ALPHA, "gamma",
    SELU_GAMMA },
  { "Sigmoid", F, ROW (sigmoid), NULL, sigmoid_slope, NULL, 0, NULL, 0 },
  { "HardSigmoid", F, ROW (hard_sigmoid), NULL, hard_sigmoid_slope, "alpha",
    0.2, "beta", 0.5, TRUE },
  { "HardSwish", F, ROW (hard_swish), NULL, hard_swish_slope, NULL, 0, NULL,
    0, TRUE },
  { "Mish", F, ROW (mish), NULL, mish_slope, NULL, 0, NULL, 0 },
  { "Gelu", F, gelu_row, gelu_d, NULL, gelu_slope, NULL, 0, NULL, 0 },
  { "Tanh", F, ROW (tanh), NULL, tanh_slope, NULL, 0, NULL, 0 },
  { "Softplus", F, ROW (softplus), NULL, softplus_slope, NULL, 0, NULL, 0 },
  { "Softsign", F, ROW (softsign), NULL, softsign_slope, NULL, 0, NULL, 0 },
  { "Erf", F, ROW (erf), NULL, erf_slope, NULL, 0, NULL, 0 },
  { "Exp", F, ROW (exp), NULL, exp_slope, NULL, 0, NULL, 0 },
  { "Log", F, ROW (log), NULL, log_slope, NULL, 0, NULL, 0 },
  { "Sqrt", F, ROW (sqrt), NULL, sqrt_slope, NULL, 0, NULL, 0 },
  { "Reciprocal", F, ROW (reciprocal), NULL, reciprocal_slope, NULL, 0, NULL,
    0 },
  { "Abs", N, ROW (abs), abs_i, abs_slope, NULL, 0, NULL, 0 },
  { "Neg", N, ROW (neg), neg_i, neg_slope, NULL, 0, NULL, 0 },
  { "Sign", N, ROW (sign), sign_i, step_slope, NULL, 0, NULL, 0 },
  { "Floor", F, ROW (floor), NULL, step_slope, NULL, 0, NULL, 0 },
  { "Ceil", F, ROW (ceil), NULL, step_slope, NULL, 0, NULL, 0 },
  { "Round", F, ROW (round), NULL, step_slope, NULL, 0, NULL, 0 },
  { "Sin", F, ROW (sin), NULL, sin_slope, NULL, 0, NULL, 0 },
  { "Cos", F, ROW (cos), NULL, cos_slope, NULL, 0, NULL, 0 },
  { "Clip", N, ROW (clip), clip_i, clip_slope, "min", -INFINITY, "max",
    INFINITY, TRUE },
  { .type = NULL }
};
