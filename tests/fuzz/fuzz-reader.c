/* fuzz-reader.c -- libFuzzer's target: a model file that may be anything
 *
 * Beside reading it, the graph is bound to shapes and folded, as every use of
 * a model does, and to a batch of them.  Nothing may crash, hang or take more memory than the limit;
 * what the reader says of the file is not looked at.
 */
#include "core/engine/network.h"
#include "core/graph/bind.h"
#include "core/graph/pictures.h"
#include "tests/fuzz/fuzz.h"

#define MEMORY_LIMIT ((guint64) 64 << 20)
#define SIDE 32 /* of pictures, where the model leaves it open */

/* Shapes as the file has them, with @batch and SIDE for what it leaves open */
static CamGraph *
bind (CamNetwork *network, gint64 batch)
{
  const CamGraph *graph = cam_network_graph (network);
  g_autofree CamBinding *bindings = g_new0 (CamBinding, graph->inputs->len);

  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *input = graph->inputs->pdata[i];

      bindings[i].name = input->name;
      bindings[i].shape = input->shape;
      for (int d = 0; d < input->shape.n_dims; d++)
        if (input->shape.dims[d] < 0)
          bindings[i].shape.dims[d] = d ? SIDE : batch;
    }
  return cam_graph_bind (graph, bindings, graph->inputs->len, NULL, NULL);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (GPtrArray) layers = NULL;
  g_autoptr (CamGraph) many = NULL;
  g_autoptr (CamGraph) one = NULL;

  network = cam_network_load_bytes (bytes, NULL, MEMORY_LIMIT, NULL);
  if (! network)
    return 0;
  layers = cam_network_layers (network, SIDE, SIDE, NULL);
  if (layers)
    cam_network_fallback_layer (network, cam_network_embedding (network));
  many = bind (network, 3);
  one = many ? bind (network, 1) : NULL;
  if (one)
    cam_graph_treats_pictures_apart (many, one);
  return 0;
}
