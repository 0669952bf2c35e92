/* profile.c -- where the time of a forward pass goes, node by node */
#include "core/base/foreign-text.h"
#include "core/engine/plan-private.h"

static void
print_shape (FILE *out, const CamValue *value)
{
  g_autofree char *text = value ? cam_shape_to_string (&value->shape) : NULL;

  fprintf (out, " %s", text ? text : "-");
}

static void
print_row (FILE *out, const CamNode *node, double milliseconds, double total)
{
  g_autofree char *name = cam_foreign_text (node->name);
  double macs = node->op->macs ? node->op->macs (node) : 0;

  fprintf (out, "%8.3f ms %5.1f %%  %-16s", milliseconds,
           total > 0 ? 100 * milliseconds / total : 0, node->op_type);
  if (macs && milliseconds > 0) /* the clock may not have moved on */
    fprintf (out, " %6.1f GFLOP/s", 2e-6 * macs / milliseconds);
  else
    fprintf (out, " %14s", "");
  print_shape (out, node->inputs[0]);
  fprintf (out, " ->");
  print_shape (out, node->outputs[0]);
  fprintf (out, "  %s\n", name);
}

void
cam_workspace_profile (CamWorkspace *workspace, int repeat, FILE *out)
{
  GPtrArray *nodes;
  g_autofree double *best = NULL;
  double total = 0;

  if (workspace->lanes)
    workspace = workspace->lanes[0];
  nodes = workspace->plan->graph->nodes;
  best = g_new (double, nodes->len);
  for (guint i = 0; i < nodes->len; i++)
    best[i] = G_MAXDOUBLE;
  for (int run = 0; run < repeat; run++)
    for (guint i = 0; i < nodes->len; i++)
      {
        gint64 begin = g_get_monotonic_time ();

        cam_workspace_run_node (workspace, nodes->pdata[i]);
        best[i] = MIN (best[i], (g_get_monotonic_time () - begin) * 1e-3);
      }
  for (guint i = 0; i < nodes->len; i++)
    total += best[i];
  for (guint i = 0; i < nodes->len; i++)
    if (((CamNode *) nodes->pdata[i])->n_inputs)
      print_row (out, nodes->pdata[i], best[i], total);
  fprintf (out, "%8.3f ms\n", total);
}
