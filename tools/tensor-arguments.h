/* tensor-arguments.h -- NAME=FILE arguments, and running a graph on .npy files
 *
 * What the commands run and gradient share: they feed a graph with arrays and
 * know nothing of pictures.
 */
#pragma once

#include "core/engine/plan.h"
#include "tools/places.h"

typedef struct
{
  CamNetwork *network;
  GPtrArray *names;   /* of inputs, char *, NULL-ended with the bindings */
  GPtrArray *tensors; /* of CamTensor */
  Places *places;     /* the network and the arrays are read */
} TensorInputs;

/* The network of a file or an installed model, and the arrays of @arguments
 * ("[NAME=]FILE", NULL-ended; nameless ones go to the graph's inputs in their
 * order), converted to the type that the graph wants where nothing is lost
 * that matters (float64 to float32, int32 to int64). */
gboolean tensor_inputs_load (TensorInputs *inputs, const char *model,
                             char *const *arguments, GError **error);
void tensor_inputs_clear (TensorInputs *inputs);

/* Fills in network's bindings, makes the plan and runs it on @n_threads;
 * @options has fetches and gradients; an input that a fetched tensor is made of
 * and that has no array is an error. (transfer full) */
CamWorkspace *tensor_inputs_run (TensorInputs *inputs,
                                 const CamPlanOptions *options, int n_threads,
                                 GError **error);

/* Splits "NAME=FILE" where NAME is a tensor of the graph; FALSE: none is. */
gboolean tensor_argument_split (const CamNetwork *network, const char *argument,
                                char **name, const char **file);
