/* accident.c -- a GIMP that refuses, and a plug-in that is killed: preloaded
 * into the plug-in, which it hands on to libgimp until the moment comes
 *
 * CAMLENS_TEST_ACCIDENT is "WHAT CALL NUMBER": at the call of that name with
 * that number (0: at every one) it refuses as libgimp does when GIMP says no
 * ("refuse"), or kills the process before the call or after it ("before",
 * "after").
 */
#include <dlfcn.h>
#include <gegl.h>
#include <libgimp/gimp.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#if CAMLENS_HOST == 3
typedef GimpImage *Image;
typedef GimpLayer *Layer;
typedef GimpDrawable *Drawable;
#define NONE NULL
#else
typedef gint32 Image;
typedef gint32 Layer;
typedef gint32 Drawable;
#define NONE -1
#endif

#define EXPORTED __attribute__ ((visibility ("default")))

static gboolean
happens (const char *what, const char *call, int number)
{
  const char *accident = g_getenv ("CAMLENS_TEST_ACCIDENT");
  g_auto (GStrv) words = g_strsplit (accident ? accident : "", " ", 0);
  int wanted;

  if (g_strv_length (words) != 3 || strcmp (words[0], what)
      || strcmp (words[1], call))
    return FALSE;
  wanted = atoi (words[2]);
  return wanted == 0 || wanted == number;
}

static void
may_die (const char *what, const char *call, int number)
{
  if (happens (what, call, number))
    kill (getpid (), SIGKILL);
}

#define CALL(type, refusal, name, parameters, arguments)                       \
  EXPORTED type name parameters                                                \
  {                                                                            \
    static int number;                                                         \
    type (*next) parameters = dlsym (RTLD_NEXT, #name);                        \
    type result;                                                               \
                                                                               \
    number++;                                                                  \
    if (happens ("refuse", #name, number))                                     \
      return refusal;                                                          \
    may_die ("before", #name, number);                                         \
    result = next arguments;                                                   \
    may_die ("after", #name, number);                                          \
    return result;                                                             \
  }

CALL (Image, NONE, gimp_image_duplicate, (Image image), (image))
CALL (gboolean, FALSE, gimp_image_convert_rgb, (Image image), (image))
CALL (Layer, NONE, gimp_layer_new_from_drawable,
      (Drawable drawable, Image image), (drawable, image))
CALL (gboolean, FALSE, gimp_image_insert_layer,
      (Image image, Layer layer, Layer parent, gint position),
      (image, layer, parent, position))
CALL (gboolean, FALSE, gimp_image_undo_group_start, (Image image), (image))
CALL (gboolean, FALSE, gimp_image_undo_group_end, (Image image), (image))
CALL (gboolean, FALSE, gimp_image_delete, (Image image), (image))

EXPORTED void
gegl_buffer_set (GeglBuffer *buffer, const GeglRectangle *rect, gint mipmap,
                 const Babl *format, const void *pixels, gint stride)
{
  static int number;
  void (*next) (GeglBuffer *, const GeglRectangle *, gint, const Babl *,
                const void *, gint) = dlsym (RTLD_NEXT, __func__);

  number++;
  may_die ("before", __func__, number);
  next (buffer, rect, mipmap, format, pixels, stride);
  may_die ("after", __func__, number);
}
