/* timing.h -- how long each stage took, on the error output, where
 * CAMLENS_TIMING=1 is set */
#pragma once

/* The stage @name ends here; the first one began with the process. */
void cam_timing (const char *name);
/* What a dialog said at last, for tests, there as well. */
void cam_timing_told (const char *text);
