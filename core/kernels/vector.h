/* vector.h -- vectors of floats in plain C (extension of GCC and clang)
 *
 * Some instructions have no spelling in it and are named: the larger and the
 * smaller of two vectors, the first digits of a reciprocal, and lanes picked by
 * number.
 *
 * As wide as the -march level that the file is compiled for.  CAM_KERNEL (name)
 * gives every level's functions names of their own.
 */
#pragma once

#include <math.h>
#include <string.h>

#include "core/kernels/kernels.h"

#ifdef __AVX__
#include <immintrin.h>
#endif

#ifdef __AVX512F__
#define CAM_LANES 16
#elif defined __AVX__
#define CAM_LANES 8
#else
#define CAM_LANES 4
#endif

#define CAM_PASTE_(a, b) a##_##b
#define CAM_PASTE(a, b) CAM_PASTE_ (a, b)
#define CAM_KERNEL(name) CAM_PASTE (cam_kernel_##name, CAM_LEVEL)

typedef float CamVec __attribute__ ((vector_size (4 * CAM_LANES)));
typedef gint32 CamVecInt __attribute__ ((vector_size (4 * CAM_LANES)));
typedef float CamVecMemory
  __attribute__ ((vector_size (4 * CAM_LANES), aligned (4), may_alias));

#define CAM_INLINE static inline __attribute__ ((always_inline))

CAM_INLINE CamVec
cam_load (const float *p)
{
  return *(const CamVecMemory *) p;
}

CAM_INLINE void
cam_store (float *p, CamVec v)
{
  *(CamVecMemory *) p = v;
}

/* The first @n lanes; the others are 0. */
CAM_INLINE CamVec
cam_load_part (const float *p, int n)
{
  float lanes[CAM_LANES] = { 0 };

  if (n == CAM_LANES)
    return cam_load (p);
  for (int i = 0; i < n; i++)
    lanes[i] = p[i];
  return cam_load (lanes);
}

CAM_INLINE void
cam_store_part (float *p, CamVec v, int n)
{
  float lanes[CAM_LANES];

  if (n == CAM_LANES)
    {
      cam_store (p, v);
      return;
    }
  cam_store (lanes, v);
  for (int i = 0; i < n; i++)
    p[i] = lanes[i];
}

CAM_INLINE CamVec
cam_splat (float x)
{
  return x - (CamVec){ 0 };
}

/* @a where @mask is set, else @b */
CAM_INLINE CamVec
cam_select (CamVecInt mask, CamVec a, CamVec b)
{
  return (CamVec) ((mask & (CamVecInt) a) | (~mask & (CamVecInt) b));
}

/* Lane i is lane @index[i] of @x. */
CAM_INLINE CamVec
cam_pick (CamVec x, CamVecInt index)
{
#if CAM_LANES == 16
  return (CamVec) _mm512_permutexvar_ps ((__m512i) index, (__m512) x);
#elif CAM_LANES == 8
  return (CamVec) _mm256_permutevar8x32_ps ((__m256) x, (__m256i) index);
#else
  float from[CAM_LANES], picked[CAM_LANES];

  cam_store (from, x);
  for (int i = 0; i < CAM_LANES; i++)
    picked[i] = from[index[i]];
  return cam_load (picked);
#endif
}

/* @b where either is NaN. */
CAM_INLINE CamVec
cam_max (CamVec a, CamVec b)
{
#if CAM_LANES == 16
  return (CamVec) _mm512_max_ps ((__m512) a, (__m512) b);
#elif CAM_LANES == 8
  return (CamVec) _mm256_max_ps ((__m256) a, (__m256) b);
#else
  return cam_select (a > b, a, b);
#endif
}

CAM_INLINE CamVec
cam_min (CamVec a, CamVec b)
{
#if CAM_LANES == 16
  return (CamVec) _mm512_min_ps ((__m512) a, (__m512) b);
#elif CAM_LANES == 8
  return (CamVec) _mm256_min_ps ((__m256) a, (__m256) b);
#else
  return cam_select (a < b, a, b);
#endif
}

/* 1 / x for x >= 1, to 1e-7: an estimate of 14 or 12 bits and one step of
 * Newton's, a third of the time of a division. */
