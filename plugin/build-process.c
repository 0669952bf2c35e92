/* build-process.c -- see build-process.h */
#include "config.h"
#include "plugin/build-process.h"
#include "plugin/build-log.h"
#include "plugin/host.h"
#include "ui/options.h"
#include <fcntl.h>
#include <glib/gi18n.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PROGRAM "camlens"
#define MOST_COUNT 1000000 /* as the program has it */
#define ASK_LOG -2

struct _CamBuildProcess
{
  GPid pid; /* of our own child; 0: another program began it */
  char *log_path;
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

static gboolean
is_kept (const char *database)
{
  g_autofree char *partial = g_strconcat (database, ".partial", NULL);

  return g_file_test (partial, G_FILE_TEST_EXISTS);
}

static char **
command_line (const CamBuildSettings *settings, gboolean again,
              const char *program)
{
  GPtrArray *words = g_ptr_array_new ();

  g_ptr_array_add (words, g_strdup (program));
  g_ptr_array_add (words, g_strdup ("build"));
  g_ptr_array_add (words, g_strdup ("--progress"));
  g_ptr_array_add (words, g_strdup ("--json"));
  if (again || is_kept (settings->database))
    g_ptr_array_add (words, g_strdup (again ? "--restart" : "--resume"));
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

CamBuildPlace
cam_build_place (const char *database)
{
  g_autofree char *partial = g_strconcat (database, ".partial", NULL);
  g_autofree char *log = cam_build_log_path (database);

  if (! database[0])
    return CAM_BUILD_PLACE_FREE;
  if (cam_build_log_is_locked (log))
    return CAM_BUILD_PLACE_RUNNING;
  if (cam_build_log_is_locked (partial))
    return CAM_BUILD_PLACE_BUSY;
  if (g_file_test (partial, G_FILE_TEST_EXISTS))
    return CAM_BUILD_PLACE_KEPT;
  return CAM_BUILD_PLACE_FREE;
}

/* Between fork and exec: only what is safe there. */
static void
own_session (gpointer data)
{
  int fd = GPOINTER_TO_INT (data);

  setsid ();
  if (fd < 0)
    return;
  cam_build_log_write_pid (fd);
  dup2 (fd, STDOUT_FILENO);
  dup2 (fd, STDERR_FILENO);
}

static CamBuildProcess *
process_new (const char *log_path)
{
  CamBuildProcess *process = g_new0 (CamBuildProcess, 1);

  process->line = g_string_new (NULL);
  process->log_path = g_strdup (log_path);
  process->log = open (log_path,
                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  cam_build_state_init (&process->state);
  return process;
}

/* The child has the log's lock from here on, and we have it no more. */
CamBuildProcess *
cam_build_process_start (const CamBuildSettings *settings, gboolean again,
                         GError **error)
{
  g_autoptr (CamBuildProcess) process = NULL;
  g_autoptr (CamFileLock) lock = NULL;
  g_autofree char *program = NULL, *path = NULL, *text = NULL;
  g_auto (GStrv) words = NULL;
  GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD;

  if (! cam_build_settings_check (settings, error)
      || ! (program = find_program (error)))
    return NULL;
  path = cam_build_log_path (settings->database);
  text = cam_build_settings_text (settings);
  lock = cam_build_log_begin (path, text);
  if (! lock && cam_build_log_is_locked (path))
    {
      refuse (error, _ ("another program is writing this database: wait for "
                        "it, or choose another name"));
      return NULL;
    }
  process = process_new (lock ? path : "");
  process->state.database = g_strdup (settings->database);
  words = command_line (settings, again, program);
  if (! lock) /* it goes on unheard */
    flags |= G_SPAWN_STDOUT_TO_DEV_NULL | G_SPAWN_STDERR_TO_DEV_NULL;
  if (! g_spawn_async (NULL, words, NULL, flags, own_session,
                       GINT_TO_POINTER (lock ? cam_file_lock_fd (lock) : -1),
                       &process->pid, error))
    {
      process->pid = 0;
      return NULL;
    }
  return g_steal_pointer (&process);
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
          cam_build_state_take_line (&process->state, process->line->str);
          g_string_truncate (process->line, 0);
        }
      else
        g_string_append_c (process->line, buffer[i]);
}

CamBuildProcess *
cam_build_process_attach (const char *log_path)
{
  g_autoptr (CamBuildProcess) process = process_new (log_path);

  read_log (process);
  if (! process->state.database)
    return NULL;
  return g_steal_pointer (&process);
}

/* What an exit status means; below 0: a signal ended it. */
static CamBuildEnd
end_of (const CamBuildProcess *process, int status)
{
  const CamBuildState *state = &process->state;

  if (status == 0)
    return CAM_BUILD_DONE;
  if (status == 3)
    return CAM_BUILD_LEFT_OUT;
  if (process->stop && state->kept)
    return CAM_BUILD_STOPPED;
  /* an option's name is that in every language */
  if (state->kept && state->error && strstr (state->error, "--restart"))
    return CAM_BUILD_OTHER;
  return CAM_BUILD_FAILED;
}

/* Of our own child the system tells, of another only its log does; *@status
 * stays where the log is to be asked. */
static gboolean
has_ended (const CamBuildProcess *process, int *status)
{
  int how;
  pid_t pid = process->pid ? waitpid (process->pid, &how, WNOHANG) : -1;

  if (pid == process->pid && pid > 0)
    *status = WIFEXITED (how) ? WEXITSTATUS (how) : -1;
  return pid > 0
         || (pid < 0
             && (process->log < 0 || ! cam_file_is_locked (process->log)));
}

const CamBuildState *
cam_build_process_poll (CamBuildProcess *process)
{
  CamBuildState *state = &process->state;
  int status = ASK_LOG;
  gboolean ended;

  if (state->end != CAM_BUILD_RUNNING)
    return state;
  ended = has_ended (process, &status);
  read_log (process);
  if (ended)
    {
      cam_build_state_take_line (state, process->line->str);
      state->kept = is_kept (state->database);
      state->end = end_of (process, status == ASK_LOG ? state->status : status);
    }
  return state;
}

/* A number of a process is believed as long as the lock is held; what is asked
 * for before that is looked at is the same process then. */
static void
interrupt_other (const CamBuildProcess *process)
{
  int fd = -1;

  if (process->state.pid > 1)
    fd = syscall (SYS_pidfd_open, (pid_t) process->state.pid, 0);
  if (fd < 0)
    return;
  if (cam_file_is_locked (process->log))
    syscall (SYS_pidfd_send_signal, fd, SIGINT, NULL, 0);
  close (fd);
}

void
cam_build_process_stop (CamBuildProcess *process)
{
  if (process->state.end != CAM_BUILD_RUNNING)
    return;
  process->stop = TRUE;
  if (process->pid)
    kill (process->pid, SIGINT);
  else
    interrupt_other (process);
}

void
cam_build_process_forget (CamBuildProcess *process)
{
  if (process->state.end != CAM_BUILD_RUNNING)
    cam_build_log_remove (process->log_path);
}

void
cam_build_process_free (CamBuildProcess *process)
{
  if (process->log >= 0)
    close (process->log);
  if (process->pid)
    g_spawn_close_pid (process->pid);
  g_string_free (process->line, TRUE);
  cam_build_state_clear (&process->state);
  g_free (process->log_path);
  g_free (process);
}
