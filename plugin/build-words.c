/* build-words.c -- see build-words.h */
#include "config.h"
#include "plugin/build-words.h"
#include <glib/gi18n.h>
#include <json-glib/json-glib.h>
#include <string.h>

#define FAILED "camlens build: " /* in every language */
#define NOTE "camlens: "
#define SETTING "setting "

void
cam_build_state_init (CamBuildState *state)
{
  *state = (CamBuildState) { .rate = -1, .seconds_left = -1, .status = -1 };
  state->left_out = g_ptr_array_new_with_free_func (g_free);
}

void
cam_build_state_clear (CamBuildState *state)
{
  g_ptr_array_unref (state->left_out);
  g_free (state->error);
  g_free (state->message);
  g_free (state->layer);
  g_free (state->folder);
  g_free (state->model);
  g_free (state->database);
}

static void
add_setting (GString *text, const char *name, const char *value)
{
  g_autofree char *escaped = g_strescape (value, NULL);

  g_string_append_printf (text, SETTING "%s %s\n", name, escaped);
}

char *
cam_build_settings_text (const CamBuildSettings *settings)
{
  GString *text = g_string_new (NULL);

  add_setting (text, "folder", settings->folder);
  add_setting (text, "model", settings->model);
  add_setting (text, "database", settings->database);
  g_string_append_printf (text, SETTING "clusters %d\n" SETTING "triplets %d\n",
                          settings->clusters, settings->triplets);
  return g_string_free (text, FALSE);
}

static void
take_progress (CamBuildState *state, char **words)
{
  state->done = g_ascii_strtoll (words[1], NULL, 10);
  state->total = g_ascii_strtoll (words[2], NULL, 10);
  state->rate = g_ascii_strtod (words[3], NULL);
  state->seconds_left = g_ascii_strtod (words[4], NULL);
  g_strlcpy (state->stage, words[5], sizeof state->stage);
}

/* "NAME VALUE" */
static void
take_setting (CamBuildState *state, const char *line)
{
  const char *end = strchr (line, ' ');
  const char *value = end ? end + 1 : "";
  g_autofree char *name = g_strndup (line, end ? end - line : 0);
  char **texts[] = { &state->folder, &state->model, &state->database };
  static const char *const names[] = { "folder", "model", "database" };

  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    if (! strcmp (name, names[i]))
      {
        g_free (*texts[i]);
        *texts[i] = g_strcompress (value);
      }
  if (! strcmp (name, "clusters"))
    state->clusters = g_ascii_strtoll (value, NULL, 10);
  if (! strcmp (name, "triplets"))
    state->triplets = g_ascii_strtoll (value, NULL, 10);
}

static void
take_left_out (JsonArray *array, guint index, JsonNode *node, gpointer data)
{
  CamBuildState *state = data;
  JsonObject *picture;

  if (! JSON_NODE_HOLDS_OBJECT (node))
    return;
  picture = json_node_get_object (node);
  g_ptr_array_add (
      state->left_out,
      g_strdup_printf (_ ("left out: %s: %s"),
                       json_object_get_string_member_with_default (picture,
                                                                   "path", ""),
                       json_object_get_string_member_with_default (picture,
                                                                   "reason",
                                                                   "")));
}

/* The JSON of a database that is done; FALSE where it is none. */
static gboolean
take_summary (CamBuildState *state, const char *line)
{
  g_autoptr (JsonParser) parser = json_parser_new ();
  JsonNode *root;
  JsonObject *object;

  if (! json_parser_load_from_data (parser, line, -1, NULL)
      || ! (root = json_parser_get_root (parser))
      || ! JSON_NODE_HOLDS_OBJECT (root))
    return FALSE;
  object = json_node_get_object (root);
  g_free (state->layer);
  state->layer = g_strdup (json_object_get_string_member_with_default (object,
                                                                       "layer",
                                                                       NULL));
  state->n_pictures = json_object_get_int_member_with_default (object,
                                                               "pictures", 0);
  state->n_clusters = json_object_get_int_member_with_default (object,
                                                               "clusters", 0);
  state->n_resumed = json_object_get_int_member_with_default (object, "resumed",
                                                              0);
  state->seconds = json_object_get_double_member_with_default (object,
                                                               "seconds", 0);
  if (json_object_has_member (object, "skipped"))
    json_array_foreach_element (json_object_get_array_member (object,
                                                              "skipped"),
                                take_left_out, state);
  return TRUE;
}

static void
take_words (CamBuildState *state, const char *line)
{
  gboolean failed = g_str_has_prefix (line, FAILED);
  gsize before = failed                          ? strlen (FAILED)
                 : g_str_has_prefix (line, NOTE) ? strlen (NOTE)
                                                 : 0;
  char **place = failed ? &state->error : &state->message;

  g_free (*place);
  *place = g_utf8_make_valid (line + before, -1);
}

void
cam_build_state_take_line (CamBuildState *state, const char *line)
{
  g_auto (GStrv) words = g_strsplit (line, " ", 6);
  guint n = g_strv_length (words);

  if (g_str_has_prefix (line, SETTING))
    take_setting (state, line + strlen (SETTING));
  else if (n == 6 && ! strcmp (words[0], "progress"))
    take_progress (state, words);
  else if (n == 2 && ! strcmp (words[0], "pid"))
    state->pid = g_ascii_strtoll (words[1], NULL, 10);
  else if (n == 2 && ! strcmp (words[0], "status"))
    state->status = g_ascii_strtoll (words[1], NULL, 10);
  else if (line[0] && ! (line[0] == '{' && take_summary (state, line)))
    take_words (state, line);
}
