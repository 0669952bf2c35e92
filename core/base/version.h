/* version.h -- what the library calls itself */
#pragma once

/* "0.1.0" (static) */
const char *cam_version (void);
