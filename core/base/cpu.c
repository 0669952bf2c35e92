/* cpu.c -- which of the compiled -march levels this processor runs */
#include "core/base/cpu.h"

static const char *const names[] = { "baseline", "v3", "v4" };

static CamCpuLevel
detect (void)
{
#if defined __x86_64__
  __builtin_cpu_init ();
  if (!__builtin_cpu_supports ("avx2") || !__builtin_cpu_supports ("fma")
      || !__builtin_cpu_supports ("bmi") || !__builtin_cpu_supports ("bmi2"))
    return CAM_CPU_BASELINE;
  if (__builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw")
      && __builtin_cpu_supports ("avx512cd")
      && __builtin_cpu_supports ("avx512dq")
      && __builtin_cpu_supports ("avx512vl"))
    return CAM_CPU_V4;
  return CAM_CPU_V3;
#else
  return CAM_CPU_BASELINE;
#endif
}

/* CAMLENS_CPU_LEVEL can only lower the level. */
static CamCpuLevel
choose (void)
{
  const char *wanted = g_getenv ("CAMLENS_CPU_LEVEL");
  CamCpuLevel level = detect ();

  for (int i = 0; wanted && i < (int) G_N_ELEMENTS (names); i++)
    if (g_strcmp0 (wanted, names[i]) == 0 && i < (int) level)
      return i;
  return level;
}

CamCpuLevel
cam_cpu_level (void)
{
  static gsize level; /* + 1; 0: not looked yet */

  if (g_once_init_enter (&level))
    g_once_init_leave (&level, (gsize) choose () + 1);
  return level - 1;
}

const char *
cam_cpu_level_name (CamCpuLevel level)
{
  return names[CLAMP ((int) level, 0, (int) G_N_ELEMENTS (names) - 1)];
}
