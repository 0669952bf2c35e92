/* picture-colour.c -- whatever a decoder gives, as sRGB
 *
 *   numbers   bytes and 16-bit words stay; 32-bit and float become words
 *   alpha     is set aside, so that no conversion takes it for a colour
 *   colours   an embedded profile, else what the file says
 *
 * Float is 0 for black and 1 for white, encoded as the profile says and without
 * one as sRGB: so GIMP reads it, too.  Beyond 1 is white.
 */
#include <glib/gi18n.h>
#include <math.h>

#include "tools/picture-profile.h"
#include "tools/picture-vips.h"

gboolean
picture_step (VipsImage **image, int failed, VipsImage **next)
{
  g_clear_object (image);
  if (! failed)
    *image = g_steal_pointer (next);
  g_clear_object (next);
  return ! failed;
}

static guint16
float_to_word (float v)
{
  /* written so that not-a-number becomes 0 */
  return v > 0.0f ? (v < 1.0f ? (guint16) (v * 65535.0f + 0.5f) : 65535) : 0;
}

static int
words_generate (VipsRegion *out, void *seq, void *a, void *b, gboolean *stop)
{
  VipsRegion *in = seq;
  const VipsRect *r = &out->valid;
  gsize n = (gsize) r->width * out->im->Bands;

  if (vips_region_prepare (in, r) != 0)
    return -1;
  for (int y = r->top; y < r->top + r->height; y++)
    {
      const void *from = VIPS_REGION_ADDR (in, r->left, y);
      guint16 *to = (guint16 *) (void *) VIPS_REGION_ADDR (out, r->left, y);

      for (gsize i = 0; i < n; i++)
        to[i] = in->im->BandFmt == VIPS_FORMAT_UINT
                    ? (guint16) (((const guint32 *) from)[i] >> 16)
                    : float_to_word (((const float *) from)[i]);
    }
  return 0;
}

/* 32-bit whole numbers and float as 16-bit words */
static gboolean
to_words (VipsImage **image)
{
  VipsImage *in = *image, *out = vips_image_new ();

  *image = out;
  vips_object_local (out, in);
  if (vips_image_pipelinev (out, VIPS_DEMAND_STYLE_THINSTRIP, in, NULL) != 0)
    return FALSE;
  out->BandFmt = VIPS_FORMAT_USHORT;
  return vips_image_generate (out, vips_start_one, words_generate,
                              vips_stop_one, in, NULL)
         == 0;
}

/* How many more of @image's numbers than not, of those above 0, are above
 * @bound: of more than half of them, above 0 */
static gboolean
weigh (VipsImage *image, double bound, double *more)
{
  g_autoptr (PictureImage) above = NULL, lit = NULL, twice = NULL, sum = NULL;

  return vips_more_const1 (image, &above, bound, NULL) == 0
         && vips_more_const1 (image, &lit, 0.0, NULL) == 0
         && vips_linear1 (above, &twice, 2.0, 0.0, NULL) == 0
         && vips_subtract (twice, lit, &sum, NULL) == 0
         && vips_avg (sum, more, NULL) == 0;
}

/* Most of the numbers of a float picture that is meant otherwise (0 to 255,
 * say) are above 1, and all of them would be white; most of one of whole
 * numbers of 32 bits that are meant as fewer bits would be black.  What is 0
 * says nothing: it may be the background.  The picture is read once more. */
static gboolean
check_numbers (VipsBandFormat format, const char *path, const PictureHead *head,
               GError **error)
{
  g_autoptr (PictureImage) image = picture_open (path, head, 1, error);
  gboolean whole = format == VIPS_FORMAT_UINT;
  double more = 0.0;

  if (image == NULL)
    return FALSE;
  if (! weigh (image, whole ? 65535.0 : 1.0, &more))
    return picture_refuse_reading (path, error);
  if (whole ? more >= 0.0 : more <= 0.0)
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("Cannot read the picture “%s”: %s."), path,
               whole ? _ ("most of its numbers of 32 bits are below 65536, "
                          "which is black; save it with 8 or 16 bits a channel")
                     : _ ("most of its float numbers are above 1, which should "
                          "be white; save it with 8 or 16 bits a channel"));
  return FALSE;
}

int
picture_count_colours (const VipsImage *image)
{
  switch (image->Type)
    {
    case VIPS_INTERPRETATION_B_W:
    case VIPS_INTERPRETATION_GREY16: return 1;
    case VIPS_INTERPRETATION_sRGB:
    case VIPS_INTERPRETATION_RGB:
    case VIPS_INTERPRETATION_RGB16:
    case VIPS_INTERPRETATION_scRGB:
    case VIPS_INTERPRETATION_LAB: return 3;
    case VIPS_INTERPRETATION_CMYK: return 4;
    default: return 0;
    }
}

/* The bands behind the colours are no part of them: the first is alpha, but
 * where the file says that it is something else. */
