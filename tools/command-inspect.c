/* command-inspect.c -- camlens inspect: what a network takes, gives and holds
 */
#include "config.h"

#include "tools/command.h"
#include "tools/commands.h"
#include "tools/inspect.h"

#include <glib/gi18n.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "core/method/cam.h"
#include "core/model/model-inputs.h"

static void
facts_clear (Facts *facts)
{
  g_clear_pointer (&facts->model, cam_model_unref);
  g_clear_pointer (&facts->network, cam_network_unref);
  g_clear_pointer (&facts->outputs, g_ptr_array_unref);
  g_clear_pointer (&facts->layers, g_ptr_array_unref);
  g_clear_pointer (&facts->candidates, g_ptr_array_unref);
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
collect_tensors (Facts *facts, int height, int width, GError **error)
{
  GError *why = NULL;

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
  facts->candidates = cam_embedding_candidates (facts->network,
                                                facts->embedding, height,
                                                width);
  facts->suggested = cam_network_fallback_layer (facts->network,
                                                 facts->embedding);
  return TRUE;
}

/* What is wrong with a network that cannot be listed is what is wrong with the
 * model, but for the size that was asked for. */
static gboolean
collect (Facts *facts, const char *name, int height, int width, GError **error)
{
  gboolean asked = height != 0;

  if (! open_model (facts, name, error))
    return FALSE;
  if (facts->model != NULL && ! asked)
    {
      height = facts->model->input.height;
      width = facts->model->input.width;
    }
  if (asked || facts->excuse == NULL)
    return collect_tensors (facts, height, width, error);
  if (collect_tensors (facts, height, width, NULL))
    return TRUE;
  g_set_error_literal (error, CAM_MODEL_ERROR, CAM_MODEL_ERROR_UNUSABLE,
                       facts->excuse);
  return FALSE;
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

static const CamEmbeddingCandidate *
candidate_of (const Facts *facts, const char *name)
{
  for (guint i = 0; i < facts->candidates->len; i++)
    {
      const CamEmbeddingCandidate *c = facts->candidates->pdata[i];

      if (g_strcmp0 (c->name, name) == 0)
        return c;
    }
  return NULL;
}

/* "": nothing to be said (transfer full) */
static char *
remark_on (const Facts *facts, const char *name)
{
  const CamEmbeddingCandidate *c = candidate_of (facts, name);

  if (g_strcmp0 (name, facts->embedding) == 0)
    return g_strdup (c != NULL && c->scores == CAM_SCORES_CERTAIN
                         ? _ ("<- embedding (a classifier's scores!)")
                         : _ ("<- embedding"));
  if (facts->model && g_strcmp0 (name, facts->model->layer) == 0)
    return g_strdup (_ ("<- layer that the model's settings name"));
  if (g_strcmp0 (name, facts->suggested) == 0)
    return g_strdup (_ ("<- fallback: last spatial tensor before the "
                        "embedding"));
  if (c == NULL || ! c->vector)
    return g_strdup ("");
  if (c->other != NULL)
    return g_strdup_printf (_ ("(a vector made of “%s”)"), c->other);
  if (c->scores != CAM_SCORES_NONE)
    return g_strdup (_ ("(a classifier's scores)"));
  return g_strdup (c->picture ? _ ("(could be the embedding, too)") : "");
}

/* Of a row of tensors */
static void
print_tensor (const Facts *facts, const CamTensorInfo *info, int width,
              const char *kind)
{
  g_autofree char *remark = remark_on (facts, info->name);
  g_autofree char *problem = info->problem != NULL
                                 ? g_strdup_printf ("(%s)", info->problem)
                                 : NULL;

  print_row (info->name, width, kind, info->text,
             problem != NULL ? problem : remark);
}

static gboolean
lists (const GPtrArray *tensors, const char *name)
{
  for (guint i = 0; i < tensors->len; i++)
    if (g_strcmp0 (((CamTensorInfo *) tensors->pdata[i])->name, name) == 0)
      return TRUE;
  return FALSE;
}

/* The embedding, where it is neither an output nor a layer */
static void
print_inner_embedding (const Facts *facts, int width)
{
  const CamEmbeddingCandidate *c = facts->embedding != NULL
                                       ? candidate_of (facts, facts->embedding)
                                       : NULL;
  g_autofree char *shape = NULL, *remark = NULL;

  if (c == NULL || c->shape.n_dims < 0
      || lists (facts->outputs, facts->embedding)
      || lists (facts->layers, facts->embedding))
    return;
  shape = cam_shape_to_string (&c->shape);
  remark = remark_on (facts, c->name);
  print_row (c->name, width, cam_dtype_name (c->dtype), shape, remark);
}

static void
print_inputs (const Facts *facts, int width)
{
  const CamGraph *graph = cam_network_graph (facts->network);

  for (guint i = 0; i < graph->inputs->len; i++)
    {
      const CamValue *input = graph->inputs->pdata[i];
      g_autofree char *shape = cam_model_input_shape_text (input);

      print_row (input->name, width, cam_dtype_name (input->dtype), shape,
                 facts->model != NULL && graph->inputs->len > 1
                         && g_strcmp0 (input->name, facts->model->input_name)
                                == 0
                     ? _ ("<- picture")
                     : "");
    }
  for (int i = 0; facts->model && facts->model->given_inputs[i] != NULL; i++)
    {
      const CamValue *input = cam_graph_find (graph,
                                              facts->model->given_inputs[i]);
      g_autofree char *shape = cam_model_input_shape_text (input);
      g_autofree char *key = cam_model_input_key (input->name);
      g_autofree char *remark =
          g_strdup_printf ("<- %s=%g", key, inspect_number (input->constant));

      print_row (input->name, width, cam_dtype_name (input->dtype), shape,
                 remark);
    }
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
  printf (_ ("\nInputs\n"));
  print_inputs (facts, width);
  printf (_ ("\nOutputs\n"));
  for (guint i = 0; i < facts->outputs->len; i++)
    {
      const CamTensorInfo *info = facts->outputs->pdata[i];

      print_tensor (facts, info, width, cam_dtype_name (info->dtype));
    }
  print_inner_embedding (facts, width);
  printf (_ ("\nLayers\n"));
  for (guint i = 0; i < facts->layers->len; i++)
    {
      const CamTensorInfo *info = facts->layers->pdata[i];

      print_tensor (facts, info, width, info->op);
    }
  if (facts->model != NULL)
    print_guesses (facts);
  if (facts->excuse != NULL)
    command_print (stdout, _ ("\nNot usable for pictures as it is: %s\n"),
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
    { "json", 0, 0, G_OPTION_ARG_NONE, &as_json, N_ ("As JSON"), NULL },
    { "size", 0, 0, G_OPTION_ARG_STRING, &size,
      N_ ("Size of pictures, where the model leaves it open (default: 224)"),
      "WIDTHxHEIGHT" },
    { NULL }
  };

  if (! command_parse (&argc, &argv, "MODEL",
                       _ ("Lists inputs, outputs and the tensors that can be a "
                          "target layer. In --json, -1 is an open size."),
                       entries))
    return COMMAND_USAGE;
  if (argc != 2)
    return command_misuse ("inspect", _ ("one model is needed"));
  if (! parse_size (size, &width, &height))
    return command_misuse ("inspect", _ ("“%s” is no size: 224 or 320x240"),
                           size);
  if (! collect (&facts, argv[1], height, width, &error))
    status = command_fail ("inspect", error);
  else if (as_json)
    inspect_print_json (&facts);
  else
    print_text (argv[1], &facts);
  facts_clear (&facts);
  return status;
}
