/* inspect.h -- what camlens inspect has found of a network */
#pragma once

#include "core/engine/embedding-candidates.h"
#include "core/model/model.h"

typedef struct /* all that is printed */
{
  CamModel *model; /* NULL where its settings are no use, as excuse says */
  char *excuse;
  CamNetwork *network;
  GPtrArray *outputs, *layers; /* of CamTensorInfo */
  guint64 macs;
  GPtrArray *candidates; /* of CamEmbeddingCandidate: the outputs, and an inner
                            tensor that is the embedding */
  const char *embedding, *suggested;
} Facts;

/* The number that fills a constant which an input has become */
double inspect_number (const CamTensor *constant);
void inspect_print_json (const Facts *facts);
