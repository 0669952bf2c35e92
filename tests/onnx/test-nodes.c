/* test-nodes.c DATA [CASE] -- ONNX's own test directories, case by case
 *
 * A case is DATA/KIND/NAME/model.onnx with test_data_set_*'s inputs and outputs
 * as TensorProto files.  Each is run twice, on the plain operators and on the
 * optimised plan, at the tolerance of ONNX's own runner (relative 1e-3,
 * absolute 1e-7).  Where shapes follow from an input (Reshape's second, say),
 * that input is made an initialiser: networks have it so.
 *
 * Prints TAP; a case is skipped only for a reason that it names.
 */
#include "config.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/engine/plan.h"
#include "core/graph/operator.h"
#include "core/onnx/reader.h"
#include "onnx.pb-c.h"

#define RELATIVE 1e-3
#define ABSOLUTE 1e-7

typedef enum
{
  PASSED,
  FAILED,
  SKIPPED
} Verdict;

typedef struct
{
  guint count[3];
  guint point;
} Totals;

/* What keeps a case from being one of ours; NULL: nothing. (transfer full) */
static char *
reason_to_skip (const Onnx__ModelProto *model, const char *name)
{
  gint64 opset = 0;

  for (size_t i = 0; i < model->n_opset_import; i++)
    if (model->opset_import[i]->domain == NULL
        || *model->opset_import[i]->domain == '\0')
      opset = model->opset_import[i]->version;
    else
      return g_strdup_printf ("of the domain %s",
                              model->opset_import[i]->domain);
  for (size_t i = 0; i < model->graph->n_node; i++)
    {
      const char *type = model->graph->node[i]->op_type;
      gboolean known = FALSE;

      for (const CamOperator *const *op = cam_operators (); *op; op++)
        known |= strcmp ((*op)->type, type) == 0;
      if (! known)
        return g_strdup_printf ("%s is not in the list of operators", type);
    }
  if (opset > CAM_ONNX_MAX_OPSET)
    return g_strdup_printf ("of opset %" G_GINT64_FORMAT, opset);
  for (size_t i = 0; i < model->graph->n_input; i++)
    if (model->graph->input[i]->type->value_case
        != ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE)
      return g_strdup ("its inputs are sequences or optional");
    else if (model->graph->input[i]->type->tensor_type->elem_type
             == ONNX__TENSOR_PROTO__DATA_TYPE__STRING)
      return g_strdup ("its inputs are strings");
  for (size_t i = 0; i < model->graph->n_output; i++)
    if (model->graph->output[i]->type->value_case
            == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE
        && model->graph->output[i]->type->tensor_type->elem_type
               == ONNX__TENSOR_PROTO__DATA_TYPE__STRING)
      return g_strdup ("its outputs are strings");
  if (strstr (name, "training") && ! strstr (name, "zero_ratio"))
    return g_strdup ("about training; this engine runs inference");
  if (strcmp (name, "test_cast_FLOAT_to_BFLOAT16") == 0)
    return g_strdup ("its data cut off what later releases of ONNX (and this "
                     "engine) round to nearest");
  return NULL;
}

static GPtrArray *
read_tensors (const char *folder, const char *prefix, GError **error)
{
  GPtrArray *list =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_tensor_unref);

  for (int i = 0;; i++)
    {
      g_autofree char *path = g_strdup_printf ("%s/%s_%d.pb", folder, prefix,
                                               i);
      CamTensor *tensor;

      if (! g_file_test (path, G_FILE_TEST_EXISTS))
        return list;
      tensor = cam_onnx_read_tensor_file (path, error);
      if (tensor == NULL)
        {
          g_ptr_array_unref (list);
          return NULL;
        }
      g_ptr_array_add (list, tensor);
    }
}

/* Elements of both as double; NaN equals NaN. */
static gboolean
are_close (const CamTensor *a, const CamTensor *b)
{
  g_autoptr (CamTensor) x = cam_tensor_convert (a, CAM_DTYPE_FLOAT64, NULL);
  g_autoptr (CamTensor) y = cam_tensor_convert (b, CAM_DTYPE_FLOAT64, NULL);

  for (gsize i = 0; i < a->n_elements; i++)
    {
      double u = ((double *) x->data)[i], v = ((double *) y->data)[i];

      if (u == v || (isnan (u) && isnan (v)))
        continue;
      if (! (fabs (u - v) <= ABSOLUTE + RELATIVE * fabs (v)))
        return FALSE;
    }
  return TRUE;
}

/* NULL where it is as @wanted says, else what is wrong (transfer full) */
static char *
compare (const CamTensor *got, const CamTensor *wanted)
{
  g_autofree char *is = NULL, *should = NULL;

  if (got == NULL)
    return g_strdup ("an output is missing");
  is = cam_shape_to_string (&got->shape);
  should = cam_shape_to_string (&wanted->shape);
  if (got->dtype != wanted->dtype
      || ! cam_shape_equal (&got->shape, &wanted->shape))
    return g_strdup_printf ("%s %s instead of %s %s",
                            cam_dtype_name (got->dtype), is,
                            cam_dtype_name (wanted->dtype), should);
  return are_close (got, wanted) ? NULL : g_strdup ("numbers differ");
}

