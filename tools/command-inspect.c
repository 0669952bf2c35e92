/* command-inspect.c -- camlens inspect: what a network takes, gives and holds
 */
#include "config.h"

#include "tools/command.h"
#include "tools/commands.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <json-glib/json-glib.h>
#include <stdio.h>
#include <string.h>

#include "core/method/cam.h"

typedef struct /* all that is printed */
{
  CamModel *model; /* NULL where its settings are no use, as excuse says */
  char *excuse;
  CamNetwork *network;
  GPtrArray *outputs, *layers; /* of CamTensorInfo */
  guint64 macs;
  const char *embedding, *suggested;
} Facts;

static void
facts_clear (Facts *facts)
{
  g_clear_pointer (&facts->model, cam_model_unref);
  g_clear_pointer (&facts->network, cam_network_unref);
  g_clear_pointer (&facts->outputs, g_ptr_array_unref);
  g_clear_pointer (&facts->layers, g_ptr_array_unref);
  g_free (facts->excuse);
}

/* A model with its settings; a bare network where these do not fit it. */
static gboolean
open_model (Facts *facts, const char *name, GError **error)
{
  g_autoptr (GError) why = NULL;
  g_autofree char *path = NULL;

  facts->model = command_open_model (name, &why);
  if (facts->model != NULL)
    {
      facts->network = cam_network_ref (facts->model->network);
      facts->embedding = facts->model->embedding;
      return TRUE;
    }
  if (why->domain != CAM_MODEL_ERROR || why->code == CAM_MODEL_ERROR_NOT_FOUND)
    {
      g_propagate_error (error, g_steal_pointer (&why));
      return FALSE;
    }
  facts->excuse = g_strdup (why->message);
  path = cam_model_find (name, error);
  facts->network = path ? cam_network_load (path, 0, NULL, error) : NULL;
  if (facts->network == NULL)
    return FALSE;
  facts->embedding = cam_network_embedding (facts->network);
  return TRUE;
}

static gboolean
collect (Facts *facts, const char *name, int height, int width, GError **error)
{
  GError *why = NULL;

  if (! open_model (facts, name, error))
    return FALSE;
  if (facts->model != NULL && height == 0)
    {
      height = facts->model->input.height;
      width = facts->model->input.width;
    }
  facts->outputs = cam_network_outputs (facts->network, height, width, error);
  if (facts->outputs == NULL)
    return FALSE;
  facts->layers = cam_network_layers (facts->network, height, width, error);
  if (facts->layers == NULL)
    return FALSE;
  facts->macs = cam_network_macs (facts->network, height, width, &why);
  if (why != NULL)
    {
      g_propagate_error (error, why);
      return FALSE;
    }
  facts->suggested = cam_network_fallback_layer (facts->network,
                                                 facts->embedding);
  return TRUE;
}

/* "[N, 3, height, 224]" with the names that the file gives (transfer full) */
static char *
describe_input (const CamValue *input)
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

static void
add_shape (JsonBuilder *json, const CamShape *shape, gboolean batch_is_open)
{
  json_builder_set_member_name (json, "shape");
  json_builder_begin_array (json);
  for (int i = 0; i < shape->n_dims; i++)
    json_builder_add_int_value (json,
                                i == 0 && batch_is_open ? -1 : shape->dims[i]);
  json_builder_end_array (json);
}

static void
add_string (JsonBuilder *json, const char *key, const char *value)
{
  json_builder_set_member_name (json, key);
  if (value != NULL)
    json_builder_add_string_value (json, value);
  else
    json_builder_add_null_value (json);
}

static void
add_number (JsonBuilder *json, const char *key, guint64 value)
{
  json_builder_set_member_name (json, key);
  json_builder_add_int_value (json, (gint64) value);
}

