/* evaluate.h -- the parts of "camlens evaluate" (method.md section 7)
 *
 *   data     pictures, masks, boxes, labels; training pictures' embeddings
 *   rows     the ways to make a map that are compared
 *   run      every picture by every row: scores
 *   summary  means with 95 % bootstrap intervals; text and JSON
 *   report   the same as a page to look at
 */
#pragma once

#include <json-glib/json-glib.h>

#include "core/base/threads.h"
#include "core/method/embedder.h"
#include "core/method/explainer.h"
#include "core/method/measures.h"
#include "core/method/score.h"
#include "core/method/triplets.h"
#include "tools/picture-mask.h"
#include "tools/progress.h"

#define EVALUATE_STEPS 10 /* of the faithfulness curves */

typedef enum
{
  MEASURE_ENERGY,
  MEASURE_IOU_20,
  MEASURE_IOU_40,
  MEASURE_IOU_60,
  MEASURE_BOX, /* IoU of the boxes >= 0.5 */
  MEASURE_POINTING,
  MEASURE_FAITHFULNESS,
  N_MEASURES
} Measure;

typedef struct /* what the command line asks for; owned strings */
{
  char *model, *images, *masks, *boxes, *labels, *train, *report;
  char *mining; /* NULL: random */
  char **databases;
  int top_k, triplets, sample, n_threads;
  gint64 seed;
  gboolean sweep, json, skips_ok;
} EvaluateOptions;

typedef struct
{
  char *path, *name; /* name: below the folder */
  int label;         /* of data->labels; -1: none */
  char *mask;        /* path; NULL: none */
  GArray *boxes;     /* CamBox, of --boxes; NULL: none */
} EvaluatePicture;

typedef struct
{
  GPtrArray *pictures;     /* EvaluatePicture */
  GPtrArray *labels;       /* char*           */
  GPtrArray *train;        /* EvaluatePicture; NULL: no --train */
  float *train_embeddings; /* [train->len, dim] */
  int n_masks, n_boxes;
  int n_without_mask, n_lost_masks; /* pictures, masks without the other */
  gint mask_kinds[N_MASK_KINDS];    /* masks that were read so */
  gint n_empty_masks;               /* nothing in what the network sees */
  int n_unfound; /* names in --labels of no picture that exists */
  char *unfound; /* the first of them */
  gint n_left_out; /* pictures that could not be read, and were named */
} EvaluateData;

typedef enum
{
  ROW_OWN,
  ROW_NEIGHBOUR,
  ROW_CLUSTER,
  ROW_WRONG_CLUSTER,
  ROW_GLOBAL,
  ROW_ACTIVATION,
  ROW_GAUSSIAN,
  ROW_UNIFORM
} RowKind;

typedef struct
{
  RowKind kind;
  char *name;     /* "cluster transfer", for programs */
  char *title;    /* the same for people, translated */
  char *method;   /* "gradcam", "gradcam++" or "" */
  int database;   /* of databases; -1: none */
  int triplets;   /* own: 1 or T */
  int top_k;      /* 0: all channels */
  const char *reason; /* why it cannot be computed, to be translated (static);
                         NULL: it can */
  gboolean curve; /* a point of the report's plots, not of the table */
  gint n_maps;    /* pictures that it gave a map */
} EvaluateRow;

typedef struct /* of one picture and row; not-a-number: not measured */
{
  float measures[N_MEASURES];
  CamHeatMap *map; /* kept only where asked for */
  float *curves;   /* insertion, then deletion, [2, EVALUATE_STEPS + 1], where
                      faithfulness was measured */
} EvaluateScore;

typedef struct
{
  const EvaluateOptions *options;
  EvaluateData data;
  CamModel *model;
  GPtrArray *databases;  /* CamClusterDb */
  GPtrArray *layers;     /* char*, one a database; one without any */
  float **global;        /* [databases]: mean weights of all */
  CamMining mining;      /* of the triplets of own gradients */
  double margin;
  GPtrArray *rows;       /* EvaluateRow */
  EvaluateScore *scores; /* [pictures, rows] */
  float *embeddings;     /* [pictures, dim] */
  gboolean *embedded;    /* [pictures]: could be read */
  float *centre;         /* [pictures]: the mask's centre pixel, NaN: no mask */
  double *mask_area;     /* [pictures]: share of what the network sees */
  CamThreads *threads;
  Progress *progress;
  int dim;
} Evaluation;

