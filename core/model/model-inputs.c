/* model-inputs.c -- see model-inputs.h */
#include "core/model/model-inputs.h"

#include <glib/gi18n.h>
#include <math.h>

#include "core/graph/needs.h"
#include "core/model/known-keys.h"

char *
cam_model_input_key (const char *input)
{
  g_autofree char *key = g_strconcat ("input.", input, NULL);

  g_strchomp (g_strdelimit (key, "=[]\r\n", '_')); /* no key can have them */
  return cam_known_keys_has (key) ? g_strconcat (key, ".value", NULL)
                                  : g_steal_pointer (&key);
}

char *
cam_model_input_shape_text (const CamValue *input)
{
  GString *text = g_string_new ("[");

  if (input->shape.n_dims < 0)
    g_string_append (text, _ ("any shape"));
  for (int i = 0; i < input->shape.n_dims; i++)
    {
      g_string_append (text, i > 0 ? ", " : "");
      if (input->shape.dims[i] >= 0)
        g_string_append_printf (text, "%" G_GINT64_FORMAT,
                                input->shape.dims[i]);
      else
        g_string_append (text, input->symbols[i] ? input->symbols[i] : "?");
    }
  g_string_append_c (text, ']');
  return g_string_free (text, FALSE);
}

/* Largest whole number of a type, and least; FALSE: it has others, too */
static gboolean
bounds_of (CamDType dtype, double *least, double *most)
{
  int bits = 8 * (int) cam_dtype_size (dtype);

  switch (dtype)
    {
    case CAM_DTYPE_BOOL:
      *least = 0;
      *most = 1;
      return TRUE;
    case CAM_DTYPE_UINT8:
    case CAM_DTYPE_UINT16:
    case CAM_DTYPE_UINT32:
    case CAM_DTYPE_UINT64:
      *least = 0;
      *most = ldexp (1, MIN (bits, 53)) - 1; /* that a double tells apart */
      return TRUE;
    case CAM_DTYPE_INT8:
    case CAM_DTYPE_INT16:
    case CAM_DTYPE_INT32:
    case CAM_DTYPE_INT64:
      *most = ldexp (1, MIN (bits - 1, 53)) - 1;
      *least = -*most - 1;
      return TRUE;
    default: return FALSE;
    }
}

static gboolean
read_number (const CamSettings *settings, const CamValue *input,
             const char *key, double *number, gboolean *found, GError **error)
{
  double least, most;

  if (! cam_settings_numbers (settings, key, 1, number, found, error))
    return FALSE;
  if (*found && bounds_of (input->dtype, &least, &most)
      && (*number != floor (*number) || *number < least || *number > most))
    {
      g_autofree char *text = cam_settings_get (settings, key);
      g_autofree char *wanted =
          g_strdup_printf (_ ("a whole number from %.0f to %.0f"), least, most);

      return cam_settings_refuse (settings, key, text, wanted, error);
    }
  return TRUE;
}

gboolean
cam_model_inputs_apply (CamNetwork *network, const CamSettings *settings,
                        int height, int width, char ***given, GError **error)
{
  GPtrArray *inputs = cam_network_graph (network)->inputs;
  GPtrArray *names = g_ptr_array_new ();
  gboolean good = TRUE;

  for (guint i = 0; good && i < inputs->len;)
    {
      const CamValue *input = inputs->pdata[i];
      g_autofree char *key = cam_model_input_key (input->name);
      gboolean found = FALSE;
      double number;

      good = read_number (settings, input, key, &number, &found, error);
      if (good && found)
        {
          g_ptr_array_add (names, g_strdup (input->name));
          good = cam_network_set_input (network, input->name, number, height,
                                        width, error);
        }
      else
        i++;
    }
  g_ptr_array_add (names, NULL);
  *given = (char **) g_ptr_array_free (names, FALSE);
  return good;
}

static gboolean
may_be_picture (const CamValue *input)
{
  return input->dtype == CAM_DTYPE_FLOAT32 && input->shape.n_dims == 4;
}

