/* evaluate-rows.c -- the ways to make a map that are compared */
#include <string.h>

#include "tools/evaluate.h"

EvaluateRow *
evaluate_row (const Evaluation *e, guint row)
{
  return g_ptr_array_index (e->rows, row);
}

EvaluateScore *
evaluate_score (const Evaluation *e, guint picture, guint row)
{
  return &e->scores[(gsize) picture * e->rows->len + row];
}

static void
free_row (gpointer data)
{
  EvaluateRow *row = data;

  g_free (row->name);
  g_free (row->method);
  g_free (row->reason);
  g_free (row);
}

static EvaluateRow *
add (Evaluation *e, RowKind kind, const char *name, const char *method,
     int database, int triplets, int top_k)
{
  EvaluateRow *row = g_new0 (EvaluateRow, 1);

  row->kind = kind;
  row->name = g_strdup (name);
  row->method = g_strdup (method);
  row->database = database;
  row->triplets = triplets;
  row->top_k = top_k;
  g_ptr_array_add (e->rows, row);
  return row;
}

static void
add_own (Evaluation *e, const char *method)
{
  const EvaluateOptions *o = e->options;
  g_autofree char *many = g_strdup_printf ("%d triplets", o->triplets);
  EvaluateRow *rows[4];

  rows[0] = add (e, ROW_OWN, "one triplet", method, -1, 1, 0);
  rows[1] = add (e, ROW_OWN, "one triplet", method, -1, 1, o->top_k);
  rows[2] = add (e, ROW_OWN, many, method, -1, o->triplets, 0);
  rows[3] = add (e, ROW_OWN, many, method, -1, o->triplets, o->top_k);
  for (int i = 0; i < 4; i++)
    if (e->data.train == NULL)
      rows[i]->reason = g_strdup ("needs the training pictures (--train)");
}

/* A name that tells several databases apart */
static char *
name_of (const Evaluation *e, const char *what, int database)
{
  const CamClusterDb *db = g_ptr_array_index (e->databases, database);
  g_autofree char *base = g_path_get_basename (cam_cluster_db_path (db));

  if (e->databases->len == 1)
    return g_strdup (what);
  return g_strdup_printf ("%s (%s)", what, base);
}

/* "gradcam", "gradcam++", or what stands for arrays made elsewhere */
static const char *
method_of (const CamClusterDb *db)
{
  const char *method = cam_cluster_db_info (db)->method;

  return method != NULL && *method != '\0' ? method : "imported";
}

static void
add_pair (Evaluation *e, RowKind kind, const char *what, int database,
          const char *reason)
{
  const CamClusterDb *db = g_ptr_array_index (e->databases, database);
  g_autofree char *name = name_of (e, what, database);
  const int ks[2] = { 0, e->options->top_k };

  for (int i = 0; i < 2; i++)
    {
      EvaluateRow *row = add (e, kind, name, method_of (db), database, 0,
                              ks[i]);

      row->reason = g_strdup (reason);
    }
}

/* Whether clusters differ in their most frequent label */
static gboolean
labels_differ (const CamClusterDb *db)
{
  g_autofree char *first = NULL;

  for (int c = 0; c < cam_cluster_db_info (db)->n_clusters; c++)
    {
      g_autoptr (CamCluster) cluster = cam_cluster_db_cluster (db, c, NULL);
      const char *label;

      if (cluster == NULL || cluster->labels->len == 0)
        continue;
      label = g_array_index (cluster->labels, CamLabelCount, 0).label;
      if (first == NULL)
        first = g_strdup (label);
      else if (strcmp (first, label) != 0)
        return TRUE;
    }
  return FALSE;
}

static void
add_database (Evaluation *e, int database)
{
  const CamClusterDb *db = g_ptr_array_index (e->databases, database);
  const char *compact = "the database is compact: it holds no pictures";
  const char *unlabelled = "the database's clusters have no different labels";

  add_pair (e, ROW_NEIGHBOUR, "nearest neighbour transfer", database,
            cam_cluster_db_info (db)->n_pictures == 0 ? compact : NULL);
  add_pair (e, ROW_CLUSTER, "cluster transfer", database, NULL);
  add_pair (e, ROW_WRONG_CLUSTER, "control: cluster of another label", database,
            labels_differ (db) ? NULL : unlabelled);
  add_pair (e, ROW_GLOBAL, "control: one global mean", database, NULL);
}

static gboolean
has_method (const Evaluation *e, const char *method)
{
  for (guint i = 0; i < e->databases->len; i++)
    if (g_strcmp0 (cam_cluster_db_info (g_ptr_array_index (e->databases, i))
                       ->method,
                   method)
        == 0)
      return TRUE;
  return FALSE;
}

static void
add_missing (Evaluation *e, const char *method)
{
  static const char *const names[] = { "nearest neighbour transfer",
                                       "cluster transfer" };

  for (int i = 0; i < 2 && ! has_method (e, method); i++)
    add (e, i == 0 ? ROW_NEIGHBOUR : ROW_CLUSTER, names[i], method, -1, 0,
         e->options->top_k)
        ->reason =
        g_strdup_printf ("needs a database built with --method %s (-d)",
                         method);
}

/* The same ways with other numbers of channels, for the report's plots */
static void
add_curves (Evaluation *e)
{
  static const int ks[] = { 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 0 };
  guint n = e->rows->len;

  for (guint r = 0; r < n; r++)
    {
      const EvaluateRow *row = evaluate_row (e, r);
      gboolean own = row->kind == ROW_OWN && row->triplets > 1
                     && strcmp (row->method, "gradcam") == 0;

      if (row->top_k != 0 || row->reason != NULL
          || (! own && row->kind != ROW_CLUSTER && row->kind != ROW_GLOBAL))
        continue;
      for (guint i = 0; i < G_N_ELEMENTS (ks); i++)
        add (e, row->kind, row->name, row->method, row->database, row->triplets,
             ks[i])
            ->curve = TRUE;
    }
}

void
evaluate_add_rows (Evaluation *e)
{
  e->rows = g_ptr_array_new_with_free_func (free_row);
  add_own (e, "gradcam");
  add_own (e, "gradcam++");
  for (guint d = 0; d < e->databases->len; d++)
    add_database (e, (int) d);
  add_missing (e, "gradcam");
  add_missing (e, "gradcam++");
  add (e, ROW_ACTIVATION, "control: mean activation", "", -1, 0, 0);
  add (e, ROW_GAUSSIAN, "control: centre Gaussian", "", -1, 0, 0);
  add (e, ROW_UNIFORM, "control: uniform", "", -1, 0, 0);
  if (e->options->report != NULL
      && (e->data.n_masks > 0 || e->data.n_boxes > 0))
    add_curves (e);
}
