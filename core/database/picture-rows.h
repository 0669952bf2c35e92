/* picture-rows.h -- pictures with embeddings and weights, one after another,
 * from a database or from a build under way
 */
#pragma once

#include "core/database/db-writer.h"
#include "core/database/sql.h"

typedef struct _CamPictureRows CamPictureRows;

/* @select gives id, path, digest, label, value, triplets, semi_hard, active,
 * embedding, weights.  (transfer full) */
CamPictureRows *cam_picture_rows_new (CamSql *sql, const char *select,
                                      int embedding_dim, int n_channels,
                                      GError **error);
void cam_picture_rows_free (CamPictureRows *rows);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamPictureRows, cam_picture_rows_free)

/* Back to the first. */
void cam_picture_rows_rewind (CamPictureRows *rows);
/* 1: @picture is filled in (borrowed until the next; cluster and similarity
 * are not), *@id its number; 0: the end; -1: an error. */
int cam_picture_rows_next (CamPictureRows *rows, CamDbPicture *picture, int *id,
                           GError **error);
