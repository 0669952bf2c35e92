/* advice.c -- see advice.h */
#include "config.h"

#include "tools/advice.h"

#include <glib/gi18n.h>

#include "core/database/cluster-db.h"
#include "core/graph/graph.h"
#include "core/model/model.h"

const char *
advice_for (const GError *error)
{
  if (g_error_matches (error, CAM_CLUSTER_DB_ERROR,
                       CAM_CLUSTER_DB_ERROR_OTHER_MODEL))
    return _ ("“camlens build” makes one");
  if (g_error_matches (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_LAYER)
      || g_error_matches (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_EMBEDDING)
      || g_error_matches (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NOT_FOUND))
    return _ ("“camlens inspect” lists the tensors");
  return NULL;
}