CAM_INLINE CamVec
cam_reciprocal (CamVec x)
{
#if CAM_LANES == 16
  CamVec r = (CamVec) _mm512_rcp14_ps ((__m512) x);
#elif CAM_LANES == 8
  CamVec r = (CamVec) _mm256_rcp_ps ((__m256) x);
#else
  return 1.0f / x;
#endif
#if CAM_LANES >= 8
  return r + r * (1.0f - x * r);
#endif
}

/* e^x for x in -87 .. 88, beyond it the ends' values.  2^n e^r with n the
 * nearest integer to x / ln 2 and a polynomial of least squares on Chebyshev
 * points for e^r; relative error about 1e-7. */
CAM_INLINE CamVec
cam_exp (CamVec x)
{
  const CamVec magic = cam_splat (12582912.0f); /* 1.5 * 2^23: rounds */
  CamVec t, n, r, p;

  x = cam_max (cam_min (x, cam_splat (88.0f)), cam_splat (-87.0f));
  t = x * 1.44269504f + magic;
  n = t - magic;
  r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f; /* ln 2 in two parts */
  p = r * 1.3935454e-3f + 8.3643831e-3f;
  p = p * r + 4.1666448e-2f;
  p = p * r + 1.6666570e-1f;
  p = p * r + 0.5f;
  p = p * (r * r) + r + 1.0f;
  return (CamVec) ((CamVecInt) p
                   + (((CamVecInt) t - (CamVecInt) magic) << 23));
}

CAM_INLINE CamVec
cam_sigmoid (CamVec x)
{
  CamVec y = cam_reciprocal (1.0f + cam_exp (-x));

  return cam_select (x > -87.0f, y, (CamVec) { 0 }); /* exp stops there */
}

/* erfc (z) for z >= 0: e^(-z^2) t Q (t), t = 1 / (1 + z / 2), Q fitted to
 * relative error 1.5e-7 on 0 .. 14. */
CAM_INLINE CamVec
cam_erfc (CamVec z)
{
  static const float q[] = { 0.28208172f, 0.28247038f, 0.24230742f,
                             0.20629933f, -0.036345873f, 0.29399714f,
                             -0.50278258f, 0.29292491f, -0.06095257f };
  CamVec t = cam_reciprocal (1.0f + 0.5f * z), p = cam_splat (q[8]);

  for (int i = 7; i >= 0; i--)
    p = p * t + q[i];
  return cam_exp (-z * z) * p * t;
}

/* Comparisons are put so that NaN stays NaN; x - x is 0, and NaN where x is
 * infinite: exp stops short of 0, where the product of -infinity is none. */
CAM_INLINE CamVec
cam_activate (CamActivationKind kind, CamVec x, CamVec a, CamVec b)
{
  const CamVec zero = { 0 }, one = cam_splat (1.0f);
  CamVec u;

  switch (kind)
    {
    case CAM_ACTIVATION_RELU:
      return cam_max (zero, x);
    case CAM_ACTIVATION_CLIP:
      return cam_min (b, cam_max (a, x));
    case CAM_ACTIVATION_LEAKY_RELU:
      return cam_select (x < zero, a * x, x);
    case CAM_ACTIVATION_SIGMOID:
      return cam_select (x == x, cam_sigmoid (x), x);
    case CAM_ACTIVATION_HARD_SIGMOID:
      return cam_min (one, cam_max (zero, a * x + b));
    case CAM_ACTIVATION_SILU:
      return x * cam_sigmoid (x);
    case CAM_ACTIVATION_HARD_SWISH:
      u = x * (1 / 6.0f) + 0.5f;
      return x * cam_min (cam_max (u, zero), one);
    case CAM_ACTIVATION_GELU:
      u = cam_max (x, -x);
      return cam_max (x, zero) - 0.5f * u * cam_erfc (u * 0.70710678f);
    case CAM_ACTIVATION_MISH:
      u = cam_exp (cam_min (x, cam_splat (20.0f)));
      u = u * (u + 2.0f);
      return x * (u * cam_reciprocal (u + 2.0f)) + (x - x);
    default:
      return x;
    }
}

