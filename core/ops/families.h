/* families.h -- the operator families; each is a file (or a few) of this folder
 *
 * The one list in operators.c names them all; a family is an array of
 * CamOperator that ends with an entry whose type is NULL.
 */
#pragma once

#include "core/graph/operator.h"

extern const CamOperator cam_ops_elementwise[]; /* Relu ... Erf, Cast, Clip  */
extern const CamOperator cam_ops_binary[];      /* Add ... Where, n-ary      */
extern const CamOperator cam_ops_conv[];        /* Conv, ConvTranspose       */
extern const CamOperator cam_ops_matmul[];      /* Gemm, MatMul, Einsum      */
extern const CamOperator cam_ops_norm[];        /* BatchNormalization ...    */
extern const CamOperator cam_ops_reduce[];      /* ReduceMean ..., Softmax   */
extern const CamOperator cam_ops_pool[];        /* MaxPool ... LpPool        */
extern const CamOperator cam_ops_shape[];       /* Reshape, Transpose, Slice */
extern const CamOperator cam_ops_index[];       /* Gather, ScatterND, Pad, Resize */
extern const CamOperator cam_ops_constant[];    /* Constant, Shape, Range    */
extern const CamOperator cam_ops_quantize[];    /* QuantizeLinear, Dequant.  */
extern const CamOperator cam_ops_fused[];       /* domain "camlens": NHWC convs ... */
