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
extern const CamOperator cam_ops_einsum[];      /* Einsum                     */
extern const CamOperator cam_ops_batch_norm[];  /* BatchNormalization         */
extern const CamOperator cam_ops_global_pool[]; /* GlobalAveragePool ...      */
extern const CamOperator cam_ops_pool[];        /* MaxPool ... LpPool         */
extern const CamOperator cam_ops_group_norm[];  /* LayerNormalization ...     */
extern const CamOperator cam_ops_lp_norm[];     /* LpNormalization, LRN       */
extern const CamOperator cam_ops_reduce[];      /* ReduceMean, ReduceSum ...  */
extern const CamOperator cam_ops_softmax[];     /* Softmax, LogSoftmax        */
extern const CamOperator cam_ops_transpose[];   /* Transpose, DepthToSpace .. */
extern const CamOperator cam_ops_join[];        /* Concat, Split              */
extern const CamOperator cam_ops_slice[];       /* Slice                      */
extern const CamOperator cam_ops_expand[];      /* Expand, Tile               */
extern const CamOperator cam_ops_gather[];      /* Gather, GatherElements     */
extern const CamOperator cam_ops_scatter[];     /* ScatterND                  */
extern const CamOperator cam_ops_pad[];         /* Pad                        */
extern const CamOperator cam_ops_resize[];      /* Resize, Upsample           */
extern const CamOperator cam_ops_reshape[];     /* Reshape, Flatten, Squeeze  */
extern const CamOperator cam_ops_constant[];    /* Constant, Shape, Range ... */
extern const CamOperator cam_ops_quantize[];    /* QuantizeLinear, Dequant.   */
extern const CamOperator cam_ops_fused_linear[];        /* camlens: Linear */
extern const CamOperator cam_ops_fused_conv[];          /* camlens: Conv */
extern const CamOperator cam_ops_fused_winograd[];      /* camlens: WinogradConv */
extern const CamOperator cam_ops_fused_depthwise[];     /* camlens: DepthwiseConv */
extern const CamOperator cam_ops_fused_grouped[];       /* camlens: GroupedConv */
extern const CamOperator cam_ops_fused_pool[];          /* camlens: pooling */
extern const CamOperator cam_ops_fused_layout[];        /* camlens: ToNHWC, ToNCHW */
extern const CamOperator cam_ops_fused_elementwise[];   /* camlens: Affine, Gate ... */
