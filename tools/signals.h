/* signals.h -- stopped in order, so that nothing half-written is left behind */
#pragma once

#include <gio/gio.h>

/* The first Ctrl-C (or SIGTERM, SIGHUP, SIGPIPE) cancels what comes back
 * (transfer full), the second ends the program at once.  A SIGHUP that nohup
 * ignores stays so.  Once a program. */
GCancellable *cancel_on_signal (void);