void
cam_model_inputs_warn (const CamNetwork *network, char **given,
                       const char *embedding, GPtrArray *warnings)
{
  static const char *const no_types[] = { NULL };
  const CamGraph *graph = cam_network_graph (network);
  const CamValue *end = cam_graph_find (graph, embedding);

  for (int i = 0; given[i] != NULL; i++)
    {
      g_autofree guint8 *flow =
          cam_graph_flow (graph, cam_graph_find (graph, given[i]), no_types);
      g_autofree char *key = cam_model_input_key (given[i]);

      if (flow[end->index] == 0)
        g_ptr_array_add (warnings,
                         g_strdup_printf (_ ("%s has no effect: the embedding "
                                             "“%s” is not made of that input."),
                                          key, embedding));
    }
}

/* The first of @inputs that a picture could go into; those before it that have
 * neither one channel nor three, only where no other is */
static const CamValue *
find_picture (const GPtrArray *inputs)
{
  const CamValue *first = NULL;

  for (guint i = 0; i < inputs->len; i++)
    {
      const CamValue *input = inputs->pdata[i];
      const gint64 *d = input->shape.dims;

      if (! may_be_picture (input))
        continue;
      if (d[1] < 0 || d[1] == 1 || d[1] == 3 || d[3] == 1 || d[3] == 3)
        return input;
      if (first == NULL)
        first = input;
    }
  return first;
}

gboolean
cam_model_inputs_check (const CamNetwork *network, GError **error)
{
  if (find_picture (cam_network_graph (network)->inputs) != NULL)
    return TRUE;
  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
               _ ("The network has no float32 input of four dimensions "
                  "that a picture could go into."));
  return FALSE;
}

/* “camera” (int64, [N]), “b” (float32, [N, 3, 48, 48]); and the keys that give
 * them a value */
static void
list_others (const GPtrArray *inputs, const CamValue *picture, GString *list,
             GString *keys)
{
  for (guint i = 0; i < inputs->len; i++)
    {
      const CamValue *input = inputs->pdata[i];
      g_autofree char *shape = cam_model_input_shape_text (input);
      g_autofree char *key = cam_model_input_key (input->name);

      if (input == picture)
        continue;
      g_string_append_printf (list, "%s“%s” (%s, %s)", list->len ? ", " : "",
                              input->name, cam_dtype_name (input->dtype),
                              shape);
      g_string_append_printf (keys, "%s%s=", keys->len ? ", " : "", key);
      g_string_append (keys, _ ("NUMBER"));
    }
}

static void
refuse_inputs (const CamNetwork *network, const char *embedding,
               const GPtrArray *inputs, const CamValue *picture, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  g_autoptr (GString) keys = g_string_new (NULL);

  list_others (inputs, picture, list, keys);
  if (picture != NULL)
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_SETTINGS,
                 _ ("The embedding “%s” is made of more than the picture "
                    "(“%s”): of %s, too. Say in model.ini what goes in there "
                    "(%s), or name another embedding."),
                 embedding, picture->name, list->str, keys->str);
  else if (list->len > 0)
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_EMBEDDING,
                 _ ("“%s” is not made of a picture, but of %s: name another "
                    "tensor as “embedding” in model.ini."),
                 embedding, list->str);
  else
    g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_NO_EMBEDDING,
                 _ ("“%s” is not made of a picture: name another tensor as "
                    "“embedding” in model.ini."),
                 embedding);
}

const CamValue *
cam_model_inputs_picture (const CamNetwork *network, const char *embedding,
                          GError **error)
{
  g_autoptr (GPtrArray)
      inputs = cam_graph_inputs_of (cam_network_graph (network), embedding);
  const CamValue *picture = find_picture (inputs);

  if (picture == NULL || inputs->len > 1)
    {
      refuse_inputs (network, embedding, inputs, picture, error);
      return NULL;
    }
  if (picture->shape.dims[0] <= 1)
    return picture;
  g_set_error (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_UNUSABLE,
               _ ("The network takes %d pictures at a time, no more and no "
                  "less (“%s”): export it for one picture, or with a free "
                  "first dimension."),
               (int) MIN (picture->shape.dims[0], G_MAXINT), picture->name);
  return NULL;
}
