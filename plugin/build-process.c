/* build-process.c -- see build-process.h */
#include "config.h"
#include "plugin/build-process.h"
#include "plugin/host.h"
#include "ui/options.h"
#include <fcntl.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "camlens"
#define MOST_COUNT 1000000 /* as the program has it */

struct _CamBuildProcess
{
  GPid pid;
  char *database, *log_path;
  GString *line; /* not ended yet */
  int log;       /* the file, read as it grows */
  gboolean stop; /* was asked for */
  CamBuildState state;
};

static gboolean
refuse (GError **error, const char *message)
{
  g_set_error_literal (error, CAM_OPTIONS_ERROR, CAM_OPTIONS_ERROR_VALUE,
                       message);
  return FALSE;
}

gboolean
cam_build_settings_check (const CamBuildSettings *settings, GError **error)
{
  g_autofree char *to = g_path_get_dirname (settings->database);

  if (! g_file_test (settings->folder, G_FILE_TEST_IS_DIR))
    return refuse (error, _ ("Choose the folder that the pictures are in."));
  if (! settings->database[0])
    return refuse (error, _ ("The database has no name: say which file is to "
                             "be written."));
  if (access (to, W_OK))
    {
      g_set_error (error, CAM_OPTIONS_ERROR, CAM_OPTIONS_ERROR_VALUE,
                   _ ("Nothing can be written in the folder '%s': choose "
                      "another place for the database."),
                   to);
      return FALSE;
    }
  if (settings->clusters < 1 || settings->clusters > MOST_COUNT)
    return refuse (error, _ ("The number of clusters must be from 1 to "
                             "1000000."));
  if (settings->triplets < 1 || settings->triplets > MOST_COUNT)
    return refuse (error, _ ("The number of triplets must be from 1 to "
                             "1000000."));
  return TRUE;
}

/* Where it was built for, then the user's own, then the PATH. */
static char *
find_program (GError **error)
{
  g_autofree char *own = g_build_filename (g_get_home_dir (), ".local", "bin",
                                           PROGRAM, NULL);
  const char *named = g_getenv ("CAMLENS_PROGRAM");
  const char *places[] = { named ? named : CAMLENS_BINDIR "/" PROGRAM, own };
  char *found;

  for (guint i = 0; i < G_N_ELEMENTS (places); i++)
    if (g_file_test (places[i], G_FILE_TEST_IS_EXECUTABLE))
      return g_strdup (places[i]);
  found = g_find_program_in_path (PROGRAM);
  if (! found)
    g_set_error (error, CAM_PLUGIN_ERROR, CAM_PLUGIN_ERROR_PROGRAM,
                 _ ("The program 'camlens' is not installed, and databases "
                    "are built by it: install CamLens with its command-line "
                    "program, or add it to the PATH."));
  return found;
}

/* A file of the cache for what is said about @database. */
static char *
log_path (const char *database)
{
  g_autofree char *sum = g_compute_checksum_for_string (G_CHECKSUM_SHA256,
                                                        database, -1);
  g_autofree char *name = g_strdup_printf ("build-%.16s.log", sum);
  g_autofree char *folder = g_build_filename (g_get_user_cache_dir (),
                                              "camlens", NULL);

  g_mkdir_with_parents (folder, 0700);
  return g_build_filename (folder, name, NULL);
}

static char **
command_line (const CamBuildSettings *settings, const char *program)
{
  g_autofree char *partial = g_strconcat (settings->database, ".partial", NULL);
  GPtrArray *words = g_ptr_array_new ();

  g_ptr_array_add (words, g_strdup (program));
  g_ptr_array_add (words, g_strdup ("build"));
  g_ptr_array_add (words, g_strdup ("--progress"));
  if (g_file_test (partial, G_FILE_TEST_EXISTS))
    g_ptr_array_add (words, g_strdup ("--resume"));
  g_ptr_array_add (words, g_strdup_printf ("--model=%s", settings->model[0]
                                                             ? settings->model
                                                             : "objects"));
  g_ptr_array_add (words,
                   g_strdup_printf ("--clusters=%d", settings->clusters));
  g_ptr_array_add (words,
                   g_strdup_printf ("--triplets=%d", settings->triplets));
  g_ptr_array_add (words, g_strdup_printf ("--output=%s", settings->database));
  g_ptr_array_add (words, g_strdup ("--"));
  g_ptr_array_add (words, g_strdup (settings->folder));
  g_ptr_array_add (words, NULL);
  return (char **) g_ptr_array_free (words, FALSE);
}

