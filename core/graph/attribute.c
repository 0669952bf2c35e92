/* attribute.c -- the attributes of nodes; see graph.h */
#include "config.h"
#include "core/graph/graph.h"
#include <string.h>

CamAttribute *
cam_attribute_new (const char *name, CamAttributeKind kind)
{
  CamAttribute *attribute = g_new0 (CamAttribute, 1);

  attribute->name = g_strdup (name);
  attribute->kind = kind;
  return attribute;
}

void
cam_attribute_free (CamAttribute *attribute)
{
  if (! attribute)
    return;
  g_free (attribute->name);
  g_free (attribute->s);
  g_free (attribute->ints);
  g_free (attribute->floats);
  g_strfreev (attribute->strings);
  cam_tensor_unref (attribute->tensor);
  g_free (attribute);
}

CamAttribute *
cam_attribute_copy (const CamAttribute *from)
{
  CamAttribute *to = cam_attribute_new (from->name, from->kind);

  to->i = from->i;
  to->f = from->f;
  to->s = g_strdup (from->s);
  to->n = from->n;
  to->ints = g_memdup2 (from->ints, from->n * sizeof *from->ints);
  to->floats = g_memdup2 (from->floats, from->n * sizeof *from->floats);
  to->strings = g_strdupv (from->strings);
  to->tensor = from->tensor ? cam_tensor_ref (from->tensor) : NULL;
  return to;
}

/* @kind -1: of any.  One of another kind stays unseen, so that parsing the
 * node refuses it by name. */
static const CamAttribute *
find_attribute (const CamNode *node, const char *name, int kind)
{
  for (guint i = 0; i < node->attributes->len; i++)
    {
      CamAttribute *attribute = node->attributes->pdata[i];

      if (strcmp (attribute->name, name) == 0
          && (kind < 0 || (int) attribute->kind == kind))
        {
          attribute->seen = TRUE;
          return attribute;
        }
    }
  return NULL;
}

const CamAttribute *
cam_node_attribute (const CamNode *node, const char *name)
{
  return find_attribute (node, name, -1);
}

gint64
cam_node_int (const CamNode *node, const char *name, gint64 fallback)
{
  const CamAttribute *attribute = find_attribute (node, name,
                                                  CAM_ATTRIBUTE_INT);

  return attribute ? attribute->i : fallback;
}

double
cam_node_float (const CamNode *node, const char *name, double fallback)
{
  const CamAttribute *attribute = find_attribute (node, name,
                                                  CAM_ATTRIBUTE_FLOAT);

  return attribute ? attribute->f : fallback;
}

const char *
cam_node_string (const CamNode *node, const char *name, const char *fallback)
{
  const CamAttribute *attribute = find_attribute (node, name,
                                                  CAM_ATTRIBUTE_STRING);

  return attribute ? attribute->s : fallback;
}

const gint64 *
cam_node_ints (const CamNode *node, const char *name, gsize *n)
{
  const CamAttribute *attribute = find_attribute (node, name,
                                                  CAM_ATTRIBUTE_INTS);

  *n = attribute ? attribute->n : 0;
  return attribute ? attribute->ints : NULL;
}

void
cam_node_add_attribute (CamNode *node, CamAttribute *attribute)
{
  for (guint i = 0; i < node->attributes->len; i++)
    {
      CamAttribute *old = node->attributes->pdata[i];

      if (strcmp (old->name, attribute->name) == 0)
        {
          g_ptr_array_remove_index (node->attributes, i);
          break;
        }
    }
  g_ptr_array_add (node->attributes, attribute);
}

void
cam_node_set_int (CamNode *node, const char *name, gint64 value)
{
  CamAttribute *attribute = cam_attribute_new (name, CAM_ATTRIBUTE_INT);

  attribute->i = value;
  cam_node_add_attribute (node, attribute);
}

void
cam_node_set_float (CamNode *node, const char *name, double value)
{
  CamAttribute *attribute = cam_attribute_new (name, CAM_ATTRIBUTE_FLOAT);

  attribute->f = value;
  cam_node_add_attribute (node, attribute);
}

void
cam_node_set_ints (CamNode *node, const char *name, gsize n,
                   const gint64 *values)
{
  CamAttribute *attribute = cam_attribute_new (name, CAM_ATTRIBUTE_INTS);

  attribute->n = n;
  attribute->ints = g_memdup2 (values, n * sizeof *values);
  if (! attribute->ints)
    attribute->ints = g_new0 (gint64, 1);
  cam_node_add_attribute (node, attribute);
}

void
cam_node_set_string (CamNode *node, const char *name, const char *value)
{
  CamAttribute *attribute = cam_attribute_new (name, CAM_ATTRIBUTE_STRING);

  attribute->s = g_strdup (value);
  cam_node_add_attribute (node, attribute);
}