/* @second_key: "op" or "dtype" */
static void
add_tensors (JsonBuilder *json, const char *key, const GPtrArray *tensors,
             gboolean with_op)
{
  json_builder_set_member_name (json, key);
  json_builder_begin_array (json);
  for (guint i = 0; i < tensors->len; i++)
    {
      const CamTensorInfo *info = tensors->pdata[i];

      json_builder_begin_object (json);
      add_string (json, "name", info->name);
      if (with_op)
        add_string (json, "op", info->op);
      else
        add_string (json, "dtype", cam_dtype_name (info->dtype));
      add_shape (json, &info->bound,
                 info->shape.n_dims > 0 && info->shape.dims[0] < 0);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
add_inputs (JsonBuilder *json, const CamGraph *graph)
{
  json_builder_set_member_name (json, "inputs");
  json_builder_begin_array (json);
  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *input = graph->inputs->pdata[i];

      json_builder_begin_object (json);
      add_string (json, "name", input->name);
      add_string (json, "dtype", cam_dtype_name (input->dtype));
      add_shape (json, &input->shape, FALSE);
      json_builder_end_object (json);
    }
  json_builder_end_array (json);
}

static void
print_json (const Facts *facts)
{
  g_autoptr (JsonBuilder) json = json_builder_new ();

  json_builder_begin_object (json);
  add_inputs (json, cam_network_graph (facts->network));
  add_tensors (json, "outputs", facts->outputs, FALSE);
  add_tensors (json, "layers", facts->layers, TRUE);
  add_string (json, "suggested_layer", facts->suggested);
  add_string (json, "embedding", facts->embedding);
  add_number (json, "parameters", cam_network_parameters (facts->network));
  add_number (json, "macs", facts->macs);
  json_builder_end_object (json);
  command_print_json (json, TRUE);
}

static int
longest_name (const GPtrArray *tensors)
{
  int longest = 0;

  for (guint i = 0; i < tensors->len; i++)
    longest = MAX (longest,
                   command_width (((CamTensorInfo *) tensors->pdata[i])->name));
  return MIN (longest, 60);
}

static void
print_row (const char *name, int width, const char *kind, const char *shape,
           const char *remark)
{
  printf ("  ");
  command_cell (name, width);
  command_print (stdout, "  %-18s %s%s%s\n", kind, shape,
                 *remark ? "  " : "", remark);
}

static const char *
remark_on (const Facts *facts, const char *name)
{
  if (g_strcmp0 (name, facts->embedding) == 0)
    return _ ("<- embedding");
  if (facts->model && g_strcmp0 (name, facts->model->layer) == 0)
    return _ ("<- layer that the model's settings name");
  if (g_strcmp0 (name, facts->suggested) == 0)
    return _ ("<- fallback: last spatial tensor before the embedding");
  return "";
}

/* "layer.layout: ..." (transfer full); NULL where it is given, or there is no
 * layer */
static char *
describe_layout (const Facts *facts)
{
  static const char *const layouts[] = { "nchw", "nhwc", "tokens",
                                         "tokens+cls" };
  const CamModel *model = facts->model;
  const char *layer = model->layer != NULL ? model->layer : facts->suggested;

  for (guint i = 0; ! model->layout_given && i < facts->layers->len; i++)
    {
      const CamTensorInfo *info = facts->layers->pdata[i];

      if (g_strcmp0 (info->name, layer) == 0)
        return g_strdup_printf (_ ("layer.layout: %s (by the shape of “%s”)"),
                                layouts[cam_layout_guess (&info->bound,
                                                          &model->input)],
                                layer);
    }
  return NULL;
}

static void
print_guesses (const Facts *facts)
{
  char **const kinds[] = { facts->model->guesses, facts->model->customs };
  g_autofree char *layout = describe_layout (facts);
  const char *heading = _ ("\nGuessed, for want of settings\n");

  for (gsize kind = 0; kind < G_N_ELEMENTS (kinds); kind++)
    for (char **guess = kinds[kind]; *guess != NULL; guess++)
      {
        printf ("%s", heading);
        command_print (stdout, "  %s\n", *guess);
        heading = "";
      }
  if (layout != NULL)
    {
      printf ("%s", heading);
      command_print (stdout, "  %s\n", layout);
    }
}

static void
print_text (const char *name, const Facts *facts)
{
  const CamGraph *graph = cam_network_graph (facts->network);
  int width = MAX (longest_name (facts->layers), longest_name (facts->outputs));

  command_print (stdout,
                 _ ("%s: opset %d, %" PRIu64 " parameters, %" PRIu64
                    " multiply-adds a picture\n"),
                 name, graph->opset, cam_network_parameters (facts->network),
                 facts->macs);
  printf (_("\nInputs\n"));
  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *input = graph->inputs->pdata[i];
      g_autofree char *shape = describe_input (input);

      print_row (input->name, width, cam_dtype_name (input->dtype), shape, "");
    }
  printf (_("\nOutputs\n"));
  for (guint i = 0; i < facts->outputs->len; i++)
    {
      const CamTensorInfo *info = facts->outputs->pdata[i];

      print_row (info->name, width, cam_dtype_name (info->dtype), info->text,
                 remark_on (facts, info->name));
    }
  printf (_("\nLayers\n"));
  for (guint i = 0; i < facts->layers->len; i++)
    {
      const CamTensorInfo *info = facts->layers->pdata[i];

      print_row (info->name, width, info->op, info->text,
                 remark_on (facts, info->name));
    }
  if (facts->model != NULL)
    print_guesses (facts);
  if (facts->excuse != NULL)
    command_print (stdout, _("\nNot usable for pictures as it is: %s\n"),
                   facts->excuse);
}

/* "224" or "320x240", width first */
static gboolean
parse_size (const char *text, int *width, int *height)
{
  char end;

  if (text == NULL)
    return TRUE;
  if (sscanf (text, "%dx%d%c", width, height, &end) != 2)
    {
      if (sscanf (text, "%d%c", width, &end) != 1)
        return FALSE;
      *height = *width;
    }
  return *width > 0 && *height > 0 && *width <= 65536 && *height <= 65536;
}

int
command_inspect (int argc, char **argv)
{
  g_autofree char *size = NULL;
  gboolean as_json = FALSE;
  GError *error = NULL;
  Facts facts = { NULL };
  int width = 0, height = 0;
  int status = COMMAND_OK;
  const GOptionEntry entries[] = {
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_("As JSON"), NULL },
    { "size", 0, 0, G_OPTION_ARG_STRING, &size,
      N_("Size of pictures, where the model leaves it open (default: 224)"),
      "WIDTHxHEIGHT" },
    { NULL }
  };

  if (! command_parse (&argc, &argv, "MODEL",
                       _("Lists inputs, outputs and the tensors that can be a "
                       "target layer. In --json, -1 is an open size."),
                       entries))
    return COMMAND_USAGE;
  if (argc != 2)
    return command_misuse ("inspect", _("one model is needed"));
  if (! parse_size (size, &width, &height))
    return command_misuse ("inspect", _("“%s” is no size: 224 or 320x240"), size);
  if (! collect (&facts, argv[1], height, width, &error))
    status = command_fail ("inspect", error);
  else if (as_json)
    print_json (&facts);
  else
    print_text (argv[1], &facts);
  facts_clear (&facts);
  return status;
}
