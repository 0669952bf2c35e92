/* resize.c -- Resize and Upsample: nearest, linear, cubic
 *
 * One pass for every axis whose size or sampling changes, in scratch.
 */
#include "config.h"

#include "core/ops/resample.h"

#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "core/ops/scalar.h"

typedef enum
{
  STRETCH,
  NOT_LARGER,
  NOT_SMALLER
} AspectPolicy;

typedef struct
{
  CamResizeRules rules;
  int policy;
  gsize n_scales; /* Upsample before opset 9 */
  double scales[CAM_MAX_DIMS];
  gsize n_axes; /* opset 18; 0: all */
  gint64 axes[CAM_MAX_DIMS];
} ResizeParams;

static const char *const modes[] = { "nearest", "linear", "cubic", NULL };

static gboolean
parse_upsample (CamNode *node, GError **error)
{
  ResizeParams *p = g_new0 (ResizeParams, 1);
  const CamAttribute *scales = NULL;

  node->params = p;
  p->rules.coordinate = CAM_COORDINATE_ASYMMETRIC;
  p->rules.nearest = CAM_NEAREST_FLOOR;
  if (strcmp (cam_node_string (node, "mode", "nearest"), "bilinear") == 0)
    p->rules.mode = CAM_RESIZE_LINEAR;
  else if (! cam_op_choice (node, "mode", "nearest", modes, &p->rules.mode,
                            error))
    return FALSE;
  if (node->opset >= 9)
    return TRUE;
  scales = cam_node_attribute (node, "scales");
  if (scales == NULL || scales->kind != CAM_ATTRIBUTE_FLOATS
      || scales->n > CAM_MAX_DIMS)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                      _ ("attribute scales is missing or too long"));
      return FALSE;
    }
  p->n_scales = scales->n;
  memcpy (p->scales, scales->floats, scales->n * sizeof *p->scales);
  return TRUE;
}

static gboolean
parse_axes (CamNode *node, ResizeParams *p, GError **error)
{
  static const char *const policies[] = { "stretch", "not_larger",
                                          "not_smaller", NULL };
  const gint64 *axes;

  p->rules.antialias = cam_node_int (node, "antialias", 0) != 0;
  axes = cam_node_ints (node, "axes", &p->n_axes);
  if (p->n_axes > CAM_MAX_DIMS)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                      _ ("attribute axes has more than %d numbers"),
                      CAM_MAX_DIMS);
      return FALSE;
    }
  for (gsize i = 0; i < p->n_axes; i++)
    p->axes[i] = axes[i];
  return cam_op_choice (node, "keep_aspect_ratio_policy", "stretch", policies,
                        &p->policy, error);
}

static gboolean
parse (CamNode *node, GError **error)
{
  static const char *const coordinates[] = {
    "half_pixel",           "pytorch_half_pixel",
    "align_corners",        "asymmetric",
    "tf_half_pixel_for_nn", "tf_crop_and_resize",
    "half_pixel_symmetric", NULL
  };
  static const char *const roundings[] = { "round_prefer_floor",
                                           "round_prefer_ceil", "floor", "ceil",
                                           NULL };
  ResizeParams *p = g_new0 (ResizeParams, 1);
  CamResizeRules *r = &p->rules;

  node->params = p;
  r->coordinate = CAM_COORDINATE_ASYMMETRIC;
  r->nearest = CAM_NEAREST_FLOOR;
  if (! cam_op_choice (node, "mode", "nearest", modes, &r->mode, error))
    return FALSE;
  if (node->opset < 11)
    return TRUE;
  r->cubic_a = cam_node_float (node, "cubic_coeff_a", -0.75);
  r->exclude_outside = cam_node_int (node, "exclude_outside", 0) != 0;
  r->extrapolation = cam_node_float (node, "extrapolation_value", 0);
  return cam_op_choice (node, "coordinate_transformation_mode", "half_pixel",
                        coordinates, &r->coordinate, error)
         && cam_op_choice (node, "nearest_mode", "round_prefer_floor",
                           roundings, &r->nearest, error)
         && (node->opset < 18 || parse_axes (node, p, error));
}

