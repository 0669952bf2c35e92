/* kernels.c -- the table of the processor's level */
#include "core/kernels/kernels.h"

extern const CamKernels cam_kernel_table_baseline;
#ifdef CAM_HAVE_X86_LEVELS
extern const CamKernels cam_kernel_table_v3, cam_kernel_table_v4;
#endif

const CamKernels *
cam_kernels_for (CamCpuLevel level)
{
  if (level > cam_cpu_level ())
    return NULL;
  switch (level)
    {
    case CAM_CPU_BASELINE:
      return &cam_kernel_table_baseline;
#ifdef CAM_HAVE_X86_LEVELS
    case CAM_CPU_V3:
      return &cam_kernel_table_v3;
    case CAM_CPU_V4:
      return &cam_kernel_table_v4;
#endif
    default:
      return NULL;
    }
}

const CamKernels *
cam_kernels (void)
{
  const CamKernels *kernels = cam_kernels_for (cam_cpu_level ());

  return kernels ? kernels : &cam_kernel_table_baseline;
}
