/* evaluate-rows.c -- the ways to make a map that are compared */
#include <glib/gi18n.h>
#include <string.h>

#include "tools/evaluate.h"

#define IMPORTED "imported" /* stands for the method of arrays made elsewhere  \
                             */

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

const char *
evaluate_row_method (const EvaluateRow *row)
{
  return strcmp (row->method, IMPORTED) == 0 ? _ ("imported") : row->method;
}

char *
evaluate_row_channels (const EvaluateRow *row)
{
  if (row->kind >= ROW_ACTIVATION)
    return g_strdup ("");
  return row->top_k > 0 ? g_strdup_printf ("%d", row->top_k)
                        : g_strdup (C_ ("channels", "all"));
}

static void
free_row (gpointer data)
{
  EvaluateRow *row = data;

  g_free (row->name);
  g_free (row->title);
  g_free (row->method);
  g_free (row);
}

static EvaluateRow *
add (Evaluation *e, RowKind kind, const char *name, const char *title,
     const char *method, int database, int triplets, int top_k)
{
  EvaluateRow *row = g_new0 (EvaluateRow, 1);

  row->kind = kind;
  row->name = g_strdup (name);
  row->title = g_strdup (title);
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
  const char *mining = cam_mining_name (e->mining);
  g_autofree char *many = g_strdup_printf ("%d triplets", o->triplets);
  g_autofree char *count =
      g_strdup_printf (ngettext ("%d triplet", "%d triplets", o->triplets),
                       o->triplets);
  g_autofree char *one = g_strdup_printf ("%s (%s)", _ ("one triplet"), mining);
  g_autofree char *all = g_strdup_printf ("%s (%s)", count, mining);

  for (int i = 0; i < 4; i++)
    {
      EvaluateRow *row = add (e, ROW_OWN, i < 2 ? "one triplet" : many,
                              i < 2 ? one : all, method, -1,
                              i < 2 ? 1 : o->triplets,
                              i % 2 == 0 ? 0 : o->top_k);

      if (e->data.train == NULL)
        row->reason = N_ ("needs the training pictures (--train)");
    }
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

  return method != NULL && *method != '\0' ? method : IMPORTED;
}

static void
add_pair (Evaluation *e, RowKind kind, const char *what, int database,
          const char *reason)
{
  const CamClusterDb *db = g_ptr_array_index (e->databases, database);
  g_autofree char *name = name_of (e, what, database);
  g_autofree char *title = name_of (e, _ (what), database);
  const int ks[2] = { 0, e->options->top_k };

  for (int i = 0; i < 2; i++)
    add (e, kind, name, title, method_of (db), database, 0, ks[i])->reason =
        reason;
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
  const char *compact = N_ ("the database is compact: it holds no pictures");
  const char *unlabelled =
      N_ ("the database's clusters have no different labels");

  add_pair (e, ROW_NEIGHBOUR, N_ ("nearest neighbour transfer"), database,
            cam_cluster_db_info (db)->n_pictures == 0 ? compact : NULL);
  add_pair (e, ROW_CLUSTER, N_ ("cluster transfer"), database, NULL);
  add_pair (e, ROW_WRONG_CLUSTER, N_ ("control: cluster of another label"),
            database, labels_differ (db) ? NULL : unlabelled);
  add_pair (e, ROW_GLOBAL, N_ ("control: one global mean"), database, NULL);
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
add_missing (Evaluation *e, const char *method, const char *reason)
{
  static const char *const names[] = { "nearest neighbour transfer",
                                       "cluster transfer" };

  for (int i = 0; i < 2 && ! has_method (e, method); i++)
    add (e, i == 0 ? ROW_NEIGHBOUR : ROW_CLUSTER, names[i], _ (names[i]),
         method, -1, 0, e->options->top_k)
        ->reason = reason;
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
        add (e, row->kind, row->name, row->title, row->method, row->database,
             row->triplets, ks[i])
            ->curve = TRUE;
    }
}

CamScore
evaluate_own_score (const Evaluation *e)
{
  CamScore score = CAM_SCORE_COSINE;

  if (e->databases->len > 0)
    cam_score_parse (cam_cluster_db_info (g_ptr_array_index (e->databases, 0))
                         ->score,
                     &score);
  return score;
}

/* A score without a negative has nothing to mine. */
static void
choose_mining (Evaluation *e)
{
  const CamClusterDbInfo *info =
      e->databases->len > 0
          ? cam_cluster_db_info (g_ptr_array_index (e->databases, 0))
          : NULL;
  const char *name = e->options->mining;

  e->mining = CAM_MINING_RANDOM;
  e->margin = info != NULL && info->margin > 0 ? info->margin : 0.2;
  if (g_strcmp0 (name, "database") == 0)
    name = info != NULL ? info->mining : NULL;
  if (name != NULL && cam_score_has_negative (evaluate_own_score (e)))
    cam_mining_parse (name, &e->mining);
}

void
evaluate_add_rows (Evaluation *e)
{
  static const char *const plain[] = { N_ ("control: mean activation"),
                                       N_ ("control: centre Gaussian"),
                                       N_ ("control: uniform") };

  choose_mining (e);
  e->rows = g_ptr_array_new_with_free_func (free_row);
  add_own (e, "gradcam");
  add_own (e, "gradcam++");
  for (guint d = 0; d < e->databases->len; d++)
    add_database (e, (int) d);
  add_missing (e, "gradcam",
               N_ ("needs a database built with --method gradcam (-d)"));
  add_missing (e, "gradcam++",
               N_ ("needs a database built with --method gradcam++ (-d)"));
  for (int i = 0; i < 3; i++)
    add (e, (RowKind) (ROW_ACTIVATION + i), plain[i], _ (plain[i]), "", -1, 0,
         0);
  if (e->options->report != NULL
      && (e->data.n_masks > 0 || e->data.n_boxes > 0))
    add_curves (e);
}
