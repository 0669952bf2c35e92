/* unary.c -- functions of one number: activations and plain mathematics
 *
 * Each is one entry of a table: a row of float32 for speed, one double for
 * every other type, and the slope that backward multiplies by.  A slope is
 * given x and y = f(x), and says by a flag which of the two it looks at.
 * Kinks, as PyTorch has them: the slope at Relu's, LeakyRelu's, Elu's, Selu's
 * and ThresholdedRelu's corner is the left one, at Clip's and HardSigmoid's two
 * corners 0 (that of relu6 and hardtanh; torch.clamp's would be 1).
 */
#include "config.h"

#include "core/ops/unary.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/ops/scalar.h"

static const CamUnaryKind *
find_kind (const CamNode *node)
{
  for (const CamUnaryKind *kind = cam_unary_kinds; kind->type; kind++)
    if (strcmp (kind->type, node->op_type) == 0)
      return kind;
  g_return_val_if_reached (NULL);
}

static CamUnary *
new_params (CamNode *node)
{
  CamUnary *u = g_new0 (CamUnary, 1);

  node->params = u;
  u->kind = find_kind (node);
  u->alpha = u->kind->alpha;
  u->beta = u->kind->beta;
  return u;
}

static gboolean
parse (CamNode *node, GError **error)
{
  CamUnary *u = new_params (node);

  if (u->kind->alpha_name)
    u->alpha = cam_node_float (node, u->kind->alpha_name, u->alpha);
  if (u->kind->beta_name)
    u->beta = cam_node_float (node, u->kind->beta_name, u->beta);
  return TRUE;
}

/* From opset 11 on, Clip's limits are inputs. */
static gboolean
parse_clip (CamNode *node, GError **error)
{
  new_params (node);
  return TRUE;
}

static gboolean
parse_gelu (CamNode *node, GError **error)
{
  static const char *const choices[] = { "none", "tanh", NULL };
  CamUnary *u = new_params (node);
  int choice;

  if (! cam_op_choice (node, "approximate", "none", choices, &choice, error))
    return FALSE;
  u->alpha = choice;
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  const CamUnary *u = node->params;

  for (guint i = 1; i < node->n_inputs; i++)
    if (node->inputs[i]
        && cam_op_count (&node->inputs[i]->shape, 0,
                         node->inputs[i]->shape.n_dims)
               != 1)
      {
        cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                        _ ("limit '%s' must be one number"),
                        node->inputs[i]->name);
        return FALSE;
      }
  return cam_op_check_dtype (node, 0, u->kind->kinds, error)
         && cam_op_check_same_dtype (node, error)
         && cam_op_infer_same (node, error);
}

/* The node's own numbers, with Clip's inputs where it has them. */
static CamUnary
current (const CamNode *node, const CamTensor *const *inputs)
{
  CamUnary u = *(const CamUnary *) node->params;

  for (guint i = 1; i < node->n_inputs; i++)
    {
      const CamTensor *limit = inputs ? inputs[i] : NULL;

      if (limit == NULL && node->inputs[i])
        limit = node->inputs[i]->constant;
      if (limit && i == 1)
        u.alpha = cam_scalar_double (limit, 0);
      else if (limit)
        u.beta = cam_scalar_double (limit, 0);
    }
  return u;
}

typedef struct
{
  CamUnary u;
  const CamTensor *x, *y;
  CamTensor *out;
  const CamBackward *b;
} Job;

static void
forward_float (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *job = data;

  job->u.kind->row (cam_tensor_f32 (job->x) + begin,
                    cam_tensor_f32 (job->out) + begin, end - begin, &job->u);
}

static void
forward_any (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *job = data;

  if (cam_op_dtype_is (job->x->dtype, CAM_OP_KINDS_INT))
    for (gsize i = begin; i < end; i++)
      cam_scalar_set_int (job->out, i,
                          job->u.kind->whole (cam_scalar_int (job->x, i),
                                              &job->u));
  else
    for (gsize i = begin; i < end; i++)
      cam_scalar_set_double (job->out, i,
                             job->u.kind->exact (cam_scalar_double (job->x, i),
                                                 &job->u));
}

static void
forward (const CamForward *f)
{
  Job job = { .u = current (f->node, f->inputs),
              .x = f->inputs[0],
              .out = f->outputs[0] };

  cam_op_ranges (f->threads, job.x->n_elements, CAM_OP_GRAIN,
                 job.x->dtype == CAM_DTYPE_FLOAT32 ? forward_float
                                                   : forward_any,
                 &job);
}

