/* command.h -- what the commands of camlens share
 *
 * A command is a row in the table of camlens.c and a file command-NAME.c.
 * Results go to standard output, everything else to standard error.  Exit
 * status: 0 all was done, 1 it failed and was said why, 2 the command line
 * could not be understood, 3 it was done and the result is whole, but pictures
 * that could not be used were left out and named (0 with --skips-ok).
 */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>
#include <stdio.h>

#include "core/model/model.h"

#define COMMAND_OK 0
#define COMMAND_FAILED 1
#define COMMAND_USAGE 2
#define COMMAND_LEFT_OUT 3

#define COMMAND_MANY 1000000 /* more of anything is a slip of the finger */

/* @argv[0] is the command's name. */
typedef int (*CommandFunc) (int argc, char **argv);

typedef struct
{
  const char *name;
  const char *summary; /* one line for "camlens --help" */
  CommandFunc run;
} Command;

/* Parses options (--help prints and ends the program).  @usage: what follows
 * the name, e.g. "-m MODEL IMAGE…"; @text: paragraphs below the options.  What
 * is no option stays in @argv.  FALSE: said so; return COMMAND_USAGE. */
gboolean command_parse (int *argc, char ***argv, const char *usage,
                        const char *text, const GOptionEntry *entries);
/* "camlens NAME: message" on standard error; frees @error; COMMAND_FAILED. */
int command_fail (const char *name, GError *error);
/* That of a command whose result is whole without @n_left_out pictures. */
int command_done (gint64 n_left_out, gboolean skips_ok);
/* The same for a command line that cannot be; COMMAND_USAGE. */
int command_misuse (const char *name, const char *format, ...)
    G_GNUC_PRINTF (2, 3);
/* For the whole number of --@option.  FALSE: it is not from @least to @most,
 * and that was said; return COMMAND_USAGE. */
gboolean command_check_number (const char *name, const char *option,
                               gint64 value, gint64 least, gint64 most);
/* The same for --@option that says how many threads; 0: all cores. */
gboolean command_check_threads (const char *name, const char *option,
                                int value);
/* For G_OPTION_ARG_CALLBACK: picture_limit () by --max-pixels=500M. */
gboolean command_max_pixels (const char *option, const char *value,
                             gpointer data, GError **error);
/* printf (), but of what the arguments hold, nothing reaches a terminal raw
 * (core/base/foreign-text.h); newlines at the format's ends and tabs are kept.
 * For all that names something; files and JSON are written as they are. */
void command_print (FILE *out, const char *format, ...) G_GNUC_PRINTF (2, 3);
/* "camlens: message" on standard error, as by command_print () */
void command_note (const char *format, ...) G_GNUC_PRINTF (1, 2);
/* cam_model_open; settings that are not known are said in notes. */
CamModel *command_open_model (const char *name_or_path, GError **error);
/* Columns that @text takes on a terminal, as command_print () shows it: East
 * Asian characters take two. */
int command_width (const char *text);
/* @text on standard output, as by command_print (), filled up with blanks to
 * @width columns; where @width is negative, the blanks come first. */
void command_cell (const char *text, int width);
/* What @builder holds on standard output: cam_json_text; what would steer a
 * terminal is written \uXXXX. */
void command_print_json (JsonBuilder *builder, gboolean pretty);
/* Files of @paths, folders opened up (all below them, each once, links to
 * folders followed), sorted within each; only names that end like pictures are
 * taken from folders, and notes say what was passed over.  (transfer full)
 * array of char*; NULL with an error where a path does not exist. */
GPtrArray *command_list_pictures (char *const *paths, int n_paths,
                                  GError **error);
