/* labelled.h -- pictures with their labels: what a database is built of */
#pragma once

#include <gio/gio.h>

#include "core/builder/builder.h"

typedef struct
{
  GArray *pictures;   /* of CamBuildPicture */
  int n_labels;       /* different ones */
  int n_unlabelled;   /* not in the labels' file */
  int n_unfound;      /* names in that file of no picture that exists */
  char *unfound;      /* the first of them */
  GStringChunk *text; /* what the pictures point to */
} Labelled;

/* Pictures of @paths (folders opened up).  Names are relative to a folder that
 * is the only path, else as given.  Labels: from @labels_file (CSV of path,
 * label; paths as the names, as given, relative to the
 * file or the working folder, or the bare file name where only one picture has
 * it), else the name of the folder that a picture lies in.  @continuous: labels
 * are numbers; pictures without one are left out.  (transfer full) */
Labelled *labelled_new (char *const *paths, int n_paths,
                        const char *labels_file, gboolean continuous,
                        GError **error);
void labelled_free (Labelled *labelled);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Labelled, labelled_free)
