/* build-settings.h -- what the results of a build depend on, written down so
 * that it is not resumed as another
 */
#pragma once

#include "core/builder/builder.h"
#include "core/database/sql.h"

/* Writes tables setting and source. */
gboolean cam_build_settings_write (CamSql *sql, const CamBuildOptions *options,
                                   GError **error);
/* Fails (INVALID_ARGUMENT) naming the first difference, and (MALFORMED) where
 * pictures have numbers that they cannot have. */
gboolean cam_build_settings_check (CamSql *sql, const CamBuildOptions *options,
                                   GError **error);
/* Does the finished database @path come of the same settings and pictures?
 * Then its layer goes into the summary. */
gboolean cam_build_settings_match (const char *path,
                                   const CamBuildOptions *options,
                                   CamBuildSummary *summary);
/* What is only known while the build goes on: layer, layer_choice.  (transfer
 * full); NULL: not yet */
char *cam_build_setting (CamSql *sql, const char *key);
gboolean cam_build_setting_set (CamSql *sql, const char *key, const char *value,
                                GError **error);
/* How pictures go in, in one line for people and for comparing (transfer
 * full) */
char *cam_build_preprocessing (const CamInputSettings *settings);
