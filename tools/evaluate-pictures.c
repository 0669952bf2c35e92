/* evaluate-pictures.c -- what the numbers look like: overlays side by side */
#include <glib/gi18n.h>
#include <math.h>
#include <string.h>

#include "tools/evaluate.h"
#include "tools/picture-write.h"
#include "tools/picture.h"

#define SIDE 190
#define N_EACH 3

typedef struct /* a picture small enough for a page: RGBA8 */
{
  guint8 *pixels;
  int width, height;
  float *mask; /* NULL: none */
} Small;

static gboolean
open_small (const EvaluatePicture *picture, Small *small, GError **error)
{
  CamInputSettings s = { .scale = 1.0, .std = { 1, 1, 1 } };
  g_autoptr (CamTensor) input = NULL;
  int width, height;
  double scale;
  gsize n;

  if (! picture_size (picture->path, &width, &height, error))
    return FALSE;
  scale = MIN (1.0, (double) SIDE / MAX (width, height));
  s.width = small->width = MAX (1, (int) (width * scale));
  s.height = small->height = MAX (1, (int) (height * scale));
  s.filter = CAM_FILTER_BICUBIC;
  s.nhwc = TRUE;
  for (int c = 0; c < 3; c++)
    s.background[c] = 1.0;
  input = picture_load_input (picture->path, &s, NULL, error);
  if (input == NULL)
    return FALSE;
  n = (gsize) s.width * s.height;
  small->pixels = g_new (guint8, n * 4);
  for (gsize i = 0; i < n; i++)
    for (int c = 0; c < 4; c++)
      small->pixels[4 * i + c] =
          c < 3 ? (guint8) cam_tensor_f32 (input)[3 * i + c] : 255;
  return TRUE;
}

static void
close_small (Small *small)
{
  g_free (small->pixels);
  g_free (small->mask);
}

/* The mask at the small picture's size: the nearest pixel */
static void
open_mask (const EvaluatePicture *picture, const CamView *view, Small *small)
{
  int width, height;
  g_autofree float *mask = NULL;

  if (picture->mask != NULL)
    mask = evaluate_read_mask (NULL, picture, view, &width, &height, NULL);
  if (mask == NULL)
    return;
  small->mask = g_new (float, (gsize) small->width * small->height);
  for (int y = 0; y < small->height; y++)
    for (int x = 0; x < small->width; x++)
      small->mask[y * small->width + x] =
          mask[(gsize) ((y + 0.5) * height / small->height) * width
               + (gsize) ((x + 0.5) * width / small->width)];
}

/* A white line along the inside of the mask's edge */
static void
draw_outline (const Small *small, guint8 *pixels)
{
  int w = small->width, h = small->height;

  for (int y = 0; small->mask != NULL && y < h; y++)
    for (int x = 0; x < w; x++)
      {
        const float *m = &small->mask[y * w + x];
        gboolean edge = (x > 0 && m[-1] < 0.5f) || (x < w - 1 && m[1] < 0.5f)
                        || (y > 0 && m[-w] < 0.5f)
                        || (y < h - 1 && m[w] < 0.5f);

        if (*m >= 0.5f && edge)
          memset (&pixels[4 * (y * w + x)], 255, 3);
      }
}

static gboolean
add_image (const Small *small, const guint8 *pixels, const char *caption,
           const char *note, GString *html, GError **error)
{
  g_autoptr (GBytes)
      jpeg = picture_encode_jpeg (pixels, small->width, small->height, error);
  g_autofree char *base64 = NULL, *text = NULL;
  gsize length;
  const guint8 *data;

  if (jpeg == NULL)
    return FALSE;
  data = g_bytes_get_data (jpeg, &length);
  base64 = g_base64_encode (data, length);
  text = g_markup_escape_text (caption, -1);
  g_string_append_printf (html,
                          "<figure><img alt='%s' width='%d' height='%d' "
                          "src='data:image/jpeg;base64,%s'><figcaption>%s"
                          "<b>%s</b></figcaption></figure>",
                          text, small->width, small->height, base64, text,
                          note);
  return TRUE;
}

