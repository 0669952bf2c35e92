/* picture-head.c -- the first bytes, the chunks of a PNG, the tags of a TIFF
 *
 * Everything here comes from a file: what is not there, or makes no sense, is
 * left at its default, and the decoder has the last word.
 */
#include "tools/picture-head.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gi18n.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MOST_CHUNKS 1000 /* of a PNG or WebP before its pixels */
#define MOST_TAGS 4096

static gboolean
read_at (int fd, guint64 at, void *bytes, gsize n)
{
  return at < G_MAXINT64 && pread (fd, bytes, n, (off_t) at) == (gssize) n;
}

static guint64
number_at (const guint8 *bytes, int n, gboolean little)
{
  guint64 number = 0;

  for (int i = 0; i < n; i++)
    number = number << 8 | bytes[little ? n - 1 - i : i];
  return number;
}

/* Palette and gamma, as far as they stand before the pixels */
static void
read_png (PictureHead *head, int fd)
{
  guint64 at = 8;
  guint8 chunk[12];
  gboolean managed = FALSE, indexed = read_at (fd, 25, chunk, 1) && *chunk == 3;

  for (int i = 0; i < MOST_CHUNKS && read_at (fd, at, chunk, 12); i++)
    {
      guint64 length = number_at (chunk, 4, FALSE);
      const guint8 *kind = chunk + 4, *data = chunk + 8;

      if (memcmp (kind, "IDAT", 4) == 0)
        break;
      if (memcmp (kind, "iCCP", 4) == 0 || memcmp (kind, "sRGB", 4) == 0)
        managed = TRUE;
      if (memcmp (kind, "gAMA", 4) == 0 && length == 4)
        head->gamma = number_at (data, 4, FALSE) / 1e5;
      if (indexed && memcmp (kind, "PLTE", 4) == 0 && length >= 3)
        {
          head->has_palette = TRUE;
          for (int c = 0; c < 3; c++)
            head->background[c] = data[c] * 257;
        }
      at += 12 + length;
    }
  if (managed)
    head->gamma = 0;
}

/* The global table of colours and what stands for the background */
static void
read_gif (PictureHead *head, int fd)
{
  guint8 screen[13], colour[3];

  if (! read_at (fd, 0, screen, sizeof screen) || (screen[10] & 0x80) == 0
      || ! read_at (fd, 13, colour, sizeof colour))
    return;
  head->has_palette = TRUE;
  for (int c = 0; c < 3; c++)
    head->background[c] = colour[c] * 257;
}

static void
read_webp (PictureHead *head, int fd)
{
  guint64 at = 12;
  guint8 chunk[8];

  head->lossy = TRUE;
  for (int i = 0; i < MOST_CHUNKS && read_at (fd, at, chunk, 8); i++)
    {
      guint64 length = number_at (chunk + 4, 4, TRUE);

      if (memcmp (chunk, "VP8L", 4) == 0)
        head->lossy = FALSE;
      if (memcmp (chunk, "VP8", 3) == 0 && chunk[3] != 'X')
        break;
      at += 8 + length + length % 2;
    }
}

typedef struct /* how numbers are stored in a TIFF */
{
  int fd;
  gboolean little, big; /* big: BigTIFF */
} Tiff;

/* Number @index of an entry of the directory; @fallback where there is none */
static int
tiff_number (const Tiff *tiff, const guint8 *entry, guint64 index, int fallback)
{
  guint64 kind = number_at (entry + 2, 2, tiff->little);
  int wide = tiff->big ? 8 : 4, size = kind == 3 ? 2 : kind == 4 ? 4 : 1;
  guint64 count = number_at (entry + 4, wide, tiff->little), at;
  guint8 bytes[4];

  if (index >= count || count > G_MAXINT32 || (kind != 1 && size == 1))
    return fallback;
  if (count * size <= (guint64) wide)
    return (int) number_at (entry + 4 + wide + index * size, size,
                            tiff->little);
  at = number_at (entry + 4 + wide, wide, tiff->little);
  if (at > G_MAXINT64 || ! read_at (tiff->fd, at + index * size, bytes, size))
    return fallback;
  return (int) number_at (bytes, size, tiff->little);
}

static void
read_palette (PictureHead *head, const Tiff *tiff, const guint8 *entry)
{
  int bits = head->tiff.bits;

  if (bits < 1 || bits > 16)
    return;
  head->has_palette = TRUE;
  for (int c = 0; c < 3; c++)
    head->background[c] = (guint16) tiff_number (tiff, entry,
                                                 (guint64) c << bits, 0);
}

static void
read_tag (PictureHead *head, const Tiff *tiff, const guint8 *entry)
{
  TiffHead *t = &head->tiff;

  switch (number_at (entry, 2, tiff->little))
    {
    case 258: t->bits = tiff_number (tiff, entry, 0, t->bits); break;
    case 259: t->compression = tiff_number (tiff, entry, 0, 1); break;
    case 262: t->colours = tiff_number (tiff, entry, 0, -1); break;
    case 277: t->n_samples = tiff_number (tiff, entry, 0, 1); break;
    case 320: read_palette (head, tiff, entry); break;
    case 332: t->ink = tiff_number (tiff, entry, 0, 1); break;
    case 338: t->extra = tiff_number (tiff, entry, 0, -1); break;
    case 339: t->format = tiff_number (tiff, entry, 0, 1); break;
    default: break;
    }
}

