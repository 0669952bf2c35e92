/* operator.h -- one table binds an operator's name, opsets, shapes, arithmetic
 *
 * One life of a node: parse (attributes into a private struct), infer (types
 * and shapes of the outputs from those of the inputs, all concrete), forward,
 * backward, free.  The shape of this table owns loops over nodes, memory and
 * threads; the operator owns the arithmetic.
 *
 * infer may read node->inputs[i]->constant: shape inputs (of Reshape, Slice...)
 * must be constant by then, because the graph is bound to concrete input shapes
 * and folded in topological order; where one is not, infer fails with
 * CAM_GRAPH_ERROR_UNSUPPORTED ("its shape depends on the picture").
 *
 * Every error from parse and infer is set with cam_node_error, which names
 * node, operator and opset.
 */
#pragma once

#include "core/base/threads.h"
#include "core/graph/graph.h"

typedef struct
{
  const CamNode *node;
  const CamTensor *const *inputs; /* NULL where omitted */
  CamTensor *const *outputs;      /* NULL where nobody wants it */
  gpointer scratch; /* op->scratch () bytes, 64-byte aligned, not cleared */
  CamThreads *threads; /* may be NULL */
} CamForward;

/* Gradients of a scalar y.  Each gradient tensor has its tensor's shape with one
 * leading dimension n_seeds; the tensors themselves have none (the seeds share
 * the forward values). backward writes (not adds to) every input gradient that is not NULL. */
typedef struct
{
  const CamNode *node;
  const CamTensor *const *inputs;  /* forward values; NULL unless flagged */
  const CamTensor *const *outputs; /* forward values; NULL unless flagged */
  const CamTensor *const *output_gradients; /* NULL: zero */
  CamTensor *const *input_gradients;        /* NULL: not wanted */
  gint64 n_seeds;
  gpointer scratch; /* op->backward_scratch () bytes */
  CamThreads *threads;
} CamBackward;

typedef enum
{
  CAM_OP_BACKWARD_NEEDS_INPUTS = 1 << 0,
  CAM_OP_BACKWARD_NEEDS_OUTPUTS = 1 << 1,
  CAM_OP_VIEW = 1 << 2, /* output 0 is input 0's memory under another shape:
                           the planner aliases it and skips forward          */
  CAM_OP_IN_PLACE = 1 << 3, /* output 0 may be written over input 0 (same
                               shape and type) while forward runs            */
  CAM_OP_BLAS = 1 << 4, /* forward or backward may call cam_sgemm (), on every
                           thread of the crew at once                        */
} CamOperatorFlags;

struct _CamOperator
{
  const char *domain; /* "" ONNX, "camlens" made by passes */
  const char *type;
  int since;          /* first opset with this definition */
  int until;          /* last opset; 0: no end            */
  int min_inputs, max_inputs; /* max -1: any number */
  int min_outputs, max_outputs;
  guint flags;
  /* NULL: no attributes.  Sets node->params (freed with free_params, or
   * g_free where that is NULL). */
  gboolean (*parse) (CamNode *node, GError **error);
  void (*free_params) (gpointer params);
  gboolean (*infer) (CamNode *node, GError **error);
  void (*forward) (const CamForward *f);
  void (*backward) (const CamBackward *b); /* NULL: no gradient */
  gsize (*scratch) (const CamNode *node, int n_threads);
  gsize (*backward_scratch) (const CamNode *node, int n_threads,
                             gint64 n_seeds);
  guint64 (*macs) (const CamNode *node); /* multiply-adds; NULL: 0 */
};

/* Newest definition that holds at @opset, or NULL. */
const CamOperator *cam_operator_find (const char *domain, const char *type,
                                      int opset);
/* All of them, for lists and tests; ends with a NULL. Each family file exports
 * one const array of its operators: see ops/families.h. */
const CamOperator *const *cam_operators (void);

/* "node 'conv1' (Conv, opset 13): ..." */
void cam_node_error (GError **error, CamGraphError code, const CamNode *node,
                     const char *format, ...) G_GNUC_PRINTF (4, 5);

/* For infer: sets type and shape of output @i (ignored where it is NULL);
 * sizes are checked: FALSE with a node error where they overflow or a dim is negative. */
gboolean cam_node_set_output (CamNode *node, guint i, CamDType dtype,
                              const CamShape *shape, GError **error);
