/* bind.c -- see bind.h */
#include "config.h"
#include "core/graph/bind.h"
#include "core/graph/fold.h"
#include <glib/gi18n.h>
#include <inttypes.h>
#include <string.h>

typedef struct
{
  CamGraph *graph;
  CamValue **stands_for; /* by value index: what its readers read instead */
  guint8 *is_kept;       /* by value index */
  guint *n_readers;      /* by value index: inputs that are yet to be bound */
  CamFoldBudget budget;
} Binder;

static gboolean G_GNUC_PRINTF (4, 5)
    refuse_input (GError **error, CamGraphError code, const CamValue *input,
                  const char *format, ...)
{
  g_autofree char *text = NULL;
  va_list arguments;

  va_start (arguments, format);
  text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
  g_set_error (error, CAM_GRAPH_ERROR, code, _ ("input '%s': %s"), input->name,
               text);
  return FALSE;
}

/* A symbolic dimension of the same name must have the same size everywhere. */
static gboolean
bind_symbol (GHashTable *symbols, const CamValue *input, int dim, gint64 size,
             GError **error)
{
  const char *symbol = input->symbols[dim];
  gint64 *known = symbol ? g_hash_table_lookup (symbols, symbol) : NULL;

  if (known && *known != size)
    return refuse_input (error, CAM_GRAPH_ERROR_SHAPE, input,
                         _ ("its dimension %d, '%s', is %" PRId64
                            " here and %" PRId64 " in another input"),
                         dim, symbol, size, *known);
  if (symbol && ! known)
    g_hash_table_insert (symbols, (gpointer) symbol,
                         g_memdup2 (&size, sizeof size));
  return TRUE;
}

static gboolean
bind_to_shape (CamValue *input, const CamShape *shape, GHashTable *symbols,
               GError **error)
{
  g_autofree char *wanted = cam_shape_to_string (&input->shape);
  g_autofree char *given = cam_shape_to_string (shape);

  if (! cam_shape_count (shape, cam_dtype_size (input->dtype), NULL))
    return refuse_input (error, CAM_GRAPH_ERROR_SHAPE, input,
                         _ ("the shape %s is no shape of a tensor"), given);
  for (int i = 0; i < shape->n_dims; i++)
    if (shape->dims[i] == 0)
      return refuse_input (error, CAM_GRAPH_ERROR_SHAPE, input,
                           _ ("the shape %s is empty"), given);
  if (input->shape.n_dims >= 0 && input->shape.n_dims != shape->n_dims)
    return refuse_input (error, CAM_GRAPH_ERROR_SHAPE, input,
                         _ ("the model wants the shape %s, not %s"), wanted,
                         given);
  for (int i = 0; i < input->shape.n_dims; i++)
    if (input->shape.dims[i] < 0)
      {
        if (! bind_symbol (symbols, input, i, shape->dims[i], error))
          return FALSE;
      }
    else if (input->shape.dims[i] != shape->dims[i])
      return refuse_input (error, CAM_GRAPH_ERROR_SHAPE, input,
                           _ ("the model wants the shape %s, not %s"), wanted,
                           given);
  input->shape = *shape;
  return TRUE;
}

/* What the file says, with 1 for a symbolic batch. */
static gboolean
bind_to_default (CamValue *input, GHashTable *symbols, GError **error)
{
  CamShape shape = input->shape;

  if (shape.n_dims < 0)
    return refuse_input (error, CAM_GRAPH_ERROR_SHAPE, input,
                         _ ("the model does not say its shape; give one"));
  for (int i = 0; i < shape.n_dims; i++)
    {
      gint64 *known = input->symbols[i]
                          ? g_hash_table_lookup (symbols, input->symbols[i])
                          : NULL;

      if (shape.dims[i] < 0 && known)
        shape.dims[i] = *known;
      else if (shape.dims[i] < 0 && i == 0)
        shape.dims[i] = 1;
      else if (shape.dims[i] < 0)
        return refuse_input (
            error, CAM_GRAPH_ERROR_SHAPE, input,
            _ ("its dimension %d is symbolic (%s); give a shape"), i,
            input->symbols[i] ? input->symbols[i] : _ ("without a name"));
    }
  return bind_to_shape (input, &shape, symbols, error);
}

