/* batch-norm.c -- BatchNormalization as inference does it: one scale and one
 * shift a channel */
#include "config.h"

#include "core/ops/ops.h"

#include <glib/gi18n.h>
#include <math.h>

#include "core/ops/scalar.h"

typedef struct
{
  double epsilon;
} BatchNorm;

static gboolean
parse (CamNode *node, GError **error)
{
  BatchNorm *p = g_new0 (BatchNorm, 1);
  const char *wrong = NULL;

  node->params = p;
  p->epsilon = cam_node_float (node, "epsilon", 1e-5);
  cam_node_float (node, "momentum", 0.9);
  if (node->opset < 9 && cam_node_int (node, "spatial", 1) != 1)
    wrong = "spatial";
  if (node->opset >= 14 && cam_node_int (node, "training_mode", 0) != 0)
    wrong = "training_mode";
  if (wrong == NULL)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute %s has a value that is not supported"), wrong);
  return FALSE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const CamShape *x = &node->inputs[0]->shape;
  gint64 channels;

  if (! cam_op_check_rank (node, 0, 1, CAM_MAX_DIMS, error))
    return FALSE;
  channels = x->n_dims > 1 ? x->dims[1] : 1;
  for (guint i = 0; i < 5; i++)
    if (! cam_op_check_dtype (node, i, CAM_OP_KINDS_FLOAT32, error)
        || (i > 0 && ! cam_op_check_vector (node, i, channels, error)))
      return FALSE;
  return cam_op_infer_same (node, error);
}

typedef struct
{
  const BatchNorm *p;
  const CamTensor *const *in;
  const float *x;
  float *y;
  gint64 channels, area;
  gboolean gradient;
} Job;

static void
channel_tile (gint64 tile, int thread, gpointer data)
{
  const Job *j = data;
  gint64 c = tile % j->channels;
  const float *x = j->x + tile * j->area;
  float *y = j->y + tile * j->area;
  double factor = cam_tensor_f32 (j->in[1])[c]
                  / sqrt (cam_tensor_f32 (j->in[4])[c] + j->p->epsilon);
  float scale = (float) factor;
  float shift = (float) (cam_tensor_f32 (j->in[2])[c]
                         - cam_tensor_f32 (j->in[3])[c] * factor);

  if (j->gradient)
    for (gint64 i = 0; i < j->area; i++)
      y[i] = x[i] * scale;
  else
    for (gint64 i = 0; i < j->area; i++)
      y[i] = x[i] * scale + shift;
}

static void
set_sizes (Job *job, const CamNode *node)
{
  const CamShape *x = &node->inputs[0]->shape;

  job->p = node->params;
  job->channels = x->n_dims > 1 ? x->dims[1] : 1;
  job->area = x->n_dims > 1 ? cam_op_count (x, 2, x->n_dims) : 1;
}

static void
run (const Job *job, CamThreads *threads, gsize n)
{
  if (job->area > 0)
    cam_threads_run (threads, (gint64) n / job->area, channel_tile,
                     (gpointer) job);
}

static void
forward (const CamForward *f)
{
  Job job = { .in = f->inputs,
              .x = cam_tensor_f32 (f->inputs[0]),
              .y = cam_tensor_f32 (f->outputs[0]) };

  set_sizes (&job, f->node);
  run (&job, f->threads, f->inputs[0]->n_elements);
}

/* With respect to the input; the four vectors are weights. */
static void
backward (const CamBackward *b)
{
  const CamTensor *in[5] = { NULL };
  Job job = { .in = in, .gradient = TRUE };

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  for (guint i = 1; i < 5; i++)
    {
      in[i] = cam_op_backward_input (b, i);
      if (b->input_gradients[i])
        cam_op_clear (b->input_gradients[i]);
    }
  set_sizes (&job, b->node);
  job.x = cam_tensor_f32 (b->output_gradients[0]);
  job.y = cam_tensor_f32 (b->input_gradients[0]);
  run (&job, b->threads, b->output_gradients[0]->n_elements);
}

const CamOperator cam_ops_batch_norm[] = {
  { .domain = "",
    .type = "BatchNormalization",
    .since = 7,
    .min_inputs = 5,
    .max_inputs = 5,
    .min_outputs = 1,
    .max_outputs = 1,
    .flags = CAM_OP_BACKWARD_NEEDS_INPUTS | CAM_OP_IN_PLACE,
    .parse = parse,
    .infer = infer,
    .forward = forward,
    .backward = backward },
  { .type = NULL }
};
