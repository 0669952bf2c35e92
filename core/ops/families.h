/* families.h -- the operator families; each file of this folder is one
 *
 * The one list in operators.c names them all; a family is an array of
 * CamOperator that ends with an entry whose type is NULL.
 */
#pragma once

#include "core/graph/operator.h"

extern const CamOperator cam_ops_unary[];       /* Relu, Sigmoid, Exp ...     */
extern const CamOperator cam_ops_cast[];        /* Cast, Identity, Dropout    */
extern const CamOperator cam_ops_binary[];      /* Add, Mul, Pow, PRelu ...   */
extern const CamOperator cam_ops_nary[];        /* Min, Max, Mean, Sum        */
extern const CamOperator cam_ops_compare[];     /* Equal, And, Where, Not ... */
extern const CamOperator cam_ops_conv[];        /* Conv, ConvTranspose        */
extern const CamOperator cam_ops_matmul[];      /* MatMul, Gemm               */
extern const CamOperator cam_ops_batch_norm[];  /* BatchNormalization         */
extern const CamOperator cam_ops_global_pool[]; /* GlobalAveragePool ...      */
extern const CamOperator cam_ops_reshape[];     /* Reshape, Flatten, Squeeze  */
extern const CamOperator cam_ops_constant[];    /* Constant, Shape, Range ... */
extern const CamOperator cam_ops_quantize[];    /* QuantizeLinear, Dequant.   */
extern const CamOperator cam_ops_fused[];       /* domain "camlens": NHWC ... */
