#include "tools/evaluate.h"
gboolean
evaluate_report (Evaluation *e, const char *folder, GError **error)
{
  return TRUE;
}
