/* json.c -- see json.h */
#include "core/base/json.h"

#include <math.h>

static void make_finite (JsonNode *node);

static void
make_member_finite (JsonObject *object, const char *name, JsonNode *node,
                    gpointer data)
{
  make_finite (node);
}

static void
make_element_finite (JsonArray *array, guint index, JsonNode *node,
                     gpointer data)
{
  make_finite (node);
}

static void
make_finite (JsonNode *node)
{
  switch (json_node_get_node_type (node))
    {
    case JSON_NODE_OBJECT:
      json_object_foreach_member (json_node_get_object (node),
                                  make_member_finite, NULL);
      break;
    case JSON_NODE_ARRAY:
      json_array_foreach_element (json_node_get_array (node),
                                  make_element_finite, NULL);
      break;
    case JSON_NODE_VALUE:
      if (json_node_get_value_type (node) == G_TYPE_DOUBLE
          && ! isfinite (json_node_get_double (node)))
        json_node_init_null (node);
      break;
    default: break;
    }
}

char *
cam_json_text (JsonBuilder *builder, gboolean pretty)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = NULL;

  if (root == NULL)
    return g_strdup ("null");
  make_finite (root);
  text = json_to_string (root, pretty);
  return g_utf8_make_valid (text, -1);
}