/* dy act'(x) from y; only for what cam_activation_from_output allows */
CAM_INLINE CamVec
cam_activate_back (CamActivationKind kind, CamVec dy, CamVec y, CamVec a,
                   CamVec b)
{
  const CamVec zero = { 0 }, one = cam_splat (1.0f);

  switch (kind)
    {
    case CAM_ACTIVATION_RELU:
      return cam_select (y > zero, dy, zero);
    case CAM_ACTIVATION_CLIP:
      return cam_select ((y > a) & (y < b), dy, zero);
    case CAM_ACTIVATION_LEAKY_RELU:
      return cam_select (y > zero, dy, a * dy);
    case CAM_ACTIVATION_SIGMOID:
      return dy * y * (one - y);
    case CAM_ACTIVATION_HARD_SIGMOID:
      return cam_select ((y > zero) & (y < one), a * dy, zero);
    default:
      return dy;
    }
}

/* dy act'(x); x is cut to where exp is good, beyond it the slope is 0 or 1. */
CAM_INLINE CamVec
cam_activation_slope (CamActivationKind kind, CamVec dy, CamVec x, CamVec a,
                      CamVec b)
{
  const CamVec zero = { 0 }, one = cam_splat (1.0f);
  CamVec u, v;

  switch (kind)
    {
    case CAM_ACTIVATION_LEAKY_RELU: /* of any a: its output need not tell */
      return cam_select (x > zero, dy, a * dy);
    case CAM_ACTIVATION_SILU:
      x = cam_min (cam_splat (40.0f), cam_max (cam_splat (-40.0f), x));
      v = cam_exp (-x);
      u = cam_reciprocal (one + v);
      return dy * (u * (x * (u * v) + one));
    case CAM_ACTIVATION_HARD_SWISH:
      u = x * (1 / 3.0f) + 0.5f;
      return cam_select (x <= -3.0f, zero,
                         dy * cam_select (x >= 3.0f, one, u));
    case CAM_ACTIVATION_GELU:
      x = cam_min (cam_splat (10.0f), cam_max (cam_splat (-10.0f), x));
      u = 0.5f * cam_erfc (cam_max (x, -x) * 0.70710678f);
      u = cam_select (x < zero, u, one - u);
      return dy * (u + x * cam_exp (-0.5f * x * x) * 0.39894228f);
    case CAM_ACTIVATION_MISH:
      x = cam_min (cam_splat (20.0f), cam_max (cam_splat (-40.0f), x));
      u = cam_exp (x);
      v = cam_reciprocal (u * (u + 2.0f) + 2.0f); /* tanh is 1 - 2 v */
      u = u * (one + u) * v * v * 4.0f; /* its slope by x */
      return dy * (one - 2.0f * v + x * u);
    default:
      return cam_activate_back (kind, dy, cam_activate (kind, x, a, b), a, b);
    }
}

/* Makes CODE once for every activation, with KIND a constant. */
#define CAM_FOR_ACTIVATION(kind_value, CODE)                                  \
  switch (kind_value)                                                         \
    {                                                                         \
      CAM_CASE_ (CAM_ACTIVATION_RELU, CODE)                                   \
      CAM_CASE_ (CAM_ACTIVATION_CLIP, CODE)                                   \
      CAM_CASE_ (CAM_ACTIVATION_LEAKY_RELU, CODE)                             \
      CAM_CASE_ (CAM_ACTIVATION_SIGMOID, CODE)                                \
      CAM_CASE_ (CAM_ACTIVATION_HARD_SIGMOID, CODE)                           \
      CAM_CASE_ (CAM_ACTIVATION_SILU, CODE)                                   \
      CAM_CASE_ (CAM_ACTIVATION_HARD_SWISH, CODE)                             \
      CAM_CASE_ (CAM_ACTIVATION_GELU, CODE)                                   \
      CAM_CASE_ (CAM_ACTIVATION_MISH, CODE)                                   \
    default:                                                                  \
      {                                                                       \
        const CamActivationKind KIND = CAM_ACTIVATION_NONE;                   \
        CODE;                                                                 \
      }                                                                       \
    }
#define CAM_CASE_(value, CODE)                                                \
  case value:                                                                 \
    {                                                                         \
      const CamActivationKind KIND = value;                                   \
      CODE;                                                                   \
      break;                                                                  \
    }
