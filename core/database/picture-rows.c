/* picture-rows.c -- pictures with embeddings and weights, one after another */
#include "core/database/picture-rows.h"

struct _CamPictureRows
{
  CamStatement *select;
  int dim, n_channels;
  char *path, *digest, *label; /* of the row at hand */
  float *embedding, *weights;
};

CamPictureRows *
cam_picture_rows_new (CamSql *sql, const char *select, int embedding_dim,
                      int n_channels, GError **error)
{
  g_autoptr (CamPictureRows) rows = g_new0 (CamPictureRows, 1);

  rows->dim = embedding_dim;
  rows->n_channels = n_channels;
  rows->embedding = g_new (float, embedding_dim);
  rows->weights = g_new (float, n_channels);
  rows->select = cam_sql_prepare (sql, select, error);
  return rows->select != NULL ? g_steal_pointer (&rows) : NULL;
}

static void
clear_row (CamPictureRows *rows)
{
  g_clear_pointer (&rows->path, g_free);
  g_clear_pointer (&rows->digest, g_free);
  g_clear_pointer (&rows->label, g_free);
}

void
cam_picture_rows_free (CamPictureRows *rows)
{
  if (rows == NULL)
    return;
  clear_row (rows);
  cam_statement_free (rows->select);
  g_free (rows->embedding);
  g_free (rows->weights);
  g_free (rows);
}

void
cam_picture_rows_rewind (CamPictureRows *rows)
{
  sqlite3_reset (rows->select);
}

int
cam_picture_rows_next (CamPictureRows *rows, CamDbPicture *picture, int *id,
                       GError **error)
{
  CamStatement *s = rows->select;
  gboolean has_weights;
  int counts[3] = { 0 };
  int status = cam_statement_step (s, error);

  if (status != SQLITE_ROW)
    return status == SQLITE_DONE ? 0 : -1;
  clear_row (rows);
  if (! cam_column_count (s, 0, 0, G_MAXINT, id, error))
    return -1;
  for (int i = 0; i < 3; i++)
    if (! cam_column_is_null (s, 5 + i)
        && ! cam_column_count (s, 5 + i, 0, G_MAXINT, &counts[i], error))
      return -1;
  rows->path = cam_column_text (s, 1);
  rows->digest = cam_column_text (s, 2);
  rows->label = cam_column_text (s, 3);
  has_weights = ! cam_column_is_null (s, 9);
  if (! cam_column_floats (s, 8, rows->dim, rows->embedding, error)
      || (has_weights
          && ! cam_column_floats (s, 9, rows->n_channels, rows->weights,
                                  error)))
    return -1;
  *picture = (CamDbPicture) {
    .path = rows->path,
    .digest = rows->digest,
    .label = rows->label,
    .has_value = ! cam_column_is_null (s, 4),
    .value = sqlite3_column_double (s, 4),
    .triplets = counts[0],
    .semi_hard = counts[1],
    .active = counts[2],
    .embedding = rows->embedding,
    .weights = has_weights ? rows->weights : NULL,
  };
  return 1;
}
