/* graph.h -- a network as nodes and values, from the file to the machine
 *
 * The same structure serves a graph as the file has it, the graph bound to
 * concrete input shapes with its constants folded, and the graph that is run,
 * where passes have put fused operators of our own (domain "camlens") in place
 * of runs of ONNX's.  Nodes are kept in topological order.
 *
 * Ownership: the graph owns its nodes and values; nodes borrow values.
 */
#pragma once

#include "core/base/tensor.h"

typedef struct _CamGraph CamGraph;
typedef struct _CamNode CamNode;
typedef struct _CamValue CamValue;
typedef struct _CamOperator CamOperator;

#define CAM_GRAPH_ERROR (cam_graph_error_quark ())
GQuark cam_graph_error_quark (void);
/* One code per thing a caller could do about it; the message says the rest. */
typedef enum
{
  CAM_GRAPH_ERROR_MALFORMED,   /* no ONNX, cut short, cyclic, dangling names  */
  CAM_GRAPH_ERROR_UNSUPPORTED, /* operator, opset, attribute or type          */
  CAM_GRAPH_ERROR_SHAPE,       /* shapes that do not fit                      */
  CAM_GRAPH_ERROR_TOO_LARGE,   /* over the memory limit                       */
  CAM_GRAPH_ERROR_NOT_FOUND,   /* no tensor of that name                      */
  CAM_GRAPH_ERROR_NO_GRADIENT  /* no differentiable way between two tensors   */
} CamGraphError;

typedef enum
{
  CAM_ATTRIBUTE_INT,
  CAM_ATTRIBUTE_FLOAT,
  CAM_ATTRIBUTE_STRING,
  CAM_ATTRIBUTE_INTS,
  CAM_ATTRIBUTE_FLOATS,
  CAM_ATTRIBUTE_STRINGS,
  CAM_ATTRIBUTE_TENSOR
} CamAttributeKind;

typedef struct
{
  char *name;
  CamAttributeKind kind;
  gint64 i;
  double f;
  char *s;
  gsize n;
  gint64 *ints;
  double *floats;
  char **strings;
  CamTensor *tensor;
  gboolean seen; /* a getter has asked for it */
} CamAttribute;

struct _CamValue /* one named tensor of the graph */
{
  char *name;       /* never NULL; values made by passes get a made-up one */
  CamDType dtype;   /* NONE until inferred                               */
  CamShape shape;   /* n_dims -1 until inferred; -1 in a dim: symbolic    */
  char *symbols[CAM_MAX_DIMS]; /* inputs only: name of a symbolic dim      */
  CamTensor *constant; /* owned; NULL unless known before the run         */
  CamNode *producer;   /* NULL: graph input or constant                   */
  guint index;         /* place in graph->values; may be renumbered       */
};

struct _CamNode
{
  char *name;           /* as in the file, or "Conv_12"        */
  char *op_type;        /* "Conv"                              */
  char *domain;         /* "" is ONNX's default                */
  const CamOperator *op; /* from the table; never NULL once loaded */
  guint n_inputs, n_outputs;
  CamValue **inputs;    /* borrowed values; NULL where omitted */
  CamValue **outputs;   /* likewise                            */
  GPtrArray *attributes; /* of CamAttribute, owned             */
  int opset;
  gpointer params;      /* the operator's own struct, from op->parse */
  guint mark;           /* for whoever walks the graph; means nothing between */
};

struct _CamGraph
{
  char *name;
  int opset;
  GPtrArray *values;  /* of CamValue, owned   */
  GPtrArray *nodes;   /* of CamNode, owned, topological order */
  GPtrArray *inputs;  /* of CamValue, without those that have initialisers */
  GPtrArray *outputs; /* of CamValue          */
  GHashTable *by_name; /* name -> CamValue     */
  guint n_made;       /* counts made-up names */
};

CamGraph *cam_graph_new (const char *name, int opset);
void cam_graph_free (CamGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamGraph, cam_graph_free)
/* A deep copy that shares the constants' tensors (by reference); nodes are
 * parsed again.  (transfer full) */
CamGraph *cam_graph_copy (const CamGraph *graph, GError **error);

/* NULL where there is none of that name. */
CamValue *cam_graph_find (const CamGraph *graph, const char *name);
/* @name NULL makes one up from @hint. The name must be new. */
CamValue *cam_graph_add_value (CamGraph *graph, const char *name,
                               const char *hint);
/* @tensor (transfer full) */
CamValue *cam_graph_add_constant (CamGraph *graph, const char *hint,
                                  CamTensor *tensor);
/* Bytes of all constants. */
gsize cam_graph_constant_bytes (const CamGraph *graph);
CamAttribute *cam_attribute_new (const char *name, CamAttributeKind kind);
/* Shares the tensor. */
CamAttribute *cam_attribute_copy (const CamAttribute *attribute);
void cam_attribute_free (CamAttribute *attribute);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamAttribute, cam_attribute_free)

/* What the next node is called: @name, or where that is empty, "Add_0".
 * (transfer full) */
char *cam_graph_node_name (const CamGraph *graph, const char *name,
                           const char *op_type);
/* Appends a node; looks the operator up (CAM_GRAPH_ERROR_UNSUPPORTED names
 * node, operator, opset), does not parse.  Attributes can be added, then
 * cam_node_parse.  Outputs' producer is set. */
CamNode *cam_graph_add_node (CamGraph *graph, const char *domain,
                             const char *op_type, const char *name,
                             guint n_inputs, CamValue **inputs,
                             guint n_outputs, CamValue **outputs,
                             GError **error);
/* Reads the attributes into node->params by op->parse; refuses attributes that
 * the operator does not know. */
gboolean cam_node_parse (CamNode *node, GError **error);
/* Puts nodes in topological order; FALSE (MALFORMED) names a cycle's node. */
gboolean cam_graph_sort (CamGraph *graph, GError **error);
/* Drops nodes and values that no output (nor @keep, of CamValue, may be NULL)
 * needs.  Graph inputs stay.  Outputs of a node that stays are set to NULL
 * where nobody wants them, except the first.  Needs topological order; numbers
 * the values that are left. */
void cam_graph_prune (CamGraph *graph, GPtrArray *keep);
/* Every reader of @from reads @to instead, graph outputs included. */
void cam_graph_replace_value (CamGraph *graph, CamValue *from, CamValue *to);

/* Attributes, for op->parse.  The getters mark the attribute as read. */
const CamAttribute *cam_node_attribute (const CamNode *node, const char *name);
gint64 cam_node_int (const CamNode *node, const char *name, gint64 fallback);
double cam_node_float (const CamNode *node, const char *name, double fallback);
const char *cam_node_string (const CamNode *node, const char *name,
                             const char *fallback);
/* NULL and *n = 0 where absent (borrowed) */
const gint64 *cam_node_ints (const CamNode *node, const char *name, gsize *n);
/* @attribute (transfer full) */
void cam_node_set_int (CamNode *node, const char *name, gint64 value);
void cam_node_set_float (CamNode *node, const char *name, double value);
void cam_node_set_ints (CamNode *node, const char *name, gsize n,
                        const gint64 *values);
void cam_node_set_string (CamNode *node, const char *name, const char *value);
void cam_node_add_attribute (CamNode *node, CamAttribute *attribute);