/* data */
gboolean evaluate_read (EvaluateData *data, const EvaluateOptions *options,
                        GError **error);
void evaluate_data_clear (EvaluateData *data);

/* masks: which is whose, and what they hold */
gboolean evaluate_find_masks (EvaluateData *data, char *folder, GError **error);
/* The mask of @picture, which has one, at its own size, [*height, *width], 0 or
 * 1 (transfer full); an error where it lies on its side.  @data counts how it
 * was read; NULL: it was counted before, and nothing is said. */
float *evaluate_read_mask (EvaluateData *data, const EvaluatePicture *picture,
                           const CamView *view, int *width, int *height,
                           GError **error);
/* Counts and names a picture that is measured without its mask. */
void evaluate_say_empty (EvaluateData *data, const EvaluatePicture *picture);
/* For people, translated, and for programs: "gray" */
const char *evaluate_mask_kind (MaskKind kind);
const char *evaluate_mask_kind_name (MaskKind kind);

/* rows; also says how their triplets are drawn */
void evaluate_add_rows (Evaluation *e);
/* What own gradients are of: the first database's, else cosine */
CamScore evaluate_own_score (const Evaluation *e);
EvaluateRow *evaluate_row (const Evaluation *e, guint row);
/* For people, as it is in the database: a page has to escape it. */
const char *evaluate_row_method (const EvaluateRow *row);
/* "50", "all" or "" (transfer full) */
char *evaluate_row_channels (const EvaluateRow *row);
/* A picture is left out: says which one and why. */
void evaluate_note_left_out (const EvaluatePicture *picture,
                             const GError *error);
EvaluateScore *evaluate_score (const Evaluation *e, guint picture, guint row);

/* run: all pictures; unreadable ones are said and left out */
gboolean evaluate_run (Evaluation *e, GError **error);
/* One picture again, keeping its maps (evaluate_score ()->map). */
gboolean evaluate_again (Evaluation *e, guint picture, CamView *view,
                         GError **error);

/* summary */
typedef struct
{
  double mean, low, high; /* 95 % of bootstrap means */
  int n;                  /* 0: not measured */
} Interval;

const char *measure_name (Measure measure);  /* "energy" */
const char *measure_title (Measure measure); /* "Energy in the mask" */
Interval evaluate_interval (const Evaluation *e, guint row, Measure measure);
/* Share of pictures whose nearest other one has their label; NaN: no labels */
double evaluate_recall (const Evaluation *e);
double evaluate_recall_of_train (const Evaluation *e);
double evaluate_centre (const Evaluation *e);
double evaluate_mask_area (const Evaluation *e);
/* How masks were read: lines of text, members of JSON */
void evaluate_print_mask_kinds (const EvaluateData *data);
void evaluate_add_mask_kinds (const EvaluateData *data, JsonBuilder *b);
void evaluate_print (const Evaluation *e);
void evaluate_print_json (const Evaluation *e);

/* report: DIR/index.html, one file with all that it shows */
/* Before any work: makes DIR; FALSE where no page can be written in it. */
gboolean evaluate_report_check (const char *folder, GError **error);
gboolean evaluate_report (Evaluation *e, const char *folder, GError **error);
/* An SVG of insertion and deletion, means over pictures */
void evaluate_plot_curves (const Evaluation *e, GString *html);
/* An SVG of @measure over top-k (all rows that are curves) */
void evaluate_plot (const Evaluation *e, Measure measure, GString *html);
/* Best, typical and worst pictures by @row, with the maps of all rows */
gboolean evaluate_show_pictures (Evaluation *e, guint row, GString *html,
                                 GError **error);

/* sweep: layers and scores, chosen on one half, reported on the other */
int evaluate_sweep (const EvaluateOptions *options, GError **error);
