/* exemplars.h -- for each cluster its labels, and the pictures nearest to its
 * centroid
 */
#pragma once

#include "core/base/threads.h"
#include "core/database/db-writer.h"

#define CAM_N_EXEMPLARS 8 /* a cluster */

typedef struct _CamExemplars CamExemplars;

CamExemplars *cam_exemplars_new (int n_clusters);
void cam_exemplars_free (CamExemplars *exemplars);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamExemplars, cam_exemplars_free)
/* @number: in the database; @id: what the loader of thumbnails knows it by.
 * Ties in similarity go to the one that came first. */
void cam_exemplars_add (CamExemplars *exemplars, int number, int id,
                        const CamDbPicture *picture);
/* Loads the thumbnails of all that are left. */
void cam_exemplars_load (CamExemplars *exemplars,
                         GBytes *(*thumbnail) (int id, const char *path,
                                               gpointer data),
                         gpointer data, CamThreads *threads);
/* Nearest first; borrowed */
const CamDbExemplar *cam_exemplars_of (const CamExemplars *exemplars,
                                       int cluster, guint *n);
/* Array of CamLabelCount, most frequent first, then by name; the container is
 * the caller's, the labels are borrowed. */
GArray *cam_exemplars_labels (const CamExemplars *exemplars, int cluster);
