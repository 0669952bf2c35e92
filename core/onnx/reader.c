/* reader.c -- see reader.h */
#include "config.h"
#include "core/onnx/reader.h"
#include "core/onnx/graph-reader.h"
#include <glib/gi18n.h>
#include <inttypes.h>
#include <malloc.h>
#include <string.h>

/* the fields at which a file is taken apart, as onnx.proto numbers them */
#define MODEL_GRAPH 7
#define GRAPH_INITIALIZER 5
#define TENSOR_RAW_DATA 9

#define DEFAULT_MEMORY_LIMIT ((guint64) 8 << 30)

typedef struct
{
  CamSource *source;
  GCancellable *cancellable;
  CamTensorReader tensors;
  CamOnnxModel *model;
} Reader;

static gboolean G_GNUC_PRINTF (3, 4)
    refuse (GError **error, CamGraphError code, const char *format, ...)
{
  va_list arguments;

  va_start (arguments, format);
  g_propagate_error (error, g_error_new_valist (CAM_GRAPH_ERROR, code, format,
                                                arguments));
  va_end (arguments);
  return FALSE;
}

void
cam_onnx_model_free (CamOnnxModel *model)
{
  if (! model)
    return;
  g_clear_pointer (&model->graph, cam_graph_free);
  g_clear_pointer (&model->metadata, g_hash_table_unref);
  g_clear_pointer (&model->files, g_ptr_array_unref);
  g_clear_pointer (&model->locations, g_ptr_array_unref);
  g_free (model);
}

/* The opset of ONNX's own domain, or 0 with an error. */
static int
read_opset (const Onnx__ModelProto *proto, GError **error)
{
  gint64 opset = 0;

  for (gsize i = 0; i < proto->n_opset_import; i++)
    {
      const char *domain = proto->opset_import[i]->domain;

      if (! domain || ! *domain || strcmp (domain, "ai.onnx") == 0)
        opset = proto->opset_import[i]->version;
    }
  if (opset == 0)
    refuse (error, CAM_GRAPH_ERROR_MALFORMED,
            _ ("it is no ONNX file, or it is damaged (it names no opset)"));
  else if (opset < CAM_ONNX_MIN_OPSET || opset > CAM_ONNX_MAX_OPSET)
    refuse (error, CAM_GRAPH_ERROR_UNSUPPORTED,
            _ ("it is of opset %" PRId64
               "; opsets %d to %d are supported: export it with one of these"),
            opset, CAM_ONNX_MIN_OPSET, CAM_ONNX_MAX_OPSET);
  else
    return (int) opset;
  return 0;
}

static void
read_metadata (CamOnnxModel *model, const Onnx__ModelProto *proto)
{
  for (gsize i = 0; i < proto->n_metadata_props; i++)
    {
      const Onnx__StringStringEntryProto *entry = proto->metadata_props[i];

      if (entry->key)
        g_hash_table_replace (model->metadata, g_strdup (entry->key),
                              g_utf8_make_valid (entry->value ? entry->value
                                                              : "",
                                                 -1));
    }
}

static gboolean
is_float (CamDType dtype)
{
  return dtype == CAM_DTYPE_FLOAT32 || dtype == CAM_DTYPE_FLOAT64
         || dtype == CAM_DTYPE_FLOAT16 || dtype == CAM_DTYPE_BFLOAT16;
}

static gboolean
add_initialiser (Reader *reader, const Onnx__TensorProto *proto,
                 const GArray *raw, GError **error)
{
  CamGraph *graph = reader->model->graph;
  CamSource *source = raw->len > 0 ? reader->source : NULL;
  CamSpan span = { 0, 0 };
  CamTensor *tensor;
  CamValue *value;

  if (! cam_graph_reader_check_name (graph, CAM_NAMED_INITIALISER, proto->name,
                                     error))
    return FALSE;
  if (source)
    span = g_array_index (raw, CamSpan, raw->len - 1);
  tensor = cam_tensor_reader_read (&reader->tensors, proto, source, span,
                                   error);
  if (! tensor)
    {
      g_prefix_error (error, _ ("initialiser '%s': "), proto->name);
      return FALSE;
    }
  value = cam_graph_add_value (graph, proto->name, NULL);
  value->constant = tensor;
  value->dtype = tensor->dtype;
  value->shape = tensor->shape;
  if (is_float (tensor->dtype))
    reader->model->parameters += tensor->n_elements;
  return TRUE;
}

static gboolean
read_initialiser (Reader *reader, CamSpan span, GError **error)
{
  g_autoptr (GArray) rest = g_array_new (FALSE, FALSE, sizeof (CamSpan));
  g_autoptr (GArray) raw = g_array_new (FALSE, FALSE, sizeof (CamSpan));
  Onnx__TensorProto *proto;
  gboolean ok;

  if (! cam_wire_split (reader->source, span, TENSOR_RAW_DATA, rest, raw,
                        error))
    return FALSE;
  proto = cam_wire_unpack (reader->source, rest,
                           &onnx__tensor_proto__descriptor, error);
  if (! proto)
    return FALSE;
  ok = add_initialiser (reader, proto, raw, error);
  onnx__tensor_proto__free_unpacked (proto, NULL);
  return ok;
}