/* For every axis: output size, output over input, region of interest. */
typedef struct
{
  gint64 out[CAM_MAX_DIMS];
  double scale[CAM_MAX_DIMS];
  double roi[2][CAM_MAX_DIMS];
} Target;

/* A constant list of @n numbers; input @i. */
static gboolean
read_numbers (const CamNode *node, guint i, gsize n, double *values,
              GError **error)
{
  const CamTensor *t = node->inputs[i]->constant;

  if (t == NULL || t->n_elements != n)
    {
      cam_node_error (error,
                      t ? CAM_GRAPH_ERROR_SHAPE : CAM_GRAPH_ERROR_UNSUPPORTED,
                      node,
                      t ? _ ("input '%s' does not have one number an axis")
                        : _ ("its input '%s' must be constant"),
                      node->inputs[i]->name);
      return FALSE;
    }
  for (gsize k = 0; k < n; k++)
    values[k] = cam_scalar_double (t, k);
  return TRUE;
}

/* TRUE where input @i is there and not the empty tensor that stands for none.
 */
static gboolean
is_given (const CamNode *node, guint i)
{
  return cam_op_has_input (node, i)
         && cam_op_count (&node->inputs[i]->shape, 0,
                          node->inputs[i]->shape.n_dims)
                > 0;
}

static void
keep_aspect (const ResizeParams *p, const CamShape *x, const int *axes, gsize n,
             Target *t)
{
  double scale = 0;

  for (gsize i = 0; i < n; i++)
    {
      double s = t->scale[axes[i]];

      scale = i == 0                    ? s
              : p->policy == NOT_LARGER ? MIN (scale, s)
                                        : MAX (scale, s);
    }
  for (gsize i = 0; i < n; i++)
    {
      int a = axes[i];

      t->scale[a] = scale;
      t->out[a] = (gint64) floor (scale * (double) x->dims[a] + 0.5);
    }
}

/* What the node asks for, one number an axis that it names. */
typedef struct
{
  gsize n;
  int axes[CAM_MAX_DIMS];
  gboolean by_size; /* values are sizes, else scales */
  double values[CAM_MAX_DIMS];
  gboolean has_roi;
  double roi[2 * CAM_MAX_DIMS]; /* all starts, then all ends */
} Request;

static gboolean
read_values (const CamNode *node, Request *r, GError **error)
{
  const ResizeParams *p = node->params;
  gboolean old = node->opset < 11;
  guint scales = old ? 1 : 2;

  r->by_size = ! old && is_given (node, 3);
  if (p->n_scales == r->n)
    {
      memcpy (r->values, p->scales, sizeof r->values);
      return TRUE;
    }
  if (r->by_size || is_given (node, scales))
    return read_numbers (node, r->by_size ? 3 : scales, r->n, r->values, error);
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("neither scales nor sizes fit the input"));
  return FALSE;
}

static gboolean
read_roi (const CamNode *node, Request *r, GError **error)
{
  const ResizeParams *p = node->params;

  r->has_roi = p->rules.coordinate == CAM_COORDINATE_TF_CROP_AND_RESIZE;
  if (! r->has_roi)
    return TRUE;
  if (is_given (node, 1))
    return read_numbers (node, 1, 2 * r->n, r->roi, error);
  cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                  _ ("its region of interest is missing"));
  return FALSE;
}

static gboolean
read_request (const CamNode *node, Request *r, GError **error)
{
  const ResizeParams *p = node->params;
  int n_dims = node->inputs[0]->shape.n_dims;

  r->n = p->n_axes ? p->n_axes : (gsize) n_dims;
  for (gsize i = 0; i < r->n; i++)
    if (! cam_op_axis (node, p->n_axes ? p->axes[i] : (gint64) i, n_dims,
                       &r->axes[i], error))
      return FALSE;
  return read_values (node, r, error) && read_roi (node, r, error);
}

