/* split.c -- ranges of elements shared out over the crew */
#include "config.h"

#include "core/ops/ops.h"

#include <string.h>

typedef struct
{
  gsize n, grain;
  CamRangeFunc func;
  gpointer data;
} Ranges;

static void
run_range (gint64 tile, int thread, gpointer data)
{
  const Ranges *r = data;
  gsize begin = (gsize) tile * r->grain;

  r->func (begin, MIN (begin + r->grain, r->n), thread, r->data);
}

void
cam_op_ranges (CamThreads *threads, gsize n, gsize grain, CamRangeFunc func,
               gpointer data)
{
  Ranges ranges = { n, MAX (grain, 1), func, data };

  if (n > 0)
    cam_threads_run (threads, (gint64) ((n - 1) / ranges.grain + 1), run_range,
                     &ranges);
}

void
cam_op_copy (CamTensor *to, const CamTensor *from)
{
  if (to->data != from->data && to->n_elements > 0)
    memcpy (to->data, from->data, to->n_elements * cam_dtype_size (to->dtype));
}

void
cam_op_clear (CamTensor *tensor)
{
  if (tensor->n_elements > 0)
    memset (tensor->data, 0,
            tensor->n_elements * cam_dtype_size (tensor->dtype));
}

void
cam_op_clear_gradients (const CamBackward *b)
{
  for (guint i = 0; i < b->node->n_inputs; i++)
    if (b->input_gradients[i])
      cam_op_clear (b->input_gradients[i]);
}
