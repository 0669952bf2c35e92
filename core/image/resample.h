/* resample.h -- Pillow's antialiased resize, one row at a time
 *
 * Bit for bit what Image.resize does with 8-bit pictures: triangle or cubic
 * (a = -0.5) filter, widened by the scale where the picture shrinks, weights in
 * 22-bit fixed point, first along the rows to bytes and then along the columns.
 * Networks are trained on pictures that went through exactly this.
 */
#pragma once

#include "core/image/input.h"

typedef struct /* which input pixels make each output pixel, and how much */
{
  int n;           /* outputs, @first .. @first + n - 1 of the whole resize */
  int capacity;    /* weights kept for each output */
  int *start;      /* [n] first input pixel */
  int *count;      /* [n] input pixels      */
  gint32 *weights; /* [n, capacity], 1.0 is 1 << 22 */
} CamResampleTable;

/* Outputs @first .. @first + n - 1 of a resize from @in to @out pixels.
 * (transfer full) */
CamResampleTable *cam_resample_table_new (CamFilter filter, int in, int out,
                                          int first, int n);
void cam_resample_table_free (CamResampleTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamResampleTable, cam_resample_table_free)

/* One row: @in of @n_channels interleaved bytes to table->n pixels.  There is a
 * byte to read behind the last of @in. */
void cam_resample_row (const CamResampleTable *table, int n_channels,
                       const guint8 *in, guint8 *out);
/* One output row @index from the rows that it needs; @rows[i] is input row
 * table->start[index] + i, of @length bytes. */
void cam_resample_column (const CamResampleTable *table, int index,
                          const guint8 *const *rows, int length, guint8 *out);
