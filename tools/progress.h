/* progress.h -- how far a long command is, on standard error
 *
 * On a terminal a bar that is drawn over itself, with rate and time left;
 * elsewhere a line every ten seconds and at the end of a stage.  For programs,
 * lines on standard output twice a second:
 *
 *   progress DONE TOTAL RATE SECONDS-LEFT STAGE
 *
 * RATE is a second, over the last half minute; SECONDS-LEFT of this stage, -1
 * where not known.
 */
#pragma once

#include <glib.h>

typedef enum
{
  PROGRESS_PEOPLE,
  PROGRESS_PROGRAM,
  PROGRESS_NONE
} ProgressKind;

typedef struct _Progress Progress;

Progress *progress_new (ProgressKind kind);
/* Ends the bar's line; more may come. */
void progress_end (Progress *progress);
void progress_free (Progress *progress);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Progress, progress_free)
/* Cheap: may be called as often as one likes.  A change of @stage, which is
 * marked with NC_ ("stage", ...) and lives on, begins anew. */
void progress_show (Progress *progress, const char *stage, gint64 done,
                    gint64 total);
