/* build-private.h -- a build under way, for the files of its passes */
#pragma once

#include "core/base/pipeline.h"
#include "core/base/threads.h"
#include "core/builder/build-cache.h"
#include "core/builder/build-work.h"
#include "core/method/seeds.h"

typedef struct
{
  const CamBuildOptions *options;
  GCancellable *cancellable;
  CamBuildSummary *summary;
  CamSplit *split;
  CamSplitRun **runs; /* [n_jobs] */
  int n_jobs, dim, n_channels;
  CamThreads *threads;
  CamBuildWork *work;
  CamBuildCache *cache;
  gboolean *seen, *weighed; /* [n_pictures] */
  gboolean hopeless;        /* nothing that was done is worth resuming */

  /* after pass 1 */
  int n_rows;          /* pictures that have an embedding */
  int *ids;            /* [n_rows]: their numbers */
  float *unit;         /* [n_rows, dim] */
  float *norms;        /* [n_rows] */
  GHashTable *digests; /* picture number -> SHA-256 */
  CamTriplets *triplets;
  CamTriplet *drawn;        /* [n_rows, n_triplets]; NULL: drawn when needed */
  CamTripletCounts *counts; /* [n_rows] with drawn */

  /* the pass under way */
  CamBuildStage stage;
  int *todo; /* pictures, or rows */
  int n_todo;
  gint64 done, total;
} CamBuild;

/* Opens a picture and hashes the file (any thread). */
CamTensor *cam_build_load (CamBuild *build, int picture, char **digest,
                           GError **error);
/* Tells the caller how far it is. */
void cam_build_report (CamBuild *build);
/* Fills in the summary's layer and layer_choice: what the options or the
 * resumed build say, else by measurement. */
gboolean cam_build_choose_layer (CamBuild *build, GError **error);
/* Pass 1: what is not seen yet. */
gboolean cam_build_embed (CamBuild *build, GError **error);
/* Between the passes: embeddings, labels, and, where they are mined, all
 * triplets. */
gboolean cam_build_mine (CamBuild *build, GError **error);
/* Can the first @n pictures of @ids (NULL: all) make triplets at all? */
CamTriplets *cam_build_label (const CamBuildOptions *options, const int *ids,
                              int n, GError **error);
/* Pass 2: what is not weighed yet. */
gboolean cam_build_weigh (CamBuild *build, GError **error);