static void
backward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Job *job = data;
  const CamBackward *b = job->b;
  gsize n = b->input_gradients[0]->n_elements / (gsize) b->n_seeds;
  gboolean is_gate = job->u.kind->is_gate;
  float slopes[256];

  for (gsize at = begin; at < end; at += G_N_ELEMENTS (slopes))
    {
      gsize m = MIN (end - at, G_N_ELEMENTS (slopes));

      for (gsize i = 0; i < m; i++)
        slopes[i] =
            job->u.kind->slope (job->x ? cam_tensor_f32 (job->x)[at + i] : 0,
                                job->y ? cam_tensor_f32 (job->y)[at + i] : 0,
                                &job->u);
      for (gint64 s = 0; s < b->n_seeds; s++)
        {
          gsize from = (gsize) s * n + at;
          const float *gy = cam_tensor_f32 (b->output_gradients[0]) + from;
          float *gx = cam_tensor_f32 (b->input_gradients[0]) + from;

          for (gsize i = 0; i < m; i++)
            gx[i] = is_gate && slopes[i] == 0 ? 0 : gy[i] * slopes[i];
        }
    }
}

static void
backward (const CamBackward *b)
{
  Job job = { .u = current (b->node, b->inputs), .b = b };

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL)
    {
      cam_op_clear_gradients (b);
      return;
    }
  if (b->inputs)
    job.x = b->inputs[0];
  if (b->outputs)
    job.y = b->outputs[0];
  for (guint i = 1; i < b->node->n_inputs; i++)
    if (b->input_gradients[i])
      cam_op_clear (b->input_gradients[i]);
  cam_op_ranges (b->threads,
                 b->input_gradients[0]->n_elements / (gsize) b->n_seeds,
                 CAM_OP_GRAIN, backward_range, &job);
}

#define UNARY(name, first, look)                                               \
  {                                                                            \
    .domain = "", .type = name, .since = first, .min_inputs = 1,               \
    .max_inputs = 1, .min_outputs = 1, .max_outputs = 1,                       \
    .flags = look | CAM_OP_IN_PLACE, .parse = parse, .infer = infer,           \
    .forward = forward, .backward = backward                                   \
  }
#define X CAM_OP_BACKWARD_NEEDS_INPUTS
#define Y CAM_OP_BACKWARD_NEEDS_OUTPUTS

const CamOperator cam_ops_unary[] = { UNARY ("Relu", 6, Y),
                                      UNARY ("LeakyRelu", 6, X),
                                      UNARY ("ThresholdedRelu", 10, X),
                                      UNARY ("Elu", 6, X),
                                      UNARY ("Celu", 12, X),
                                      UNARY ("Selu", 6, X),
                                      UNARY ("Sigmoid", 6, Y),
                                      UNARY ("HardSigmoid", 6, Y),
                                      UNARY ("HardSwish", 14, X),
                                      UNARY ("Mish", 18, X),
                                      UNARY ("Tanh", 6, Y),
                                      UNARY ("Softplus", 1, X),
                                      UNARY ("Softsign", 1, X),
                                      UNARY ("Erf", 9, X),
                                      UNARY ("Exp", 6, Y),
                                      UNARY ("Log", 6, X),
                                      UNARY ("Sqrt", 6, Y),
                                      UNARY ("Reciprocal", 6, Y),
                                      UNARY ("Abs", 6, X),
                                      UNARY ("Neg", 6, 0),
                                      UNARY ("Sign", 9, 0),
                                      UNARY ("Floor", 6, 0),
                                      UNARY ("Ceil", 6, 0),
                                      UNARY ("Round", 11, 0),
                                      UNARY ("Sin", 7, X),
                                      UNARY ("Cos", 7, X),
                                      UNARY ("Clip", 6, Y),
                                      { .domain = "",
                                        .type = "Clip",
                                        .since = 11,
                                        .min_inputs = 1,
                                        .max_inputs = 3,
                                        .min_outputs = 1,
                                        .max_outputs = 1,
                                        .flags = X | Y | CAM_OP_IN_PLACE,
                                        .parse = parse_clip,
                                        .infer = infer,
                                        .forward = forward,
                                        .backward = backward },
                                      { .domain = "",
                                        .type = "Gelu",
                                        .since = 20,
                                        .min_inputs = 1,
                                        .max_inputs = 1,
                                        .min_outputs = 1,
                                        .max_outputs = 1,
                                        .flags = X | CAM_OP_IN_PLACE,
                                        .parse = parse_gelu,
                                        .infer = infer,
                                        .forward = forward,
                                        .backward = backward },
                                      { .type = NULL } };
