/* picture-head.h -- what a picture's file says that libvips does not pass on
 *
 * Which decoder, and whether what that decoder gives can be trusted: libvips
 * hands out the channels of a TIFF whose colours it does not know as if they
 * were red, green and blue.
 */
#pragma once

#include <gio/gio.h>

typedef enum /* by a file's first bytes */
{
  PICTURE_JPEG,
  PICTURE_PNG,
  PICTURE_WEBP,
  PICTURE_GIF,
  PICTURE_TIFF,
  PICTURE_HEIF, /* HEIC and AVIF */
  PICTURE_OTHER
} PictureKind;

typedef enum /* TIFF's own numbers */
{
  TIFF_WHITE_IS_0 = 0,
  TIFF_BLACK_IS_0 = 1,
  TIFF_RGB = 2,
  TIFF_PALETTE = 3,
  TIFF_CMYK = 5,
  TIFF_YCBCR = 6,
  TIFF_LAB = 8
} TiffColours;

typedef struct
{
  int colours, bits, n_samples, compression;
  int format; /* 1 unsigned, 2 signed, 3 float */
  int ink;    /* 1: CMYK */
  int extra;  /* kind of the first sample beyond the colours; -1: not said */
} TiffHead;

typedef struct
{
  PictureKind kind;
  gboolean lossy;        /* values are near what they were, not equal */
  gboolean has_palette;  /* and its first colour: */
  guint16 background[3]; /* 0..65535 */
  double gamma;          /* PNG: of a file with neither profile nor sRGB; 0 */
  TiffHead tiff;
} PictureHead;

/* FALSE where the file is missing, cannot be read, or is no file: a pipe would
 * be waited for, a device read without end. */
gboolean picture_head_read (PictureHead *head, const char *path,
                            GError **error);
/* FALSE with a sentence where nothing can be relied on. */
gboolean picture_head_check (const PictureHead *head, const char *path,
                             GError **error);