/* Input @i's tensor as an initialiser of the graph. */
static void
make_initialiser (Onnx__GraphProto *g, size_t i, const char *folder)
{
  g_autofree char *name = g_strdup_printf ("%s/input_%zu.pb", folder, i);
  g_autofree char *bytes = NULL;
  gsize size;
  Onnx__TensorProto *tensor;

  if (! g_file_get_contents (name, &bytes, &size, NULL))
    return;
  tensor = onnx__tensor_proto__unpack (NULL, size, (guint8 *) bytes);
  free (tensor->name);
  tensor->name = strdup (g->input[i]->name);
  g->initializer = realloc (g->initializer,
                            (g->n_initializer + 1) * sizeof (gpointer));
  g->initializer[g->n_initializer++] = tensor;
}

/* The model with inputs @first and later as initialisers (-1: none).  One of
 * an opset before 7 is declared to be of 7: what changed in between is refused
 * by its attributes. */
static GBytes *
read_model (const char *path, const char *folder, int first, gboolean *is_old)
{
  g_autofree char *data = NULL;
  gsize size;
  Onnx__ModelProto *model;
  guint8 *packed;

  if (! g_file_get_contents (path, &data, &size, NULL))
    return NULL;
  model = onnx__model_proto__unpack (NULL, size, (guint8 *) data);
  *is_old = FALSE;
  for (size_t i = 0; i < model->n_opset_import; i++)
    if (model->opset_import[i]->version < CAM_ONNX_MIN_OPSET)
      {
        *is_old = TRUE;
        model->opset_import[i]->version = CAM_ONNX_MIN_OPSET;
      }
  for (size_t i = (size_t) first; first >= 0 && i < model->graph->n_input; i++)
    make_initialiser (model->graph, i, folder);
  size = onnx__model_proto__get_packed_size (model);
  packed = g_malloc (size);
  onnx__model_proto__pack (model, packed);
  onnx__model_proto__free_unpacked (model, NULL);
  return g_bytes_new_take (packed, size);
}

static CamPlan *
make_plan (CamNetwork *network, GPtrArray *inputs, gboolean reference,
           GError **error)
{
  const CamGraph *graph = cam_network_graph (network);
  guint n = MIN (graph->inputs->len, inputs->len);
  g_autofree CamBinding *bindings = g_new0 (CamBinding, n + 1);
  CamPlanOptions options = { .bindings = bindings,
                             .n_bindings = n,
                             .reference = reference };

  for (guint i = 0; i < n; i++)
    {
      CamValue *value = graph->inputs->pdata[i];
      CamTensor *tensor = inputs->pdata[i];

      /* The data have bfloat16 as the integers of its bits. */
      if (value->dtype == CAM_DTYPE_BFLOAT16
          && tensor->dtype == CAM_DTYPE_UINT16)
        tensor->dtype = CAM_DTYPE_BFLOAT16;
      bindings[i].name = value->name;
      bindings[i].shape = tensor->shape;
    }
  return cam_plan_new (network, &options, error);
}

/* One data set on one kind of plan. (transfer full) */
static char *
run_plan (CamNetwork *network, GPtrArray *inputs, GPtrArray *outputs,
          gboolean reference, GError **error)
{
  const CamGraph *graph = cam_network_graph (network);
  g_autoptr (CamPlan) plan = make_plan (network, inputs, reference, error);
  g_autoptr (CamWorkspace) workspace = plan ? cam_workspace_new (plan, 2, error)
                                            : NULL;

  if (workspace == NULL)
    return g_strdup ("no plan");
  for (guint i = 0; i < MIN (graph->inputs->len, inputs->len); i++)
    if (! cam_workspace_set_input (workspace,
                                   ((CamValue *) graph->inputs->pdata[i])->name,
                                   inputs->pdata[i], error))
      return g_strdup ("an input is refused");
  if (! cam_workspace_run (workspace, NULL, error))
    return g_strdup ("the run failed");
  for (guint i = 0; i < outputs->len; i++)
    {
      CamValue *value = graph->outputs->pdata[i];
      CamTensor *wanted = outputs->pdata[i];
      const CamTensor *got = cam_workspace_get (workspace, value->name);
      char *wrong;

      if (got && got->dtype == CAM_DTYPE_BFLOAT16
          && wanted->dtype == CAM_DTYPE_UINT16)
        wanted->dtype = CAM_DTYPE_BFLOAT16;
      wrong = compare (got, wanted);
      if (wrong)
        return wrong;
    }
  return NULL;
}

