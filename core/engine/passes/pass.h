/* pass.h -- what the passes share; private to this folder */
#pragma once

#include "core/engine/passes/passes.h"
#include "core/ops/fused.h"

typedef struct
{
  CamGraph *graph;
  GHashTable *readers; /* CamValue -> GPtrArray of CamNode, at the start of
                          the pass                                       */
  GHashTable *dead;    /* nodes that the pass has replaced               */
  GHashTable *after;   /* values that a gradient goes through            */
} CamPass;

/* Order: norms, idioms, folds, layout, fusion. */
gboolean cam_pass_norms (CamPass *pass, GError **error);
gboolean cam_pass_idioms (CamPass *pass, GError **error);
gboolean cam_pass_fold_affine (CamPass *pass, GError **error);
gboolean cam_pass_layout (CamPass *pass, GError **error);
gboolean cam_pass_fuse (CamPass *pass, GError **error);

gboolean cam_pass_is_kept (const CamPass *pass, const CamValue *value);
/* The only node that reads @value, where nobody else wants it; else NULL. */
CamNode *cam_pass_only_reader (const CamPass *pass, const CamValue *value);
/* Does a gradient have to go through @value? */
gboolean cam_pass_needs_gradient (const CamPass *pass, const CamValue *value);
/* Is a gradient wanted at a piece of the idiom that makes @value from @x? */
gboolean cam_pass_has_target (const CamPass *pass, const CamValue *value,
                              const CamValue *x);
/* @node will be dropped; what it made belongs to @heir (may be NULL). */
void cam_pass_replace (CamPass *pass, CamNode *node, CamNode *heir);
gboolean cam_pass_is (const CamNode *node, const char *domain,
                      const char *op_type);
/* Constant float32 data of input @i, or NULL. */
const CamTensor *cam_pass_constant (const CamNode *node, guint i);
/* Axes of a reduction, [@n], from the attribute or a constant input; or NULL. */
const gint64 *cam_pass_axes (const CamNode *node, gsize *n);
/* A constant scalar of input @i. */
gboolean cam_pass_scalar (const CamNode *node, guint i, float *value);
/* New node of the fused domain or of ONNX's ("") with one output, not parsed:
 * set attributes, then cam_pass_finish. @output NULL: made up. */
CamNode *cam_pass_add (CamPass *pass, const char *domain, const char *op_type,
                       const char *name, guint n_inputs, CamValue **inputs,
                       CamValue *output, GError **error);
/* Parses and infers. */
gboolean cam_pass_finish (CamNode *node, GError **error);
CamValue *cam_pass_new_constant (CamPass *pass, int n_dims,
                                 const gint64 *dims, GError **error);
/* Lets go of a constant's memory where no node but @node reads it. */
void cam_pass_release (CamPass *pass, CamNode *node, guint i);

/* pack.c: weights as the operators want them, from ONNX's [O, C, kh, kw] or
 * [O, C]; those of products and their way back in panels, as
 * core/kernels/product.c does */
CamValue *cam_pack_dense (CamPass *pass, const CamTensor *w, GError **error);
CamValue *cam_pack_back (CamPass *pass, const CamTensor *w, GError **error);
CamValue *cam_pack_depthwise (CamPass *pass, const CamTensor *w,
                              GError **error);
/* [panels, kh kw, C, 16] */
CamValue *cam_pack_grouped (CamPass *pass, const CamTensor *w,
                            const CamGroups *groups, GError **error);
CamValue *cam_pack_winograd (CamPass *pass, const CamTensor *w, int m,
                             GError **error);
/* [n, k] -> [k, n]; @panels: in panels */
CamValue *cam_pack_transposed (CamPass *pass, const CamTensor *w,
                               gboolean panels, GError **error);
/* [k, n] -> [k, n] in panels */
CamValue *cam_pack_panels (CamPass *pass, const CamTensor *w, GError **error);
