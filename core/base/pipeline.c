/* pipeline.c -- many items through two stages of threads into one */
#include "core/base/pipeline.h"

#include <glib/gi18n.h>

#define AHEAD 4 /* loaded items that wait, for each computer */
#define TICK (G_USEC_PER_SEC / 5)

typedef struct
{
  gint64 item;
  gpointer what;
} Parcel;

typedef struct
{
  const CamPipeline *pipeline;
  GMutex mutex;
  GCond changed;
  GQueue loaded, results; /* of Parcel */
  gint64 next;            /* item to load */
  int in_loaders;         /* being loaded */
  int loaders, computers; /* threads that have not ended */
  int threads_named;
  gboolean stopped;
} Run;

static Parcel *
parcel_new (gint64 item, gpointer what)
{
  Parcel *parcel = g_new (Parcel, 1);

  *parcel = (Parcel) { item, what };
  return parcel;
}

/* The next item to load, when there is room for it; -1: no more. */
static gint64
next_item (Run *run)
{
  guint most = AHEAD * run->pipeline->n_threads;
  gint64 item = -1;

  g_mutex_lock (&run->mutex);
  while (! run->stopped && run->next < run->pipeline->n_items
         && run->loaded.length + run->in_loaders >= most)
    g_cond_wait (&run->changed, &run->mutex);
  if (! run->stopped && run->next < run->pipeline->n_items)
    {
      item = run->next++;
      run->in_loaders++;
    }
  g_mutex_unlock (&run->mutex);
  return item;
}

static gpointer
load_thread (gpointer data)
{
  Run *run = data;
  gint64 item;

  while ((item = next_item (run)) != -1)
    {
      gpointer what = run->pipeline->load (item, run->pipeline->data);

      g_mutex_lock (&run->mutex);
      g_queue_push_tail (&run->loaded, parcel_new (item, what));
      run->in_loaders--;
      g_cond_broadcast (&run->changed);
      g_mutex_unlock (&run->mutex);
    }
  g_mutex_lock (&run->mutex);
  run->loaders--;
  g_cond_broadcast (&run->changed);
  g_mutex_unlock (&run->mutex);
  return NULL;
}

/* NULL: all is computed, or the run was stopped. */
static Parcel *
next_loaded (Run *run)
{
  Parcel *parcel = NULL;

  g_mutex_lock (&run->mutex);
  while (! run->stopped && run->loaded.length == 0 && run->loaders > 0)
    g_cond_wait (&run->changed, &run->mutex);
  if (! run->stopped)
    parcel = g_queue_pop_head (&run->loaded);
  g_cond_broadcast (&run->changed);
  g_mutex_unlock (&run->mutex);
  return parcel;
}

static gpointer
compute_thread (gpointer data)
{
  Run *run = data;
  Parcel *parcel;
  int thread;

  g_mutex_lock (&run->mutex);
  thread = run->threads_named++;
  g_mutex_unlock (&run->mutex);
  while ((parcel = next_loaded (run)) != NULL)
    {
      parcel->what = run->pipeline->compute (parcel->item, parcel->what, thread,
                                             run->pipeline->data);
      g_mutex_lock (&run->mutex);
      g_queue_push_tail (&run->results, parcel);
      g_cond_broadcast (&run->changed);
      g_mutex_unlock (&run->mutex);
    }
  g_mutex_lock (&run->mutex);
  run->computers--;
  g_cond_broadcast (&run->changed);
  g_mutex_unlock (&run->mutex);
  return NULL;
}

/* Waits for a result, or a fifth of a second; *@ended: nothing will come. */
static Parcel *
next_result (Run *run, gboolean *ended)
{
  gint64 until = g_get_monotonic_time () + TICK;
  Parcel *parcel;

  g_mutex_lock (&run->mutex);
  while (run->results.length == 0 && run->computers > 0
         && g_cond_wait_until (&run->changed, &run->mutex, until))
    ;
  parcel = g_queue_pop_head (&run->results);
  *ended = parcel == NULL && run->computers == 0;
  g_mutex_unlock (&run->mutex);
  return parcel;
}

static void
stop (Run *run)
{
  g_mutex_lock (&run->mutex);
  run->stopped = TRUE;
  g_cond_broadcast (&run->changed);
  g_mutex_unlock (&run->mutex);
}

/* Hands all results on; after a fault, what comes in late is taken or, where
 * taking failed, dropped. */
static gboolean
take_all (Run *run, GCancellable *cancellable, GError **error)
{
  const CamPipeline *p = run->pipeline;
  gboolean good = TRUE, taking = TRUE, ended = FALSE;

  while (! ended)
    {
      Parcel *parcel = next_result (run, &ended);

      if (parcel != NULL && taking)
        good &= taking = p->take (parcel->item, parcel->what, p->data,
                                  good ? error : NULL);
      else if (parcel != NULL)
        p->drop_result (parcel->what);
      g_free (parcel);
      if (good && ! ended)
        good = ! g_cancellable_set_error_if_cancelled (cancellable, error)
               && (p->tick == NULL || p->tick (p->data, error));
      if (! good)
        stop (run);
    }
  return good;
}

/* As many of both kinds as the system starts; with none of a kind there is no
 * run. */
static gboolean
begin_threads (Run *run, GThread **threads, GError **error)
{
  int n = run->pipeline->n_threads, n_loaders = 0, n_computers = 0;
  g_autoptr (GError) why = NULL;

  g_mutex_init (&run->mutex);
  g_cond_init (&run->changed);
  for (int i = 0; i < n && why == NULL; i++)
    {
      threads[2 * i] = g_thread_try_new ("load", load_thread, run, &why);
      n_loaders += threads[2 * i] != NULL;
      if (why == NULL)
        threads[2 * i + 1] = g_thread_try_new ("compute", compute_thread, run,
                                               &why);
      n_computers += threads[2 * i + 1] != NULL;
    }
  g_mutex_lock (&run->mutex);
  run->loaders -= n - n_loaders;
  run->computers -= n - n_computers;
  g_cond_broadcast (&run->changed);
  g_mutex_unlock (&run->mutex);
  if (n_computers > 0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
               _ ("The system starts no more threads for this program (%s): "
                  "close others, or raise the limit of processes."),
               why->message);
  return FALSE;
}

gboolean
cam_pipeline_run (const CamPipeline *pipeline, GCancellable *cancellable,
                  GError **error)
{
  int n = pipeline->n_threads;
  Run run = { .pipeline = pipeline, .loaders = n, .computers = n };
  g_autofree GThread **threads = g_new0 (GThread *, 2 * n);
  gboolean begun = begin_threads (&run, threads, error), good;
  Parcel *parcel;

  if (! begun)
    stop (&run);
  good = take_all (&run, cancellable, begun ? error : NULL) && begun;
  for (int i = 0; i < 2 * n; i++)
    if (threads[i] != NULL)
      g_thread_join (threads[i]);
  while ((parcel = g_queue_pop_head (&run.loaded)) != NULL)
    {
      pipeline->drop_loaded (parcel->what);
      g_free (parcel);
    }
  g_cond_clear (&run.changed);
  g_mutex_clear (&run.mutex);
  return good;
}