/* Between fork and exec: only what is safe there. */
static void
own_session (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);

  setsid ();
  dup2 (fd, STDOUT_FILENO);
  dup2 (fd, STDERR_FILENO);
}

CamBuildProcess *
cam_build_process_start (const CamBuildSettings *settings, GError **error)
{
  g_autoptr (CamBuildProcess) process = g_new0 (CamBuildProcess, 1);
  g_autofree char *program = NULL;
  g_auto (GStrv) words = NULL;
  int out;

  process->log = -1;
  process->line = g_string_new (NULL);
  process->database = g_strdup (settings->database);
  process->log_path = log_path (settings->database);
  process->state.rate = process->state.seconds_left = -1;
  if (! cam_build_settings_check (settings, error)
      || ! (program = find_program (error)))
    return NULL;
  words = command_line (settings, program);
  out = open (process->log_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
              0600);
  process->log = open (process->log_path, O_RDONLY | O_CLOEXEC);
  if (! g_spawn_async (NULL, words, NULL,
                       G_SPAWN_DO_NOT_REAP_CHILD
                           | (out < 0 ? G_SPAWN_STDOUT_TO_DEV_NULL
                                            | G_SPAWN_STDERR_TO_DEV_NULL
                                      : 0),
                       own_session, GINT_TO_POINTER (out), &process->pid,
                       error))
    process->pid = 0;
  if (out >= 0)
    close (out);
  return process->pid ? g_steal_pointer (&process) : NULL;
}

/* "progress DONE TOTAL RATE SECONDS-LEFT STAGE", or words for people. */
static void
take_line (CamBuildProcess *process, const char *line)
{
  CamBuildState *state = &process->state;
  char **words = g_strsplit (line, " ", 6);

  if (! strcmp (line, ""))
    ;
  else if (g_strv_length (words) == 6 && ! strcmp (words[0], "progress"))
    {
      state->done = g_ascii_strtoll (words[1], NULL, 10);
      state->total = g_ascii_strtoll (words[2], NULL, 10);
      state->rate = g_ascii_strtod (words[3], NULL);
      state->seconds_left = g_ascii_strtod (words[4], NULL);
      g_strlcpy (state->stage, words[5], sizeof state->stage);
    }
  else
    {
      g_free (state->message);
      state->message = g_utf8_make_valid (line, -1);
    }
  g_strfreev (words);
}

static void
read_log (CamBuildProcess *process)
{
  char buffer[4096];
  ssize_t n;

  while (process->log >= 0
         && (n = read (process->log, buffer, sizeof buffer)) > 0)
    for (ssize_t i = 0; i < n; i++)
      if (buffer[i] == '\n' || buffer[i] == '\r')
        {
          take_line (process, process->line->str);
          g_string_truncate (process->line, 0);
        }
      else
        g_string_append_c (process->line, buffer[i]);
}

static gboolean
is_partial (const CamBuildProcess *process)
{
  g_autofree char *partial = g_strconcat (process->database, ".partial", NULL);

  return g_file_test (partial, G_FILE_TEST_EXISTS);
}

/* Status 1 is also that of a database from which some unreadable pictures had
 * to be left out: it is whole where nothing partial is left. */
static gboolean
is_good (const CamBuildProcess *process, int status)
{
  if (! WIFEXITED (status))
    return FALSE;
  return WEXITSTATUS (status) == 0
         || (WEXITSTATUS (status) == 1
             && g_file_test (process->database, G_FILE_TEST_EXISTS)
             && ! is_partial (process));
}

const CamBuildState *
cam_build_process_poll (CamBuildProcess *process)
{
  int status;

  if (process->state.ended)
    return &process->state;
  process->state.ended = waitpid (process->pid, &status, WNOHANG)
                         == process->pid;
  read_log (process);
  if (process->state.ended)
    {
      process->state.good = is_good (process, status);
      process->state.stopped = process->stop && is_partial (process);
      take_line (process, process->line->str);
    }
  return &process->state;
}

void
cam_build_process_stop (CamBuildProcess *process)
{
  if (process->state.ended)
    return;
  process->stop = TRUE;
  kill (process->pid, SIGINT);
}

void
cam_build_process_free (CamBuildProcess *process)
{
  if (process->log >= 0)
    close (process->log);
  if (process->pid)
    g_spawn_close_pid (process->pid);
  g_string_free (process->line, TRUE);
  g_free (process->state.message);
  g_free (process->database);
  g_free (process->log_path);
  g_free (process);
}