/* One data set, both plans; @first as above. (transfer full) */
static char *
run_set (const char *model, const char *folder, int first, gboolean *is_old,
         GError **error)
{
  g_autoptr (GBytes) bytes = read_model (model, folder, first, is_old);
  g_autoptr (CamNetwork)
      network = cam_network_load_bytes (bytes, NULL, 0, error);
  g_autoptr (GPtrArray) inputs = NULL, outputs = NULL;
  char *wrong = NULL;

  if (network == NULL)
    return g_strdup ("not loaded");
  inputs = read_tensors (folder, "input", error);
  outputs = inputs ? read_tensors (folder, "output", error) : NULL;
  if (outputs == NULL)
    return g_strdup ("its data cannot be read");
  if (outputs->len != cam_network_graph (network)->outputs->len)
    return g_strdup ("as many outputs as expected are not there");
  for (int reference = 1; reference >= 0 && wrong == NULL; reference--)
    {
      wrong = run_plan (network, inputs, outputs, reference, error);
      if (wrong && ! reference)
        {
          char *more = g_strconcat ("optimised: ", wrong, NULL);

          g_free (wrong);
          wrong = more;
        }
    }
  return wrong;
}

/* What went wrong keeps a case from being judged: the operators of its old
 * opset have other attributes (or PRelu's slopes, one a channel), or its data
 * are not as its model says. */
static gboolean
is_no_case (gboolean is_old, const GError *error)
{
  return error
         && ((is_old
              && (strstr (error->message, "attribute")
                  || strstr (error->message, "(PRelu, opset 7)")))
             || strstr (error->message, "the model wants the shape"));
}

/* Tries the inputs as they are, then all but the first constant, then all. */
static Verdict
run_set_somehow (const char *model, const char *folder, char **text)
{
  static const int order[] = { -1, 1, 0 };

  for (guint k = 0; k < G_N_ELEMENTS (order); k++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *wrong = NULL;
      gboolean is_old = FALSE;

      g_clear_pointer (text, g_free);
      wrong = run_set (model, folder, order[k], &is_old, &error);
      if (wrong == NULL)
        return PASSED;
      *text = g_strconcat (wrong, error ? ": " : NULL,
                           error ? error->message : NULL, NULL);
      if (is_no_case (is_old, error))
        {
          char *why = g_strconcat (is_old ? "its opset is older than 7: "
                                          : "its data are not of its shapes: ",
                                   *text, NULL);

          g_free (*text);
          *text = why;
          return SKIPPED;
        }
      if (error == NULL || error->domain != CAM_GRAPH_ERROR)
        return FAILED;
    }
  return FAILED;
}

static Verdict
run_sets (const char *path, const char *model, char **text)
{
  *text = g_strdup ("no data set");
  for (int set = 0;; set++)
    {
      g_autofree char *folder = g_strdup_printf ("%s/test_data_set_%d", path,
                                                 set);
      Verdict verdict;

      if (! g_file_test (folder, G_FILE_TEST_IS_DIR))
        return *text ? FAILED : PASSED;
      verdict = run_set_somehow (model, folder, text);
      if (verdict != PASSED)
        return verdict;
    }
}

static Verdict
run_case (const char *path, const char *name, char **text)
{
  g_autofree char *model = g_build_filename (path, "model.onnx", NULL);
  g_autofree char *data = NULL;
  gsize size;
  Onnx__ModelProto *proto;

  if (! g_file_get_contents (model, &data, &size, NULL)
      || ! (proto = onnx__model_proto__unpack (NULL, size, (guint8 *) data)))
    {
      *text = g_strdup ("model.onnx cannot be read");
      return FAILED;
    }
  *text = reason_to_skip (proto, name);
  onnx__model_proto__free_unpacked (proto, NULL);
  if (*text)
    return SKIPPED;
  return run_sets (path, model, text);
}

static int
by_name (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static void
run_kind (const char *root, const char *kind, const char *only, Totals *t)
{
  g_autofree char *folder = g_build_filename (root, kind, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GDir) dir = g_dir_open (folder, 0, NULL);
  const char *name;

  while (dir && (name = g_dir_read_name (dir)))
    if (only == NULL || strcmp (only, name) == 0)
      g_ptr_array_add (names, g_strdup (name));
  g_ptr_array_sort (names, by_name);
  for (guint i = 0; i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (folder, names->pdata[i], NULL);
      g_autofree char *text = NULL;
      Verdict verdict = run_case (path, names->pdata[i], &text);

      t->count[verdict]++;
      printf ("%sok %u - %s/%s%s%s\n", verdict == FAILED ? "not " : "",
              ++t->point, kind, (char *) names->pdata[i],
              verdict == SKIPPED ? " # SKIP " : "",
              verdict == SKIPPED ? text : "");
      if (verdict == FAILED)
        printf ("# %s\n", text);
      fflush (stdout);
    }
}

int
main (int argc, char **argv)
{
  static const char *const kinds[] = { "node", "simple", "pytorch-operator",
                                       "pytorch-converted" };
  Totals totals = { { 0 }, 0 };

  if (argc < 2 || ! g_file_test (argv[1], G_FILE_TEST_IS_DIR))
    {
      printf ("1..0 # SKIP ONNX's test data (libonnx-testdata) is not here\n");
      return 0;
    }
  for (guint i = 0; i < G_N_ELEMENTS (kinds); i++)
    run_kind (argv[1], kinds[i], argc > 2 ? argv[2] : NULL, &totals);
  printf ("1..%u\n# %u passed, %u failed, %u skipped\n", totals.point,
          totals.count[PASSED], totals.count[FAILED], totals.count[SKIPPED]);
  return totals.count[FAILED] > 0;
}
