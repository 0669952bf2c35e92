/* plan-private.h -- what the parts of the engine know of a plan
 *
 * Steps are the nodes of plan->graph in their order.  Every value that is no
 * constant has a storage: an interval in the workspace's arena, which views
 * and operators that write in place share.
 */
#pragma once

#include "core/engine/memory.h"
#include "core/engine/plan.h"
#include "core/graph/operator.h"

#define CAM_NO_STORAGE G_MAXUINT

/* The way back from plan->of to one tensor.  Offsets and sizes are for one
 * seed; n_seeds of them multiply both. */
typedef struct
{
  char *name;         /* as the caller names it                          */
  CamValue *value;    /* the tensor of that name                         */
  CamValue *source;   /* where its gradient gathers: value, or the NHWC
                         tensor that value is a transposed copy of       */
  gboolean *on_path;  /* [n_values]                                      */
  guint *storage;     /* [n_values] interval of the gradient, or none    */
  CamInterval *intervals;
  guint n_intervals;
  guint temporary;    /* first of one interval a backward step, for shares
                         that are added */
  gsize arena_bytes;
} CamGradientPart;

struct _CamPlan
{
  gatomicrefcount ref_count;
  CamPlan *single; /* NULL, or the plan of one picture that does the work:
                      graph then has inputs and fetches, and no nodes */
  CamGraph *graph; /* what runs; its values are numbered */
  GPtrArray *inputs;  /* of CamValue, as the network names them */
  GHashTable *fetches; /* name -> CamValue */
  guint *storage;      /* [n_values] */
  CamInterval *intervals;
  guint n_intervals;
  gsize arena_bytes, weight_bytes;
  guint64 memory_limit; /* of all that a workspace and its lanes take, and the
                           weights */
  guint64 macs;
  CamValue *of;       /* NULL: no backward pass */
  GPtrArray *parts;   /* of CamGradientPart */
};

/* plan.c: @graph is bound (transfer full), @names are all to be kept */
CamPlan *cam_plan_new_bound (CamGraph *graph, const char *const *names,
                             const CamPlanOptions *options, GError **error);

/* FALSE with an error where @activations bytes and the weights are more than
 * the plan may take. */
gboolean cam_plan_check_room (const CamPlan *plan, gsize activations,
                              GError **error);

/* batch.c */
/* The graph of @network for one picture, where @many, the same for a batch,
 * is better run picture by picture; else NULL. (transfer full) */
CamGraph *cam_batch_bind_single (const CamGraph *many, CamNetwork *network,
                                 const char *const *names,
                                 const CamPlanOptions *options);
/* @many without its nodes: its inputs, and @names. (transfer full) */
CamGraph *cam_batch_shell (const CamGraph *many, const char *const *names);
/* The workspaces that take the pictures of @workspace, whose plan has a
 * single: fewer than there are threads where the plan's limit has no room for
 * more; FALSE with an error where memory is short. */
gboolean cam_batch_open_lanes (CamWorkspace *workspace, int n_threads,
                               GError **error);
void cam_batch_close_lanes (CamWorkspace *workspace);
gboolean cam_batch_run (CamWorkspace *workspace, GCancellable *cancellable,
                        GError **error);

/* gradient-plan.c */
CamGradientPart *cam_gradient_part_new (CamPlan *plan, const char *name,
                                        CamValue *value, CamValue *source,
                                        GError **error);
void cam_gradient_part_free (CamGradientPart *part);
/* It has an output on the path, and an input on it. */
gboolean cam_gradient_part_has_node (const CamGradientPart *part,
                                     const CamNode *node);
/* Adds the values whose forward contents the part's backward reads. */
void cam_gradient_part_keep (const CamPlan *plan, const CamGradientPart *part,
                             gboolean *keep);

/* storage.c: decides plan->storage; @keep [n_values]: lives to the end */
void cam_plan_assign_storage (CamPlan *plan, const gboolean *keep);

/* workspace.c */
struct _CamWorkspace
{
  CamPlan *plan;
  CamThreads *threads;
  gpointer arena, scratch;
  gsize scratch_bytes;
  CamTensor **tensors; /* [n_values] */
  CamWorkspace **lanes; /* [n_lanes], of plan->single: a picture each */
  int n_lanes;
  gboolean ran;
  gpointer gradient_arena;
  gsize gradient_bytes;
};

/* What one workspace of @plan takes on @n_threads, but for its lanes */
gsize cam_workspace_own_bytes (const CamPlan *plan, int n_threads);
void cam_workspace_run_node (CamWorkspace *workspace, const CamNode *node);
/* FALSE with an error before the first run. */
gboolean cam_workspace_has_run (const CamWorkspace *workspace, GError **error);
