/* layout.h -- what the parts of the layout pass share; private to this folder
 *
 * Every tensor [N, C, H, W] may have a twin [N, H, W, C].  A node that can is
 * replaced by one that reads and makes twins; who cannot reads the logical
 * tensor, which a ToNCHW makes from the twin the first time it is wanted.
 */
#pragma once

#include "core/engine/passes/pass.h"

typedef struct
{
  CamPass *pass;
  GHashTable *twins;   /* logical CamValue -> CamValue             */
  GHashTable *renamed; /* a value -> the twin that it is another name of */
  GHashTable *ties;    /* values whose equal elements something tells apart */
} CamLayout;

/* TRUE where @value has a twin already. */
gboolean cam_layout_has_twin (const CamLayout *layout, const CamValue *value);
/* The twin of a rank-4 value, made by ToNHWC where there is none. */
CamValue *cam_layout_twin (CamLayout *layout, CamValue *value, GError **error);
/* A new value that is the twin of @value. */
CamValue *cam_layout_new_twin (CamLayout *layout, CamValue *value);
/* Makes @value itself from its twin, where nothing makes it yet. */
gboolean cam_layout_logical (CamLayout *layout, CamValue *value,
                             GError **error);

/* @to is @from under another shape. */
gboolean cam_layout_reshape (CamLayout *layout, CamValue *from, CamValue *to,
                             const CamShape *shape, GError **error);

/* Each returns TRUE and sets *@done where it replaced @node; FALSE on errors.
 * layout-conv.c: convolutions and products; layout-other.c: the rest */
gboolean cam_layout_products (CamLayout *layout, CamNode *node,
                              gboolean *done, GError **error);
gboolean cam_layout_others (CamLayout *layout, CamNode *node, gboolean *done,
                            GError **error);
