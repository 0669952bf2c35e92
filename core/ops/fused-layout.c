/* fused-layout.c -- camlens.ToNHWC and ToNCHW: between ONNX's order and ours
 *
 * Both are the transpose of one matrix a picture, [channels, area] or back.
 */
#include "config.h"

#include <glib/gi18n.h>
#include <string.h>

#include "core/ops/fused.h"

#define SIDE 16           /* of the blocks that are transposed in the cache */
#define TILE_FLOATS 16384 /* less is not worth handing out                 */

static gboolean
to_nhwc (const CamNode *node)
{
  return strcmp (node->op_type, "ToNHWC") == 0;
}

static gboolean
infer (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;
  const gint64 *d = node->inputs[0]->shape.dims;

  if (shape.n_dims != 4)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node, _ ("wants rank 4"));
      return FALSE;
    }
  shape.dims[1] = to_nhwc (node) ? d[2] : d[3];
  shape.dims[2] = to_nhwc (node) ? d[3] : d[1];
  shape.dims[3] = to_nhwc (node) ? d[1] : d[2];
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

typedef struct
{
  const float *from;
  float *to;
  gint64 rows, columns; /* of each picture's matrix in @from */
  gint64 band;          /* rows of the longer side in a tile */
  gint64 bands;         /* in a picture                      */
} Job;

static void
transpose_block (const Job *job, const float *from, float *to, gint64 row,
                 gint64 rows, gint64 column, gint64 columns)
{
  for (gint64 j = column; j < column + columns; j++)
    for (gint64 i = row; i < row + rows; i++)
      to[j * job->rows + i] = from[i * job->columns + j];
}

/* Rows @row .. and columns @column .. */
static void
transpose_area (const Job *job, const float *from, float *to, gint64 row,
                gint64 rows, gint64 column, gint64 columns)
{
  for (gint64 i = 0; i < rows; i += SIDE)
    for (gint64 j = 0; j < columns; j += SIDE)
      transpose_block (job, from, to, row + i, MIN (SIDE, rows - i),
                       column + j, MIN (SIDE, columns - j));
}

static void
transpose_band (gint64 tile, int thread, gpointer data)
{
  const Job *job = data;
  gsize size = job->rows * job->columns;
  const float *from = job->from + tile / job->bands * size;
  float *to = job->to + tile / job->bands * size;
  gint64 first = tile % job->bands * job->band;

  if (job->rows >= job->columns)
    transpose_area (job, from, to, first, MIN (job->band, job->rows - first),
                    0, job->columns);
  else
    transpose_area (job, from, to, 0, job->rows, first,
                    MIN (job->band, job->columns - first));
}

static void
transpose (const float *from, float *to, gint64 pictures, gint64 rows,
           gint64 columns, CamThreads *threads)
{
  gint64 longer = MAX (rows, columns), shorter = MIN (rows, columns);
  Job job = { from, to, rows, columns,
              (TILE_FLOATS / MAX (shorter, 1) / SIDE + 1) * SIDE };

  job.bands = (longer + job.band - 1) / job.band;
  if (rows == 1 || columns == 1)
    memcpy (to, from, pictures * rows * columns * sizeof *to);
  else
    cam_threads_run (threads, pictures * job.bands, transpose_band, &job);
}

static void
forward (const CamForward *f)
{
  const gint64 *d = f->inputs[0]->shape.dims;
  gboolean nhwc = to_nhwc (f->node);

  transpose (cam_tensor_f32 (f->inputs[0]), cam_tensor_f32 (f->outputs[0]),
             d[0], nhwc ? d[1] : d[1] * d[2], nhwc ? d[2] * d[3] : d[3],
             f->threads);
}

static void
backward (const CamBackward *b)
{
  const gint64 *d = b->node->inputs[0]->shape.dims;
  gboolean nhwc = to_nhwc (b->node);

  transpose (cam_tensor_f32 (b->output_gradients[0]),
             cam_tensor_f32 (b->input_gradients[0]), d[0] * b->n_seeds,
             nhwc ? d[2] * d[3] : d[3], nhwc ? d[1] : d[1] * d[2], b->threads);
}

void
cam_fused_nhwc_to_nchw (const CamTensor *from, CamTensor *to, gint64 pictures,
                        CamThreads *threads)
{
  const gint64 *d = to->shape.dims + to->shape.n_dims - 3;

  transpose (cam_tensor_f32 (from), cam_tensor_f32 (to), pictures,
             d[1] * d[2], d[0], threads);
}

const CamOperator cam_ops_fused_layout[] = {
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "ToNHWC",
    .since = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
  },
  {
    .domain = CAM_FUSED_DOMAIN,
    .type = "ToNCHW",
    .since = 1,
    .min_inputs = 1,
    .max_inputs = 1,
    .min_outputs = 1,
    .max_outputs = 1,
    .infer = infer,
    .forward = forward,
    .backward = backward,
  },
  { .type = NULL },
};
