/* threads.c -- a crew that spins briefly and then sleeps
 *
 * A network is some fifty short runs in a row, so a worker that has just
 * finished looks for the next run for a moment before it goes to sleep.  A
 * worker that comes too late is not waited for: the caller closes the run once
 * the tiles are given out, and waits only for those that are inside.
 *
 * A worker may find itself on the caller's own core, when it was woken while
 * the others were busy.  There it could only take the caller's time, so it
 * moves to another core, or where there is none leaves that run alone and
 * sleeps.
 */
#include <sched.h>
#include <stdatomic.h>

#include "core/base/threads.h"

#define SPINS 4000
#define MOVE_EVERY 10000 /* us: somebody else may keep the other cores busy */

struct _CamThreads
{
  int n_threads;
  GThread **workers; /* n_threads - 1 */

  /* one run; written only while it is closed and nobody is inside */
  CamTileFunc func;
  gpointer data;
  gint64 n_tiles;

  atomic_int core;     /* that the caller is on                         */
  atomic_uint run;     /* its number                                    */
  atomic_llong next;   /* tile to be given out                          */
  atomic_int open;     /* TRUE while a run may be entered               */
  atomic_int inside;   /* workers that may look at the run              */
  atomic_int sleepers; /* workers that wait for the condition           */
  atomic_int quit;
  GMutex mutex;
  GCond wake;
};

typedef struct
{
  CamThreads *threads;
  int number;
} Worker;

static inline void
relax (void)
{
#if defined __x86_64__ || defined __i386__
  __builtin_ia32_pause ();
#endif
}

static void
take_tiles (CamThreads *threads, int number)
{
  gint64 tile;

  while ((tile = atomic_fetch_add (&threads->next, 1)) < threads->n_tiles)
    threads->func (tile, number, threads->data);
}

/* Enters the run if one is open.  The order matters: first counted, then
 * looked, so that the caller either is seen closing or sees the worker. */
static void
try_run (CamThreads *threads, int number)
{
  atomic_fetch_add (&threads->inside, 1);
  if (atomic_load (&threads->open))
    take_tiles (threads, number);
  atomic_fetch_sub (&threads->inside, 1);
}

static gboolean
shares_core (const CamThreads *threads)
{
  int core = sched_getcpu ();

  return core >= 0 && core == atomic_load (&threads->core);
}

/* Is there a run other than number @seen? */
static gboolean
has_run (CamThreads *threads, guint seen)
{
  return atomic_load (&threads->open) && atomic_load (&threads->run) != seen;
}

static void
wait_for_work (CamThreads *threads, guint seen)
{
  int spins = shares_core (threads) ? 0 : SPINS;

  for (int i = 0; i < spins; i++)
    {
      if (atomic_load (&threads->quit) || has_run (threads, seen))
        return;
      relax ();
    }
  g_mutex_lock (&threads->mutex);
  atomic_fetch_add (&threads->sleepers, 1);
  while (!atomic_load (&threads->quit) && !has_run (threads, seen))
    g_cond_wait (&threads->wake, &threads->mutex);
  atomic_fetch_sub (&threads->sleepers, 1);
  g_mutex_unlock (&threads->mutex);
}

/* The kernel itself would let a thread that sleeps at once stay for ever. */
static gboolean
move_away (const CamThreads *threads)
{
  int core = atomic_load (&threads->core);
  cpu_set_t all, others;

  if (core >= CPU_SETSIZE || sched_getaffinity (0, sizeof all, &all) != 0)
    return FALSE;
  others = all;
  CPU_CLR (core, &others);
  if (CPU_COUNT (&others) == 0
      || sched_setaffinity (0, sizeof others, &others) != 0)
    return FALSE;
  sched_setaffinity (0, sizeof all, &all);
  return TRUE;
}

static gpointer
work (gpointer data)
{
  g_autofree Worker *worker = data;
  CamThreads *threads = worker->threads;
  guint seen = 0;
  gint64 moved = 0; /* when */

  while (!atomic_load (&threads->quit))
    {
      wait_for_work (threads, seen);
      seen = atomic_load (&threads->run);
      if (shares_core (threads))
        {
          gint64 now = g_get_monotonic_time ();

          if (now - moved < MOVE_EVERY || !move_away (threads))
            continue;
          moved = now;
        }
      try_run (threads, worker->number);
    }
  return NULL;
}

int
cam_threads_resolve (int n_threads)
{
  if (n_threads <= 0)
    n_threads = g_get_num_processors ();
  return CLAMP (n_threads, 1, CAM_MOST_THREADS);
}

CamThreads *
cam_threads_new (int n_threads)
{
  CamThreads *threads = g_new0 (CamThreads, 1);

  threads->n_threads = cam_threads_resolve (n_threads);
  threads->workers = g_new0 (GThread *, threads->n_threads);
  g_mutex_init (&threads->mutex);
  g_cond_init (&threads->wake);
  for (int i = 1; i < threads->n_threads; i++)
    {
      Worker *worker = g_new (Worker, 1);

      worker->threads = threads;
      worker->number = i;
      threads->workers[i - 1] = g_thread_try_new ("camlens", work, worker,
                                                  NULL);
      if (!threads->workers[i - 1])
        {
          g_free (worker);
          threads->n_threads = i;
        }
    }
  return threads;
}

void
cam_threads_free (CamThreads *threads)
{
  if (!threads)
    return;
  g_mutex_lock (&threads->mutex);
  atomic_store (&threads->quit, TRUE);
  g_cond_broadcast (&threads->wake);
  g_mutex_unlock (&threads->mutex);
  for (int i = 1; i < threads->n_threads; i++)
    g_thread_join (threads->workers[i - 1]);
  g_cond_clear (&threads->wake);
  g_mutex_clear (&threads->mutex);
  g_free (threads->workers);
  g_free (threads);
}

int
cam_threads_count (const CamThreads *threads)
{
  return threads ? threads->n_threads : 1;
}

static void
open_run (CamThreads *threads, gint64 n_tiles, CamTileFunc func, gpointer data)
{
  threads->func = func;
  threads->data = data;
  threads->n_tiles = n_tiles;
  atomic_store (&threads->core, sched_getcpu ());
  atomic_fetch_add (&threads->run, 1);
  atomic_store (&threads->next, 0);
  atomic_store (&threads->open, TRUE);
  if (atomic_load (&threads->sleepers) > 0)
    {
      g_mutex_lock (&threads->mutex);
      g_cond_broadcast (&threads->wake);
      g_mutex_unlock (&threads->mutex);
    }
}

static void
close_run (CamThreads *threads)
{
  atomic_store (&threads->open, FALSE);
  for (guint spins = 0; atomic_load (&threads->inside) > 0; spins++)
    {
      if (spins < SPINS)
        relax ();
      else
        g_thread_yield ();
    }
}

void
cam_threads_run (CamThreads *threads, gint64 n_tiles, CamTileFunc func,
                 gpointer data)
{
  if (!threads || threads->n_threads == 1 || n_tiles <= 1)
    {
      for (gint64 tile = 0; tile < n_tiles; tile++)
        func (tile, 0, data);
      return;
    }
  open_run (threads, n_tiles, func, data);
  take_tiles (threads, 0);
  close_run (threads);
}