/* The first directory: the first page */
static void
read_tiff (PictureHead *head, int fd)
{
  guint8 first[16], entry[20];
  Tiff tiff = { .fd = fd };
  guint64 at, n;
  int wide, size;

  head->tiff = (TiffHead) { .colours = -1,
                            .bits = 1,
                            .n_samples = 1,
                            .compression = 1,
                            .format = 1,
                            .ink = 1,
                            .extra = -1 };
  if (! read_at (fd, 0, first, 8))
    return;
  tiff.little = first[0] == 'I';
  tiff.big = first[tiff.little ? 2 : 3] == 43;
  if (tiff.big && ! read_at (fd, 0, first, 16))
    return;
  wide = tiff.big ? 8 : 2; /* of the count of entries */
  size = tiff.big ? 20 : 12;
  at = number_at (first + (tiff.big ? 8 : 4), tiff.big ? 8 : 4, tiff.little);
  if (! read_at (fd, at, entry, wide))
    return;
  n = number_at (entry, wide, tiff.little);
  for (guint64 i = 0; i < MIN (n, MOST_TAGS); i++)
    if (read_at (fd, at + wide + i * size, entry, size))
      read_tag (head, &tiff, entry);
  head->lossy = head->tiff.compression == 6 || head->tiff.compression == 7;
}

static gboolean
begins (const char *head, gsize n, gsize at, const char *with, gsize length)
{
  return at + length <= n && memcmp (head + at, with, length) == 0;
}

static PictureKind
kind_of (const char *bytes, gsize n)
{
  if (begins (bytes, n, 0, "\xff\xd8\xff", 3))
    return PICTURE_JPEG;
  if (begins (bytes, n, 0, "\x89PNG\r\n\x1a\n", 8))
    return PICTURE_PNG;
  if (begins (bytes, n, 0, "RIFF", 4) && begins (bytes, n, 8, "WEBP", 4))
    return PICTURE_WEBP;
  if (begins (bytes, n, 0, "GIF8", 4))
    return PICTURE_GIF;
  if (begins (bytes, n, 0, "II*\0", 4) || begins (bytes, n, 0, "MM\0*", 4)
      || begins (bytes, n, 0, "II+\0", 4) || begins (bytes, n, 0, "MM\0+", 4))
    return PICTURE_TIFF;
  if (begins (bytes, n, 4, "ftyp", 4))
    return PICTURE_HEIF;
  return PICTURE_OTHER;
}

static void
read_more (PictureHead *head, int fd)
{
  switch (head->kind)
    {
    case PICTURE_PNG: read_png (head, fd); break;
    case PICTURE_GIF: read_gif (head, fd); break;
    case PICTURE_WEBP: read_webp (head, fd); break;
    case PICTURE_TIFF: read_tiff (head, fd); break;
    default: head->lossy = head->kind != PICTURE_OTHER;
    }
}

gboolean
picture_head_read (PictureHead *head, const char *path, GError **error)
{
  char bytes[12];
  int fd = g_open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
  struct stat about;
  gboolean other = fd != -1 && fstat (fd, &about) == 0
                   && ! S_ISREG (about.st_mode) && ! S_ISDIR (about.st_mode);
  gssize n = fd == -1 || other ? -1 : read (fd, bytes, sizeof bytes);
  int fault = errno;

  memset (head, 0, sizeof *head);
  if (n >= 0)
    {
      head->kind = kind_of (bytes, (gsize) n);
      read_more (head, fd);
    }
  if (fd != -1)
    close (fd);
  if (other)
    g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE,
                 _ ("'%s' is not a file"), path);
  else if (n < 0)
    g_set_error (error, G_IO_ERROR, g_io_error_from_errno (fault),
                 _ ("Cannot read the picture “%s”: %s."), path,
                 g_strerror (fault));
  return n >= 0;
}

/* Whether libvips gives these numbers as they are meant */
static gboolean
knows_numbers (const TiffHead *t)
{
  if (t->colours == TIFF_LAB)
    return t->bits == 8 || t->bits == 16;
  if (t->format == 3) /* which end is white is turned in whole numbers only */
    return t->bits == 32 && t->colours != TIFF_WHITE_IS_0;
  return (t->format == 1 || t->format == 4)
         && (t->bits == 1 || t->bits == 2 || t->bits == 4 || t->bits == 8
             || t->bits == 16 || t->bits == 32);
}

static gboolean
knows_colours (const TiffHead *t)
{
  switch (t->colours)
    {
    case TIFF_WHITE_IS_0:
    case TIFF_BLACK_IS_0:
    case TIFF_PALETTE: return TRUE;
    case TIFF_RGB: return t->n_samples >= 3;
    case TIFF_CMYK: return t->n_samples >= 4 && t->ink == 1;
    case TIFF_YCBCR: return t->compression == 7 && t->n_samples == 3;
    case TIFF_LAB: return t->n_samples == 3;
    default: return FALSE;
    }
}

gboolean
picture_head_check (const PictureHead *head, const char *path, GError **error)
{
  const TiffHead *t = &head->tiff;
  g_autofree char *reason = NULL;

  if (head->kind != PICTURE_TIFF)
    return TRUE;
  if (! knows_colours (t))
    reason = g_strdup_printf (_ ("its colours are stored in a way that is not "
                                 "read (photometric "
                                 "interpretation %d); save it in RGB or gray"),
                              t->colours);
  else if (! knows_numbers (t))
    reason = g_strdup (_ ("its numbers are neither unsigned whole ones of up "
                          "to 32 bits nor float ones of 32 bits; save it with "
                          "8 or 16 bits a channel"));
  else if (t->extra == 1 && t->bits == 32)
    reason = g_strdup (_ ("its alpha is multiplied into colours of 32 bits; "
                          "save it with 8 or 16 bits a channel"));
  else
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED,
               _ ("Cannot read the picture “%s”: %s."), path, reason);
  return FALSE;
}
