/* progress.c -- how far a long command is */
#include "tools/progress.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/command.h"

#define BAR 24
#define SAMPLES 64 /* of the rate, half a second apart */

typedef struct
{
  gint64 time, done;
} Sample;

struct _Progress
{
  ProgressKind kind;
  gboolean terminal;
  const char *stage; /* NULL: nothing shown yet */
  gint64 shown;      /* monotonic time */
  Sample samples[SAMPLES];
  guint n_samples; /* ever taken */
  gboolean open;   /* a bar is on the line */
  gboolean ended;  /* the stage's end was shown */
};

Progress *
progress_new (ProgressKind kind)
{
  Progress *progress = g_new0 (Progress, 1);

  progress->kind = kind;
  progress->terminal = isatty (STDERR_FILENO);
  return progress;
}

void
progress_end (Progress *progress)
{
  if (progress->open)
    fputc ('\n', stderr);
  progress->open = FALSE;
}

void
progress_free (Progress *progress)
{
  if (progress == NULL)
    return;
  progress_end (progress);
  g_free (progress);
}

static double
rate_of (const Progress *progress, gint64 time, gint64 done)
{
  guint n = progress->n_samples;
  Sample oldest = progress->samples[n <= SAMPLES ? 0 : n % SAMPLES];

  if (time <= oldest.time)
    return 0;
  return (double) (done - oldest.done) * G_USEC_PER_SEC
         / (double) (time - oldest.time);
}

static void
show_bar (const char *stage, gint64 done, gint64 total, double rate,
          double left)
{
  char bar[BAR + 1];
  int full = total > 0 ? (int) (done * BAR / total) : BAR;

  memset (bar, '#', full);
  memset (bar + full, '.', BAR - full);
  bar[BAR] = '\0';
  fprintf (stderr, "\r%s%*s [%s] %" G_GINT64_FORMAT "/%" G_GINT64_FORMAT, stage,
           MAX (10 - command_width (stage), 0), "", bar, done, total);
  if (rate > 0)
    fprintf (stderr, "  %.*f/s", rate < 10 ? 1 : 0, rate);
  if (left >= 0 && done < total)
    fprintf (stderr, _("  %d:%02d left"), (int) left / 60, (int) left % 60);
  fputs ("\033[K", stderr);
  fflush (stderr);
}

static void
show (Progress *progress, const char *stage, gint64 done, gint64 total,
      double rate)
{
  double left = rate > 0 ? ceil ((total - done) / rate) : -1;
  const char *title = g_dpgettext2 (NULL, "stage", stage);

  if (progress->kind == PROGRESS_PROGRAM)
    {
      char text[2][G_ASCII_DTOSTR_BUF_SIZE];

      g_ascii_formatd (text[0], sizeof text[0], "%.2f", rate);
      g_ascii_formatd (text[1], sizeof text[1], "%.0f", left);
      printf ("progress %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %s %s %s\n",
              done, total, text[0], text[1], stage);
      fflush (stdout);
    }
  else if (progress->terminal)
    {
      show_bar (title, done, total, rate, left);
      progress->open = TRUE;
    }
  else
    fprintf (stderr, _ ("%s: %" PRId64 " of %" PRId64 ", %.1f/s\n"), title,
             done, total, rate);
}

static gint64
interval_of (const Progress *progress)
{
  if (progress->kind == PROGRESS_PEOPLE && ! progress->terminal)
    return 10 * G_USEC_PER_SEC;
  return progress->terminal ? G_USEC_PER_SEC / 5 : G_USEC_PER_SEC / 2;
}

void
progress_show (Progress *progress, const char *stage, gint64 done, gint64 total)
{
  gint64 time = g_get_monotonic_time ();
  gboolean begins = progress->stage == NULL
                    || strcmp (progress->stage, stage) != 0;
  Sample *last;

  if (progress->kind == PROGRESS_NONE)
    return;
  if (begins)
    {
      progress_end (progress);
      progress->stage = stage;
      progress->n_samples = 0;
      progress->ended = FALSE;
      progress->shown = 0;
    }
  last = &progress->samples[(progress->n_samples + SAMPLES - 1) % SAMPLES];
  if (begins || time - last->time >= G_USEC_PER_SEC / 2)
    progress->samples[progress->n_samples++ % SAMPLES] = (Sample) { time,
                                                                    done };
  if (progress->ended
      || (! begins && done < total
          && time - progress->shown < interval_of (progress)))
    return;
  progress->ended = done >= total;
  progress->shown = time;
  show (progress, stage, done, total, rate_of (progress, time, done));
}
