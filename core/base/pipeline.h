/* pipeline.h -- many items through two stages of threads into one
 *
 * load (reading, decoding) runs ahead of compute by a bounded number of items,
 * compute by any number, and take, which writes down what came of an item, is
 * called by the thread that called, alone.  Items are begun in order and end in
 * any order.
 */
#pragma once

#include <gio/gio.h>

typedef struct
{
  gint64 n_items;
  int n_threads; /* of each of the two stages; 1 or more */
  /* By any of the loaders. The result goes to compute; never NULL. */
  gpointer (*load) (gint64 item, gpointer data);
  /* By computer @thread (0 .. n_threads - 1); frees what load gave. */
  gpointer (*compute) (gint64 item, gpointer loaded, int thread, gpointer data);
  /* Takes over the result; FALSE with an error ends the run. */
  gboolean (*take) (gint64 item, gpointer result, gpointer data,
                    GError **error);
  /* Frees a result, or something loaded, that came too late. */
  void (*drop_loaded) (gpointer loaded);
  void (*drop_result) (gpointer result);
  /* Nullable; called some times a second by the caller's thread. */
  gboolean (*tick) (gpointer data, GError **error);
  gpointer data;
} CamPipeline;

/* FALSE where take or tick failed, @cancellable ended it, or the system started
 * not even one thread for each stage (with some it is slower); by then all
 * threads have ended, and what was finished has been taken. */
gboolean cam_pipeline_run (const CamPipeline *pipeline,
                           GCancellable *cancellable, GError **error);
