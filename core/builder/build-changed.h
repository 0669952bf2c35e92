/* build-changed.h -- has a picture changed since a build looked at it?
 *
 * A file whose size and both times (of its content, and of the file: the latter
 * nobody can set back) are as they were has not changed; of another the SHA-256
 * decides.
 */
#pragma once

#include "core/builder/build-private.h"

/* How file @path lies there; all 0 where it cannot be asked. */
CamFileStamp cam_build_stamp (const char *path);
/* A resumed build forgets the pictures that have changed, to embed them again;
 * with the first of them all channel weights, which depend on everyone's
 * embeddings, and a layer that was chosen by one of them.  Fills in the
 * summary's n_changed and changed. */
gboolean cam_build_forget_changed (CamBuild *build, GError **error);
/* Are the files those that @db was built of, and those that it left out still
 * unreadable? */
gboolean cam_build_files_match (const CamClusterDb *db,
                                const CamBuildOptions *options);
