/* build-cache.h -- what pass 1 leaves for pass 2: activations, in a scratch
 * file that has no name
 *
 * Slots of one size, one a picture, numbered as the pictures are; those beyond
 * the bound, and those that did not fit on the disk, are simply not there.
 * Threads: any number may put and get at once, each its own pictures.
 */
#pragma once

#include <gio/gio.h>

typedef struct _CamBuildCache CamBuildCache;

/* @path: the file is made beside it.  @slot_bytes for each of @n_slots; at most
 * @bound bytes in all.  Never fails: at worst it keeps nothing.  (transfer
 * full) */
CamBuildCache *cam_build_cache_new (const char *path, gsize slot_bytes,
                                    int n_slots, guint64 bound);
void cam_build_cache_free (CamBuildCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamBuildCache, cam_build_cache_free)
void cam_build_cache_put (CamBuildCache *cache, int slot, gconstpointer data);
gboolean cam_build_cache_get (CamBuildCache *cache, int slot, gpointer data);
/* Is it there? */
gboolean cam_build_cache_has (CamBuildCache *cache, int slot);
