/* skip-reason.h -- why a picture is left out of a database
 *
 * The file keeps a word, so that it is the same whatever language its builder
 * speaks; people read a sentence in their own.
 */
#pragma once

#include <gio/gio.h>

#define CAM_SKIP_ERROR (cam_skip_error_quark ())
GQuark cam_skip_error_quark (void);
typedef enum
{
  CAM_SKIP_ERROR_ZERO /* an embedding of length 0 */
} CamSkipError;

#define CAM_SKIP_ZERO "zero embedding" /* its word */

/* The word for what @error says of a picture, "damaged" (static). */
const char *cam_skip_reason_word (const GError *error);
/* What follows "NAME: " of a word, translated (static); where it is none, as
 * in a database of an earlier release, @word itself. */
const char *cam_skip_reason_text (const char *word);
