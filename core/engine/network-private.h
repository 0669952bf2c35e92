/* network-private.h -- what the files of CamNetwork share */
#pragma once

#include "core/engine/network.h"
#include "core/onnx/reader.h"

struct _CamNetwork
{
  gatomicrefcount ref_count;
  CamOnnxModel *model;
  GBytes *bytes; /* what it was read from; NULL: a file */
  GMutex lock;   /* of what follows, found when first asked for */
  char *digest;
  gboolean embedding_known;
  char *embedding;
  char *picture, *chosen; /* input and embedding of the settings, or NULL */
  int height, width;      /* of pictures where the caller is silent */
  GHashTable *fallbacks;  /* embedding -> fallback layer or "" */
};

#define CAM_NETWORK_SIDE 224 /* of pictures where all are silent */

/* Bound to @batch pictures of @height x @width (0: the network's), where the
 * file leaves these open; what an input beside the picture leaves open is the
 * picture's where the names are the same, else 1.  @keep as in
 * cam_graph_bind. */
CamGraph *cam_network_bind (const CamNetwork *network, const char *const *keep,
                            gint64 batch, gint64 height, gint64 width,
                            GError **error);

/* Of rank 4 and float32 */
gboolean cam_value_may_be_picture (const CamValue *input);
/* Of rank 4, with more than one position, made by a node */
gboolean cam_value_is_spatial (const CamValue *value);
/* Of rank 3, [N, T, D] or [N, D, T], with more than one position */
gboolean cam_value_is_tokens (const CamValue *value);
