/* loaded.h -- a model ready to run, and the cluster database that goes with it
 *
 * Opening takes the time of a file and a plan, so the dialog does it in a
 * thread; nothing here touches GIMP or GTK.
 */
#pragma once

#include "ui/options.h"

typedef struct
{
  CamModel *model;
  CamExplainer *explainer;
  GPtrArray *databases; /* char *: paths of those beside the model that fit */
  CamClusterDb *db;     /* NULL where only gradients are asked for          */
} CamLoaded;

/* The model, and what databases there are for it. (transfer full) */
CamLoaded *cam_loaded_new (const char *model, GCancellable *cancellable,
                           GError **error);
/* Opens the database @name ("": the model's own) and plans the network up to
 * the layer that its weights belong to; what is there already is kept.  On
 * failure there is no database, but the model stays. */
gboolean cam_loaded_use_database (CamLoaded *loaded, const char *name,
                                  GCancellable *cancellable, GError **error);
/* Tells the person, without a dialog, what speaks against the model; in the main
 * thread. */
void cam_loaded_warn (const CamLoaded *loaded);
/* Plans the network with gradients, for explicit triplets. */
gboolean cam_loaded_use_gradient (CamLoaded *loaded, GError **error);
void cam_loaded_free (CamLoaded *loaded);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamLoaded, cam_loaded_free)

/* "objects" for people: the title, or the name of the file */
const char *cam_loaded_title (const CamLoaded *loaded);
