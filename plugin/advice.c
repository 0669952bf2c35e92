/* advice.c -- see advice.h */
#include "config.h"
#include "plugin/advice.h"
#include "core/database/cluster-db.h"
#include <glib/gi18n.h>

void
cam_advice_add (GError **error)
{
  char *message;

  if (! error || ! *error
      || ! g_error_matches (*error, CAM_CLUSTER_DB_ERROR,
                            CAM_CLUSTER_DB_ERROR_OTHER_MODEL))
    return;
  message =
      g_strdup_printf ("%s (%s)", (*error)->message,
                       _ ("Filters > CamLens > Build Cluster Database makes "
                          "one"));
  g_free ((*error)->message);
  (*error)->message = message;
}
