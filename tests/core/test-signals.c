/* test-signals.c -- whoever a signal interrupts finds errno as it was */
#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <signal.h>
#include <unistd.h>

#include "tools/signals.h"

/* The handler's write fails: its end of the pipe, the second descriptor after
 * the next free one, becomes a device that is full. */
static void
test_errno (void)
{
  int full = open ("/dev/full", O_WRONLY);
  int next = dup (full);
  g_autoptr (GCancellable) cancellable = NULL;
  int kept;

  g_assert_cmpint (next, >=, 0);
  close (next);
  cancellable = cancel_on_signal ();
  kept = dup (next + 1); /* or the reader would find the pipe's end */
  g_assert_cmpint (kept, >=, 0);
  g_assert_cmpint (dup2 (full, next + 1), ==, next + 1);
  errno = EINTR;
  raise (SIGTERM);
  g_assert_cmpint (errno, ==, EINTR);
  g_assert_false (g_cancellable_is_cancelled (cancellable));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/signals/errno", test_errno);
  return g_test_run ();
}
