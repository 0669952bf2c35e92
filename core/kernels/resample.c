/* resample.c -- weighted sums of bytes in fixed point */
#include "core/kernels/levels.h"

#define BLOCK 512 /* sums that stay in the first-level cache */
#define HALF (1 << (CAM_BYTE_WEIGHT_BITS - 1))

typedef guint8 Bytes4 __attribute__ ((vector_size (4)));
typedef gint32 Ints4 __attribute__ ((vector_size (16)));

CAM_INLINE guint8
to_byte (gint32 sum)
{
  return (guint8) CLAMP (sum >> CAM_BYTE_WEIGHT_BITS, 0, 255);
}

void
CAM_KERNEL (sum_bytes) (const guint8 *const *rows, const gint32 *weights,
                        int n_rows, int n, guint8 *out)
{
  for (int x = 0; x < n; x += BLOCK)
    {
      gint32 sum[BLOCK];
      int length = MIN (BLOCK, n - x);

      for (int i = 0; i < length; i++)
        sum[i] = HALF;
      for (int j = 0; j < n_rows; j++)
        {
          const guint8 *row = rows[j] + x;
          gint32 w = weights[j];

          for (int i = 0; i < length; i++)
            sum[i] += row[i] * w;
        }
      for (int i = 0; i < length; i++)
        out[x + i] = to_byte (sum[i]);
    }
}

/* Three channels and the byte behind them are summed as one vector. */
void
CAM_KERNEL (resample_rgb) (const CamByteSums *sums, const guint8 *in,
                           guint8 *out)
{
  for (int i = 0; i < sums->n; i++, out += 3)
    {
      const gint32 *weights = sums->weights + (gsize) i * sums->capacity;
      const guint8 *p = in + (gsize) sums->start[i] * 3;
      Ints4 sum = { HALF, HALF, HALF, HALF };

      for (int j = 0; j < sums->count[i]; j++, p += 3)
        {
          Bytes4 bytes;

          memcpy (&bytes, p, sizeof bytes);
          sum += __builtin_convertvector(bytes, Ints4) * weights[j];
        }
      for (int c = 0; c < 3; c++)
        out[c] = to_byte (sum[c]);
    }
}
