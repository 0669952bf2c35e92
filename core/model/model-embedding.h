/* model-embedding.h -- which tensor of a network is its embedding
 *
 * The settings say it, or it is the output that looks most like one; what looks
 * like a classifier's scores is said in words, and what is not one vector for a
 * picture is refused.
 */
#pragma once

#include "core/model/settings.h"

/* The tensor's name (transfer full), of @height x @width pictures (0: what the
 * network says); adds to @guesses where the settings do not say it. */
char *cam_model_embedding_choose (const CamNetwork *network,
                                  const CamSettings *settings, int height,
                                  int width, GPtrArray *guesses,
                                  GError **error);
/* Of a settled network: the embedding can be had and is what it should be. Adds
 * to @warnings where it looks like something else. */
gboolean cam_model_embedding_verify (const CamNetwork *network,
                                     const char *embedding, GPtrArray *warnings,
                                     GError **error);
/* @shape, bound to one picture, is that of one float32 vector. */
gboolean cam_model_embedding_fits (const char *name, CamDType dtype,
                                   const CamShape *shape, GError **error);
