/* plan-cases.h -- test-plan.c's networks: name, channels, height, width, text;
 * see text-network.h */
#pragma once

typedef struct
{
  const char *name;
  int channels, height, width;
  const char *text;
} Case;

/* clang-format off */
static const Case cases[] = {
  { "one conv", 3, 7, 9,
    "y Conv x $5,3,3,3 $5 pads=1,1,1,1" },
  { "one pixel", 1, 1, 1,
    "a Conv x $1,1,1,1 $1\n"
    "b Relu a\n"
    "c Conv b $3,1,3,3 pads=1,1,1,1\n"
    "d GlobalAveragePool c\n"
    "y Flatten d" },
  { "huge pads", 3, 3, 5,
    "a Conv x $6,3,3,3 $6 pads=17,1,9,23\n"
    "b Sigmoid a\n"
    "y Conv b $4,6,5,7 pads=4,12,0,3 strides=3,2" },
  { "primes", 7, 13, 11,
    "a Conv x $13,7,3,5 $13 pads=2,3,1,1 strides=2,3 dilations=1,2\n"
    "b Tanh a\n"
    "y Conv b $17,13,1,1 strides=2,1" },
  { "norm and relu", 3, 16, 16,
    "a Conv x $8,3,3,3 pads=1,1,1,1 strides=2,2\n"
    "n BatchNormalization a $8 $8 $8 +8\n"
    "r Relu n\n"
    "b Conv r $8,8,3,3 $8 pads=1,1,1,1\n"
    "m BatchNormalization b $8 $8 $8 +8 epsilon=0.01\n"
    "s Add m r\n"
    "y Relu s" },
  { "norm before conv", 3, 9, 9,
    "n BatchNormalization x $3 $3 $3 +3\n"
    "r Relu n\n"
    "a Conv r $6,3,1,1\n"
    "m BatchNormalization a $6 $6 $6 +6\n"
    "y Sigmoid m" },
  { "affine by hand", 3, 8, 8,
    "a Mul x =0.25\n"
    "b Sub a =0.5\n"
    "c Conv b $6,3,3,3 $6\n"
    "d Mul c $6,1,1\n"
    "e Add d $6,1,1\n"
    "y Div e =3.5" },
  { "channels in blocks", 96, 7, 9,
    "a Conv x $64,96,3,3 $64 pads=1,1,1,1 strides=2,2\n"
    "b Relu a\n"
    "c Conv b $64,64,3,3 $64 pads=1,1,1,1\n"
    "s Add c b\n"
    "r Relu s\n"
    "d Conv r $160,64,1,1 strides=2,1\n"
    "e Conv d $5,160,2,3 $5 pads=0,2,1,0 dilations=1,2\n"
    "y Sigmoid e" },
  { "layer norm spelled out", 12, 5, 4,
    "t Transpose x perm=0,2,3,1\n"
    "m ReduceMean t #-1 keepdims=1\n"
    "d Sub t m\n"
    "p Pow d =2\n"
    "v ReduceMean p #-1 keepdims=1\n"
    "e Add v =0.01\n"
    "s Sqrt e\n"
    "q Div d s\n"
    "g Mul q $12\n"
    "b Add g $12\n"
    "r Tanh b\n"
    "f Softmax r axis=-1\n"
    "y Transpose f perm=0,3,1,2" },
  { "winograd", 16, 14, 18,
    "a Conv x $16,16,3,3 $16 pads=1,1,1,1\n"
    "b Relu a\n"
    "c Conv b $24,16,3,3 pads=1,1,1,1\n"
    "d Conv c $16,24,3,3 $16 pads=0,2,1,0\n"
    "y Sigmoid d" },
  { "winograd small", 32, 4, 5,
    "a Conv x $32,32,3,3 $32 pads=1,1,1,1\n"
    "s Add a x\n"
    "r Relu s\n"
    "y Conv r $19,32,3,3 $19 pads=1,1,1,1" },
  { "winograd one", 17, 1, 1,
    "y Conv x $16,17,3,3 $16 pads=1,1,1,1" },
  { "bottleneck with gate", 8, 12, 12,
    "a Conv x $16,8,1,1 $16\n"
    "b Clip a =0 =6\n"
    "c Conv b $16,1,3,3 $16 pads=1,1,1,1 group=16 strides=2,2\n"
    "s1 Sigmoid c\n"
    "d Mul c s1\n"
    "g GlobalAveragePool d\n"
    "h Conv g $4,16,1,1 $4\n"
    "i Relu h\n"
    "j Conv i $16,4,1,1 $16\n"
    "k Sigmoid j\n"
    "l Mul d k\n"
    "m Conv l $12,16,1,1 $12\n"
    "n GlobalAveragePool m\n"
    "o Flatten n\n"
    "y Gemm o $12,10 $10" },
  { "depthwise shapes", 5, 11, 7,
    "a Conv x $5,1,5,3 $5 group=5 pads=2,1,2,1\n"
    "b HardSwish a\n"
    "c Conv b $5,1,3,3 group=5 dilations=2,2 pads=2,2,2,2\n"
    "d LeakyRelu c alpha=0.2\n"
    "e Conv d $5,1,7,7 $5 group=5 pads=3,3,3,3 strides=2,3\n"
    "y HardSigmoid e" },
  { "groups", 12, 8, 8,
    "a Conv x $18,4,3,3 $18 group=3 pads=1,1,1,1\n"
    "b Relu a\n"
    "y Conv b $36,1,3,3 group=18 pads=1,1,1,1" },
  { "pools", 6, 13, 13,
    "a MaxPool x kernel_shape=3,3 strides=2,2 pads=1,1,1,1\n"
    "b Conv a $8,6,1,1 $8\n"
    "c AveragePool b kernel_shape=3,3 pads=1,1,1,1\n"
    "d AveragePool c kernel_shape=2,2 strides=2,2 ceil_mode=1 count_include_pad=1\n"
    "e MaxPool d kernel_shape=2,2 strides=2,2 ceil_mode=1\n"
    "f Conv e $8,8,1,1\n"
    "g GlobalAveragePool f\n"
    "y Flatten g" },
  { "branches", 4, 10, 10,
    "a Conv x $8,4,1,1 $8\n"
    "r Relu a\n"
    "b Conv r $4,8,3,3 pads=1,1,1,1\n"
    "c Conv r $6,8,5,5 pads=2,2,2,2\n"
    "d MaxPool r kernel_shape=3,3 pads=1,1,1,1\n"
    "e Concat b c d axis=1\n"
    "f Sigmoid e\n"
    "g,h Split f axis=1 num_outputs=2\n"
    "i Mul g h\n"
    "y Conv i $5,9,1,1" },
  { "shuffle", 8, 6, 6,
    "a,b Split x axis=1 num_outputs=2\n"
    "c Conv b $4,4,1,1 $4\n"
    "d Relu c\n"
    "e Concat a d axis=1\n"
    "f Reshape e #0,2,4,6,6\n"
    "g Transpose f perm=0,2,1,3,4\n"
    "h Reshape g #0,8,6,6\n"
    "y Conv h $6,8,3,3 pads=1,1,1,1" },
  { "every activation", 3, 6, 6,
    "a Conv x $8,3,3,3 $8 pads=1,1,1,1\n"
    "b Elu a\n"
    "c Conv b $8,8,1,1\n"
    "d Selu c\n"
    "e Conv d $8,8,1,1\n"
    "f Mish e\n"
    "g Conv f $8,8,1,1\n"
    "h Softplus g\n"
    "i Conv h $8,8,1,1\n"
    "j PRelu i $8,1,1\n"
    "k Conv j $8,8,1,1\n"
    "l Erf k\n"
    "y Conv l $8,8,1,1" },
  { "gelu by hand", 4, 5, 5,
    "a Conv x $8,4,1,1 $8\n"
    "b Div a =1.4142135\n"
    "c Erf b\n"
    "d Add c =1\n"
    "e Mul a d\n"
    "f Mul e =0.5\n"
    "y Conv f $4,8,1,1" },
  { "swish by hand", 4, 5, 5,
    "a Conv x $8,4,1,1 $8\n"
    "b Add a =3\n"
    "c Clip b =0 =6\n"
    "d Mul a c\n"
    "e Div d =6\n"
    "y Conv e $4,8,1,1" },
  { "tokens", 4, 8, 8,
    "a Conv x $16,4,4,4 $16 strides=4,4\n"
    "b Reshape a #0,16,4\n"
    "c Transpose b perm=0,2,1\n"
    "d LayerNormalization c $16 $16\n"
    "q MatMul d $16,16\n"
    "k MatMul d $16,16\n"
    "v MatMul d $16,16\n"
    "kt Transpose k perm=0,2,1\n"
    "s MatMul q kt\n"
    "t Mul s =0.25\n"
    "p Softmax t axis=-1\n"
    "o MatMul p v\n"
    "r Add o c\n"
    "m ReduceMean r #1 keepdims=0\n"
    "y Gemm m $16,8 $8" },
  { "channels last by hand", 6, 5, 7,
    "a Conv x $6,1,7,7 $6 group=6 pads=3,3,3,3\n"
    "b Transpose a perm=0,2,3,1\n"
    "c LayerNormalization b $6 $6\n"
    "d MatMul c $6,24\n"
    "e Add d $24\n"
    "f Sigmoid e\n"
    "g MatMul f $24,6\n"
    "h Mul g $6\n"
    "i Transpose h perm=0,3,1,2\n"
    "y Add x i" },
  { "tail fetched twice", 4, 6, 6,
    "a Conv x $4,4,3,3 pads=1,1,1,1\n"
    "b Add a x\n"
    "c Relu b\n"
    "d Conv c $4,4,3,3 pads=1,1,1,1\n"
    "e Add d a\n"
    "f Relu e\n"
    "y Add f c" },
  { "same twice", 3, 4, 4,
    "a Conv x $3,3,1,1\n"
    "b Add a a\n"
    "c Mul b b\n"
    "y Relu c" },
  { "aside", 4, 6, 6,
    "a InstanceNormalization x $4 $4\n"
    "b GroupNormalization a $2 $2 num_groups=2\n"
    "c LRN b size=3\n"
    "d ConvTranspose c $4,3,3,3 $3 strides=2,2\n"
    "e Pad d #0,0,1,2,0,0,2,1 mode=reflect\n"
    "f LpPool e kernel_shape=2,2 strides=2,2\n"
    "g Conv f $8,3,1,1\n"
    "h DepthToSpace g blocksize=2\n"
    "y Tanh h" },
    };
/* clang-format on */
