/* model-inputs.h -- which input of a network is the picture, and what the
 * others are
 *
 * A network may read more than a picture: a camera's number, a second picture,
 * words.  What the embedding is not made of does not matter.  What it is made
 * of gets its value from the settings (input.NAME=number), or the model is
 * refused: zeros would give numbers, but not its embedding.
 */
#pragma once

#include "core/model/settings.h"

/* The key that gives @input its value: "input.NAME", with _ for what no key can
 * have, or "input.NAME.value" where the former is a setting of pictures.
 * (transfer full) */
char *cam_model_input_key (const char *input);
/* "[N, 3, height, 224]" with the names that the file gives (transfer full) */
char *cam_model_input_shape_text (const CamValue *input);
/* Makes constants of the inputs that have a value; @height, @width as in
 * cam_network_set_input.  @given: their names (transfer full, NULL-ended) */
gboolean cam_model_inputs_apply (CamNetwork *network,
                                 const CamSettings *settings, int height,
                                 int width, char ***given, GError **error);
/* Adds to @warnings for each of @given that @embedding is not made of. */
void cam_model_inputs_warn (const CamNetwork *network, char **given,
                            const char *embedding, GPtrArray *warnings);
/* FALSE with an error where a picture could go into none of the inputs. */
gboolean cam_model_inputs_check (const CamNetwork *network, GError **error);
/* The input that the picture goes into, where @embedding is made of nothing
 * else without a value (borrowed); NULL with an error that names what is. */
const CamValue *cam_model_inputs_picture (const CamNetwork *network,
                                          const char *embedding,
                                          GError **error);
