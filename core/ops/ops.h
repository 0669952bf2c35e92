/* ops.h -- what the operator families share; private to core/ops
 *
 * infer.c  axes, constant inputs and broadcasting, with errors that name the
 *          node; split.c  ranges of elements shared out over the crew.
 */
#pragma once

#include "core/ops/families.h"

/* A family's entry for operators without optional parts. */
#define CAM_OP_KINDS_FLOAT32 (1u << CAM_DTYPE_FLOAT32)
#define CAM_OP_KINDS_FLOAT                                                     \
  (1u << CAM_DTYPE_FLOAT32 | 1u << CAM_DTYPE_FLOAT64 | 1u << CAM_DTYPE_FLOAT16 \
   | 1u << CAM_DTYPE_BFLOAT16)
#define CAM_OP_KINDS_INT                                                       \
  (1u << CAM_DTYPE_INT8 | 1u << CAM_DTYPE_UINT8 | 1u << CAM_DTYPE_INT16        \
   | 1u << CAM_DTYPE_UINT16 | 1u << CAM_DTYPE_INT32 | 1u << CAM_DTYPE_UINT32   \
   | 1u << CAM_DTYPE_INT64 | 1u << CAM_DTYPE_UINT64)
#define CAM_OP_KINDS_NUMBER (CAM_OP_KINDS_FLOAT | CAM_OP_KINDS_INT)
#define CAM_OP_KINDS_BOOL (1u << CAM_DTYPE_BOOL)
#define CAM_OP_KINDS_ALL (CAM_OP_KINDS_NUMBER | CAM_OP_KINDS_BOOL)

static inline gboolean
cam_op_dtype_is (CamDType dtype, guint kinds)
{
  return (kinds >> dtype) & 1;
}

/* TRUE where input @i is there and not omitted. */
static inline gboolean
cam_op_has_input (const CamNode *node, guint i)
{
  return i < node->n_inputs && node->inputs[i] != NULL;
}

/* Product of dims @begin .. @end - 1; 1 where there are none. */
static inline gint64
cam_op_count (const CamShape *shape, int begin, int end)
{
  gint64 n = 1;
  for (int i = begin; i < end; i++)
    n *= shape->dims[i];
  return n;
}

/* Input @i's values in backward: those of the run, or the constant. */
static inline const CamTensor *
cam_op_backward_input (const CamBackward *b, guint i)
{
  if (b->inputs && b->inputs[i])
    return b->inputs[i];
  return cam_op_has_input (b->node, i) ? b->node->inputs[i]->constant : NULL;
}

/* --- infer.c ------------------------------------------------------------ */

/* Type of input @i is one of @kinds, or a node error that names the type. */
gboolean cam_op_check_dtype (const CamNode *node, guint i, guint kinds,
                             GError **error);
/* Inputs 1, 2 ... that are there have input 0's type. */
gboolean cam_op_check_same_dtype (const CamNode *node, GError **error);
/* Input @i has between @low and @high dimensions. */
gboolean cam_op_check_rank (const CamNode *node, guint i, int low, int high,
                            GError **error);
/* Input @i has at least one element. */
gboolean cam_op_check_not_empty (const CamNode *node, guint i, GError **error);
/* Input @i, where it is there, is a vector of @n. */
gboolean cam_op_check_vector (const CamNode *node, guint i, gint64 n,
                              GError **error);
/* Every attribute's enumeration: @value is one of @choices (NULL-ended); its
 * place in @result. */
gboolean cam_op_choice (const CamNode *node, const char *attribute,
                        const char *fallback, const char *const *choices,
                        int *result, GError **error);
/* -@rank .. @rank - 1 to 0 .. @rank - 1 */
gboolean cam_op_axis (const CamNode *node, gint64 axis, int rank, int *result,
                      GError **error);
/* Constant integers (int64 or int32) of input @i; @n of them.  Fails where the
 * input is no constant. (transfer full) */
gint64 *cam_op_constant_ints (const CamNode *node, guint i, gsize *n,
                              GError **error);
/* Constant scalar of input @i as a double; @fallback where it is omitted. */
gboolean cam_op_constant_scalar (const CamNode *node, guint i, double fallback,
                                 double *value, GError **error);
/* The shape both broadcast to, as NumPy does. */
gboolean cam_op_broadcast (const CamNode *node, const CamShape *a,
                           const CamShape *b, CamShape *result, GError **error);
/* Output 0 is of input 0's type and shape. */
gboolean cam_op_infer_same (CamNode *node, GError **error);

/* --- split.c ------------------------------------------------------------ */

typedef void (*CamRangeFunc) (gsize begin, gsize end, int thread,
                              gpointer data);
/* @func over 0 .. @n - 1 in tiles of @grain; the tiles do not depend on the
 * number of threads. */
void cam_op_ranges (CamThreads *threads, gsize n, gsize grain,
                    CamRangeFunc func, gpointer data);
/* Elements a tile of cheap element-wise work takes. */
#define CAM_OP_GRAIN 16384

/* memcpy and memset of a tensor's elements, shared out. */
void cam_op_copy (CamTensor *to, const CamTensor *from);
void cam_op_clear (CamTensor *tensor);
/* Clears every wanted gradient: what a backward does without an output
 * gradient. */
void cam_op_clear_gradients (const CamBackward *b);
