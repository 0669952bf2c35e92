/* embedding-scores.c -- see embedding-scores.h */
#include "config.h"
#include "core/engine/embedding-scores.h"
#include <string.h>

#define MOST_STEPS 64 /* nodes that are walked back */

/* ---- names ---- */

/* The words of "fc/Image_Embeds:0" and "imageEmbeds", small. (transfer full) */
static char **
split_words (const char *name)
{
  GString *text = g_string_new (NULL);

  for (const char *c = name; *c != '\0'; c++)
    {
      if (c > name && g_ascii_isupper (*c) && g_ascii_islower (c[-1]))
        g_string_append_c (text, ' ');
      g_string_append_c (text,
                         g_ascii_isalpha (*c) ? g_ascii_tolower (*c) : ' ');
    }
  {
    char **words = g_strsplit (text->str, " ", -1);

    g_string_free (text, TRUE);
    return words;
  }
}

static gboolean
has_word (char **words, const char *const *wanted)
{
  for (int i = 0; words[i] != NULL; i++)
    if (g_strv_contains (wanted, words[i]))
      return TRUE;
  return FALSE;
}

CamEmbeddingName
cam_embedding_name (const char *name)
{
  static const char *const strong[] = { "embedding",  "embeddings",  "embed",
                                        "embeds",     "emb",         "embs",
                                        "descriptor", "descriptors", NULL };
  static const char *const weak[] = { "feature", "features",       "feat",
                                      "feats",   "pooled",         "pooler",
                                      "latent",  "representation", "repr",
                                      NULL };
  static const char *const scores[] = {
    "logit",         "logits",     "prob",       "probs",       "probability",
    "probabilities", "softmax",    "score",      "scores",      "class",
    "classes",       "classifier", "prediction", "predictions", "pred",
    "preds",         "label",      "labels",     NULL
  };
  static const char *const measures[] = {
    "box",    "boxes",   "bbox",      "bboxes", "landmark", "landmarks", "age",
    "gender", "quality", "keypoints", "points", "pose",     NULL
  };
  static const char *const others[] = { "text",  "position", "patch",
                                        "token", "tokens",   NULL };
  g_auto (GStrv) words = split_words (name);

  if (has_word (words, scores))
    return CAM_NAME_SCORES;
  if (has_word (words, measures))
    return CAM_NAME_MEASURE;
  if (has_word (words, others))
    return CAM_NAME_OTHER;
  if (has_word (words, strong))
    return CAM_NAME_STRONG;
  return has_word (words, weak) ? CAM_NAME_WEAK : CAM_NAME_NOTHING;
}

/* ---- what made it ---- */

static gboolean
is_one_of (const CamValue *value, const char *const *types)
{
  return value != NULL && value->producer != NULL
         && g_strv_contains (types, value->producer->op_type);
}

const CamValue *
cam_scores_root (const CamValue *value)
{
  static const char *const same[] = {
    "Identity",       "Dropout",          "Cast",      "Flatten",
    "Reshape",        "Squeeze",          "Unsqueeze", "Transpose",
    "QuantizeLinear", "DequantizeLinear", NULL
  };

  for (int i = 0; i < MOST_STEPS && is_one_of (value, same)
                  && value->producer->inputs[0] != NULL;
       i++)
    value = value->producer->inputs[0];
  return value;
}

/* What a temperature or the like, one constant number, makes @value of */
static const CamValue *
unscaled (const CamValue *value)
{
  static const char *const scales[] = { "Mul", "Div", "Add", "Sub", NULL };

  value = cam_scores_root (value);
  for (int i = 0; i < MOST_STEPS && is_one_of (value, scales); i++)
    {
      CamValue **terms = value->producer->inputs;
      const CamValue *number = terms[0]->constant ? terms[0] : terms[1];
      gsize n = 0;

      if (! number->constant || ! cam_shape_count (&number->shape, 0, &n)
          || n != 1)
        break;
      value = cam_scores_root (number == terms[0] ? terms[1] : terms[0]);
    }
  return value;
}

/* exp (x) / sum (exp (x)), written out */
static gboolean
is_spelt_softmax (const CamValue *value)
{
  static const char *const div[] = { "Div", NULL }, *const exp[] = { "Exp",
                                                                     NULL };
  static const char *const sum[] = { "ReduceSum", NULL };
  const CamValue *above, *below;

  if (! is_one_of (value, div))
    return FALSE;
  above = cam_scores_root (value->producer->inputs[0]);
  below = cam_scores_root (value->producer->inputs[1]);
  return is_one_of (above, exp) && is_one_of (below, sum)
         && cam_scores_root (below->producer->inputs[0]) == above;
}

/* What a Softmax or the like makes @value of, and which (static); NULL: none
 * does. */
