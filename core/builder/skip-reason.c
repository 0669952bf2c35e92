/* skip-reason.c -- see skip-reason.h */
#include "config.h"
#include "core/builder/skip-reason.h"
#include <glib/gi18n.h>
#include <string.h>
#include "core/base/tensor.h"

/* clang-format off */
G_DEFINE_QUARK (cam-skip-error-quark, cam_skip_error)
/* clang-format on */

static const struct
{
  const char *word, *text;
} reasons[] = {
  { "missing", N_ ("it is not there") },
  { "forbidden", N_ ("it may not be read") },
  { "no file", N_ ("it is not a file") },
  { "unknown format", N_ ("not a picture of a known format") },
  { "damaged", N_ ("it is damaged or cut short") },
  { "too large", N_ ("it is too large for the memory") },
  { CAM_SKIP_ZERO, N_ ("the network gives it an embedding of length 0") },
  { "unreadable", N_ ("it cannot be read") },
};

static const char *
word_of_code (int code)
{
  switch (code)
    {
    case G_IO_ERROR_NOT_FOUND: return "missing";
    case G_IO_ERROR_PERMISSION_DENIED: return "forbidden";
    case G_IO_ERROR_IS_DIRECTORY:
    case G_IO_ERROR_NOT_REGULAR_FILE: return "no file";
    case G_IO_ERROR_NOT_SUPPORTED: return "unknown format";
    case G_IO_ERROR_INVALID_DATA:
    case G_IO_ERROR_PARTIAL_INPUT: return "damaged";
    case G_IO_ERROR_NO_SPACE: return "too large";
    default: return "unreadable";
    }
}

const char *
cam_skip_reason_word (const GError *error)
{
  if (g_error_matches (error, CAM_TENSOR_ERROR, CAM_TENSOR_ERROR_TOO_LARGE))
    return "too large";
  if (g_error_matches (error, CAM_SKIP_ERROR, CAM_SKIP_ERROR_ZERO))
    return CAM_SKIP_ZERO;
  return error->domain == G_IO_ERROR ? word_of_code (error->code)
                                     : "unreadable";
}

const char *
cam_skip_reason_text (const char *word)
{
  for (gsize i = 0; i < G_N_ELEMENTS (reasons); i++)
    if (g_strcmp0 (reasons[i].word, word) == 0)
      return _ (reasons[i].text);
  return word;
}
