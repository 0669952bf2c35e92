/* explain.h -- the parts of "camlens explain" */
#pragma once

#include <json-glib/json-glib.h>

#include "core/method/explainer.h"
#include "core/method/measures.h"

typedef struct /* what the command line asks for; owned strings */
{
  char *model, *database, *layer;
  char *positive, *negative;
  char *out, *overlay, *composite, *heatmap;
  int top_k;
  CamTransfer transfer;
  double opacity, threshold;
  CamColormap colormap;
  gboolean legend, json, skips_ok;
  int n_threads;
} ExplainOptions;

typedef struct /* opened once, shared by all pictures */
{
  const ExplainOptions *options;
  CamModel *model;
  CamClusterDb *db; /* NULL: own gradient */
  CamExplainer *explainer; /* what it says of layer and sizes holds for all */
  GPtrArray *explainers;   /* one for each picture that is forward at a time */
  GAsyncQueue *idle;       /* those of them that are free */
  GMutex lock;             /* of the database */
  CamTensor *positive, *negative; /* embeddings */
} ExplainSession;

typedef struct /* one picture */
{
  const char *path;
  char *out, *overlay, *composite, *heatmap; /* owned; NULL: not wanted */
  CamView view;
  CamLookup lookup;
  CamHeatMap *map;
  float *alpha;  /* [K] */
  CamEmpty flat; /* why, where they are an own gradient's and all zero */
  int top_k;    /* as used: clamped, never 0 */
  CamBox box;   /* in picture pixels */
  gboolean has_box;
  double seconds[4]; /* decode, forward, map, write */
  GError *error;
  gboolean done;
} Explanation;

/* One picture has all the threads; of many each has one. */
gboolean explain_session_open (ExplainSession *session,
                               const ExplainOptions *options, guint n_pictures,
                               GError **error);
void explain_session_close (ExplainSession *session);
/* Decodes, observes, looks up and makes the map. */
gboolean explain_picture (ExplainSession *session, Explanation *explanation,
                          GError **error);
/* Writes all files that are wanted. */
gboolean explain_write (const ExplainSession *session, Explanation *explanation,
                        GError **error);
void explanation_free (Explanation *explanation);

/* What --json prints of one picture */
void explain_add_json (const ExplainSession *session,
                       const Explanation *explanation, JsonBuilder *b);
/* The same in a sentence (transfer full) */
char *explain_sentence (const ExplainSession *session,
                        const Explanation *explanation);
