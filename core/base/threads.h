/* threads.h -- a fixed crew of threads that share out numbered tiles
 *
 * The tiles are fixed by the work, not by the number of threads, and each tile
 * is computed by one thread alone: so results do not depend on the crew.
 * cam_threads_run returns when all tiles are done.  One run at a time a crew;
 * a crew is not shared between callers that run at once.
 */
#pragma once

#include <glib.h>

typedef struct _CamThreads CamThreads;

/* @tile is in 0 .. n_tiles - 1, @thread in 0 .. n_threads - 1 (for scratch) */
typedef void (*CamTileFunc) (gint64 tile, int thread, gpointer data);

#define CAM_MOST_THREADS 256

/* How many a crew of @n_threads has: from 1 to CAM_MOST_THREADS, and for 0 as
 * many as the machine has cores. */
int cam_threads_resolve (int n_threads);
/* @n_threads 0: as many as the machine has cores.  1 starts none.  Where the
 * system starts fewer, the crew is smaller, and all else the same. */
CamThreads *cam_threads_new (int n_threads);
void cam_threads_free (CamThreads *threads);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamThreads, cam_threads_free)
int cam_threads_count (const CamThreads *threads); /* NULL: 1 */
/* @threads NULL runs all tiles in the caller's thread. */
void cam_threads_run (CamThreads *threads, gint64 n_tiles, CamTileFunc func,
                      gpointer data);
