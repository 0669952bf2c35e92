/* network.h -- an ONNX file, read, checked and ready to be bound to shapes
 *
 * Threads: a CamNetwork never changes once loaded and, where settings say more
 * of it, settled; any number may read it.
 */
#pragma once

#include "core/graph/graph.h"

typedef struct _CamNetwork CamNetwork;

/* @path: an .onnx file.  Refuses (CAM_GRAPH_ERROR, G_IO_ERROR) within a second
 * what is no ONNX, broken, unsupported or larger than @memory_limit bytes
 * (0: 8 GiB).  External data is only read from the model's own folder.
 * (transfer full) */
CamNetwork *cam_network_load (const char *path, guint64 memory_limit,
                              GCancellable *cancellable, GError **error);
/* From memory, without external data unless @folder (nullable) is given. */
CamNetwork *cam_network_load_bytes (GBytes *bytes, const char *folder,
                                    guint64 memory_limit, GError **error);
CamNetwork *cam_network_ref (CamNetwork *network);
void cam_network_unref (CamNetwork *network);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (CamNetwork, cam_network_unref)

/* The graph as the file has it, weights included (borrowed). */
const CamGraph *cam_network_graph (const CamNetwork *network);
/* metadata_props; NULL where the key is absent (borrowed) */
const char *cam_network_metadata (const CamNetwork *network, const char *key);
/* All keys, sorted (transfer full) */
char **cam_network_metadata_keys (const CamNetwork *network);
/* SHA-256 of the file, followed by its files of external data, each whole and
 * once, in the order of use; lower-case hex (borrowed).  Computed when first
 * asked for; "" where the files are no longer those that were read. */
const char *cam_network_digest (const CamNetwork *network);
/* The files of external data that are read, by their names in the model's
 * folder, as the model has them: array of char * (borrowed) */
const GPtrArray *cam_network_external_files (const CamNetwork *network);
/* Elements of all float initialisers. */
guint64 cam_network_parameters (const CamNetwork *network);
/* Gives the input a value once and for all: it is a constant from now on.  For
 * whoever has just loaded the network, before others see it.  What the file
 * leaves open of its shape follows the picture of @height x @width where it
 * has the same names, else it is 1. */
gboolean cam_network_set_input (CamNetwork *network, const char *input,
                                double number, int height, int width,
                                GError **error);
/* Likewise says which input is the picture, how large it is where the file
 * leaves it open, and which tensor is the embedding. */
void cam_network_settle (CamNetwork *network, const char *picture, int height,
                         int width, const char *embedding);
/* As cam_network_set_input would bind it */
CamShape cam_network_input_shape (const CamNetwork *network,
                                  const CamValue *input, int height, int width);
/* The embedding: as settled, else the best of cam_embedding_candidates; NULL
 * where there is none. */
const char *cam_network_embedding (const CamNetwork *network);
/* The fallback target layer of @embedding: the last spatial tensor (rank 4,
 * h*w > 1) before the pooling or flattening that leads to it; NULL: none, as
 * where tokens (rank 3) do. */
const char *cam_network_fallback_layer (const CamNetwork *network,
                                        const char *embedding);

typedef struct
{
  char *name;
  char *op; /* operator that makes it */
  CamDType dtype;
  CamShape shape; /* -1 where it follows a symbolic dim of the input */
  CamShape bound; /* as one picture of the size asked for has it     */
  char *text;     /* "[N, 960, 7, 7]" for people */
  char *problem;  /* why it has no shape (n_dims -1); NULL: it has one */
} CamTensorInfo;

void cam_tensor_info_free (CamTensorInfo *info);

/* Every float tensor that the picture flows through, in order, of rank 3 or 4
 * with more than one position: the possible target layers; for @height x
 * @width pictures (0: what the file says, or 224).  Array of CamTensorInfo
 * (transfer full).  Symbolic dims are found by binding two values and looking
 * which sizes follow. */
GPtrArray *cam_network_layers (const CamNetwork *network, int height, int width,
                               GError **error);
/* The same of the graph's outputs. */
GPtrArray *cam_network_outputs (const CamNetwork *network, int height,
                                int width, GError **error);
/* Multiply-adds of one picture up to all outputs, also where the file fixes a
 * larger batch; 0 with @error set where the shapes do not fit. */
guint64 cam_network_macs (const CamNetwork *network, int height, int width,
                          GError **error);
