/* table.c -- one level's table of kernels */
#include "core/kernels/levels.h"

extern const CamKernels CAM_KERNEL (table);

const CamKernels CAM_KERNEL (table) = {
  .packed_product = CAM_KERNEL (packed_product),
  .activate = CAM_KERNEL (activate),
  .activation_backward = CAM_KERNEL (activation_backward),
  .activation_slope = CAM_KERNEL (activation_slope),
  .affine = CAM_KERNEL (affine),
  .add = CAM_KERNEL (add),
  .depthwise_row = CAM_KERNEL (depthwise_row),
  .spread_groups = CAM_KERNEL (spread_groups),
  .grouped_strip = CAM_KERNEL (grouped_strip),
  .max_pool_row = CAM_KERNEL (max_pool_row),
  .sum_pool_row = CAM_KERNEL (sum_pool_row),
  .sum_rows = CAM_KERNEL (sum_rows),
  .winograd_input = CAM_KERNEL (winograd_input),
  .winograd_output = CAM_KERNEL (winograd_output),
  .layer_norm = CAM_KERNEL (layer_norm),
  .softmax = CAM_KERNEL (softmax),
  .sum_bytes = CAM_KERNEL (sum_bytes),
  .resample_rgb = CAM_KERNEL (resample_rgb),
};
