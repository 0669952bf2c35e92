/* einsum.c -- Einsum: sums of products, indices named by letters
 *
 * Every letter is a dimension of one walk over the whole index space: first
 * those of the output, then those that are summed over.  An operand has a step
 * for each (the sum of its steps where a letter stands twice in it, 0 where it
 * has none), so that products, traces, diagonals, transposes and broadcast
 * batches are all one loop.  "..." stands for dimensions that have no letter.
 *
 * Plain loops: networks have Einsum where attention is small.  MatMul is the
 * fast way.
 */
#include "config.h"

#include "core/ops/ops.h"
#include "core/ops/scalar.h"

#include <glib/gi18n.h>
#include <string.h>

#define MAX_OPERANDS 4
#define MAX_LABELS 32
#define MAX_POINTS ((gint64) 1 << 40)
#define ELLIPSIS 64 /* labels ELLIPSIS .. are the dimensions of "..." */

typedef struct
{
  int n;
  int labels[CAM_MAX_DIMS];
} Term;

typedef struct
{
  int n_operands;
  int n_dims, n_output; /* the first n_output dimensions are the output's */
  gint64 dims[MAX_LABELS];
  gint64 steps[MAX_OPERANDS][MAX_LABELS];
  gint64 n_outer, n_inner; /* products of the output's and of the others */
} Space;

static gboolean
parse (CamNode *node, GError **error)
{
  const char *equation = cam_node_string (node, "equation", NULL);
  GString *text;

  if (! equation)
    {
      cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                      _ ("attribute 'equation' is missing"));
      return FALSE;
    }
  text = g_string_new (NULL);
  for (const char *c = equation; *c; c++)
    if (*c != ' ')
      g_string_append_c (text, *c);
  node->params = g_string_free (text, FALSE);
  if (node->n_inputs <= MAX_OPERANDS)
    return TRUE;
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("it has %u inputs, and at most %d are possible"),
                  node->n_inputs, MAX_OPERANDS);
  return FALSE;
}

static gboolean
refuse (const CamNode *node, const char *why, GError **error)
{
  cam_node_error (error, CAM_GRAPH_ERROR_UNSUPPORTED, node,
                  _ ("attribute 'equation', '%s': %s"),
                  (const char *) node->params, why);
  return FALSE;
}

/* The labels of "bij" or "...ij" up to @end; @rank < 0: the output, whose
 * "..." has @n_ellipsis dimensions. */
static gboolean
read_term (const CamNode *node, const char *text, const char *end, int rank,
           int n_ellipsis, Term *term, GError **error)
{
  int n_letters = 0;
  gboolean dots = FALSE;

  for (const char *c = text; c < end; c++)
    n_letters += g_ascii_isalpha (*c) ? 1 : 0;
  if (rank >= 0)
    n_ellipsis = rank - n_letters;
  term->n = 0;
  for (const char *c = text; c < end; c++)
    if (g_ascii_isalpha (*c) && term->n < CAM_MAX_DIMS)
      term->labels[term->n++] = *c - 'A';
    else if (! dots && end - c >= 3 && strncmp (c, "...", 3) == 0
             && n_ellipsis >= 0 && term->n + n_ellipsis <= CAM_MAX_DIMS)
      {
        dots = TRUE;
        c += 2;
        for (int i = 0; i < n_ellipsis; i++) /* counted from the right */
          term->labels[term->n++] = ELLIPSIS + n_ellipsis - 1 - i;
      }
    else
      return refuse (node, _ ("it is not understood"), error);
  if (rank >= 0 && term->n != rank)
    return refuse (node, _ ("an input has other dimensions than it says"),
                   error);
  return TRUE;
}

/* Without "->": the dimensions of "...", and letters that stand once, sorted.
 */
static void
implicit_output (const Term *terms, int n_terms, Term *output)
{
  int count[ELLIPSIS + CAM_MAX_DIMS] = { 0 };

  for (int t = 0; t < n_terms; t++)
    for (int i = 0; i < terms[t].n; i++)
      count[terms[t].labels[i]]++;
  output->n = 0;
  for (int i = CAM_MAX_DIMS; i-- > 0;)
    if (count[ELLIPSIS + i] && output->n < CAM_MAX_DIMS)
      output->labels[output->n++] = ELLIPSIS + i;
  for (int i = 0; i < ELLIPSIS; i++)
    if (count[i] == 1 && output->n < CAM_MAX_DIMS)
      output->labels[output->n++] = i;
}