/* @graphs: where the file has its graph; if in several parts, they count as
 * one, as protobuf has it. */
static gboolean
read_graph (Reader *reader, const GArray *graphs, GError **error)
{
  g_autoptr (GArray) rest = g_array_new (FALSE, FALSE, sizeof (CamSpan));
  g_autoptr (GArray) weights = g_array_new (FALSE, FALSE, sizeof (CamSpan));
  Onnx__GraphProto *proto;
  gboolean ok;

  for (guint i = 0; i < graphs->len; i++)
    if (! cam_wire_split (reader->source, g_array_index (graphs, CamSpan, i),
                          GRAPH_INITIALIZER, rest, weights, error))
      return FALSE;
  for (guint i = 0; i < weights->len; i++)
    if (g_cancellable_set_error_if_cancelled (reader->cancellable, error)
        || ! read_initialiser (reader, g_array_index (weights, CamSpan, i),
                               error))
      return FALSE;
  proto = cam_wire_unpack (reader->source, rest, &onnx__graph_proto__descriptor,
                           error);
  if (! proto)
    return FALSE;
  ok = cam_graph_reader_read (reader->model->graph, proto, &reader->tensors,
                              error);
  onnx__graph_proto__free_unpacked (proto, NULL);
  return ok;
}

static gboolean
read_model (Reader *reader, GError **error)
{
  g_autoptr (GArray) rest = g_array_new (FALSE, FALSE, sizeof (CamSpan));
  g_autoptr (GArray) graphs = g_array_new (FALSE, FALSE, sizeof (CamSpan));
  CamSpan whole = { 0, reader->source->size };
  Onnx__ModelProto *proto;
  int opset;

  if (! cam_wire_check (reader->source, &onnx__model_proto__descriptor,
                        reader->tensors.memory_limit, error)
      || ! cam_wire_split (reader->source, whole, MODEL_GRAPH, rest, graphs,
                           error))
    return FALSE;
  if (graphs->len == 0)
    return refuse (error, CAM_GRAPH_ERROR_MALFORMED,
                   _ ("it is no ONNX file, or it is damaged (it has no "
                      "graph)"));
  proto = cam_wire_unpack (reader->source, rest, &onnx__model_proto__descriptor,
                           error);
  if (! proto)
    return FALSE;
  opset = read_opset (proto, error);
  reader->model->graph = cam_graph_new (NULL, opset);
  read_metadata (reader->model, proto);
  onnx__model_proto__free_unpacked (proto, NULL);
  return opset > 0 && read_graph (reader, graphs, error);
}

CamOnnxModel *
cam_onnx_read (CamSource *source, const char *folder, guint64 memory_limit,
               GCancellable *cancellable, GError **error)
{
  g_autoptr (CamOnnxModel) model = g_new0 (CamOnnxModel, 1);
  guint64 limit = memory_limit ? memory_limit : DEFAULT_MEMORY_LIMIT;
  Reader reader = {
    .source = source,
    .cancellable = cancellable,
    .model = model,
    .tensors = { .folder = folder, .memory_limit = limit, .budget = limit },
  };
  gboolean ok;

  model->metadata = g_hash_table_new_full (g_str_hash, g_str_equal, g_free,
                                           g_free);
  model->files =
      g_ptr_array_new_with_free_func ((GDestroyNotify) cam_model_file_free);
  if (source->fd >= 0)
    g_ptr_array_add (model->files, cam_model_file_new (source));
  reader.tensors.files = g_ptr_array_ref (model->files);
  model->locations = g_ptr_array_new_with_free_func (g_free);
  reader.tensors.locations = g_ptr_array_ref (model->locations);
  ok = read_model (&reader, error);
  cam_tensor_reader_clear (&reader.tensors);
  malloc_trim (0); /* what unpacking left behind */
  return ok ? g_steal_pointer (&model) : NULL;
}

CamTensor *
cam_onnx_read_tensor_file (const char *path, GError **error)
{
  g_autoptr (CamSource) source = cam_source_open (path, error);
  g_autoptr (GArray) pieces = g_array_new (FALSE, FALSE, sizeof (CamSpan));
  CamTensorReader tensors = { .memory_limit = DEFAULT_MEMORY_LIMIT,
                              .budget = DEFAULT_MEMORY_LIMIT };
  Onnx__TensorProto *proto = NULL;
  CamTensor *tensor = NULL;

  if (! source)
    return NULL;
  CamSpan whole = { 0, source->size };
  g_array_append_val (pieces, whole);
  if (cam_wire_check (source, &onnx__tensor_proto__descriptor,
                      DEFAULT_MEMORY_LIMIT, error))
    proto = cam_wire_unpack (source, pieces, &onnx__tensor_proto__descriptor,
                             error);
  if (proto)
    {
      tensor = cam_tensor_reader_read (&tensors, proto, NULL,
                                       (CamSpan) { 0, 0 }, error);
      onnx__tensor_proto__free_unpacked (proto, NULL);
    }
  if (! tensor)
    g_prefix_error (error, _ ("'%s': "), path);
  return tensor;
}
