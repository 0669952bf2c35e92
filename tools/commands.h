/* commands.h -- the commands: each in its file command-NAME.c, each a row of
 * the table in camlens.c */
#pragma once

int command_db (int argc, char **argv);