/* The @i-th axis of the request */
static gboolean
resolve_axis (const CamNode *node, const Request *r, gsize i, Target *t,
              GError **error)
{
  int axis = r->axes[i];
  double size = (double) node->inputs[0]->shape.dims[axis];
  double seen = r->has_roi ? r->roi[r->n + i] - r->roi[i] : 1;
  double value = r->values[i];
  double out = r->by_size ? value : floor (size * seen * value);

  if (! (value > 0) || ! (out >= 1 && out < 0x1p31))
    {
      cam_node_error (error, CAM_GRAPH_ERROR_SHAPE, node,
                      _ ("axis %d cannot be resized by %g"), axis, value);
      return FALSE;
    }
  t->out[axis] = (gint64) out;
  t->scale[axis] = r->by_size ? out / size : value;
  t->roi[0][axis] = r->has_roi ? r->roi[i] : 0;
  t->roi[1][axis] = r->has_roi ? r->roi[r->n + i] : 1;
  return TRUE;
}

static gboolean
resolve (const CamNode *node, Target *t, GError **error)
{
  const ResizeParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;
  Request request;

  for (int i = 0; i < x->n_dims; i++)
    {
      t->out[i] = x->dims[i];
      t->scale[i] = t->roi[1][i] = 1;
      t->roi[0][i] = 0;
    }
  if (! read_request (node, &request, error))
    return FALSE;
  for (gsize i = 0; i < request.n; i++)
    if (! resolve_axis (node, &request, i, t, error))
      return FALSE;
  if (p->policy != STRETCH && request.by_size)
    keep_aspect (p, x, request.axes, request.n, t);
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  CamShape shape = node->inputs[0]->shape;
  Target t;

  if (! cam_op_check_dtype (node, 0, CAM_OP_KINDS_FLOAT32, error)
      || ! cam_op_check_not_empty (node, 0, error)
      || ! resolve (node, &t, error))
    return FALSE;
  memcpy (shape.dims, t.out, (gsize) shape.n_dims * sizeof *t.out);
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

static gboolean
is_changed (const ResizeParams *p, const Target *t, const CamShape *x, int i)
{
  return t->out[i] != x->dims[i] || t->scale[i] != 1
         || p->rules.coordinate == CAM_COORDINATE_TF_CROP_AND_RESIZE;
}

/* The largest tensor between two passes, in elements. */
static gsize
largest_step (const CamNode *node)
{
  const CamShape *x = &node->inputs[0]->shape;
  gsize most = 0, n = (gsize) cam_op_count (x, 0, x->n_dims);
  Target t;

  if (! resolve (node, &t, NULL))
    return 0;
  for (int i = 0; i < x->n_dims; i++)
    {
      n = n / (gsize) x->dims[i] * (gsize) t.out[i];
      most = MAX (most, n);
    }
  return MAX (most, (gsize) cam_op_count (x, 0, x->n_dims));
}

static gsize
scratch (const CamNode *node, int n_threads)
{
  return 2 * largest_step (node) * sizeof (float);
}

static gsize
backward_scratch (const CamNode *node, int n_threads, gint64 n_seeds)
{
  return (gsize) n_seeds * scratch (node, n_threads);
}

/* What crop_and_resize did not find in the input. */
static void
fill_outside (const CamShape *shape, CamTaps *const *taps, float value,
              float *y)
{
  gsize n = (gsize) cam_op_count (shape, 0, shape->n_dims);

  for (gsize i = 0; i < n; i++)
    {
      gsize rest = i;

      for (int d = shape->n_dims - 1; d >= 0; d--)
        {
          if (taps[d] && taps[d]->outside[rest % (gsize) shape->dims[d]])
            y[i] = value;
          rest /= (gsize) shape->dims[d];
        }
    }
}

static void
make_taps (const CamNode *node, const Target *t, CamTaps **taps, int *passes)
{
  const ResizeParams *p = node->params;
  const CamShape *x = &node->inputs[0]->shape;

  *passes = 0;
  for (int i = 0; i < x->n_dims; i++)
    if (is_changed (p, t, x, i))
      {
        taps[i] = cam_taps_new (&p->rules, x->dims[i], t->out[i], t->scale[i],
                                t->roi[0][i], t->roi[1][i]);
        (*passes)++;
      }
}

static void
forward (const CamForward *f)
{
  const ResizeParams *p = f->node->params;
  CamTaps *taps[CAM_MAX_DIMS] = { NULL };
  CamShape shape = f->inputs[0]->shape;
  gsize step = largest_step (f->node);
  const float *from = cam_tensor_f32 (f->inputs[0]);
  int left;
  Target t;

  if (! resolve (f->node, &t, NULL))
    return;
  make_taps (f->node, &t, taps, &left);
  if (left == 0)
    cam_op_copy (f->outputs[0], f->inputs[0]);
  for (int i = 0; i < shape.n_dims; i++)
    if (taps[i])
      {
        float *to = --left == 0 ? cam_tensor_f32 (f->outputs[0])
                                : (float *) f->scratch + (left % 2 ? step : 0);

        cam_taps_apply (taps[i], cam_op_count (&shape, 0, i),
                        cam_op_count (&shape, i + 1, shape.n_dims), from, to,
                        f->threads);
        shape.dims[i] = t.out[i];
        from = to;
      }
  if (p->rules.coordinate == CAM_COORDINATE_TF_CROP_AND_RESIZE)
    fill_outside (&shape, taps, (float) p->rules.extrapolation,
                  cam_tensor_f32 (f->outputs[0]));
  for (int i = 0; i < shape.n_dims; i++)
    g_clear_pointer (&taps[i], cam_taps_free);
}

/* The output's gradient without what lies outside of the input. */
static const float *
inside_only (const CamBackward *b, CamTaps *const *taps, float *memory)
{
  const CamShape *y = &b->node->outputs[0]->shape;
  gsize n = (gsize) cam_op_count (y, 0, y->n_dims);

  memcpy (memory, b->output_gradients[0]->data,
          b->output_gradients[0]->n_elements * sizeof (float));
  for (gsize s = 0; s < (gsize) b->n_seeds; s++)
    fill_outside (y, taps, 0, memory + s * n);
  return memory;
}

static void
backward (const CamBackward *b)
{
  const ResizeParams *p = b->node->params;
  CamTaps *taps[CAM_MAX_DIMS] = { NULL };
  CamShape shape = b->node->outputs[0]->shape;
  gsize step = (gsize) b->n_seeds * largest_step (b->node);
  const float *from;
  int left;
  Target t;

  if (b->output_gradients[0] == NULL || b->input_gradients[0] == NULL
      || ! resolve (b->node, &t, NULL))
    {
      cam_op_clear_gradients (b);
      return;
    }
  make_taps (b->node, &t, taps, &left);
  from = cam_tensor_f32 (b->output_gradients[0]);
  if (left == 0)
    cam_op_copy (b->input_gradients[0], b->output_gradients[0]);
  else if (p->rules.coordinate == CAM_COORDINATE_TF_CROP_AND_RESIZE)
    from = inside_only (b, taps, (float *) b->scratch + (left % 2 ? step : 0));
  for (int i = shape.n_dims - 1; i >= 0; i--)
    if (taps[i])
      {
        float *to = --left == 0 ? cam_tensor_f32 (b->input_gradients[0])
                                : (float *) b->scratch + (left % 2 ? step : 0);

        cam_taps_transpose (taps[i], b->n_seeds * cam_op_count (&shape, 0, i),
                            cam_op_count (&shape, i + 1, shape.n_dims), from,
                            to, b->threads);
        shape.dims[i] = b->node->inputs[0]->shape.dims[i];
        from = to;
      }
  for (int i = 0; i < shape.n_dims; i++)
    g_clear_pointer (&taps[i], cam_taps_free);
}

#define RESIZE(name, first, last, few, many, parser)                           \
  {                                                                            \
    .domain = "", .type = name, .since = first, .until = last,                 \
    .min_inputs = few, .max_inputs = many, .min_outputs = 1, .max_outputs = 1, \
    .parse = parser, .infer = infer, .forward = forward, .backward = backward, \
    .scratch = scratch, .backward_scratch = backward_scratch                   \
  }

const CamOperator cam_ops_resize[] = {
  RESIZE ("Upsample", 7, 8, 1, 1, parse_upsample),
  RESIZE ("Upsample", 9, 9, 2, 2, parse_upsample),
  RESIZE ("Resize", 10, 10, 2, 2, parse),
  RESIZE ("Resize", 11, 0, 1, 4, parse),
  { .type = NULL },
};