/* Takes away the inputs that nothing reads, except @bound ones. */
static void
drop_unread_inputs (CamGraph *graph, GHashTable *bound)
{
  g_autoptr (GHashTable) read = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < graph->nodes->len; i++)
    {
      CamNode *node = graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_inputs; k++)
        g_hash_table_add (read, node->inputs[k]);
    }
  for (guint i = graph->inputs->len; i-- > 0;)
    {
      CamValue *input = graph->inputs->pdata[i];

      if (! g_hash_table_contains (bound, input)
          && ! g_hash_table_contains (read, input)
          && ! g_ptr_array_find (graph->outputs, input, NULL))
        g_ptr_array_remove_index (graph->inputs, i);
    }
}

/* Named inputs first, so that the others can follow their symbols. */
static gboolean
bind_inputs (CamGraph *graph, const CamBinding *bindings, guint n_bindings,
             GError **error)
{
  g_autoptr (GHashTable)
      symbols = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, g_free);
  g_autoptr (GHashTable) bound = g_hash_table_new (NULL, NULL);

  for (guint i = 0; i < n_bindings; i++)
    {
      CamValue *input = cam_graph_find (graph, bindings[i].name);

      if (! input || ! g_ptr_array_find (graph->inputs, input, NULL))
        {
          g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NOT_FOUND,
                       _ ("the model has no input '%s'"), bindings[i].name);
          return FALSE;
        }
      if (! bind_to_shape (input, &bindings[i].shape, symbols, error))
        return FALSE;
      g_hash_table_add (bound, input);
    }
  drop_unread_inputs (graph, bound);
  for (guint i = 0; i < graph->inputs->len; i++)
    if (! g_hash_table_contains (bound, graph->inputs->pdata[i])
        && ! bind_to_default (graph->inputs->pdata[i], symbols, error))
      return FALSE;
  return TRUE;
}

static gboolean
choose_kept (Binder *binder, const char *const *keep, GError **error)
{
  CamGraph *graph = binder->graph;

  if (keep)
    g_ptr_array_set_size (graph->outputs, 0);
  for (guint i = 0; keep && keep[i]; i++)
    {
      CamValue *value = cam_graph_find (graph, keep[i]);

      if (! value)
        {
          g_set_error (error, CAM_GRAPH_ERROR, CAM_GRAPH_ERROR_NOT_FOUND,
                       _ ("the model has no tensor '%s'"), keep[i]);
          return FALSE;
        }
      g_ptr_array_add (graph->outputs, value);
    }
  return TRUE;
}

/* A node that hands its first input on as it is, and nothing else. */
static gboolean
is_another_name (const CamNode *node, const guint8 *is_kept)
{
  static const char *const types[] = { "Identity", "Dropout", "Cast", NULL };

  if (*node->domain || ! g_strv_contains (types, node->op_type)
      || is_kept[node->outputs[0]->index])
    return FALSE;
  for (guint i = 1; i < node->n_outputs; i++)
    if (node->outputs[i])
      return FALSE;
  return node->inputs[0]->dtype == node->outputs[0]->dtype;
}

/* Lets go of constants that no other node reads, and nobody keeps. */
static void
release_inputs (const Binder *binder, const CamNode *node)
{
  for (guint i = 0; i < node->n_inputs; i++)
    {
      CamValue *input = node->inputs[i];

      if (input && binder->n_readers[input->index] == 0
          && ! binder->is_kept[input->index])
        g_clear_pointer (&input->constant, cam_tensor_unref);
    }
}

static void
count_readers (const Binder *binder)
{
  for (guint i = 0; i < binder->graph->nodes->len; i++)
    {
      const CamNode *node = binder->graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_inputs; k++)
        if (node->inputs[k])
          binder->n_readers[node->inputs[k]->index]++;
    }
}

