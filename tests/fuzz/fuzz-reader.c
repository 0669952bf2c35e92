/* fuzz-reader.c -- libFuzzer's target: a model file that may be anything
 *
 * Beside reading it, the graph is bound to shapes and folded, as every use of
 * a model does, and to a batch of them, and the passes make plans of it, with a
 * gradient and without.  Nothing may crash, hang or take more memory than the
 * limit; what the reader says of the file is not looked at.
 */
#include "core/engine/network.h"
#include "core/engine/plan.h"
#include "core/graph/bind.h"
#include "core/graph/pictures.h"
#include "tests/fuzz/fuzz.h"

#define MEMORY_LIMIT ((guint64) 64 << 20)
#define SIDE 32 /* of pictures, where the model leaves it open */

#define INPUT_LIMIT ((gint64) 1 << 20) /* elements, of what is planned */

/* Shapes as the file has them, with @batch and SIDE for what it leaves open
 * (transfer full) [inputs] */
static CamBinding *
bindings_of (CamNetwork *network, gint64 batch)
{
  const CamGraph *graph = cam_network_graph (network);
  CamBinding *bindings = g_new0 (CamBinding, graph->inputs->len);

  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *input = graph->inputs->pdata[i];

      bindings[i].name = input->name;
      bindings[i].shape = input->shape;
      for (int d = 0; d < input->shape.n_dims; d++)
        if (input->shape.dims[d] < 0)
          bindings[i].shape.dims[d] = d ? SIDE : batch;
    }
  return bindings;
}

static CamGraph *
bind (CamNetwork *network, gint64 batch)
{
  const CamGraph *graph = cam_network_graph (network);
  g_autofree CamBinding *bindings = bindings_of (network, batch);

  return cam_graph_bind (graph, bindings, graph->inputs->len, NULL, NULL);
}

/* @at: NULL, or where a gradient of @of goes */
static void
plan (CamNetwork *network, const char *of, const char *at)
{
  guint n = cam_network_graph (network)->inputs->len;
  g_autofree CamBinding *bindings = bindings_of (network, 1);
  const char *targets[] = { at, NULL };
  CamPlanOptions options = { .bindings = bindings,
                             .n_bindings = n,
                             .gradient_of = at ? of : NULL,
                             .gradient_at = at ? targets : NULL,
                             .memory_limit = MEMORY_LIMIT };
  g_autoptr (CamPlan) made = NULL;
  gsize elements;

  for (guint i = 0; i < n; i++)
    if (! cam_shape_count (&bindings[i].shape, 1, &elements)
        || elements > INPUT_LIMIT)
      return;
  made = cam_plan_new (network, &options, NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (GPtrArray) layers = NULL;
  g_autoptr (CamGraph) many = NULL;
  g_autoptr (CamGraph) one = NULL;
  const char *of, *at;

  network = cam_network_load_bytes (bytes, NULL, MEMORY_LIMIT, NULL);
  if (! network)
    return 0;
  layers = cam_network_layers (network, SIDE, SIDE, NULL);
  of = cam_network_embedding (network);
  at = layers && of ? cam_network_fallback_layer (network, of) : NULL;
  plan (network, of, NULL);
  if (at)
    plan (network, of, at);
  many = bind (network, 3);
  one = many ? bind (network, 1) : NULL;
  if (one)
    cam_graph_treats_pictures_apart (many, one);
  return 0;
}