static gboolean
split_alpha (VipsImage **image, const PictureHead *head, VipsImage **alpha)
{
  gboolean other = head->kind == PICTURE_TIFF && head->tiff.extra == 0;
  int n = picture_count_colours (*image);
  VipsImage *next = NULL;
  int failed;

  if ((*image)->Bands == n)
    return TRUE;
  if (n == 0 || (*image)->Bands < n)
    return FALSE;
  if (! other && vips_extract_band (*image, alpha, n, NULL) != 0)
    return FALSE;
  failed = vips_extract_band (*image, &next, 0, "n", n, NULL);
  return picture_step (image, failed, &next);
}

/* The embedded profile of an image of gray or RGB, in bytes or words; NULL
 * where it has none of primaries and curves */
static PictureProfile *
read_profile (const VipsImage *image)
{
  int n = picture_count_colours (image);
  const void *data;
  size_t length;

  if ((n != 1 && n != 3)
      || vips_image_get_typeof (image, VIPS_META_ICC_NAME) == 0
      || vips_image_get_blob (image, VIPS_META_ICC_NAME, &data, &length) != 0)
    return NULL;
  return picture_profile_new (data, length, n,
                              image->BandFmt == VIPS_FORMAT_USHORT ? 65536
                                                                   : 256);
}

/* Whether colours are to be managed: not by a profile that is sRGB's */
static gboolean
has_other_profile (VipsImage *image)
{
  PictureProfile *profile = read_profile (image);
  gboolean other = vips_image_get_typeof (image, VIPS_META_ICC_NAME) != 0
                   && (profile == NULL || ! picture_profile_is_srgb (profile));

  g_clear_pointer (&profile, picture_profile_free);
  return other;
}

static int
profile_generate (VipsRegion *out, void *seq, void *a, void *b, gboolean *stop)
{
  VipsRegion *in = seq;
  const VipsRect *r = &out->valid;

  if (vips_region_prepare (in, r) != 0)
    return -1;
  for (int y = r->top; y < r->top + r->height; y++)
    picture_profile_convert (b, VIPS_REGION_ADDR (in, r->left, y),
                             (gsize) r->width,
                             (guint16 *) (void *) VIPS_REGION_ADDR (out,
                                                                    r->left,
                                                                    y));
  return 0;
}

static void
drop_profile (VipsImage *image, gpointer profile)
{
  picture_profile_free (profile);
}

/* Takes @profile */
static int
convert_profile (VipsImage *in, PictureProfile *profile, VipsImage **result)
{
  VipsImage *out = vips_image_new ();

  *result = out;
  picture_profile_prepare (profile);
  g_signal_connect (out, "postclose", G_CALLBACK (drop_profile), profile);
  vips_object_local (out, g_object_ref (in));
  if (vips_image_pipelinev (out, VIPS_DEMAND_STYLE_THINSTRIP, in, NULL) != 0)
    return -1;
  out->BandFmt = VIPS_FORMAT_USHORT;
  out->Bands = 3;
  out->Type = VIPS_INTERPRETATION_RGB16;
  return vips_image_generate (out, vips_start_one, profile_generate,
                              vips_stop_one, in, profile);
}

static int
transform_profile (VipsImage *in, VipsImage **out)
{
  gboolean cmyk = in->Type == VIPS_INTERPRETATION_CMYK;
  PictureProfile *profile = read_profile (in);

  if (profile != NULL)
    return convert_profile (in, profile, out);
  return vips_icc_transform (in, out, "srgb", "embedded", TRUE, "intent",
                             VIPS_INTENT_RELATIVE, "black_point_compensation",
                             TRUE, "depth",
                             in->BandFmt == VIPS_FORMAT_USHORT ? 16 : 8,
                             "input_profile", cmyk ? "cmyk" : "srgb", NULL);
}

static double
srgb_encode (double light)
{
  return light <= 0.0031308 ? light * 12.92
                            : 1.055 * pow (light, 1 / 2.4) - 0.055;
}

/* A PNG that says 1.0 holds light itself; one that says 0.45455 is as good as
 * sRGB. */
static gboolean
apply_gamma (VipsImage **image, double gamma)
{
  gboolean deep = (*image)->BandFmt == VIPS_FORMAT_USHORT;
  int n = deep ? 65536 : 256;
  g_autofree guint16 *words = NULL;
  g_autoptr (PictureImage) table = NULL, own = NULL;
  VipsImage *next = NULL;
  int failed;

  if (gamma < 0.05 || gamma > 5 || fabs (gamma - 1 / 2.2) < 0.02)
    return TRUE;
  words = g_new (guint16, n);
  for (int i = 0; i < n; i++)
    words[i] =
        float_to_word ((float) srgb_encode (pow (i / (n - 1.0), 1 / gamma)));
  table = vips_image_new_from_memory (words, n * sizeof *words, n, 1, 1,
                                      VIPS_FORMAT_USHORT);
  own = table != NULL ? vips_image_copy_memory (table) : NULL;
  failed = own == NULL || vips_maplut (*image, &next, own, NULL) != 0;
  return picture_step (image, failed, &next);
}