static gboolean
read_terms (const CamNode *node, Term *terms, Term *output, GError **error)
{
  const char *text = node->params, *arrow = strstr (text, "->");
  const char *end = arrow ? arrow : text + strlen (text);
  int n = 0, n_ellipsis = 0;

  for (const char *start = text; start <= end; n++)
    {
      const char *comma = memchr (start, ',', (size_t) (end - start));
      const char *stop = comma ? comma : end;
      int most = 0;

      if (n == (int) node->n_inputs)
        return refuse (node, _ ("it names more inputs than there are"), error);
      if (! read_term (node, start, stop, node->inputs[n]->shape.n_dims, 0,
                       &terms[n], error))
        return FALSE;
      for (int i = 0; i < terms[n].n; i++)
        most = MAX (most, terms[n].labels[i] - ELLIPSIS + 1);
      n_ellipsis = MAX (n_ellipsis, most);
      start = stop + 1;
    }
  if (n != (int) node->n_inputs)
    return refuse (node, _ ("it names fewer inputs than there are"), error);
  if (arrow)
    return read_term (node, arrow + 2, arrow + strlen (arrow), -1, n_ellipsis,
                      output, error);
  implicit_output (terms, n, output);
  return TRUE;
}

/* The walk's dimension of @label; n_dims where it has none yet. */
static int
find_label (const int *labels, int n, int label)
{
  int i = 0;

  while (i < n && labels[i] != label)
    i++;
  return i;
}

static gboolean
add_operand (const CamNode *node, Space *space, int *labels, const Term *term,
             int which, GError **error)
{
  const CamShape *shape = &node->inputs[which]->shape;
  gint64 step = 1;

  for (int i = term->n; i-- > 0; step *= shape->dims[i])
    {
      int place = find_label (labels, space->n_dims, term->labels[i]);
      gint64 size = shape->dims[i];

      if (place == MAX_LABELS)
        return refuse (node, _ ("it has too many letters"), error);
      if (place == space->n_dims)
        {
          labels[space->n_dims] = term->labels[i];
          space->dims[space->n_dims++] = size;
        }
      else if (space->dims[place] <= 1)
        space->dims[place] = size;
      else if (size != space->dims[place] && size != 1)
        return refuse (node, _ ("a letter stands for different sizes"), error);
      if (size != 1)
        space->steps[which][place] += step;
    }
  return TRUE;
}

static gboolean
resolve (const CamNode *node, Space *space, GError **error)
{
  Term terms[MAX_OPERANDS], output;
  int labels[MAX_LABELS];

  memset (space, 0, sizeof *space);
  space->n_operands = (int) node->n_inputs;
  if (! read_terms (node, terms, &output, error))
    return FALSE;
  for (int i = 0; i < output.n; i++)
    {
      if (find_label (labels, space->n_dims, output.labels[i]) < space->n_dims)
        return refuse (node, _ ("a letter stands twice in the output"), error);
      labels[space->n_dims++] = output.labels[i];
    }
  space->n_output = output.n;
  for (int t = 0; t < space->n_operands; t++)
    if (! add_operand (node, space, labels, &terms[t], t, error))
      return FALSE;
  space->n_outer = space->n_inner = 1;
  for (int i = 0; i < space->n_dims; i++)
    {
      gint64 *n = i < output.n ? &space->n_outer : &space->n_inner;

      if (space->dims[i] == 0)
        return refuse (node, _ ("a letter of the output is in no input"),
                       error);
      if (space->dims[i] > MAX_POINTS / space->n_outer / space->n_inner)
        return refuse (node, _ ("it takes too many products"), error);
      *n *= space->dims[i];
    }
  return TRUE;
}

static gboolean
infer (CamNode *node, GError **error)
{
  Space space;
  CamShape shape = { 0 };

  if (! cam_op_check_dtype (node, 0,
                            CAM_OP_KINDS_FLOAT32 | 1u << CAM_DTYPE_FLOAT64,
                            error)
      || ! cam_op_check_same_dtype (node, error))
    return FALSE;
  for (guint i = 0; i < node->n_inputs; i++)
    if (! cam_op_check_not_empty (node, i, error))
      return FALSE;
  if (! resolve (node, &space, error))
    return FALSE;
  shape = cam_shape_make (space.n_output, space.dims);
  return cam_node_set_output (node, 0, node->inputs[0]->dtype, &shape, error);
}

/* Moves @places to point @index of dimensions @begin .. @end - 1. */
static void
go_to (const Space *space, int begin, int end, gint64 index, gint64 *places)
{
  for (int i = end; i-- > begin;)
    {
      gint64 at = index % space->dims[i];

      index /= space->dims[i];
      for (int t = 0; t < space->n_operands; t++)
        places[t] += at * space->steps[t][i];
    }
}

/* One step on in dimensions @begin .. @end - 1, the last one first. */
static void
advance (const Space *space, int begin, int end, gint64 *counts, gint64 *places)
{
  for (int i = end; i-- > begin;)
    {
      gboolean wraps = ++counts[i] == space->dims[i];
      gint64 moved = wraps ? 1 - space->dims[i] : 1;

      for (int t = 0; t < space->n_operands; t++)
        places[t] += moved * space->steps[t][i];
      if (! wraps)
        return;
      counts[i] = 0;
    }
}

