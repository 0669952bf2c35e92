/* camlens.c -- the command-line program: a table of commands */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/blas.h"
#include "core/base/cpu.h"
#include "core/base/version.h"
#include "core/base/whole-file.h"
#include "tools/command.h"
#include "tools/commands.h"
#include "tools/last-words.h"
#include "tools/picture.h"

static const Command commands[] = {
  { "bench", N_ ("times forward passes of a network"), command_bench },
  { "build", N_ ("builds a database from a folder of pictures"),
    command_build },
  { "db", N_ ("shows, verifies, exports and imports databases"), command_db },
  { "embed", N_ ("writes the embeddings of pictures"), command_embed },
  { "evaluate", N_ ("measures explanations against masks"), command_evaluate },
  { "explain", N_ ("shows why a picture lies where it does"), command_explain },
  { "gradient", N_ ("writes the gradient of one tensor at another"),
    command_gradient },
  { "inspect", N_ ("lists what a network takes, gives and holds"),
    command_inspect },
  { "models", N_ ("lists, adds and removes installed models"), command_models },
  { "run", N_ ("runs a network on NumPy arrays"), command_run },
  { NULL, NULL, NULL },
};

static void
print_help (FILE *out)
{
  fprintf (out, _("Usage:\n  camlens COMMAND [OPTION…]\n\n"
                "Shows why an embedding network places a picture where it "
                "does.\n\nCommands:\n"));
  for (const Command *c = commands; c->name != NULL; c++)
    fprintf (out, "  %-10s %s\n", c->name, _(c->summary));
  fprintf (out, _("\n“camlens COMMAND --help” says more; “camlens --version” "
                "prints the version.\n"));
}

static int
run (const Command *command, int argc, char **argv)
{
  g_autoptr (GError) error = NULL;

  if (! cam_blas_has_room (1))
    {
      fprintf (stderr, "camlens: %s\n",
               _("There is not enough memory for a matrix product: close other "
                 "programs."));
      fflush (stderr);
      _exit (COMMAND_FAILED); /* OpenBLAS's own end would ask for memory */
    }
  if (! picture_init ("camlens", &error))
    return command_fail (command->name, g_steal_pointer (&error));
  return command->run (argc, argv);
}

/* Where a standard file is closed, the next file that is opened takes its
 * number, and messages would land in it.  What is opened here instead can no
 * more be read or written than a closed one. */
static void
hold_standard_files (void)
{
  for (int fd = 0; fd <= 2; fd++)
    if (fcntl (fd, F_GETFD) == -1 && errno == EBADF)
      {
        int held = open ("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY);

        (void) held;
      }
}

/* At the end of every command, GLib's own end behind --help included */
static void
check_output (void)
{
  gboolean failed = fflush (stdout) != 0;

  if (failed)
    fprintf (stderr, _ ("camlens: the output cannot be written: %s\n"),
             g_strerror (errno));
  else if (ferror (stdout))
    fprintf (stderr, "%s\n",
             _ ("camlens: a part of the output could not be written"));
  else
    return;
  fflush (stderr);
  _exit (COMMAND_FAILED); /* exit () runs already */
}

int
main (int argc, char **argv)
{
  const char *translations = g_getenv ("CAMLENS_LOCALEDIR");

  hold_standard_files ();
  setlocale (LC_ALL, "");
  setlocale (LC_NUMERIC, "C"); /* numbers are read by programs and by SVG */
  bindtextdomain (GETTEXT_PACKAGE,
                  translations != NULL ? translations : CAMLENS_LOCALEDIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  last_words_prepare ();
  cam_blas_prepare_process (argv);
  cam_whole_file_prepare_process ();
  atexit (check_output);
  if (argc < 2)
    {
      print_help (stderr);
      return COMMAND_USAGE;
    }
  if (strcmp (argv[1], "--help") == 0 || strcmp (argv[1], "-h") == 0
      || strcmp (argv[1], "help") == 0)
    {
      print_help (stdout);
      return COMMAND_OK;
    }
  if (strcmp (argv[1], "--version") == 0)
    {
      printf ("camlens %s\n%s with %s kernels, processor level %s\n",
              cam_version (), cam_blas_version (), cam_blas_kernel (),
              cam_cpu_level_name (cam_cpu_level ()));
      return COMMAND_OK;
    }
  for (const Command *c = commands; c->name != NULL; c++)
    if (strcmp (argv[1], c->name) == 0)
      return run (c, argc - 1, argv + 1);
  command_print (
      stderr, _("camlens: there is no command “%s”. Try “camlens --help”.\n"),
      argv[1]);
  return COMMAND_USAGE;
}
