/* commands.h -- the commands: each in its file command-NAME.c, each a row of
 * the table in camlens.c */
#pragma once

int command_bench (int argc, char **argv);
int command_build (int argc, char **argv);
int command_db (int argc, char **argv);
int command_embed (int argc, char **argv);
int command_evaluate (int argc, char **argv);
int command_explain (int argc, char **argv);
int command_gradient (int argc, char **argv);
int command_inspect (int argc, char **argv);
int command_models (int argc, char **argv);
int command_run (int argc, char **argv);
