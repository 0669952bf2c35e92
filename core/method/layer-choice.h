/* layer-choice.h -- which layer (and score) explains best, by measurement
 *
 * The last spatial layer is often the worst to explain with, and which one is
 * best differs from network to network.  So each candidate explains a sample of
 * the pictures by its own gradient (mean over triplets drawn within the
 * sample), and its maps are scored by faithfulness (method.md section 7):
 * pixels are inserted in, and deleted in, the order of the map; the area under
 * the curve of the embedding's cosine with its own original, insertion minus
 * deletion.  Where there are masks, energy and IoU are measured too.
 *
 * The weaker half of the candidates is dropped after the first third of the
 * sample.  Cost: some 12 forward passes for each picture and candidate.
 *
 * Results do not depend on the number of threads.  Each is told to the caller
 * (keep) as soon as it is there, and an interrupted choice that is given them
 * back (recall) goes on where it was.
 */
#pragma once

#include "core/method/faithfulness.h"
#include "core/method/score.h"
#include "core/model/model.h"

typedef struct
{
  int n_pictures; /* to draw the sample from */
  /* [n_pictures]: pictures of one number are alike; < 0: of no label. For
   * continuous labels pass the number of a quantile. */
  const int *labels;
  /* The network's input of a picture (transfer full); called by any of the
   * threads.  A NULL (a picture that cannot be read) is left out. */
  CamTensor *(*load) (int picture, CamView *view, gpointer data,
                      GError **error);
  /* Nullable: the mask in the network's view, [input height * input width]
   * floats 0..1 (transfer full, g_free); NULL where a picture has none. */
  float *(*mask) (int picture, const CamView *view, gpointer data);
  /* All three or none, and without masks.  begin: the sample is read, by load
   * (caller's thread).  recall: what an earlier choice with the same model,
   * sample and options kept of this trial (caller's thread); FALSE: nothing.
   * keep: one call at a time, by any of the threads. */
  gboolean (*begin) (gpointer data, GError **error);
  gboolean (*recall) (int picture, const char *layer, CamScore score,
                      CamFaithfulness *areas, gpointer data);
  gboolean (*keep) (int picture, const char *layer, CamScore score,
                    const CamFaithfulness *areas, gpointer data,
                    GError **error);
  gpointer data;

  const char *const *layers; /* candidates, NULL-ended; NULL: by themselves */
  const CamScore *scores;    /* candidates; NULL: cosine alone */
  int n_scores;
  int top_k;    /* 0: all; default 50          */
  int triplets; /* for each picture            */
  int sample;   /* pictures; 0: 24             */
  guint64 seed;
  int n_threads; /* 0: all cores */
  /* Nullable; called by the caller's thread alone, @done of @total */
  void (*progress) (int done, int total, gpointer data);
  GCancellable *cancellable; /* nullable */
} CamLayerChoiceOptions;

typedef struct /* one layer with one score */
{
  char *layer;
  CamScore score;
  int n_pictures;      /* that it was tried on: fewer where it was dropped */
  double faithfulness; /* insertion - deletion, mean */
  double insertion, deletion;
  double energy, iou; /* with masks (IoU at 0.4); else not-a-number */
} CamLayerTrial;

void cam_layer_trial_free (CamLayerTrial *trial);

/* All candidates, best first (by energy where there are masks, else by
 * faithfulness); those that saw the whole sample before those that were
 * dropped.  NULL with an error where no layer can be tried or no picture read.
 * (transfer full) array of CamLayerTrial */
GPtrArray *cam_layer_choose (CamModel *model,
                             const CamLayerChoiceOptions *options,
                             GError **error);
