/* commands.h -- the commands: each in its file command-NAME.c, each a row of
 * the table in camlens.c */
#pragma once

int command_db (int argc, char **argv);
int command_gradient (int argc, char **argv);
int command_inspect (int argc, char **argv);
int command_run (int argc, char **argv);