static char *
caption_of (const EvaluateRow *row)
{
  GString *text = g_string_new (row->title);

  if (*row->method != '\0')
    g_string_append_printf (text, ", %s", evaluate_row_method (row));
  if (row->kind < ROW_ACTIVATION)
    {
      g_string_append (text, ", ");
      if (row->top_k > 0)
        g_string_append_printf (text, _ ("top %d"), row->top_k);
      else
        g_string_append (text, _ ("all channels"));
    }
  return g_string_free (text, FALSE);
}

static gboolean
add_overlay (const Evaluation *e, guint picture, guint r, const CamView *view,
             const Small *small, GString *html, GError **error)
{
  const EvaluateScore *score = evaluate_score (e, picture, r);
  gsize n = (gsize) small->width * small->height;
  g_autofree guint8 *base = g_memdup2 (small->pixels, n * 4);
  g_autofree guint8 *overlay = g_new (guint8, n * 4);
  g_autofree char *caption = caption_of (evaluate_row (e, r));
  g_autofree char *note =
      isnan (score->measures[MEASURE_ENERGY])
          ? g_strdup ("")
          : g_strdup_printf (_ (" energy %.2f"),
                             score->measures[MEASURE_ENERGY]);

  cam_overlay_rgba (score->map, view, CAM_COLORMAP_TURBO, 0.0, small->width,
                    small->height, 0, small->height, overlay,
                    (gsize) small->width * 4);
  cam_overlay_blend (overlay, 0.6, base, n);
  draw_outline (small, base);
  return add_image (small, base, caption, note, html, error);
}

static gboolean
show_picture (Evaluation *e, guint index, GString *html, GError **error)
{
  const EvaluatePicture *picture = g_ptr_array_index (e->data.pictures, index);
  Small small = { 0 };
  CamView view;
  gboolean good = open_small (picture, &small, error)
                  && evaluate_again (e, index, &view, error);

  if (good)
    {
      open_mask (picture, &view, &small);
      g_string_append (html, "<div class='strip'>");
      draw_outline (&small, small.pixels);
      good = add_image (&small, small.pixels, picture->name, "", html, error);
    }
  for (guint r = 0; good && r < e->rows->len; r++)
    if (evaluate_score (e, index, r)->map != NULL)
      good = add_overlay (e, index, r, &view, &small, html, error);
  g_string_append (html, "</div>");
  close_small (&small);
  return good;
}

typedef struct
{
  guint picture;
  float value;
} Ranked;

static int
compare_ranked (gconstpointer a, gconstpointer b)
{
  const Ranked *x = a, *y = b;

  if (x->value != y->value)
    return x->value > y->value ? -1 : 1;
  return (int) x->picture - (int) y->picture;
}

static GArray *
rank_pictures (const Evaluation *e, guint row)
{
  GArray *ranked = g_array_new (FALSE, FALSE, sizeof (Ranked));

  for (guint i = 0; i < e->data.pictures->len; i++)
    {
      const float *m = evaluate_score (e, i, row)->measures;
      Ranked one = { i, ! isnan (m[MEASURE_ENERGY]) ? m[MEASURE_ENERGY]
                                                    : m[MEASURE_FAITHFULNESS] };

      if (! isnan (one.value))
        g_array_append_val (ranked, one);
    }
  g_array_sort (ranked, compare_ranked);
  return ranked;
}

gboolean
evaluate_show_pictures (Evaluation *e, guint row, GString *html, GError **error)
{
  static const char *const titles[] = { N_ ("Best"), N_ ("Typical"),
                                        N_ ("Worst") };
  g_autoptr (GArray) ranked = rank_pictures (e, row);
  int n = (int) ranked->len;
  int starts[] = { 0, MAX (0, n / 2 - 1), MAX (0, n - N_EACH) };

  for (int part = 0; part < 3; part++)
    {
      g_string_append_printf (html, "<h3>%s</h3>", _ (titles[part]));
      for (int i = starts[part]; i < MIN (starts[part] + N_EACH, n); i++)
        if (! show_picture (e, g_array_index (ranked, Ranked, i).picture, html,
                            error))
          return FALSE;
    }
  return TRUE;
}