static gboolean
bind_node (Binder *binder, CamNode *node, GError **error)
{
  for (guint i = 0; i < node->n_inputs; i++)
    {
      CamValue *input = node->inputs[i];

      if (input && binder->stands_for[input->index])
        node->inputs[i] = binder->stands_for[input->index];
      if (node->inputs[i] && node->inputs[i]->shape.n_dims < 0)
        {
          cam_node_error (error, CAM_GRAPH_ERROR_MALFORMED, node,
                          _ ("the shape of its input '%s' is not known"),
                          node->inputs[i]->name);
          return FALSE;
        }
    }
  if (! node->op->infer (node, error))
    return FALSE;
  for (guint i = 0; i < node->n_inputs; i++)
    if (node->inputs[i])
      binder->n_readers[node->inputs[i]->index]--;
  if (node->outputs[0] && is_another_name (node, binder->is_kept))
    {
      binder->stands_for[node->outputs[0]->index] = node->inputs[0];
      binder->n_readers[node->inputs[0]->index]
          += binder->n_readers[node->outputs[0]->index];
    }
  else if (cam_node_is_foldable (node, &binder->budget))
    {
      if (! cam_node_fold (node, error))
        return FALSE;
      release_inputs (binder, node);
    }
  return TRUE;
}

/* Nodes whose outputs are constants by now compute nothing. */
static void
drop_folded (CamGraph *graph)
{
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      CamNode *node = graph->nodes->pdata[i];

      for (guint k = 0; k < node->n_outputs; k++)
        if (node->outputs[k] && ! node->outputs[k]->producer)
          node->outputs[k] = NULL;
    }
}

static gboolean
bind_nodes (Binder *binder, GError **error)
{
  CamGraph *graph = binder->graph;

  for (guint i = 0; i < graph->nodes->len; i++)
    if (! bind_node (binder, graph->nodes->pdata[i], error))
      return FALSE;
  drop_folded (graph);
  return TRUE;
}

/* An inner tensor becomes an input: what made it is no longer asked. */
static void
cut_at (CamGraph *graph, CamValue *value)
{
  CamNode *node = value ? value->producer : NULL;

  for (guint i = 0; node && i < node->n_outputs; i++)
    if (node->outputs[i] == value)
      {
        node->outputs[i] = NULL;
        value->producer = NULL;
        value->dtype = CAM_DTYPE_FLOAT32;
        g_ptr_array_add (graph->inputs, value);
      }
}

CamGraph *
cam_graph_bind (const CamGraph *graph, const CamBinding *bindings,
                guint n_bindings, const char *const *keep, GError **error)
{
  g_autoptr (CamGraph) bound = cam_graph_copy (graph, error);
  g_autofree CamValue **stands_for = NULL;
  g_autofree guint8 *is_kept = NULL;
  g_autofree guint *n_readers = NULL;
  Binder binder = { .graph = bound };

  if (! bound)
    return NULL;
  for (guint i = 0; i < n_bindings; i++)
    cut_at (bound, cam_graph_find (bound, bindings[i].name));
  if (! choose_kept (&binder, keep, error))
    return NULL;
  cam_graph_prune (bound, NULL);
  if (! bind_inputs (bound, bindings, n_bindings, error))
    return NULL;
  binder.stands_for = stands_for = g_new0 (CamValue *, bound->values->len);
  binder.is_kept = is_kept = g_new0 (guint8, bound->values->len);
  for (guint i = 0; i < bound->outputs->len; i++)
    is_kept[((CamValue *) bound->outputs->pdata[i])->index] = TRUE;
  binder.n_readers = n_readers = g_new0 (guint, bound->values->len);
  binder.budget = cam_fold_budget (bound);
  count_readers (&binder);
  if (! bind_nodes (&binder, error))
    return NULL;
  cam_graph_prune (bound, NULL);
  return g_steal_pointer (&bound);
}
