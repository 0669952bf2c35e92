/* fuzz-reader.c -- libFuzzer's target: a model file that may be anything
 *
 * Beside reading it, the graph is bound to shapes and folded, as every use of
 * a model does.  Nothing may crash, hang or take more memory than the limit;
 * what the reader says of the file is not looked at.
 */
#include "core/engine/network.h"
#include "tests/fuzz/fuzz.h"

#define MEMORY_LIMIT ((guint64) 64 << 20)
#define SIDE 32 /* of pictures, where the model leaves it open */

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (CamNetwork) network = NULL;
  g_autoptr (GPtrArray) layers = NULL;

  network = cam_network_load_bytes (bytes, NULL, MEMORY_LIMIT, NULL);
  if (! network)
    return 0;
  layers = cam_network_layers (network, SIDE, SIDE, NULL);
  if (layers)
    cam_network_fallback_layer (network, cam_network_embedding (network));
  return 0;
}