static const CamValue *
under_softmax (const CamValue *value, const char **op)
{
  static const char *const last[] = { "Softmax",     "LogSoftmax", "Sigmoid",
                                      "HardSigmoid", "Hardmax",    NULL };
  static const char *const around[] = { "Log", "Clip", NULL };
  static const char *const softmax[] = { "Softmax", "LogSoftmax", NULL };

  value = cam_scores_root (value);
  if (is_one_of (value, around))
    value = cam_scores_root (value->producer->inputs[0]);
  if (is_one_of (unscaled (value), softmax))
    value = unscaled (value);
  if (is_spelt_softmax (value))
    {
      *op = "Softmax";
      return cam_scores_root (value->producer->inputs[0])->producer->inputs[0];
    }
  if (! is_one_of (value, last))
    return NULL;
  *op = value->producer->op_type;
  return value->producer->inputs[0];
}

typedef struct
{
  const CamValue *input; /* NULL: no linear layer */
  gboolean bias;
} Linear;

/* The linear layer, of constant weights, that makes @value */
static Linear
linear_layer (const CamValue *value)
{
  static const char *const add[] = { "Add", NULL }, *const gemm[] = { "Gemm",
                                                                      NULL };
  static const char *const matmul[] = { "MatMul", NULL };
  static const char *const conv[] = { "Conv", NULL };
  gboolean bias = FALSE;
  const CamNode *node;

  value = unscaled (value);
  if (is_one_of (value, add))
    {
      CamValue **terms = value->producer->inputs;
      const CamValue *term = cam_scores_root (terms[0]->constant ? terms[1]
                                                                 : terms[0]);

      if (! terms[0]->constant == ! terms[1]->constant
          || ! is_one_of (term, matmul))
        return (Linear) { NULL, FALSE };
      value = term;
      bias = TRUE;
    }
  if (! is_one_of (value, matmul) && ! is_one_of (value, gemm)
      && ! is_one_of (value, conv))
    return (Linear) { NULL, FALSE };
  node = value->producer;
  if (node->inputs[1] == NULL || node->inputs[1]->constant == NULL)
    return (Linear) { NULL, FALSE };
  return (Linear) { node->inputs[0],
                    bias || (node->n_inputs > 2 && node->inputs[2] != NULL) };
}

/* Numbers of classes that data sets have */
static gboolean
is_known_count (const CamValue *value)
{
  static const gint64 known[] = { 100,  200,   1000,  1001,
                                  8000, 11221, 21841, 21843 };
  gsize n = 0;

  cam_shape_count (&value->shape, 1, &n);
  for (gsize i = 0; i < G_N_ELEMENTS (known); i++)
    if ((gint64) n == known[i])
      return TRUE;
  return FALSE;
}

/* Those, and numbers that no embedding has; a projection, without bias, may
 * well have a round one. */
static gboolean
counts_classes (const CamValue *value, Linear linear)
{
  gsize n = 0;

  cam_shape_count (&value->shape, 1, &n);
  return linear.input != NULL
         && (n % 4 != 0
             || (is_known_count (value) && (linear.bias || n >= 1000)));
}

/* A map for each class, pooled, as SqueezeNet has it */
static gboolean
pools_classes (const CamValue *value)
{
  static const char *const pools[] = { "GlobalAveragePool", "AveragePool",
                                       "ReduceMean", "GlobalMaxPool", NULL };
  static const char *const between[] = { "Relu", "Dropout", NULL };
  static const char *const conv[] = { "Conv", NULL };
  const CamValue *pooled = cam_scores_root (value);

  if (! is_one_of (pooled, pools) || ! is_known_count (value))
    return FALSE;
  value = cam_scores_root (pooled->producer->inputs[0]);
  if (is_one_of (value, between))
    value = cam_scores_root (value->producer->inputs[0]);
  return is_one_of (value, conv) && value->producer->n_inputs > 2
         && value->producer->inputs[2] != NULL;
}

/* The vector that @linear reads; NULL where it reads a map */
static char *
name_vector (Linear linear)
{
  const CamValue *input = linear.input;

  if (input == NULL || input->producer == NULL
      || ! cam_shape_is_vector (&input->shape))
    return NULL;
  return g_strdup (input->name);
}

CamScores
cam_scores_judge (const CamValue *value, const char *name, char **op,
                  char **before)
{
  CamEmbeddingName says = cam_embedding_name (name);
  const char *last = NULL;
  const CamValue *under = under_softmax (value, &last);
  Linear linear = linear_layer (under != NULL ? under : value);

  if (under == NULL && says != CAM_NAME_SCORES
      && (says != CAM_NAME_NOTHING
          || ! (counts_classes (value, linear) || pools_classes (value))))
    return CAM_SCORES_NONE;
  *op = g_strdup (last != NULL ? last : "");
  *before = name_vector (linear);
  return under != NULL ? CAM_SCORES_CERTAIN : CAM_SCORES_LIKELY;
}
