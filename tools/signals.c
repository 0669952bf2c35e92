/* signals.c -- see signals.h */
#include "tools/signals.h"

#include <errno.h>
#include <signal.h>
#include <unistd.h>

static int signal_pipe[2]; /* a signal's handler can reach nothing else */

static void
pass_on (int signal_number)
{
  int kept = errno; /* whoever was interrupted may be about to read it */
  char byte = (char) signal_number;
  ssize_t written = write (signal_pipe[1], &byte, 1);

  (void) written;
  errno = kept;
}

static gpointer
wait_for_signal (gpointer cancellable)
{
  char byte;

  while (read (signal_pipe[0], &byte, 1) != 1)
    ;
  g_cancellable_cancel (cancellable);
  /* each line that nobody reads is a SIGPIPE */
  while (read (signal_pipe[0], &byte, 1) != 1 || byte == SIGPIPE)
    ;
  _exit (128 + byte);
}

GCancellable *
cancel_on_signal (void)
{
  GCancellable *cancellable = g_cancellable_new ();
  static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGPIPE };
  struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
  struct sigaction before;
  GThread *thread;

  if (pipe (signal_pipe) == -1)
    return cancellable;
  thread = g_thread_try_new ("signals", wait_for_signal,
                             g_object_ref (cancellable), NULL);
  if (thread == NULL) /* a signal ends the program at once, then */
    {
      g_object_unref (cancellable);
      return cancellable;
    }
  g_thread_unref (thread);
  for (gsize i = 0; i < G_N_ELEMENTS (signals); i++)
    if (signals[i] != SIGHUP || sigaction (SIGHUP, NULL, &before) != 0
        || before.sa_handler != SIG_IGN) /* as nohup has it */
      sigaction (signals[i], &action, NULL);
  return cancellable;
}
