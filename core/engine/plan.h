/* plan.h -- a network bound to input shapes: what runs, in which memory
 *
 * cam_network -> bind shapes -> fold constants -> fuse and lay out -> order and
 * memory = CamPlan (never changes, any number of threads may use it).  What one
 * run needs to remember is a CamWorkspace: one for each thread that runs.
 *
 * Where the graph treats the pictures of a batch apart and its weights are
 * few, each picture goes through the whole network by itself: its activations
 * stay in the caches, and several threads take a picture each.
 *
 * Whatever is to be fetched or differentiated is said when the plan is made,
 * because fusion would otherwise swallow it and memory would be used again.
 */
#pragma once

#include <stdio.h>

#include "core/base/threads.h"
#include "core/engine/network.h"
#include "core/graph/bind.h"

typedef struct _CamPlan CamPlan;
typedef struct _CamWorkspace CamWorkspace;

typedef struct
{
  const CamBinding *bindings; /* an input that is not named gets 1 for symbolic batch and what the file says else */
  guint n_bindings;
  const char *const *fetches; /* names, NULL-ended; may be any tensor; NULL: the graph's outputs */
  const char *gradient_of;    /* NULL: no backward pass      */
  const char *const *gradient_at; /* NULL-ended; with gradient_of */
  gboolean whole_batch; /* all pictures go through each operator together, also where one by one is faster */
  gboolean reference; /* plain operators only: no fusion, no NHWC: the oracle */
  gboolean consume;   /* the caller's reference to the network is taken, and if it is the last the unpacked weights are freed as they are repacked */
  guint64 memory_limit; /* bytes of weights and of one workspace with all its lanes, and again of gradients; 0: 8 GiB, or what the machine has */
} CamPlanOptions;

/* (transfer full) */
CamPlan *cam_plan_new (CamNetwork *network, const CamPlanOptions *options,
                       GError **error);
CamPlan *cam_plan_ref (CamPlan *plan);
void cam_plan_unref (CamPlan *plan);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamPlan, cam_plan_unref)

/* Shape of an input or a fetched tensor as this plan bound it; FALSE: none. */
gboolean cam_plan_shape (const CamPlan *plan, const char *name,
                         CamDType *dtype, CamShape *shape);
guint64 cam_plan_macs (const CamPlan *plan);
/* Bytes of repacked weights; bytes of one workspace on one thread. */
gsize cam_plan_weight_bytes (const CamPlan *plan);
gsize cam_plan_workspace_bytes (const CamPlan *plan);

/* @n_threads as in cam_threads_new.  Pictures that go one by one take a lane a
 * thread, fewer where the plan's limit says so.  NULL with an error where memory
 * is short.
 * (transfer full) */
CamWorkspace *cam_workspace_new (CamPlan *plan, int n_threads, GError **error);
void cam_workspace_free (CamWorkspace *workspace);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamWorkspace, cam_workspace_free)

/* Sets an input (copied; must be of the plan's type and shape). */
gboolean cam_workspace_set_input (CamWorkspace *workspace, const char *name,
                                  const CamTensor *tensor, GError **error);
/* Runs forward.  @cancellable is looked at between nodes. */
gboolean cam_workspace_run (CamWorkspace *workspace, GCancellable *cancellable,
                            GError **error);
/* A fetched tensor as ONNX lays it out (NCHW), valid until the next run
 * (borrowed).  NULL where @name is no fetch of the plan. */
const CamTensor *cam_workspace_get (CamWorkspace *workspace, const char *name);
/* Gradient of <seed, gradient_of> with respect to @at, after a run.  @seed has the
 * shape of gradient_of, or one more leading dimension [S, ...] for S seeds; the
 * result has the shape of @at, with the same leading [S] where the seed had it.  (transfer full) */
CamTensor *cam_workspace_gradient (CamWorkspace *workspace,
                                   const CamTensor *seed, const char *at,
                                   GCancellable *cancellable, GError **error);
/* Runs the nodes one by one, @repeat times, and prints the best time of each
 * with its operator and shapes; of one picture, where it goes one by one. */
void cam_workspace_profile (CamWorkspace *workspace, int repeat, FILE *out);
