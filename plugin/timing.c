/* timing.c -- see timing.h */
#include "plugin/timing.h"
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* When this process began, in the microseconds of g_get_monotonic_time ():
 * field 22 of its stat, in clock ticks since the machine started. */
static gint64
process_start (void)
{
  g_autofree char *stat = NULL;
  const char *field;
  unsigned long long ticks = 0;
  struct timespec boot;

  if (! g_file_get_contents ("/proc/self/stat", &stat, NULL, NULL)
      || ! (field = strrchr (stat, ')'))
      || sscanf (field + 2,
                 "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s "
                 "%*s %*s %*s %*s %*s %llu",
                 &ticks)
             != 1)
    return g_get_monotonic_time ();
  clock_gettime (CLOCK_BOOTTIME, &boot);
  return g_get_monotonic_time ()
         - ((gint64) boot.tv_sec * G_USEC_PER_SEC + boot.tv_nsec / 1000)
         + (gint64) (ticks * G_USEC_PER_SEC / sysconf (_SC_CLK_TCK));
}

void
cam_timing (const char *name)
{
  static gint64 last;
  gint64 now;

  if (! g_getenv ("CAMLENS_TIMING"))
    return;
  if (! last)
    last = process_start ();
  now = g_get_monotonic_time ();
  g_printerr ("camlens-timing: %s %.1f ms\n", name, (now - last) / 1000.0);
  last = now;
}

void
cam_timing_told (const char *text)
{
  if (g_getenv ("CAMLENS_TIMING"))
    g_printerr ("camlens-told: %s\n", text);
}
