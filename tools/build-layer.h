/* build-layer.h -- which layer camlens build takes */
#pragma once

#include "core/builder/builder.h"
#include "tools/progress.h"

typedef struct
{
  char *layer;
  char *choice; /* what was measured, in words; NULL: nothing was */
} BuildLayer;

void build_layer_clear (BuildLayer *layer);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (BuildLayer, build_layer_clear)

/* @wanted NULL or "auto": that of the build that is resumed, else chosen by
 * measurement on a sample of the pictures. @options: all but layer is set. */
gboolean build_layer_choose (const char *wanted, const char *out,
                             const CamBuildOptions *options, Progress *progress,
                             GCancellable *cancellable, BuildLayer *layer,
                             GError **error);
