/* measures.c -- energy, overlap, boxes, pointing */
#include "core/method/measures.h"

static gboolean
is_inside (float mask)
{
  return mask >= 0.5f;
}

double
cam_measure_energy (const float *map, const float *mask, gsize n)
{
  double inside = 0.0, all = 0.0;

  for (gsize i = 0; i < n; i++)
    {
      all += map[i];
      if (is_inside (mask[i]))
        inside += map[i];
    }
  return all > 0.0 ? inside / all : 0.0;
}

static float
maximum (const float *map, gsize n)
{
  float max = 0.0f;

  for (gsize i = 0; i < n; i++)
    max = MAX (max, map[i]);
  return max;
}

double
cam_measure_iou (const float *map, const float *mask, gsize n, double t)
{
  float max = maximum (map, n);
  gsize both = 0, either = 0;

  if (max <= 0.0f)
    return 0.0;
  for (gsize i = 0; i < n; i++)
    {
      gboolean hot = map[i] >= t * max, in = is_inside (mask[i]);

      both += hot && in;
      either += hot || in;
    }
  return either > 0 ? (double) both / either : 0.0;
}

gboolean
cam_measure_pointing (const float *map, const float *mask, gsize n)
{
  gsize best = 0;

  for (gsize i = 1; i < n; i++)
    if (map[i] > map[best])
      best = i;
  return n > 0 && map[best] > 0.0f && is_inside (mask[best]);
}

typedef struct
{
  int width, height;
  guint8 *hot; /* [height, width]; cleared as parts are taken */
  GArray *stack;
} Flood;

static void
push (Flood *flood, int x, int y)
{
  int at = y * flood->width + x;

  if (x < 0 || y < 0 || x >= flood->width || y >= flood->height
      || ! flood->hot[at])
    return;
  flood->hot[at] = 0;
  g_array_append_val (flood->stack, at);
}

/* Takes the part around (@x, @y); returns how many pixels it has. */
static gsize
take_part (Flood *flood, int x, int y, CamBox *box)
{
  gsize size = 0;

  *box = (CamBox) { x, y, x + 1, y + 1 };
  push (flood, x, y);
  while (flood->stack->len > 0)
    {
      int at = g_array_index (flood->stack, int, flood->stack->len - 1);
      int px = at % flood->width, py = at / flood->width;

      g_array_set_size (flood->stack, flood->stack->len - 1);
      size++;
      box->x0 = MIN (box->x0, px);
      box->y0 = MIN (box->y0, py);
      box->x1 = MAX (box->x1, px + 1);
      box->y1 = MAX (box->y1, py + 1);
      for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++)
          push (flood, px + dx, py + dy);
    }
  return size;
}

gboolean
cam_measure_box (const float *map, int width, int height, double t, CamBox *box)
{
  gsize n = (gsize) width * height, largest = 0;
  float max = maximum (map, n);
  Flood flood = { width, height, NULL, NULL };

  if (max <= 0.0f)
    return FALSE;
  flood.hot = g_new (guint8, n);
  flood.stack = g_array_new (FALSE, FALSE, sizeof (int));
  for (gsize i = 0; i < n; i++)
    flood.hot[i] = map[i] >= t * max;
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      {
        CamBox part;
        gsize size;

        if (! flood.hot[(gsize) y * width + x])
          continue;
        size = take_part (&flood, x, y, &part);
        if (size > largest)
          {
            largest = size;
            *box = part;
          }
      }
  g_array_unref (flood.stack);
  g_free (flood.hot);
  return TRUE;
}

gboolean
cam_mask_box (const float *mask, int width, int height, CamBox *box)
{
  *box = (CamBox) { width, height, 0, 0 };
  for (int y = 0; y < height; y++)
    for (int x = 0; x < width; x++)
      if (is_inside (mask[(gsize) y * width + x]))
        {
          box->x0 = MIN (box->x0, x);
          box->y0 = MIN (box->y0, y);
          box->x1 = MAX (box->x1, x + 1);
          box->y1 = MAX (box->y1, y + 1);
        }
  return box->x1 > box->x0;
}

static double
area (const CamBox *b)
{
  return b->x1 > b->x0 && b->y1 > b->y0
             ? (double) (b->x1 - b->x0) * (b->y1 - b->y0)
             : 0.0;
}

double
cam_box_iou (const CamBox *a, const CamBox *b)
{
  CamBox both = { MAX (a->x0, b->x0), MAX (a->y0, b->y0), MIN (a->x1, b->x1),
                  MIN (a->y1, b->y1) };
  double overlap = area (&both), either = area (a) + area (b) - overlap;

  return either > 0.0 ? overlap / either : 0.0;
}
