/* schema.h -- the tables of a cluster database; docs/FORMATS-DATABASE.md tells
 * people of them
 */
#pragma once

#include "core/database/sql.h"

#define CAM_DB_APPLICATION_ID 0x43614c6e /* "CaLn" */
#define CAM_DB_VERSION 1
#define CAM_DB_MAX_DIM (1 << 20) /* of an embedding, and channels */
#define CAM_DB_MAX_CLUSTERS (1 << 24)

/* CREATE TABLE statements of a finished database. */
extern const char cam_db_schema[];

/* Is it one of ours, of a version that we know, made of plain tables? */
gboolean cam_db_check_schema (CamSql *sql, GError **error);

/* Writes @info into the table "info", one row a field. */
gboolean cam_db_write_info (CamSql *sql, const CamClusterDbInfo *info,
                            GError **error);
/* Reads it; strings live as long as @strings. n_pictures and n_clusters are
 * what the file claims, within limits. */
gboolean cam_db_read_info (CamSql *sql, GStringChunk *strings,
                           CamClusterDbInfo *info, GError **error);
