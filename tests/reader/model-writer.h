/* model-writer.h -- ONNX files byte by byte, right ones and wrong ones
 *
 * Not protobuf-c's packing, which is under test and cannot write what is
 * broken.  A message is a GByteArray; whoever puts one into another gives it
 * away.  Field numbers are onnx.proto's.
 */
#pragma once

#include "core/engine/network.h"

enum
{
  DTYPE_FLOAT = 1,
  DTYPE_INT64 = 7
}; /* as TensorProto numbers them */

void put_number (GByteArray *message, guint field, guint64 value);
void put_bytes (GByteArray *message, guint field, gconstpointer data,
                gsize length);
void put_text (GByteArray *message, guint field, const char *text);
void put_message (GByteArray *message, guint field, GByteArray *inner);
/* Appends a base 128 number. */
void put_varint (GByteArray *message, guint64 value);

/* TensorProto without data; @dims ends with -1 */
GByteArray *tensor_new (const char *name, int data_type, const gint64 *dims);
/* NodeProto; @inputs and @outputs are names with spaces between */
GByteArray *node_new (const char *op, const char *inputs, const char *outputs);
void node_add_int (GByteArray *node, const char *name, gint64 value);

typedef struct
{
  GByteArray *graph;
  int opset;
} Model;

/* With the input "x", float32 [N, 3, 8, 8], of the given opset */
Model model_new (int opset);
/* ValueInfoProto of an input; @dims ends with -1; 0 is a symbolic one */
GByteArray *input_new (const char *name, int data_type, const gint64 *dims);
void model_add_node (Model *model, GByteArray *node);
void model_add_weight (Model *model, GByteArray *tensor);
void model_add_output (Model *model, const char *name);
/* Ends the model. (transfer full) */
GBytes *model_finish (Model *model);

/* x -> Conv -> Relu -> GlobalAveragePool -> Flatten -> "y" [N, 2] */
GBytes *small_model (void);

/* Loads; @folder may be NULL. */
CamNetwork *load (GBytes *bytes, const char *folder, GError **error);
/* Loads @bytes (transfer full), which must be refused with @code and with a
 * message that has @word in it. */
void assert_refused (GBytes *bytes, CamGraphError code, const char *word);
