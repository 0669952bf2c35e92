/* explain-write.c -- overlay, composite and heat map to files */
#include "tools/explain.h"
#include "tools/legend.h"
#include "tools/picture-write.h"
#include "tools/picture.h"

#include <glib/gi18n.h>

static gboolean
no_memory (const Explanation *explanation, GError **error)
{
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE,
               _("Too little memory for the overlay of “%s” (%d x %d)."),
               explanation->path, explanation->view.width,
               explanation->view.height);
  return FALSE;
}

static gboolean
write_composite (const ExplainSession *session, const Explanation *explanation,
                 const char *path, const guint8 *overlay, GError **error)
{
  const ExplainOptions *options = session->options;
  int width, height;
  g_autofree guint8 *base = picture_load_rgba (explanation->path, &width,
                                               &height, error);

  if (base == NULL)
    return FALSE;
  if (width != explanation->view.width || height != explanation->view.height)
    {
      g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED,
                   _("The picture “%s” changed while it was explained."),
                   explanation->path);
      return FALSE;
    }
  cam_overlay_blend (overlay, options->opacity, base, (gsize) width * height);
  if (options->legend)
    {
      g_autofree char *text = explain_sentence (session, explanation);
      g_autofree guint8 *whole = NULL;

      whole = legend_add (base, width, &height, options->colormap,
                          options->threshold, explanation->map->maximum, text,
                          error);
      return whole != NULL
             && picture_write_rgba (path, whole, width, height, error);
    }
  return picture_write_rgba (path, base, width, height, error);
}

gboolean
explain_write (const ExplainSession *session, Explanation *explanation,
               GError **error)
{
  const ExplainOptions *options = session->options;
  const CamView *view = &explanation->view;
  const char *composites[] = { explanation->out, explanation->composite };
  g_autofree guint8 *overlay = NULL;
  gint64 start = g_get_monotonic_time ();

  if (explanation->heatmap != NULL
      && ! picture_write_map (explanation->heatmap, explanation->map, error))
    return FALSE;
  if (explanation->overlay || composites[0] || composites[1])
    {
      overlay = g_try_malloc_n ((gsize) view->width * view->height, 4);
      if (overlay == NULL)
        return no_memory (explanation, error);
      cam_overlay_rgba (explanation->map, view, options->colormap,
                        options->threshold, view->width, view->height, 0,
                        view->height, overlay, (gsize) view->width * 4);
    }
  if (explanation->overlay != NULL
      && ! picture_write_rgba (explanation->overlay, overlay, view->width,
                               view->height, error))
    return FALSE;
  for (int i = 0; i < 2; i++)
    if (composites[i] != NULL
        && ! write_composite (session, explanation, composites[i], overlay,
                              error))
      return FALSE;
  explanation->seconds[3] = (g_get_monotonic_time () - start) / 1e6;
  return TRUE;
}
