/* cpu.h -- which of the compiled -march levels this processor runs
 *
 * The kernels are the same plain C, compiled for several levels; the level is
 * chosen once, at run time.  CAMLENS_CPU_LEVEL=baseline|v3|v4 lowers it, for
 * tests.
 */
#pragma once

#include <glib.h>

typedef enum
{
  CAM_CPU_BASELINE, /* x86-64, or whatever the compiler's default is */
  CAM_CPU_V3,       /* AVX2, FMA                                     */
  CAM_CPU_V4,       /* AVX-512 F, BW, CD, DQ, VL                     */
} CamCpuLevel;

CamCpuLevel cam_cpu_level (void);
const char *cam_cpu_level_name (CamCpuLevel level);
