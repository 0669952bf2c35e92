/* last-words.h -- GLib's fatal errors as those of a command
 *
 * GLib, and libraries that ask it for memory, end the program with a signal
 * where they get none.  Our own code asks so that it can be refused wherever a
 * size comes from a file or grows with one; for the rest this is the net below
 * it: a sentence on standard error, and status 1.  What is written goes to
 * temporary names, or into a database that can be resumed, so nothing half
 * written stays under a final name.
 */
#pragma once

/* Once, after the translations are bound. */
void last_words_prepare (void);
