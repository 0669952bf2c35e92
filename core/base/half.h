/* half.h -- the two 16-bit floats, to and from float32
 *
 * float16 is IEEE 754 binary16, bfloat16 the upper half of a float32.  To
 * float32 is exact; from float32 rounds to nearest, ties to even.
 */
#pragma once

#include <glib.h>
#include <string.h>

static inline float
cam_float_from_bits (guint32 bits)
{
  float value;

  memcpy (&value, &bits, sizeof value);
  return value;
}

static inline guint32
cam_float_to_bits (float value)
{
  guint32 bits;

  memcpy (&bits, &value, sizeof bits);
  return bits;
}

static inline float
cam_bfloat16_to_float (guint16 half)
{
  return cam_float_from_bits ((guint32) half << 16);
}

static inline guint16
cam_bfloat16_from_float (float value)
{
  guint32 bits = cam_float_to_bits (value);

  if ((bits & 0x7fffffff) > 0x7f800000) /* not a number: stays one, quiet */
    return (guint16) ((bits >> 16) | 0x40);
  return (guint16) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

static inline float
cam_float16_to_float (guint16 half)
{
  guint32 sign = (guint32) (half & 0x8000) << 16;
  guint32 exponent = (half >> 10) & 0x1f;
  guint32 fraction = half & 0x3ff;

  if (exponent == 0x1f)
    return cam_float_from_bits (sign | 0x7f800000 | fraction << 13);
  if (exponent > 0)
    return cam_float_from_bits (sign | (exponent + 112) << 23 | fraction << 13);
  /* subnormal: fraction * 2^-24 */
  return (sign ? -1.0f : 1.0f) * (float) fraction * 0x1p-24f;
}

static inline guint16
cam_float16_from_float (float value)
{
  guint32 bits = cam_float_to_bits (value);
  guint16 sign = (guint16) ((bits >> 16) & 0x8000);
  guint32 magnitude = bits & 0x7fffffff;

  if (magnitude > 0x7f800000)
    return sign | 0x7e00;
  if (magnitude >= 0x477ff000) /* rounds to 65536 or more: infinity */
    return sign | 0x7c00;
  if (magnitude < 0x38800000) /* below 2^-14: adding 0.5 rounds at 2^-24 */
    {
      float sum = cam_float_from_bits (magnitude) + 0.5f;

      return sign | (guint16) (cam_float_to_bits (sum) - 0x3f000000);
    }
  magnitude += 0xfff + ((magnitude >> 13) & 1);
  return sign | (guint16) ((magnitude - 0x38000000) >> 13);
}
