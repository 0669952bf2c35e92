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
  GHashTable *fallbacks; /* embedding -> fallback layer or "" */
};
