/* explain-write.c -- overlay, composite and heat map to files */
#include "tools/explain.h"
#include "tools/legend.h"
#include "tools/picture-rows.h"
#include "tools/picture-write.h"

typedef struct
{
  const ExplainOptions *options;
  const Explanation *explanation;
} Painter;

static void
paint_overlay (guint8 *rgba, int y, int n_rows, gpointer data)
{
  const Painter *painter = data;
  const CamView *view = &painter->explanation->view;

  cam_overlay_rgba (painter->explanation->map, view, painter->options->colormap,
                    painter->options->threshold, view->width, view->height, y,
                    n_rows, rgba, (gsize) view->width * 4);
}

static void
paint_composite (guint8 *rgba, int y, int n_rows, gpointer data)
{
  const Painter *painter = data;
  gsize n = (gsize) painter->explanation->view.width * n_rows;
  g_autofree guint8 *overlay = g_new (guint8, n * 4);

  paint_overlay (overlay, y, n_rows, data);
  cam_overlay_blend (overlay, painter->options->opacity, rgba, n);
}

static gboolean
write_composite (const ExplainSession *session, const Explanation *explanation,
                 const char *path, GError **error)
{
  const ExplainOptions *options = session->options;
  Painter painter = { options, explanation };
  PictureRows rows = { .base = explanation->path,
                       .width = explanation->view.width,
                       .height = explanation->view.height,
                       .paint = paint_composite,
                       .data = &painter };
  g_autofree guint8 *legend = NULL;

  if (options->legend)
    {
      g_autofree char *text = explain_sentence (session, explanation);

      legend = legend_new (rows.width, &rows.below_height, options->colormap,
                           options->threshold, explanation->map->maximum, text,
                           error);
      if (legend == NULL)
        return FALSE;
      rows.below = legend;
    }
  return picture_write_rows (path, &rows, error);
}

static gboolean
write_overlay (const ExplainSession *session, const Explanation *explanation,
               GError **error)
{
  Painter painter = { session->options, explanation };
  PictureRows rows = { .width = explanation->view.width,
                       .height = explanation->view.height,
                       .paint = paint_overlay,
                       .data = &painter };

  return picture_write_rows (explanation->overlay, &rows, error);
}

gboolean
explain_write (const ExplainSession *session, Explanation *explanation,
               GError **error)
{
  const char *composites[] = { explanation->out, explanation->composite };
  gint64 start = g_get_monotonic_time ();

  if (explanation->heatmap != NULL
      && ! picture_write_map (explanation->heatmap, explanation->map, error))
    return FALSE;
  if (explanation->overlay != NULL
      && ! write_overlay (session, explanation, error))
    return FALSE;
  for (int i = 0; i < 2; i++)
    if (composites[i] != NULL
        && ! write_composite (session, explanation, composites[i], error))
      return FALSE;
  explanation->seconds[3] = (g_get_monotonic_time () - start) / 1e6;
  return TRUE;
}
