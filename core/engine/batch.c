/* batch.c -- a batch that goes through the network picture by picture
 *
 * An operator that goes over the whole batch before the next one begins writes
 * more than the caches hold: eight pictures of MobileNetV2's first layers are
 * 38 MB.  One picture's fit.  The price is that the weights are read anew for
 * each, so it pays where they stay in the cache, too.
 */
#include <gio/gio.h>
#include <glib/gi18n.h>
#include <string.h>

#include "core/engine/plan-private.h"
#include "core/graph/pictures.h"

#define MOST_WEIGHT_BYTES ((gsize) 32 << 20) /* MobileNetV2: 14 MB, EfficientNet-B0: 21; ResNet-18, with 47, is faster as a whole */
#define EVEN_ROUNDS 4 /* from here on a round that is not full costs little */

/* A file may fix its batch; what that means inside shows when the graphs are
 * compared. */
static CamGraph *
with_open_batch (const CamGraph *graph)
{
  CamGraph *copy = cam_graph_copy (graph, NULL);

  for (guint i = 0; copy && i < copy->inputs->len; i++)
    {
      CamShape *shape = &((CamValue *) copy->inputs->pdata[i])->shape;

      if (shape->n_dims > 0)
        shape->dims[0] = -1;
    }
  return copy;
}

CamGraph *
cam_batch_bind_single (const CamGraph *many, CamNetwork *network,
                       const char *const *names, const CamPlanOptions *options)
{
  guint n = many->inputs->len;
  g_autofree CamBinding *bindings = g_new0 (CamBinding, n);
  g_autoptr (CamGraph) open = NULL;
  g_autoptr (CamGraph) one = NULL;

  if (options->reference || options->whole_batch || options->gradient_of
      || many->nodes->len == 0
      || cam_graph_constant_bytes (many) > MOST_WEIGHT_BYTES)
    return NULL;
  for (guint i = 0; i < n; i++)
    {
      const CamValue *input = many->inputs->pdata[i];

      if (input->shape.n_dims < 1 || input->shape.dims[0] < 2)
        return NULL;
      bindings[i].name = input->name;
      bindings[i].shape = input->shape;
      bindings[i].shape.dims[0] = 1;
    }
  open = with_open_batch (cam_network_graph (network));
  one = open ? cam_graph_bind (open, bindings, n, names, NULL) : NULL;
  return one && cam_graph_treats_pictures_apart (many, one)
           ? g_steal_pointer (&one) : NULL;
}

static CamValue *
add_copy (CamGraph *shell, const CamValue *value, const char *name)
{
  CamValue *copy = cam_graph_add_value (shell, name, NULL);

  copy->dtype = value->dtype;
  copy->shape = value->shape;
  return copy;
}

CamGraph *
cam_batch_shell (const CamGraph *many, const char *const *names)
{
  CamGraph *shell = cam_graph_new (many->name, many->opset);

  for (guint i = 0; i < many->inputs->len; i++)
    {
      const CamValue *input = many->inputs->pdata[i];

      g_ptr_array_add (shell->inputs, add_copy (shell, input, input->name));
    }
  for (guint i = 0; names[i]; i++)
    if (! cam_graph_find (shell, names[i]))
      add_copy (shell, cam_graph_find (many, names[i]), names[i]);
  return shell;
}

static gint64
n_pictures (const CamPlan *plan)
{
  return ((CamValue *) plan->inputs->pdata[0])->shape.dims[0];
}

/* As many lanes of @bytes each as the limit has room for, 1 to @most */
static int
lanes_with_room (const CamPlan *plan, gsize bytes, int most)
{
  guint64 taken = plan->arena_bytes + plan->weight_bytes;
  guint64 room = plan->memory_limit - MIN (taken, plan->memory_limit);

  return (int) CLAMP (room / MAX (bytes, 1), 1, (guint64) most);
}

/* A picture for each thread; or, where threads would be left over, all of them
 * for one picture after the other. */
gboolean
cam_batch_open_lanes (CamWorkspace *workspace, int n_threads, GError **error)
{
  CamPlan *plan = workspace->plan;
  gint64 pictures = n_pictures (plan);
  gboolean even = pictures % n_threads == 0
                  || pictures >= EVEN_ROUNDS * (gint64) n_threads;
  gsize bytes = cam_workspace_own_bytes (plan->single, 1);
  int n_lanes = even ? lanes_with_room (plan, bytes, n_threads) : 1;
  gboolean share = n_threads == 1 || n_lanes > 1;

  if (!share)
    bytes = cam_workspace_own_bytes (plan->single, n_threads);
  bytes = MIN (bytes, G_MAXSIZE - plan->arena_bytes);
  if (!cam_plan_check_room (plan, plan->arena_bytes + bytes, error))
    return FALSE;
  workspace->n_lanes = n_lanes;
  workspace->lanes = g_new0 (CamWorkspace *, workspace->n_lanes);
  workspace->threads = cam_threads_new (workspace->n_lanes);
  for (int i = 0; i < workspace->n_lanes; i++)
    {
      workspace->lanes[i] = cam_workspace_new (plan->single,
                                               share ? 1 : n_threads, error);
      if (! workspace->lanes[i])
        return FALSE;
    }
  return TRUE;
}

void
cam_batch_close_lanes (CamWorkspace *workspace)
{
  for (int i = 0; i < workspace->n_lanes; i++)
    cam_workspace_free (workspace->lanes[i]);
  g_clear_pointer (&workspace->lanes, g_free);
}

typedef struct
{
  CamWorkspace *workspace;
  GCancellable *cancellable;
  int stopped;
} Run;

/* Slice @picture of @many, which is as large as @one. */
static char *
slice (const CamTensor *many, const CamTensor *one, gint64 picture,
       gsize *bytes)
{
  *bytes = one->n_elements * cam_dtype_size (one->dtype);
  return (char *) many->data + (gsize) picture * *bytes;
}

static void
run_picture (gint64 picture, int thread, gpointer data)
{
  Run *run = data;
  const CamPlan *plan = run->workspace->plan;
  CamWorkspace *lane = run->workspace->lanes[thread];
  GHashTableIter fetches;
  gpointer name, value;
  gsize bytes;

  for (guint i = 0; i < plan->inputs->len; i++)
    {
      const CamValue *many = plan->inputs->pdata[i];
      const CamValue *one = plan->single->inputs->pdata[i];
      CamTensor *to = lane->tensors[one->index];
      const char *from = slice (run->workspace->tensors[many->index], to,
                                picture, &bytes);

      memcpy (to->data, from, bytes);
    }
  if (! cam_workspace_run (lane, run->cancellable, NULL))
    {
      g_atomic_int_set (&run->stopped, TRUE);
      return;
    }
  g_hash_table_iter_init (&fetches, plan->fetches);
  while (g_hash_table_iter_next (&fetches, &name, &value))
    {
      const CamTensor *one = cam_workspace_get (lane, name);
      char *to = slice (run->workspace->tensors[((CamValue *) value)->index],
                        one, picture, &bytes);

      memcpy (to, one->data, bytes);
    }
}

gboolean
cam_batch_run (CamWorkspace *workspace, GCancellable *cancellable,
               GError **error)
{
  Run run = { workspace, cancellable, FALSE };

  cam_threads_run (workspace->threads, n_pictures (workspace->plan),
                   run_picture, &run);
  if (run.stopped)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED,
                 _ ("the run was stopped"));
  return ! run.stopped;
}
