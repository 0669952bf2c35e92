/* exemplars.c -- for each cluster its labels and its most typical pictures */
#include "core/builder/exemplars.h"

#include <string.h>

typedef struct
{
  CamDbExemplar best[CAM_N_EXEMPLARS]; /* owns its strings */
  int ids[CAM_N_EXEMPLARS];
  guint n;
  GHashTable *labels; /* label -> count */
} Group;

struct _CamExemplars
{
  int n_clusters;
  Group *groups;
};

CamExemplars *
cam_exemplars_new (int n_clusters)
{
  CamExemplars *e = g_new (CamExemplars, 1);

  e->n_clusters = n_clusters;
  e->groups = g_new0 (Group, n_clusters);
  for (int i = 0; i < n_clusters; i++)
    e->groups[i].labels = g_hash_table_new_full (g_str_hash, g_str_equal,
                                                 g_free, NULL);
  return e;
}

static void
clear_exemplar (CamDbExemplar *exemplar)
{
  g_free ((char *) exemplar->path);
  g_free ((char *) exemplar->label);
  g_clear_pointer (&exemplar->thumbnail, g_bytes_unref);
}

void
cam_exemplars_free (CamExemplars *e)
{
  if (e == NULL)
    return;
  for (int i = 0; i < e->n_clusters; i++)
    {
      for (guint j = 0; j < e->groups[i].n; j++)
        clear_exemplar (&e->groups[i].best[j]);
      g_hash_table_unref (e->groups[i].labels);
    }
  g_free (e->groups);
  g_free (e);
}

void
cam_exemplars_add (CamExemplars *e, int number, int id,
                   const CamDbPicture *picture)
{
  Group *group = &e->groups[picture->cluster];
  guint at = group->n;

  if (picture->label != NULL)
    {
      int count = GPOINTER_TO_INT (g_hash_table_lookup (group->labels,
                                                        picture->label));

      g_hash_table_insert (group->labels, g_strdup (picture->label),
                           GINT_TO_POINTER (count + 1));
    }
  while (at > 0 && group->best[at - 1].similarity < picture->similarity)
    at--;
  if (at == CAM_N_EXEMPLARS)
    return;
  if (group->n == CAM_N_EXEMPLARS)
    clear_exemplar (&group->best[--group->n]);
  memmove (group->best + at + 1, group->best + at,
           (group->n - at) * sizeof *group->best);
  memmove (group->ids + at + 1, group->ids + at,
           (group->n - at) * sizeof *group->ids);
  group->n++;
  group->ids[at] = id;
  group->best[at] = (CamDbExemplar) { number, g_strdup (picture->path),
                                      g_strdup (picture->label),
                                      picture->similarity, NULL };
}

typedef struct
{
  CamExemplars *exemplars;
  GBytes *(*thumbnail) (int id, const char *path, gpointer data);
  gpointer data;
} Loading;

static void
load_tile (gint64 tile, int thread, gpointer data)
{
  Loading *loading = data;
  Group *group = &loading->exemplars->groups[tile / CAM_N_EXEMPLARS];
  guint j = (guint) (tile % CAM_N_EXEMPLARS);

  if (j < group->n)
    group->best[j].thumbnail =
        loading->thumbnail (group->ids[j], group->best[j].path, loading->data);
}

void
cam_exemplars_load (CamExemplars *e,
                    GBytes *(*thumbnail) (int id, const char *path,
                                          gpointer data),
                    gpointer data, CamThreads *threads)
{
  Loading loading = { e, thumbnail, data };

  cam_threads_run (threads, (gint64) e->n_clusters * CAM_N_EXEMPLARS, load_tile,
                   &loading);
}

const CamDbExemplar *
cam_exemplars_of (const CamExemplars *e, int cluster, guint *n)
{
  *n = e->groups[cluster].n;
  return e->groups[cluster].best;
}

static int
by_count (gconstpointer a, gconstpointer b)
{
  const CamLabelCount *x = a, *y = b;

  return x->count != y->count ? (x->count < y->count ? 1 : -1)
                              : strcmp (x->label, y->label);
}

GArray *
cam_exemplars_labels (const CamExemplars *e, int cluster)
{
  GArray *labels = g_array_new (FALSE, FALSE, sizeof (CamLabelCount));
  GHashTableIter iter;
  gpointer label, count;

  g_hash_table_iter_init (&iter, e->groups[cluster].labels);
  while (g_hash_table_iter_next (&iter, &label, &count))
    {
      CamLabelCount one = { label, GPOINTER_TO_INT (count) };

      g_array_append_val (labels, one);
    }
  g_array_sort (labels, by_count);
  return labels;
}
