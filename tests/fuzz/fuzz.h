/* fuzz.h -- what libFuzzer calls, and replay.c where it is not there */
#pragma once

#include <glib.h>

int LLVMFuzzerTestOneInput (const guint8 *data, gsize size);
