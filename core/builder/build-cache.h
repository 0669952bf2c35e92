/* build-cache.h -- what pass 1 leaves for pass 2: activations, in a scratch
 * file that has no name
 *
 * Slots of one size, one a picture, numbered as the pictures are; those beyond
 * the bound are simply not there.  Nor are those for which the disk has no room
 * beside what the build must write there; where it fills up all the same, all
 * the room that the file took is given back.
 * Threads: any number may put and get at once, each its own pictures.
 */
#pragma once

#include <gio/gio.h>

typedef struct _CamBuildCache CamBuildCache;

/* @path: the file is made beside it.  @slot_bytes for each of @n_slots; at most
 * @bound bytes in all, and so many that @reserve bytes of the disk stay free.
 * Never fails: at worst it keeps nothing.  (transfer full) */
CamBuildCache *cam_build_cache_new (const char *path, gsize slot_bytes,
                                    int n_slots, guint64 bound,
                                    guint64 reserve);
void cam_build_cache_free (CamBuildCache *cache);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamBuildCache, cam_build_cache_free)
void cam_build_cache_put (CamBuildCache *cache, int slot, gconstpointer data);
gboolean cam_build_cache_get (CamBuildCache *cache, int slot, gpointer data);
/* Did the disk, and not the bound, keep slots out? */
gboolean cam_build_cache_is_short (CamBuildCache *cache);
/* Is it there? */
gboolean cam_build_cache_has (CamBuildCache *cache, int slot);
