/* evidence.h -- what an explanation rests on, beside its picture
 *
 * The cluster's number, size and labels, its nearest exemplars, the similarity;
 * and words of warning where the picture is far from everything or the map is
 * empty.
 */
#pragma once

#include "core/database/cluster-db.h"
#include "core/image/overlay.h"
#include <gtk/gtk.h>

typedef struct
{
  int cluster, n_clusters;
  const CamCluster *members; /* NULL: cannot be read */
  const CamExemplar
      *neighbour; /* whose weights are used; NULL: the cluster's */
  double similarity;
  gboolean far;
  CamEmpty empty;  /* why the map is; CAM_EMPTY_NOT: it is not */
  gboolean helped; /* by more channels */
  gboolean far_unknown;
} CamEvidence;

/* Why it should not be believed; NULL: nothing against it. (transfer full) */
char *cam_evidence_warning (const CamEvidence *evidence);
GtkWidget *cam_evidence_new (void);
/* NULL @evidence: nothing is known yet. */
void cam_evidence_set (GtkWidget *widget, const CamEvidence *evidence);
