/* build-work.h -- OUT.partial: what a build knows so far
 *
 * Tables: setting (what the results depend on), source (the pictures, in
 * order), trial (the choice of a layer: what a picture gave a candidate), seen
 * (pass 1: embedding, or why there is none), weighed (pass 2).  Everything is
 * keyed by the picture's number, so the order of arrival leaves no trace.
 */
#pragma once

#include "core/builder/builder.h"
#include "core/database/picture-rows.h"
#include "core/method/faithfulness.h"

typedef struct _CamBuildWork CamBuildWork;

typedef struct /* how a file lay there; times in ns */
{
  gint64 size, mtime, ctime;
} CamFileStamp;

/* Opens, locks, and begins or resumes.  (transfer full) */
CamBuildWork *cam_build_work_new (const char *out,
                                  const CamBuildOptions *options,
                                  GError **error);
void cam_build_work_free (CamBuildWork *work);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamBuildWork, cam_build_work_free)

/* What cam_build_work_new would refuse at once: to ask before other work. */
gboolean cam_build_may_begin (const char *out, const CamBuildOptions *options,
                              GError **error);

/* Layer and layer_choice, where the build knows its layer already.  (transfer
 * full) */
gboolean cam_build_work_layer (CamBuildWork *work, char **layer, char **choice);
/* @choice NULL: nothing was measured. */
gboolean cam_build_work_set_layer (CamBuildWork *work, const char *layer,
                                   const char *choice, GError **error);
/* Trials stand for one @sample (a digest of the pictures that they were made
 * with): those of another are forgotten. */
gboolean cam_build_work_set_sample (CamBuildWork *work, const char *sample,
                                    GError **error);
gboolean cam_build_work_find_trial (CamBuildWork *work, int picture,
                                    const char *layer, CamFaithfulness *areas);
gboolean cam_build_work_add_trial (CamBuildWork *work, int picture,
                                   const char *layer,
                                   const CamFaithfulness *areas,
                                   GError **error);

/* [n_pictures] for each: TRUE where pass 1, or 2, is done with it. */
gboolean cam_build_work_done (CamBuildWork *work, int n_pictures,
                              gboolean *seen, gboolean *weighed,
                              GError **error);
gboolean cam_build_work_add_seen (CamBuildWork *work, int picture,
                                  const CamFileStamp *stamp, const char *digest,
                                  const float *embedding, int dim,
                                  GError **error);
/* The file keeps the kind of @why; this run's summary has all that it says. */
gboolean cam_build_work_add_skipped (CamBuildWork *work, int picture,
                                     const CamFileStamp *stamp,
                                     const GError *why, GError **error);
/* @weights NULL: its label has no other picture */
gboolean cam_build_work_add_weighed (CamBuildWork *work, int picture,
                                     const CamTripletCounts *counts,
                                     gsize n_below, const float *weights,
                                     int n_channels, GError **error);
/* Commits where the last commit is two seconds old, or @now. */
gboolean cam_build_work_commit (CamBuildWork *work, gboolean now,
                                GError **error);

/* For the file that looks for changed pictures */
CamSql *cam_build_work_sql (CamBuildWork *work);
/* How many have an embedding; -1 with an error. */
int cam_build_work_count (CamBuildWork *work, GError **error);
/* Did pass 1 find nothing but embeddings of length 0? */
gboolean cam_build_work_all_zero (CamBuildWork *work);
/* Reads them in order: @pictures [n] numbers below @n_pictures, @rows [n, dim].
 */
gboolean cam_build_work_embeddings (CamBuildWork *work, int n, int dim,
                                    int n_pictures, int *pictures, float *rows,
                                    GError **error);
/* SHA-256 of the files as pass 1 saw them: picture number -> text (transfer
 * full) */
GHashTable *cam_build_work_digests (CamBuildWork *work, GError **error);
/* Rows for clustering: of the pictures that have an embedding. */
CamPictureRows *cam_build_work_rows (CamBuildWork *work, int dim,
                                     int n_channels, GError **error);
/* Sums and the skipped pictures, into the summary. */
gboolean cam_build_work_summary (CamBuildWork *work, CamBuildSummary *summary,
                                 GError **error);
/* The database is finished: removes the file. */
void cam_build_work_remove (CamBuildWork *work);