typedef struct
{
  const Space *space;
  const CamTensor *const *inputs;
  CamTensor *output;
} Run;

static inline double
element (const CamTensor *t, gint64 i)
{
  return t->dtype == CAM_DTYPE_FLOAT64 ? ((const double *) t->data)[i]
                                       : cam_tensor_f32 (t)[i];
}

static double
sum_inner (const Run *run, const gint64 *start)
{
  const Space *space = run->space;
  gint64 counts[MAX_LABELS] = { 0 }, places[MAX_OPERANDS];
  double sum = 0;

  memcpy (places, start, sizeof places);
  for (gint64 k = 0; k < space->n_inner; k++)
    {
      double product = element (run->inputs[0], places[0]);

      for (int t = 1; t < space->n_operands; t++)
        product *= element (run->inputs[t], places[t]);
      sum += product;
      advance (space, space->n_output, space->n_dims, counts, places);
    }
  return sum;
}

static void
forward_range (gsize begin, gsize end, int thread, gpointer data)
{
  const Run *run = data;

  for (gsize i = begin; i < end; i++)
    {
      gint64 places[MAX_OPERANDS] = { 0 };

      go_to (run->space, 0, run->space->n_output, (gint64) i, places);
      cam_scalar_set_double (run->output, i, sum_inner (run, places));
    }
}

static gsize
grain (const Space *space)
{
  return (gsize) MAX (CAM_OP_GRAIN / space->n_inner, 1);
}

static void
forward (const CamForward *f)
{
  Space space;
  Run run = { &space, f->inputs, f->outputs[0] };

  if (! resolve (f->node, &space, NULL))
    return;
  cam_op_ranges (f->threads, (gsize) space.n_outer, grain (&space),
                 forward_range, &run);
}

typedef struct
{
  const Space *space;
  const CamBackward *b;
  const float *inputs[MAX_OPERANDS];
} Back;

/* Operand @which of one seed: its elements get the products of the rest. */
static void
spread (const Back *back, int which, const float *dy, float *dx)
{
  const Space *space = back->space;
  gint64 counts[MAX_LABELS] = { 0 }, places[MAX_OPERANDS] = { 0 };

  for (gint64 i = 0; i < space->n_outer * space->n_inner; i++)
    {
      double product = dy[i / space->n_inner];

      for (int t = 0; t < space->n_operands; t++)
        if (t != which)
          product *= back->inputs[t][places[t]];
      dx[places[which]] += (float) product;
      advance (space, 0, space->n_dims, counts, places);
    }
}

/* Tiles are pairs of seed and operand: what they write lies apart. */
static void
backward_tile (gint64 tile, int thread, gpointer data)
{
  const Back *back = data;
  int which = (int) (tile % back->space->n_operands);
  gsize seed = (gsize) (tile / back->space->n_operands);
  CamTensor *dx = back->b->input_gradients[which];
  gsize n = dx ? dx->n_elements / (gsize) back->b->n_seeds : 0;

  if (! dx)
    return;
  memset (cam_tensor_f32 (dx) + seed * n, 0, n * sizeof (float));
  spread (back, which,
          cam_tensor_f32 (back->b->output_gradients[0])
              + seed * (gsize) back->space->n_outer,
          cam_tensor_f32 (dx) + seed * n);
}

static void
backward (const CamBackward *b)
{
  Space space;
  Back back = { &space, b, { NULL } };

  if (! b->output_gradients[0] || ! resolve (b->node, &space, NULL))
    {
      cam_op_clear_gradients (b);
      return;
    }
  for (int t = 0; t < space.n_operands; t++)
    back.inputs[t] = cam_tensor_f32 (cam_op_backward_input (b, (guint) t));
  cam_threads_run (b->threads, b->n_seeds * space.n_operands, backward_tile,
                   &back);
}

static guint64
macs (const CamNode *node)
{
  Space space;

  if (node->n_inputs < 2 || ! resolve (node, &space, NULL))
    return 0;
  return (guint64) space.n_outer * (guint64) space.n_inner;
}

const CamOperator cam_ops_einsum[] = { { .domain = "",
                                         .type = "Einsum",
                                         .since = 12,
                                         .min_inputs = 1,
                                         .max_inputs = -1,
                                         .min_outputs = 1,
                                         .max_outputs = 1,
                                         .flags = CAM_OP_BACKWARD_NEEDS_INPUTS,
                                         .parse = parse,
                                         .infer = infer,
                                         .forward = forward,
                                         .backward = backward,
                                         .macs = macs },
                                       { .type = NULL } };