/* Bytes or words of one, three or four colours, or Lab, to three */
static gboolean
convert_colours (VipsImage **image, const PictureHead *head)
{
  VipsInterpretation kind = (*image)->Type;
  gboolean lab = kind == VIPS_INTERPRETATION_LAB;
  VipsImage *next = NULL;
  int failed;

  if (lab)
    {
      failed = vips_icc_export (*image, &next, "output_profile", "srgb",
                                "intent", VIPS_INTENT_RELATIVE, "depth", 16,
                                NULL);
      return picture_step (image, failed, &next);
    }
  if (kind == VIPS_INTERPRETATION_CMYK || has_other_profile (*image))
    {
      if (transform_profile (*image, &next) == 0)
        picture_step (image, 0, &next);
      else if (picture_lacks_memory ())
        return picture_step (image, -1, &next);
      else
        {
          g_clear_object (&next);
          vips_error_clear (); /* a profile that does not fit is no profile */
        }
    }
  if (! apply_gamma (image, head->gamma))
    return FALSE;
  if ((*image)->Bands == 3)
    return TRUE;
  if ((*image)->Bands == 1)
    {
      VipsImage *thrice[] = { *image, *image, *image };

      failed = vips_bandjoin (thrice, &next, 3, NULL);
    }
  else
    failed = vips_colourspace (*image, &next, VIPS_INTERPRETATION_sRGB, NULL);
  return picture_step (image, failed, &next);
}

/* What the numbers are, as they may have changed their depth */
static gboolean
set_kind (VipsImage **image, VipsInterpretation kind)
{
  VipsImage *next = NULL;
  int failed = vips_copy (*image, &next, "interpretation", kind, NULL);

  return picture_step (image, failed, &next);
}

static gboolean
unpack (VipsImage **image)
{
  VipsImage *next = NULL;
  gboolean lab = (*image)->Type == VIPS_INTERPRETATION_LABS
                 || (*image)->Coding == VIPS_CODING_LABQ;
  int failed;

  if (! lab)
    return (*image)->Coding == VIPS_CODING_NONE;
  failed = vips_colourspace (*image, &next, VIPS_INTERPRETATION_LAB, NULL);
  return picture_step (image, failed, &next);
}

static gboolean
make_words (VipsImage **image)
{
  VipsInterpretation kind = (*image)->Type;

  switch ((*image)->BandFmt)
    {
    case VIPS_FORMAT_UCHAR:
    case VIPS_FORMAT_USHORT: return TRUE;
    case VIPS_FORMAT_UINT:
    case VIPS_FORMAT_FLOAT:
      if (kind == VIPS_INTERPRETATION_B_W)
        kind = VIPS_INTERPRETATION_GREY16;
      else if (kind != VIPS_INTERPRETATION_CMYK)
        kind = VIPS_INTERPRETATION_RGB16;
      return to_words (image) && set_kind (image, kind);
    default: return FALSE;
    }
}

/* Alpha of the colours' own depth behind them */
static gboolean
join_alpha (VipsImage **image, VipsImage *alpha)
{
  g_autoptr (PictureImage) wide = NULL, words = NULL;
  VipsImage *next = NULL;
  int failed;

  if ((*image)->BandFmt == VIPS_FORMAT_USHORT
      && alpha->BandFmt == VIPS_FORMAT_UCHAR)
    {
      if (vips_linear1 (alpha, &wide, 257.0, 0.0, NULL) != 0
          || vips_cast (wide, &words, VIPS_FORMAT_USHORT, NULL) != 0)
        return FALSE;
      alpha = words;
    }
  failed = vips_bandjoin2 (*image, alpha, &next, NULL);
  return picture_step (image, failed, &next);
}

gboolean
picture_to_srgb (VipsImage **image, const PictureHead *head, const char *path,
                 GError **error)
{
  g_autoptr (PictureImage) alpha = NULL;
  gboolean plain = (*image)->Type == VIPS_INTERPRETATION_sRGB
                   && (*image)->Coding == VIPS_CODING_NONE
                   && (*image)->BandFmt == VIPS_FORMAT_UCHAR
                   && ((*image)->Bands == 3 || (*image)->Bands == 4);
  gboolean good;

  if (plain && head->kind != PICTURE_TIFF && head->gamma == 0.0
      && ! has_other_profile (*image))
    return TRUE;
  if (((*image)->BandFmt == VIPS_FORMAT_FLOAT
       || (*image)->BandFmt == VIPS_FORMAT_UINT)
      && (*image)->Type != VIPS_INTERPRETATION_LAB
      && ! check_numbers ((*image)->BandFmt, path, head, error))
    {
      g_clear_object (image);
      return FALSE;
    }
  good = unpack (image)
         && ((*image)->Type == VIPS_INTERPRETATION_LAB || make_words (image))
         && split_alpha (image, head, &alpha) && convert_colours (image, head)
         && (alpha == NULL || join_alpha (image, alpha))
         && set_kind (image, (*image)->BandFmt == VIPS_FORMAT_USHORT
                                 ? VIPS_INTERPRETATION_RGB16
                                 : VIPS_INTERPRETATION_sRGB);
  if (good)
    return TRUE;
  g_clear_object (image);
  return picture_refuse_reading (path, error);
}
